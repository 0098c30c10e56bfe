"""A partner's answers to delivered files lie in the inbox, and no claim ever takes them (X11)."""

from __future__ import annotations

from pathlib import Path

import pytest

from submissions.conftest import Exchange, roster, student

pytestmark = pytest.mark.service

EXPORTS = """\
exports:
  verified:
    report: verified_students
    target: {answers: {refused: "no-{file_name}"}}
"""


@pytest.fixture
def answered(exchange: Exchange) -> Exchange:
    """Alpha answers what it gets; beta does not."""
    file = exchange.folder / "tenants" / "alpha.yaml"
    file.write_text(f"{file.read_text()}{EXPORTS}")
    return exchange


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def test_X11_answers_are_neither_claimed_nor_refused(answered: Exchange) -> None:
    answers = ["no-verified-20261120T120000Z.csv", "of-nobody.ack", "verified-20261120T120000Z.csv.ack"]
    for name in answers:
        answered.drop(b"status,message\r\nok,\r\n", name)
    answered.drop(roster(student(1)))
    (submission,) = answered.run()
    assert submission.file_name == "roster.csv"
    assert [name for name in names(answered.inbox()) if not name.endswith(".completed")] == answers
    assert answered.claim_all() == []


def test_X11_a_roster_whose_name_begins_like_an_answer_is_a_roster(answered: Exchange) -> None:
    answered.drop(roster(student(1)), "no-roster.csv")
    (submission,) = answered.run()
    assert submission.file_name == "no-roster.csv"


def test_X11_a_partner_who_is_not_asked_for_answers_drops_files_of_any_name(answered: Exchange) -> None:
    answered.drop(roster(student(1)), "verified-20261120T120000Z.csv.ack", code="beta")
    (submission,) = answered.run("beta")
    assert submission.file_name == "verified-20261120T120000Z.csv.ack"


def test_T38_answers_count_as_the_partners_files_until_they_are_taken(answered: Exchange) -> None:
    file = answered.folder / "tenants" / "alpha.yaml"
    file.write_text(f"{file.read_text()}quota: {{max_files: 2, warn_percent: [100]}}\n")
    for number in range(2):
        answered.drop(b"", f"x-{number}.csv.ack")
    answered.claim_all()
    assert answered.rows("select event from ledger.mail")[0] == ("quota",)
