"""Accepted rows into a real store, and what it rejects back into rows to mend."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from partner_exchange.feeds.registry import get_feed
from partner_exchange.feeds.roster.load import to_merge
from partner_exchange.ledger.database import transaction
from partner_exchange.stores import students
from support.rosters import a_row, a_tenant_with, examine, fix_it_of, text

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)


def load(rows: list[list[str]], submission_id: str = "s1"):  # type: ignore[no-untyped-def]
    examination = examine(text(rows))
    with transaction() as connection:
        outcome = get_feed("roster").load(
            connection,
            examination.accepted,
            tables=examination.tables.__getitem__,
            tenant=a_tenant_with(),
            submission_id=submission_id,
            now=NOW,
        )
    assert (
        outcome.created + outcome.updated + outcome.unchanged + len(outcome.rejected)
        == examination.rows_accepted
    )
    return outcome


@pytest.mark.service
@pytest.mark.usefixtures("database_url")
def test_X04_repeated_rows_count_as_unchanged_and_all_counts_reconcile() -> None:
    outcome = load([a_row(1), a_row(2), a_row(1), a_row(1)])
    assert (outcome.created, outcome.updated, outcome.unchanged) == (2, 0, 2)

    outcome = load([a_row(1, LastName="New"), a_row(2), a_row(3)], "s2")
    assert (outcome.created, outcome.updated, outcome.unchanged) == (1, 1, 1)


@pytest.mark.service
@pytest.mark.usefixtures("database_url")
def test_M23_a_taken_student_id_comes_back_as_findings_and_rows_to_mend_with_its_repeats() -> None:
    load([a_row(1)])
    thief = a_row(2, StudentId="S0000001", Dob="04/09/2005", Term="")

    outcome = load([a_row(3), thief, thief], "s2")

    assert (outcome.created, len(outcome.rejected)) == (1, 2)
    assert [(group.code, group.column, group.row_ranges) for group in outcome.findings.groups] == [
        ("student-id-taken", "StudentId", "3")
    ]
    fix_it = fix_it_of(outcome.rejected).decode().splitlines()
    assert fix_it[1:] == [",".join(thief)] * 2


@pytest.mark.service
@pytest.mark.usefixtures("database_url")
def test_M28_half_a_pair_is_not_stored_and_dates_are() -> None:
    load([a_row(1, Term="", Dob="02/29/2004"), a_row(2, Dob="")])

    with transaction() as connection:
        first = students.find(connection, "uni", "student1@example.edu")
        second = students.find(connection, "uni", "student2@example.edu")
    assert first is not None
    assert second is not None
    assert (first.requirement_group, first.term, str(first.dob)) == (None, None, "2004-02-29")
    assert (second.requirement_group, second.term, second.dob) == ("Health Sciences", "Fall 2026", None)


def test_M28_rows_to_merge_have_iso_dates_and_half_pairs_as_they_are() -> None:
    accepted = examine(text([a_row(1, Dob="12/31/1999"), a_row(2, RequirementGroup="", Dob="")])).accepted

    rows = to_merge(accepted)

    assert rows[["dob", "requirement_group", "term"]].to_numpy().tolist() == [
        ["1999-12-31", "Health Sciences", "Fall 2026"],
        ["", "", "Fall 2026"],
    ]
    assert accepted["dob"].to_list() == ["12/31/1999", ""], "the accepted rows stay as they were sent"
