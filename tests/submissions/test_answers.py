"""Where answers lie, and that mail, result file and folders say the same (E36, K17, N01, X05)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from partner_exchange import clock
from partner_exchange.cli.app import app
from partner_exchange.feeds.expected import has_annotated, has_rejected, places
from partner_exchange.ledger import columns as column_outcomes
from partner_exchange.ledger import submissions as ledger
from partner_exchange.ledger.columns import ColumnOutcome
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.submissions import Submission
from partner_exchange.notify.outbox import deliver
from partner_exchange.submissions.fail import fail
from partner_exchange.submissions.load import load
from partner_exchange.submissions.process import reopen, run_steps
from partner_exchange.submissions.validate import validate
from submissions.conftest import HEADER, Exchange, roster, student
from support.mailbox import Mailbox

pytestmark = pytest.mark.service

BAD = student(2, dob="02/30/2001")


@pytest.fixture
def outbox(exchange: Exchange) -> Exchange:
    """The exchange with ``alpha`` finding its answers in ``results``."""
    policy = exchange.folder / "tenants" / "alpha.yaml"
    policy.write_text(policy.read_text() + "inbox: {outbox: results, answers: outbox}\n")
    return exchange


def results(exchange: Exchange) -> list[str]:
    folder = exchange.home_dir() / "results"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def all_files(exchange: Exchange) -> set[str]:
    home = exchange.home_dir()
    return {path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()}


def said_places(exchange: Exchange, submission: Submission) -> set[str]:
    with transaction() as connection:
        findings = ledger.findings(connection, submission.submission_id)
        columns = ledger.column_outcomes(connection, submission.submission_id)
    return set(places(submission, columns, findings, exchange.tenant()).values())


def test_K17_answers_go_to_the_outbox_which_is_made_when_missing(outbox: Exchange) -> None:
    outbox.drop(roster(student(1), BAD), "fall roster.v2.CSV")
    (submission,) = outbox.run()

    stem = f"fall roster.v2.{submission.stamp}"
    assert results(outbox) == [f"{stem}.fix-it.csv", f"{stem}.result.csv"]
    copy = outbox.home_dir() / "results" / f"{stem}.result.csv"
    assert copy.read_text() == outbox.answer()
    assert outbox.files("rejected/*") == []
    assert len(outbox.files("originals/*")) == 1


@pytest.mark.parametrize("answers", ["exchange", "outbox"])
@pytest.mark.parametrize("content", [roster(student(1)), roster(student(1), BAD), b""])
def test_X05_mail_and_command_line_name_the_files_that_are_there(
    answers: str, content: bytes, request: pytest.FixtureRequest, mailbox: Mailbox
) -> None:
    exchange: Exchange = request.getfixturevalue(answers)
    exchange.drop(content)
    (submission,) = exchange.run()
    deliver()

    there = all_files(exchange)
    assert said_places(exchange, submission) == there
    (mail,) = mailbox.mails
    body = mail.get_body(("plain",)).get_content()
    assert all(place in body for place in there)


def test_N01_the_fix_it_file_from_the_outbox_links_to_the_first(outbox: Exchange) -> None:
    outbox.drop(roster(BAD))
    (first,) = outbox.run()
    (name,) = [name for name in results(outbox) if "fix-it" in name]
    mended = (outbox.home_dir() / "results" / name).read_bytes().replace(b"02/30", b"02/28")
    outbox.drop(mended, name)
    (second,) = outbox.run()

    assert second.fixes_submission_id == first.submission_id
    assert second.rows_created == 1


def test_N01_a_long_name_keeps_its_link(outbox: Exchange) -> None:
    outbox.drop(roster(BAD), "ä" * 90 + "xx.csv")
    (first,) = outbox.run()
    (fix_it,) = (outbox.home_dir() / "results").glob("*.fix-it.csv")
    outbox.drop(fix_it.read_bytes().replace(b"02/30", b"02/28"), fix_it.name)
    (second,) = outbox.run()
    assert second.fixes_submission_id == first.submission_id


def test_K17_drops_of_one_second_that_differ_in_their_ending_keep_their_answers_apart(
    outbox: Exchange,
) -> None:
    outbox.drop(roster(student(1), BAD), "r.csv")
    outbox.drop(roster(student(3), BAD), "r.CSV")
    with clock.frozen(clock.now()):
        first, second = outbox.run()
        outbox.drop(roster(student(4)), "r.Csv")
        (third,) = outbox.run()

    assert len({first.stamp, second.stamp, third.stamp}) == 3
    assert len([name for name in results(outbox) if name.endswith(".result.csv")]) == 3
    assert len([name for name in results(outbox) if name.endswith(".fix-it.csv")]) == 2


def test_X05_a_file_that_failed_after_its_load_gets_its_answers_with_the_replay(outbox: Exchange) -> None:
    outbox.drop(roster(student(1), BAD))
    (submission_id,) = outbox.claim_all()
    validate(submission_id)
    load(submission_id)
    fail(submission_id, outbox.home(), code="inbox-unavailable")
    assert said_places(outbox, outbox.get(submission_id)) == all_files(outbox)
    assert [name.rpartition("Z.")[2] for name in results(outbox)] == ["result.csv"]

    reopen(submission_id, by="tester")
    run_steps(submission_id, outbox.home())
    assert said_places(outbox, outbox.get(submission_id)) == all_files(outbox)
    assert [name.rpartition("Z.")[2] for name in results(outbox)] == ["fix-it.csv", "result.csv"]
    assert "failed" not in outbox.answer().splitlines()[0]


def add_values(submission: Submission, *outcomes: ColumnOutcome) -> None:
    """Let the ledger know of values as the status feed does."""
    with transaction() as connection:
        column_outcomes.add(connection, submission.submission_id, outcomes)


@pytest.mark.parametrize(
    ("content", "rejected", "subject"),
    [
        (roster(student(1), BAD), 3, "1 of 2 rows loaded, 1 rejected, 3 values rejected"),
        (roster(student(1), BAD), 1, "1 of 2 rows loaded, 1 rejected, 1 value rejected"),
    ],
)
def test_E36_the_mail_counts_values_where_the_feed_judges_them(
    exchange: Exchange, mailbox: Mailbox, content: bytes, rejected: int, subject: str
) -> None:
    exchange.drop(content)
    (submission,) = exchange.run()
    more = ColumnOutcome("B", late=2, skipped=1025)
    add_values(submission, ColumnOutcome("A", set=7, rejected=rejected), more)
    deliver()

    (mail,) = mailbox.mails
    assert mail["Subject"].endswith(subject)
    text, html = (part.get_content() for part in mail.iter_parts())
    for body in (text, html):
        assert "some values were rejected" in body
        assert "mend the values in the fix-it file" in body
        assert "Cells without a value to load: 1025" in body
        assert "skipped" not in body
    assert f"Values      {9 + rejected}\n  set       7\n" in text.replace("\r\n", "\n")


def test_X05_values_alone_are_a_reason_for_a_fix_it_file(exchange: Exchange) -> None:
    exchange.drop(roster(student(1)))
    (submission,) = exchange.run()
    assert not has_rejected(submission, ())
    assert not has_rejected(submission, [ColumnOutcome("A", set=1)])
    assert has_rejected(submission, [ColumnOutcome("A", set=1), ColumnOutcome("B", rejected=1)])
    with transaction() as connection:
        assert not has_annotated("a.xlsx", ledger.findings(connection, submission.submission_id))


def run_check(exchange: Exchange, tmp_path: Path, content: bytes, *options: str) -> tuple[int, str]:
    (tmp_path / "roster.csv").write_bytes(content)
    result = CliRunner().invoke(app, ["check", str(tmp_path / "roster.csv"), "--tenant", "alpha", *options])
    return result.exit_code, result.stdout


@pytest.mark.parametrize(("content", "code"), [(roster(student(1)), 0), (roster(BAD), 1), (b"", 2)])
def test_E34_check_says_by_its_exit_code_what_would_be_rejected(
    exchange: Exchange, tmp_path: Path, content: bytes, code: int
) -> None:
    found, printed = run_check(exchange, tmp_path, content, "--json")
    assert found == code
    document = json.loads(printed)
    assert list(document) == ["file", "feed", "outcome", "template", "rows", "values", "columns", "findings"]
    assert (document["template"], document["values"], document["columns"]) == (None, None, [])


def test_E34_a_feed_with_fixed_places_says_so(exchange: Exchange, tmp_path: Path) -> None:
    _, printed = run_check(exchange, tmp_path, HEADER.encode() + student(1).encode(), "--mapping")
    assert "fixed places" in printed


HOSPITAL_CSV = (
    b"Resource ID,ED Status,Ventilators Available,Colour of the door,[/red],NEDOCS,Empty\r\n"
    b"R1,Open,x,Zyzzyva,[/],,\r\nR2,,,,,,\r\n"
)


def run_hospital(
    hospital: Exchange, *options: str, content: bytes = HOSPITAL_CSV, command: str = "check"
) -> tuple[int, str]:
    file = hospital.folder / "status.csv"
    file.write_bytes(content)
    result = CliRunner().invoke(app, [command, str(file), "--tenant", "mercy", *options])
    return result.exit_code, result.stdout


def test_E34_the_mapping_shows_where_each_column_goes_with_its_first_value(hospital: Exchange) -> None:
    code, printed = run_hospital(hospital, "--mapping")
    lines = [line.split() for line in printed.splitlines()]
    assert code == 1, "a value would be rejected, though no row"
    assert ["Resource", "ID", "resource", "id", "R1"] in lines
    assert ["Colour", "of", "the", "door", "nowhere,", "ignored", "Zyzzyva"] in lines
    assert ["Empty", "nowhere,", "ignored"] in lines, "without a target, so it is shown though it is blank"
    assert not [line for line in lines if line[:1] == ["NEDOCS"]]
    assert printed.endswith("1 column of the template is blank.\n")


def test_E34_a_refused_file_has_no_mapping_and_says_why(hospital: Exchange) -> None:
    code, printed = run_hospital(hospital, "--mapping", content=b"Colour,Size\r\nred,1\r\n")
    assert code == 2
    assert "Its header has to be recognised first" in printed
    assert "fixed places" not in printed


@pytest.mark.parametrize("command", ["check", "process"])
def test_E30_outside_of_a_terminal_no_code_is_cut_and_a_finding_is_one_line(
    hospital: Exchange, command: str
) -> None:
    column = "A column with a name as long as some of the template"
    content = b"Resource ID,Ventilators Available," + column.encode() + b"\r\nR1,12.5,3\r\n"
    _, printed = run_hospital(hospital, command=command, content=content)
    assert "…" not in printed
    unknown, broken = (
        next(line for line in printed.splitlines() if code in line.split())
        for code in ("column-unknown", "number-not-whole")
    )
    assert column in unknown
    assert broken.endswith("Write a whole number.")
    assert ("1 value: " if command == "process" else "accepted, 1 rejected") in printed


def test_E30_outside_of_a_terminal_a_submission_is_one_line(hospital: Exchange) -> None:
    name = "statuses of all hospitals of the region at the end of the second week of the year 2026.csv"
    hospital.drop(HOSPITAL_CSV, name, "mercy")
    (submission,) = hospital.run("mercy")
    header, line = CliRunner().invoke(app, ["submissions", "-t", "mercy"]).stdout.splitlines()
    assert header.split()[:2] == ["submission", "partner"]
    assert line.startswith(f"{submission.submission_id}  mercy")
    assert name in line


def test_E34_json_has_the_mapping_but_no_value_of_the_file(hospital: Exchange) -> None:
    code, printed = run_hospital(hospital, "--json", "--mapping")
    document = json.loads(printed)
    assert (code, document["template"], document["rows"]["rejected"]) == (1, "bulk_status", 0)
    assert document["columns"][0] == {"column": "Resource ID", "target": "resource id"}
    assert document["values"] == {"accepted": 1, "skipped": 4, "rejected": 1}
    assert "Zyzzyva" not in printed
