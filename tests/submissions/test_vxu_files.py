"""The way of an HL7 file through all steps, with a real database: folders, reports, consents, modes."""

from __future__ import annotations

import hashlib
import json
import os
from datetime import date
from typing import Any

import pandas as pd
import pytest

from partner_exchange import clock
from partner_exchange.errors import ArchiveDamaged
from partner_exchange.feeds.base import AnswerFile, AnswerMaterial
from partner_exchange.feeds.expected import places
from partner_exchange.feeds.registry import get_feed
from partner_exchange.feeds.vxu.consent_file import read_consents
from partner_exchange.ledger import submissions as ledger
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.states import Outcome, State
from partner_exchange.ledger.submissions import Submission
from partner_exchange.notify import outbox
from partner_exchange.storage.archive import Archive
from partner_exchange.stores import consents
from partner_exchange.submissions.load import load
from partner_exchange.submissions.respond import respond
from partner_exchange.submissions.validate import tables_of, validate
from partner_exchange.validation.findings import Findings
from submissions.conftest import CLINIC, CLINIC_YAML, Exchange
from support.batches import batch, dose, file_name, historical, message, refusal
from support.mailbox import Mailbox

TODAY = date(2026, 11, 21)
REPORTS = ("csv", "html", "json", "txt")


def consent(clinic: Exchange, patient: str = "P1", code: str = CLINIC) -> None:
    """Import a consent of the parents for one patient."""
    header = "PatientId,AssigningAuthority,LastName,FirstName,BirthDate,ConsentType,ConsentStatus,ConsentDate"
    content = f"{header}\r\n{patient},CLINIC,,,,CHILD,YES,20200101\r\n".encode()
    read = read_consents(content, file_name="consents.csv", today=TODAY)
    assert read.rejected == 0
    with transaction() as connection:
        consents.record(
            connection, read.records, tenant_code=code, source="test", actor="test", now=clock.now()
        )


def drop(clinic: Exchange, content: bytes, *, number: int = 1, code: str = CLINIC) -> Submission:
    """Drop a file of today and take it through all steps."""
    clinic.drop(content, file_name(TODAY, code=code.upper(), number=number), code)
    (submission,) = clinic.run(code)
    return submission


def names(clinic: Exchange, folder: str, code: str = CLINIC) -> list[str]:
    """What lies in a folder of the partner's home."""
    found = clinic.home_dir(code) / folder
    return sorted(each.name for each in found.iterdir()) if found.exists() else []


def codes(submission: Submission) -> set[str]:
    """All codes found in a file."""
    with transaction() as connection:
        return {group.code for group in ledger.findings(connection, submission.submission_id).groups}


def report(clinic: Exchange, stem: str, code: str = CLINIC) -> dict[str, Any]:
    """The report of a file as a program reads it."""
    found: dict[str, Any] = json.loads(
        (clinic.home_dir(code) / "DQA-Report" / f"{stem}.dqa.json").read_text()
    )
    return found


def test_T01_patients_and_doses_of_a_clinic_reach_the_store(clinic: Exchange) -> None:
    consent(clinic)
    submission = drop(clinic, batch(message("1", dose("D1"), historical("D2", on="20200820"))))
    assert (submission.state, submission.outcome) == (State.DONE, Outcome.ACCEPTED)
    assert clinic.rows("select last_name, first_name from store.patient") == [("Pecos", "Sawyer")]
    doses = clinic.rows("select cvx, administered_on::text from store.dose order by cvx")
    assert doses == [("21", "2020-08-20"), ("94", "2026-11-20")]


def test_T28_the_original_leaves_the_dropoff_for_accepted(clinic: Exchange) -> None:
    drop(clinic, batch(message("1", dose("D1"))))
    assert names(clinic, "HL7-Dropoff") == []
    assert names(clinic, "Accepted") == ["AAA-SSL26325.hl7"]


def test_T29_a_file_has_its_report_in_all_forms_and_its_acknowledgements(clinic: Exchange) -> None:
    drop(clinic, batch(message("1", dose("D1"))))
    reports = ["AAA-SSL26325.ack.hl7", *(f"AAA-SSL26325.dqa.{ending}" for ending in REPORTS)]
    assert names(clinic, "DQA-Report") == reports


