"""Status files from the drop to the answer, with a real database: what loads, is told, and never shows."""

from __future__ import annotations

import csv
import io
import itertools
import logging
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest
import xlwt

from partner_exchange import clock
from partner_exchange.errors import ArchiveDamaged
from partner_exchange.ledger import submissions as ledger
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.states import State
from partner_exchange.notify.outbox import deliver
from partner_exchange.storage.archive import Archive
from partner_exchange.submissions.load import load
from partner_exchange.submissions.process import run_steps
from partner_exchange.submissions.validate import ACCEPTED, validate, validate_anew
from submissions.conftest import Exchange
from support.mailbox import Mailbox

M = "mercy"
NOW = (
    "select resource_id, status_type_id, value, is_not_applicable from store.status "
    "where tenant_code = 'mercy' order by 1, 2"
)
FULL_NOW = "select * from store.status order by tenant_code, resource_id, status_type_id"
HISTORY = "select * from store.status_change order by 1, 2, 3, 4"

ED, VENTILATORS = 12001, 12002


def bulk(*rows: Sequence[object], header: Sequence[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([header, *rows])
    return text.getvalue().encode()


def xlsx(*rows: Sequence[object], header: Sequence[str]) -> bytes:
    book = openpyxl.Workbook()
    for row in (header, *rows):
        book.active.append(list(row))
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def xls(*rows: Sequence[object], header: Sequence[str]) -> bytes:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Sheet1")
    for at, row in enumerate((header, *rows)):
        for place, value in enumerate(row):
            sheet.write(at, place, value)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def codes(submission_id: str) -> set[str]:
    with transaction() as connection:
        return {group.code for group in ledger.findings(connection, submission_id).groups}


HEADER = ("Resource ID", "Update Date/Time", "ED Status", "Ventilators Available")


@pytest.fixture
def november() -> Iterator[None]:
    """Let it be the November of the reports: a month later each gets a finding that it is old."""
    with clock.frozen(datetime(2026, 11, 21, 15, tzinfo=UTC)):
        yield


def test_E21_only_populated_values_update(hospital: Exchange) -> None:
    hospital.drop(bulk(("R1", "11/01/2026 08:00", "Open", 12), header=HEADER), "one.csv", M)
    hospital.drop(bulk(("R1", "11/02/2026 08:00", "", 14), header=HEADER), "two.csv", M)
    first, second = hospital.run(M)
    assert (first.state, second.state) == (State.DONE, State.DONE)
    assert (first.rows_created, second.rows_updated) == (1, 1)
    assert hospital.rows(NOW) == [("R1", ED, "Open", False), ("R1", VENTILATORS, "14", False)]
    with transaction() as connection:
        outcomes = {one.column: one for one in ledger.column_outcomes(connection, second.submission_id)}
    assert (outcomes["ED Status"].skipped, outcomes["Ventilators Available"].set) == (1, 1)


@pytest.mark.usefixtures("november")
def test_K23_bad_value_does_not_sink_its_row(hospital: Exchange) -> None:
    hospital.drop(bulk(("R1", "11/01/2026 08:00", "Open", "12.5"), header=HEADER), "one.csv", M)
    (submission,) = hospital.run(M)
    assert (submission.rows_accepted, submission.rows_rejected) == (1, 0)
    assert hospital.rows(NOW) == [("R1", ED, "Open", False)]
    assert codes(submission.submission_id) == {"number-not-whole"}


@pytest.mark.parametrize("make", [bulk, xlsx, xls])
def test_E01_every_format_loads_the_same_statuses(hospital: Exchange, make: object) -> None:
    content = make(  # type: ignore[operator]
        ("R1", "11/01/2026 08:00", "Open", 12), ("R2", "11/01/2026 08:00", "closed", 3), header=HEADER
    )
    hospital.drop(content, "any name.dat", M)
    (submission,) = hospital.run(M)
    assert submission.template == "bulk_status"
    # Closed needs a comment.
    assert hospital.rows(NOW) == [
        ("R1", ED, "Open", False),
        ("R1", VENTILATORS, "12", False),
        ("R2", VENTILATORS, "3", False),
    ]


def test_E23_nines_are_not_applicable_in_the_cdc_templates_only(hospital: Exchange) -> None:
    header = ("orgID", "reportingContext", "collectionDate", "numInPtBeds", "numICUBeds")
    hospital.drop(bulk(("10001", "HOSP", "11/01/2026", 120, 9999), header=header), "hrd.csv", M)
    hospital.drop(bulk(("R2", "11/01/2026 08:00", "", 9999), header=HEADER), "bulk.csv", M)
    hrd, other = hospital.run(M)
    assert hrd.template == "cdc_respiratory"
    assert hospital.rows(NOW) == [("R1", 55001, "120", False), ("R1", 55007, "", True)]
    assert hospital.rows("select number from store.status where status_type_id = 55007") == [(None,)]
    assert "nines-in-bulk" in codes(other.submission_id)


def test_E24_same_file_again_changes_nothing_but_the_ledger(hospital: Exchange) -> None:
    header = ("orgID", "reportingContext", "collectionDate", "AdultICUOccupied", "AdultICUUnoccupied")
    content = xlsx(("10001", "HOSP", "11/01/2026", 12, 3), header=header)
    hospital.drop(content, "beds.xlsx", M)
    (first,) = hospital.run(M)
    before = hospital.rows(FULL_NOW), hospital.rows(HISTORY)
    hospital.drop(content, "beds.xlsx", M)
    (again,) = hospital.run(M)
    assert (first.rows_created, again.rows_unchanged, again.state) == (1, 1, State.DONE)
    assert (hospital.rows(FULL_NOW), hospital.rows(HISTORY)) == before


def test_E24_files_of_two_days_give_the_same_statuses_in_any_order(hospital: Exchange) -> None:
    header = ("orgID", "reportingContext", "collectionDate", "AdultICUOccupied", "AdultICUUnoccupied")
    files = [
        bulk(("10001", "HOSP", "11/01/2026", 12, ""), ("10002", "HOSP", "11/01/2026", 5, 5), header=header),
        bulk(("10001", "HOSP", "11/02/2026", 14, 9), header=header),
        bulk(("R1", "11/01/2026 12:00", 99), header=("Resource ID", "Update Date/Time", "AdultICUOccupied")),
    ]
    seen = set()
    for order in itertools.permutations(files):
        for at, content in enumerate(order):
            hospital.drop(content, f"{at}.csv", M)
            hospital.run(M)
        values = "select resource_id, status_type_id, value, reported_at from store.status order by 1, 2"
        seen.add(tuple(hospital.rows(values)))
        with transaction() as connection:
            connection.exec_driver_sql(
                "truncate store.status, store.status_change, store.status_confirmation"
            )
    assert len(seen) == 1


def test_E24_late_value_is_kept_and_told_but_not_shown(hospital: Exchange) -> None:
    hospital.drop(bulk(("R1", "11/02/2026 08:00", "Open", 14), header=HEADER), "new.csv", M)
    hospital.drop(bulk(("R1", "11/01/2026 08:00", "Advisory", 12), header=HEADER), "old.csv", M)
    hospital.run(M)
    assert hospital.rows(NOW) == [("R1", ED, "Open", False), ("R1", VENTILATORS, "14", False)]
    assert hospital.rows("select count(*) from store.status_change") == [(4,)]
    late = hospital.rows("select submission_id from ledger.submission where file_name = 'old.csv'")
    assert "status-newer" in codes(str(late[0][0]))


@pytest.mark.usefixtures("november")
def test_E03_data_beyond_the_header_is_told_and_the_rest_loads(hospital: Exchange) -> None:
    content = xlsx(("R1", "11/01/2026 08:00", "Open", 12, "beyond"), header=HEADER)
    hospital.drop(content, "one.xlsx", M)
    (submission,) = hospital.run(M)
    assert codes(submission.submission_id) == {"column-without-header"}
    assert hospital.rows(NOW) == [("R1", ED, "Open", False), ("R1", VENTILATORS, "12", False)]


def test_E17_date_cell_that_holds_a_time_is_its_day(hospital: Exchange) -> None:
    header = ("orgID", "reportingContext", "collectionDate", "AdultICUOccupied")
    cell = datetime(2026, 11, 1, 8, 42, 43)  # noqa: DTZ001 - a spreadsheet knows no zones
    hospital.drop(xlsx(("10001", "HOSP", cell, 4), header=header), "b.xlsx", M)
    (submission,) = hospital.run(M)
    assert codes(submission.submission_id) == set()
    (reported,) = hospital.rows("select reported_at from store.status")
    assert reported == (datetime(2026, 11, 2, 5, 59, 59, tzinfo=UTC),)


@pytest.mark.usefixtures("november")
def test_E19_resource_that_was_taken_away_after_the_check_gets_nothing(hospital: Exchange) -> None:
    content = bulk(
        ("R1", "11/01/2026 08:00", "Open", 1), ("R2", "11/01/2026 08:00", "Open", 2), header=HEADER
    )
    hospital.drop(content, "one.csv", M)
    (submission_id,) = hospital.claim_all(M)
    validate(submission_id)
    yaml = hospital.folder / "tenants" / "mercy.yaml"
    yaml.write_text(yaml.read_text().replace('production_id: "R2"', 'production_id: "R3"'))
    run_steps(submission_id, hospital.home(M))
    submission = hospital.get(submission_id)
    assert (submission.rows_created, submission.rows_rejected) == (1, 1)
    assert codes(submission_id) == {"resource-unknown"}
    assert {row[0] for row in hospital.rows(NOW)} == {"R1"}
    validated_at = submission.validated_at
    validate_anew(submission_id)
    assert hospital.get(submission_id).validated_at == validated_at


def test_X03_failure_while_a_file_is_checked_anew_leaves_the_old_verdict(
    hospital: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    hospital.drop(bulk(("R1", "11/01/2026 08:00", "Open", 1), header=HEADER), "one.csv", M)
    (submission_id,) = hospital.claim_all(M)
    validate(submission_id)
    yaml = hospital.folder / "tenants" / "mercy.yaml"
    yaml.write_text(yaml.read_text().replace("name: North", "name: Northern"))
    with monkeypatch.context() as patch:
        # The original is out of reach for a while: the new verdict cannot be made.
        patch.setenv("EXCHANGE_STORAGE_URL", f"file://{hospital.folder / 'elsewhere'}")
        with pytest.raises(ArchiveDamaged):
            load(submission_id)
    assert hospital.get(submission_id).state is State.VALIDATED
    load(submission_id)
    loaded = hospital.get(submission_id)
    assert (loaded.state, loaded.policy_sha256) == (State.LOADED, hospital.tenant(M).policy_sha256)


def test_X04_half_a_work_area_is_not_taken_for_the_whole(hospital: Exchange) -> None:
    content = bulk(*((f"R{at}", "11/01/2026 08:00", "Open", at) for at in (1, 2)), header=HEADER)
    hospital.drop(content, "one.csv", M)
    (submission_id,) = hospital.claim_all(M)
    validate(submission_id)
    accepted = Archive().read_table(submission_id, ACCEPTED)
    Archive().write_table(submission_id, ACCEPTED, accepted.head(1))
    run_steps(submission_id, hospital.home(M))
    assert hospital.get(submission_id).rows_created == 2
    assert len(hospital.rows(NOW)) == 4


def test_E06_any_name_is_taken_unless_names_are_agreed(hospital: Exchange) -> None:
    content = bulk(("R1", "11/01/2026 08:00", "Open", 1), header=HEADER)
    names = ["Étage 3 – Betten.CSV", "no ending", "status-öst 1.csv", "a.b.c.xlsx"]
    for name in names:
        hospital.drop(content, name, M)
    assert [one.state for one in hospital.run(M)] == [State.DONE] * 4
    yaml = hospital.folder / "tenants" / "mercy.yaml"
    yaml.write_text(yaml.read_text() + "inbox: {file_names: ['status-*.csv']}\n")
    for name in ["STATUS-O\u0308st 2.CSV", "other.csv"]:
        hospital.drop(content, name, M)
    states = {one.file_name: one.state for one in hospital.run(M)}
    assert states == {"STATUS-O\u0308st 2.CSV": State.DONE, "other.csv": State.REFUSED}
    (refused,) = hospital.inbox(M).glob("other.csv.*.completed")
    assert "file-name-not-agreed" in refused.read_text()
    assert "status-*.csv" in refused.read_text()


def test_E07_ledger_shows_each_stage_and_its_seconds(hospital: Exchange) -> None:
    hospital.drop(bulk(("R1", "11/01/2026 08:00", "Open", 1), header=HEADER), "one.csv", M)
    (submission,) = hospital.run(M)
    stages = [getattr(submission, f"{stage}_at") for stage in ("claimed", "validated", "loaded", "answered")]
    assert None not in [*stages, submission.finished_at]
    assert set(submission.step_seconds) == {"validate", "load", "respond", "notify"}


def test_E19_foreign_resource_is_rejected_and_audited(hospital: Exchange) -> None:
    hospital.drop(bulk(("R9", "11/01/2026 08:00", "Open", 1), header=HEADER), "one.csv", M)
    (submission,) = hospital.run(M)
    assert (submission.rows_rejected, hospital.rows(NOW)) == (1, [])
    assert hospital.rows("select action from ledger.audit") == [("finding.resource-unknown",)]


@pytest.mark.usefixtures("november")
def test_E37_test_ids_are_rejected_once_the_tenant_is_live(hospital: Exchange) -> None:
    hospital.drop(bulk(("T1", "11/01/2026 08:00", "Open", 1), header=HEADER), "one.csv", M)
    (submission,) = hospital.run(M)
    assert codes(submission.submission_id) == {"test-id-in-production"}
    yaml = hospital.folder / "tenants" / "mercy.yaml"
    yaml.write_text(yaml.read_text().replace("mode: production", "mode: test"))
    hospital.drop(bulk(("T1", "11/01/2026 08:00", "Open", 1), header=HEADER), "two.csv", M)
    hospital.run(M)
    assert hospital.rows(NOW) == [("T1", ED, "Open", False), ("T1", VENTILATORS, "1", False)]


def test_K17_answers_lie_in_results_and_beside_the_upload(hospital: Exchange) -> None:
    content = xlsx(
        ("R1", "11/01/2026 08:00", "Open", 12.5), ("R2", "11/01/2026 08:00", "Opne", 3), header=HEADER
    )
    hospital.drop(content, "status.xlsx", M)
    (submission,) = hospital.run(M)
    stamp = submission.stamp
    (beside,) = hospital.inbox(M).glob("*.completed")
    results = hospital.home_dir(M) / "results"
    names = {path.name for path in results.iterdir()}
    assert names == {
        f"status.{stamp}.result.csv",
        f"status.{stamp}.fix-it.xlsx",
        f"status.{stamp}.annotated.xlsx",
    }
    assert (results / f"status.{stamp}.result.csv").read_bytes() == beside.read_bytes()
    marked = openpyxl.load_workbook(results / f"status.{stamp}.annotated.xlsx").worksheets
    comments = {
        cell.coordinate for sheet in marked for row in sheet.iter_rows() for cell in row if cell.comment
    }
    assert {"D2", "C3"} <= comments
    fix_it = openpyxl.load_workbook(results / f"status.{stamp}.fix-it.xlsx").active
    assert [[cell.value or "" for cell in row] for row in fix_it.iter_rows()][0] == list(HEADER)
    values = [[str(cell.value or "") for cell in row] for row in fix_it.iter_rows(min_row=2)]
    assert [row[2:] for row in values] == [["", "12.5"], ["Opne", ""]]


def test_N01_mended_fix_it_file_loads_what_was_missing(hospital: Exchange) -> None:
    hospital.drop(xls(("R1", "11/01/2026 08:00", "Open", 12.5), header=HEADER), "status.xls", M)
    (first,) = hospital.run(M)
    (fix_it,) = (hospital.home_dir(M) / "results").glob("*fix-it*")
    book = openpyxl.load_workbook(fix_it)
    assert [cell.value for cell in book.active[1]] == ["Resource ID", "Update Date/Time", HEADER[3]]
    book.active.cell(2, 3).value = 12
    book.save(hospital.inbox(M) / fix_it.name)
    (second,) = hospital.run(M)
    assert second.fixes_submission_id == first.submission_id
    assert hospital.rows(NOW) == [("R1", ED, "Open", False), ("R1", VENTILATORS, "12", False)]


SECRETS = ("Kowalczyk", "219-09-9999", "04/17/1958", "MRN 5551234")


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ((*HEADER, "Patient Name"), ("R1", "11/01/2026 08:00", "Open", 1, "Kowalczyk, Anna")),
        ((*HEADER, "Bed Availability Comment"), ("R1", "11/01/2026 08:00", "Open", 1, "SSN 219-09-9999")),
        ((*HEADER, "Bed Availability Comment"), ("R1", "11/01/2026 08:00", "Open", 1, "DOB 04/17/1958")),
        ((*HEADER, "Notes"), ("R1", "11/01/2026 08:00", "Open", 1, "patient Anna Kowalczyk, MRN 5551234")),
    ],
)
@pytest.mark.parametrize("make", [bulk, xlsx])
def test_E08_personal_data_is_refused_and_shows_nowhere(
    hospital: Exchange,
    make: object,
    header: Sequence[str],
    row: Sequence[object],
    caplog: pytest.LogCaptureFixture,
    mailbox: Mailbox,
) -> None:
    caplog.set_level(logging.DEBUG)
    hospital.drop(make(row, header=header), "status.csv", M)  # type: ignore[operator]
    (submission,) = hospital.run(M)
    assert (submission.state, hospital.rows(NOW)) == (State.REFUSED, [])
    assert codes(submission.submission_id) == {"personal-data"}
    deliver()
    ledger_text = str(hospital.rows("select f::text from ledger.finding f"))
    ledger_text += str(hospital.rows("select a::text from ledger.audit a"))
    mails = "".join(str(mail) for mail in mailbox.mails)
    answers = "".join(path.read_text() for path in hospital.inbox(M).glob("*.completed"))
    results = hospital.home_dir(M) / "results"
    answers += "".join(path.read_text() for path in results.glob("*.csv"))
    assert mailbox.mails
    for text in (caplog.text, ledger_text, mails, answers):
        assert not [secret for secret in SECRETS if secret in text]


SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "samples" / "hospital"


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the public samples are not beside the project")
@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("nhsn_2020_covid19-test-csv-import.csv", "Hospital Respiratory Data"),
        ("nhsn_hrd_weekly_newadm_by_jurisdiction_2024-11_2025-02.csv", "Hospital Respiratory Data"),
        ("wa_health_2025.10.21.Test.Facility.BedCapacity.csv", ""),
    ],
)
def test_E05_public_file_that_is_no_template_is_refused_with_the_nearest(
    hospital: Exchange, name: str, nearest: str
) -> None:
    hospital.drop((SAMPLES / name).read_bytes(), name, M)
    (submission,) = hospital.run(M)
    assert submission.state is State.REFUSED
    assert codes(submission.submission_id) == {"template-unknown"}
    (answer,) = hospital.inbox(M).glob("*.completed")
    assert nearest in answer.read_text()
    assert "orgID" in answer.read_text() or not nearest
