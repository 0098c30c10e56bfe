"""What became of a submission's values, by column, on a real PostgreSQL (E21)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from partner_exchange.errors import ConstraintSurprise
from partner_exchange.ledger import columns
from partner_exchange.ledger.columns import ColumnOutcome
from partner_exchange.ledger.database import transaction
from support.builders import a_submission

pytestmark = pytest.mark.service

BEDS = ColumnOutcome("Beds", set=3, unchanged=2, late=1, skipped=4, rejected=5)
NOTE = ColumnOutcome("Note", skipped=15)


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with transaction() as open_connection:
        yield open_connection


def test_E21_outcomes_come_back_in_the_order_of_columns(connection: Connection) -> None:
    submission_id = a_submission(connection).submission_id
    columns.add(connection, submission_id, [NOTE, BEDS])
    assert columns.read(connection, submission_id) == (NOTE, BEDS)
    assert BEDS.total == NOTE.total == 15


def test_E21_counts_of_a_later_step_are_added(connection: Connection) -> None:
    submission_id = a_submission(connection).submission_id
    columns.add(
        connection, submission_id, [ColumnOutcome("Note", rejected=2), ColumnOutcome("Beds", skipped=1)]
    )
    columns.add(
        connection, submission_id, [ColumnOutcome("New", set=1), ColumnOutcome("Beds", set=7, late=1)]
    )
    assert columns.read(connection, submission_id) == (
        ColumnOutcome("Note", rejected=2),
        ColumnOutcome("Beds", set=7, late=1, skipped=1),
        ColumnOutcome("New", set=1),
    )


def test_E21_a_column_that_stands_twice_is_counted_together(connection: Connection) -> None:
    submission_id = a_submission(connection).submission_id
    columns.add(connection, submission_id, [ColumnOutcome("Beds", set=1), ColumnOutcome("Beds", late=2)])
    assert columns.read(connection, submission_id) == (ColumnOutcome("Beds", set=1, late=2),)


def test_E21_submissions_do_not_share_columns(connection: Connection) -> None:
    first = a_submission(connection).submission_id
    second = a_submission(connection, file_name="other.csv").submission_id
    columns.add(connection, first, [BEDS])
    columns.add(connection, second, [])
    assert columns.read(connection, second) == ()


def test_X04_a_negative_count_is_refused(database_url: str) -> None:
    with transaction() as connection:
        submission_id = a_submission(connection).submission_id
    with pytest.raises(ConstraintSurprise) as caught, transaction() as connection:
        columns.add(connection, submission_id, [ColumnOutcome("Beds", set=-1)])
    assert caught.value.fields["constraint"] == "column_outcome_counts_check"