def test_T31_consents_are_notified_for_a_file_that_was_imported(clinic: Exchange) -> None:
    drop(clinic, batch(message("1", dose("D1"))))
    drop(clinic, batch(message("2", version="2.3.1")), number=2)
    assert names(clinic, "Receive") == ["AAA-SSL26325.cnf.csv"]


def test_T49_a_program_knows_the_names_of_all_answers_beforehand(clinic: Exchange) -> None:
    submission = drop(clinic, batch(message("1", dose("D1", cvx="99999"))))
    told = places(submission, (), Findings(), clinic.tenant(CLINIC))
    home = clinic.home_dir(CLINIC)
    assert set(told.values()) == {
        f"{folder}/{each}"
        for folder in ("Accepted", "DQA-Report", "Receive")
        for each in names(clinic, folder)
    }
    (finding,) = [one for one in report(clinic, "AAA-SSL26325")["findings"] if one["code"] == "code-unknown"]
    assert finding["place"] == "RXA-5"
    assert b"RXA^1^5" in (home / "DQA-Report" / "AAA-SSL26325.ack.hl7").read_bytes()


def test_K15_the_original_is_byte_exact(clinic: Exchange) -> None:
    content = batch(message("1", dose("D1"))).replace(b"\r", b"\r\n") + b"\x00\xff junk"
    submission = drop(clinic, content)
    kept = (clinic.home_dir(CLINIC) / "Accepted" / "AAA-SSL26325.hl7").read_bytes()
    assert kept == content
    assert submission.sha256 == hashlib.sha256(kept).hexdigest()


def test_K20_a_name_used_again_overwrites_nothing(clinic: Exchange) -> None:
    first = drop(clinic, batch(message("1", dose("D1"))))
    again = drop(clinic, batch(message("2", dose("D2", on="20261119"))))
    assert first.is_first_of_name
    assert not again.is_first_of_name
    assert names(clinic, "Accepted") == sorted(["AAA-SSL26325.hl7", f"AAA-SSL26325.{again.stamp}.hl7"])
    assert len(names(clinic, "DQA-Report")) == 2 * (len(REPORTS) + 1)
    assert f"AAA-SSL26325.{again.stamp}.dqa.html" in names(clinic, "DQA-Report")


def test_K20_what_the_ledger_does_not_know_is_not_overwritten_either(clinic: Exchange) -> None:
    for folder, name in (("Accepted", "AAA-SSL26325.hl7"), ("DQA-Report", "AAA-SSL26325.dqa.txt")):
        place = clinic.home_dir(CLINIC) / folder / name
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(b"from before the ledger was set up anew")
    submission = drop(clinic, batch(message("1", dose("D1"))))
    assert names(clinic, "HL7-Dropoff") == []
    assert f"AAA-SSL26325.{submission.stamp}.hl7" in names(clinic, "Accepted")
    report_before = clinic.home_dir(CLINIC) / "DQA-Report" / "AAA-SSL26325.dqa.txt"
    assert report_before.read_bytes() == b"from before the ledger was set up anew"


def test_T48_a_second_file_of_a_day_has_a_number(clinic: Exchange) -> None:
    drop(clinic, batch(message("1", dose("D1"))))
    second = drop(clinic, batch(message("2", dose("D2", on="20261119"))), number=2)
    assert second.state is State.DONE
    assert "AAA-SSL26325-2.dqa.txt" in names(clinic, "DQA-Report")


def test_T58_a_refused_file_has_a_report_and_its_original(clinic: Exchange) -> None:
    clinic.drop(batch(message("1", dose("D1"))), "BBB-SSL26325.hl7", CLINIC)
    (submission,) = clinic.run(CLINIC)
    assert submission.state is State.REFUSED
    assert names(clinic, "Accepted") == ["BBB-SSL26325.hl7"]
    assert names(clinic, "DQA-Report") == [f"BBB-SSL26325.dqa.{ending}" for ending in REPORTS]
    assert names(clinic, "Receive") == []


def test_T02_a_query_is_told_that_nothing_is_answered(clinic: Exchange) -> None:
    submission = drop(clinic, batch(message("1", kind="QBP^Q11^QBP_Q11")))
    assert submission.state is State.REFUSED
    acknowledged = (clinic.home_dir(CLINIC) / "DQA-Report" / "AAA-SSL26325.ack.hl7").read_text()
    assert "MSA|AR|1" in acknowledged
    assert "query-not-answered" in codes(submission)


def test_X03_answers_are_the_same_when_the_work_area_is_lost(clinic: Exchange) -> None:
    consent(clinic)
    bad = message("2", dose("D3"), version="2.3.1")
    clinic.drop(batch(message("1", dose("D1"), dose("D2", cvx="99999")), bad), file_name(TODAY), CLINIC)
    (submission_id,) = clinic.claim_all(CLINIC)
    validate(submission_id)
    load(submission_id)
    left, lost = (_answers(clinic, submission_id, is_lost=is_lost) for is_lost in (False, True))
    assert len(left) == len(REPORTS) + 2
    assert left == lost


def _answers(clinic: Exchange, submission_id: str, *, is_lost: bool) -> list[AnswerFile]:
    if is_lost:
        Archive().clear_work(submission_id)
    with transaction() as connection:
        submission = ledger.get(connection, submission_id)
        findings = ledger.findings(connection, submission_id)
    tenant = clinic.tenant(CLINIC)
    material = AnswerMaterial(
        tenant=tenant,
        file_name=submission.file_name,
        original=lambda: b"",
        rejected=pd.DataFrame(),
        findings=findings,
        submission_id=submission_id,
        tables=tables_of(submission, tenant),
    )
    return list(get_feed("vxu").answer_files(material))


def test_T62_doses_without_consent_are_held_apart_until_it_comes(clinic: Exchange) -> None:
    submission = drop(clinic, batch(message("1", dose("D1"), refusal())))
    assert submission.part_counts["doses_held"] == 2
    for table in ("patient", "patient_identifier", "dose", "observation", "refusal"):
        assert clinic.rows(f"select * from store.{table}") == []
    consent(clinic)
    with transaction() as connection:
        consents.release(connection, clinic.tenant(CLINIC), now=clock.now())
    assert clinic.rows("select count(*) from store.dose") == [(1,)]
    assert clinic.rows("select count(*) from store.refusal") == [(1,)]
    assert clinic.rows("select count(*) from store.held_dose") == [(0,)]


def test_T61_consents_are_notified_per_patient(clinic: Exchange) -> None:
    consent(clinic, "P1")
    other = message("2", dose("D2"), patient="P2", name="Doe^Ann^^^^^L", born="20180101")
    drop(clinic, batch(message("1", dose("D1")), other))
    lines = (clinic.home_dir(CLINIC) / "Receive" / "AAA-SSL26325.cnf.csv").read_text().splitlines()
    told = [dict(zip(lines[0].split(","), line.split(","), strict=True)) for line in lines[1:]]
    assert [(one["PatientId"], one["ConsentStatus"], one["DosesStored"]) for one in told] == [
        ("P1", "YES", "1"),
        ("P2", "NOT_FOUND", "0"),
    ]


def test_K7_in_test_everything_answers_and_nothing_is_stored(clinic: Exchange) -> None:
    consent(clinic, code="bbb-ssl")
    submission = drop(clinic, batch(message("1", dose("D1"))), code="bbb-ssl")
    assert submission.state is State.DONE
    assert submission.part_counts["doses_stored"] == 1
    for table in ("patient", "dose", "observation", "held_dose"):
        assert clinic.rows(f"select * from store.{table}") == []
    assert report(clinic, "BBB-SSL26325", "bbb-ssl")
    assert names(clinic, "Receive", "bbb-ssl") == ["BBB-SSL26325.cnf.csv"]


def test_T64_the_same_file_again_changes_nothing(clinic: Exchange) -> None:
    consent(clinic)
    content = batch(message("1", dose("D1"), historical("D2", on="20200820")))
    drop(clinic, content)
    again = drop(clinic, content, number=2)
    assert (again.rows_created, again.rows_updated, again.rows_unchanged) == (0, 0, 1)
    assert again.part_counts["doses_unchanged"] == 2


def test_T62_a_shared_number_lends_no_consent_and_is_told_at_the_identifiers(clinic: Exchange) -> None:
    consent(clinic)
    own, shared = "^^^CLINIC^MR", "^^^CLINIC^MR~999999999^^^SSA^SS"
    other = message("2", dose("D2"), patient="P2", name="Other^Person^^^^^L", born="20180101")
    sent = (message("1", dose("D1")).replace(own, shared), other.replace(own, shared))
    submission = drop(clinic, batch(*sent))
    assert (submission.part_counts["doses_stored"], submission.part_counts["doses_held"]) == (1, 1)
    with transaction() as connection:
        table = ledger.findings(connection, submission.submission_id).table
    found = table[table["code"] == "identifier-of-another-patient"]
    assert found[["row", "column", "place"]].to_numpy().tolist() == [[2, "PID-3", "PID^1^3"]]
    told = pd.read_csv(clinic.home_dir(CLINIC) / "Receive" / "AAA-SSL26325.cnf.csv", dtype=str)
    assert told[["PatientId", "ConsentStatus", "DosesStored"]].to_numpy().tolist() == [
        ["P1", "YES", "1"],
        ["P2", "NOT_FOUND", "0"],
    ]


def test_T64_an_old_file_sent_again_undoes_nothing(clinic: Exchange) -> None:
    consent(clinic)
    old = batch(message("1", dose("D1"), dose("D2", cvx="21", on="20261119")))
    newer = message("2", dose("D1", action="U", lot="NEW"), dose("D2", cvx="21", on="20261119", action="D"))
    drop(clinic, old)
    drop(clinic, batch(newer.replace("20261120101500", "20261121081500")), number=2)
    again = drop(clinic, old, number=3)
    assert again.part_counts["doses_unchanged"] == 2
    assert "dose-newer-on-record" in codes(again)
    assert clinic.rows("select lot from store.dose") == [("NEW",)]


def test_T64_a_dose_is_updated_and_deleted_by_its_order(clinic: Exchange) -> None:
    consent(clinic)
    drop(clinic, batch(message("1", dose("D1"), historical("D2", on="20200820"))))
    drop(clinic, batch(message("2", dose("D1", action="U", lot="NEWLOT"))), number=2)
    assert clinic.rows("select lot from store.dose where lot is not null") == [("NEWLOT",)]
    last = drop(clinic, batch(message("3", dose("D1", action="D"))), number=3)
    assert last.part_counts["doses_deleted"] == 1
    assert clinic.rows("select count(*) from store.dose") == [(1,)]


def test_K23_one_bad_dose_and_one_bad_message_do_not_sink_the_rest(clinic: Exchange) -> None:
    consent(clinic)
    content = batch(
        message("1", dose("D1"), dose("D2", cvx="99999", on="20261119")),
        message("2", dose("D3"), version="2.3.1"),
        message("3", historical("D4", on="20200820")),
    )
    submission = drop(clinic, content)
    assert (submission.rows_total, submission.rows_accepted, submission.rows_rejected) == (3, 2, 1)
    assert submission.part_counts["doses_total"] == 4
    assert submission.part_counts["doses_rejected"] == 2
    assert submission.part_counts["doses_stored"] == 2
    acknowledged = (clinic.home_dir(CLINIC) / "DQA-Report" / "AAA-SSL26325.ack.hl7").read_text()
    assert [line for line in acknowledged.splitlines() if line.startswith("MSA")] == [
        "MSA|AE|1",
        "MSA|AR|2",
        "MSA|AA|3",
    ]


def test_T63_a_missing_trailer_is_answered_not_waited_for(clinic: Exchange) -> None:
    whole = batch(message("1", dose("D1")))
    submission = drop(clinic, whole.partition(b"BTS|")[0])
    assert submission.state is State.DONE
    assert {"batch-trailer-missing", "file-trailer-missing"} <= codes(submission)


def test_X12_a_patient_of_one_clinic_is_unknown_to_another(clinic: Exchange) -> None:
    consent(clinic)
    drop(clinic, batch(message("1", dose("D1"))))
    other = drop(clinic, batch(message("1", dose("D1"))), code="bbb-ssl")
    assert other.part_counts["doses_held"] == 1
    assert clinic.rows("select distinct tenant_code from store.dose") == [(CLINIC,)]


def test_T60_no_value_of_a_message_reaches_report_log_ledger_or_mail(
    clinic: Exchange, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    marked = (
        message(
            "CTLqqz",
            dose("ORDqqz", lot="LOTqqz", cvx="CVXqqz"),
            [*historical("9999", on="DATEqqz"), "OBX|1|CE|OBSqqz||VALqqz||||||F", "ZZZ|ANYqqz"],
            patient="PATqqz",
            name="LASTqqz^FIRSTqqz^MIDqqz^^^^L",
            born="20190229",
        )
        .replace("350 Greene Cir", "STREETqqz")
        .replace("3464569", "5550199qqz")
    )
    submission = drop(
        clinic, batch(marked, message("2", dose("D2"), patient="P2qqz", name="NAMEqqz^Xqqz^^^^^L"))
    )
    outbox.deliver(submission_id=submission.submission_id)
    told = [caplog.text, json.dumps(dict(submission.part_counts))]
    told += [mail.as_string() for mail in mailbox.mails]
    told += [each.read_text() for each in (clinic.home_dir(CLINIC) / "DQA-Report").glob("*.dqa.*")]
    for table in ("finding", "finding_group", "quality_report", "audit", "message_outcome", "submission"):
        told += [str(row) for row in clinic.rows(f"select * from ledger.{table}")]
    assert len(mailbox.mails) > 0
    assert len(told) > 20
    assert not [text for text in told if "qqz" in text.casefold()]
    acknowledged = (clinic.home_dir(CLINIC) / "DQA-Report" / "AAA-SSL26325.ack.hl7").read_text()
    assert acknowledged.casefold().count("qqz") == 1
    assert "MSA|AE|CTLqqz" in acknowledged


def test_X05_a_lost_work_area_and_other_rules_are_told_and_nothing_is_answered(clinic: Exchange) -> None:
    clinic.drop(batch(message("1", dose("D1"))), file_name(TODAY), CLINIC)
    (submission_id,) = clinic.claim_all(CLINIC)
    validate(submission_id)
    load(submission_id)
    Archive().clear_work(submission_id)
    (clinic.folder / "tenants" / f"{CLINIC}.yaml").write_text(
        CLINIC_YAML.format(mode="production") + "time_zone: UTC\n"
    )
    with pytest.raises(ArchiveDamaged, match="work area"):
        respond(submission_id, clinic.home(CLINIC))
    assert names(clinic, "DQA-Report") == []


def test_E19_messages_are_judged_anew_when_the_mode_changes_before_the_load(clinic: Exchange) -> None:
    clinic.drop(batch(message("1", dose("D1"), processing="T")), file_name(TODAY), CLINIC)
    (submission_id,) = clinic.claim_all(CLINIC)
    assert validate(submission_id).rows_rejected == 1
    (clinic.folder / "tenants" / f"{CLINIC}.yaml").write_text(CLINIC_YAML.format(mode="test"))
    assert load(submission_id).rows_rejected == 0


def test_K20_files_of_one_time_are_taken_in_the_order_of_their_numbers(clinic: Exchange) -> None:
    numbers = (10, 2, 1)
    for number in numbers:
        clinic.drop(batch(message(str(number), dose("D1"))), file_name(TODAY, number=number), CLINIC)
        os.utime(clinic.inbox(CLINIC) / file_name(TODAY, number=number), (1_000_000_000, 1_000_000_000))
    claimed = [clinic.get(one).file_name for one in clinic.claim_all(CLINIC)]
    assert claimed == [file_name(TODAY, number=number) for number in sorted(numbers)]


def test_T63_a_message_that_is_cut_off_is_not_taken(clinic: Exchange) -> None:
    whole = batch(message("1", dose("D1")), message("2", dose("D2", on="20261119")))
    cut = whole[: whole.rindex(b"Q3110HZ") + 3]
    submission = drop(clinic, cut, number=2)
    assert (submission.rows_total, submission.rows_accepted) == (2, 1)
    assert {"message-cut", "message-rejected"} <= codes(submission)
    bare = whole[whole.index(b"MSH") : whole.index(b"BTS")].rstrip(b"\r")
    submission = drop(clinic, bare, number=3)
    assert (submission.rows_total, submission.rows_rejected) == (2, 0)
