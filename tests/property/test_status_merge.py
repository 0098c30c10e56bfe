"""The merge of statuses against a plain model of it: order-free, repeatable, separable (N07, E24).

Free of order are all statuses, and the history of what files say; that of formulas follows the merges.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from partner_exchange.ledger.database import engine
from partner_exchange.stores import statuses
from support.status_reports import (
    BEDS,
    ED,
    NOTE,
    RATIO,
    SCORE,
    SETTABLE,
    VENTILATORS,
    a_report,
    a_status_tenant,
    hours,
    observations,
)

pytestmark = pytest.mark.service

TENANT = a_status_tenant()
WRITTEN = hours(1000)
Report = dict[str, Any]
Shown = tuple[str, bool, str, str]
"""Value, not applicable, reason, comment."""

_count = st.sampled_from([0, 1, 2, None])
_remark = st.sampled_from(["", "", "x", "y"])
_cells = st.fixed_dictionaries(
    {},
    optional={
        BEDS: st.tuples(_count, st.just(""), st.just("")),
        VENTILATORS: st.tuples(_count, st.just(""), st.just("")),
        ED: st.tuples(st.sampled_from(["Open", "Closed"]), _remark, _remark),
        NOTE: st.tuples(st.sampled_from(["a", 'q"\n\\.,{}']), st.just(""), _remark),
        SCORE: st.tuples(st.sampled_from([0, 12, 30]), st.just(""), st.just("")),
    },
)
# Few times and values, so that reports meet. One line of a file is what one resource said at one time.
_line = st.tuples(st.sampled_from(["R1", "R2"]), st.integers(0, 7), _cells)
_lines = st.lists(_line, max_size=10, unique_by=lambda line: line[:2])
_some = settings(max_examples=60, deadline=None)


@dataclass
class Store:
    """One tenant in a transaction that is rolled back after each example."""

    connection: Connection

    def merge(self, lines: list[Any]) -> statuses.StatusMerge:
        reports = [
            a_report(value, status_type, at=at, resource=resource, row=row, reason=reason, comment=comment)
            for row, (resource, at, cells) in enumerate(lines, start=2)
            for status_type, (value, reason, comment) in cells.items()
        ]
        return statuses.merge(
            self.connection, observations(*reports), tenant=TENANT, submission_id="s", now=WRITTEN
        )

    def now(self) -> dict[tuple[str, int], tuple[Any, ...]]:
        return {
            (one.resource_id, one.status_type_id): (
                (one.value, one.is_not_applicable, one.reason, one.comment),
                one.number,
                one.is_computed,
                one.reported_at,
                one.confirmed_at,
            )
            for one in statuses.now(self.connection, TENANT.code)
        }

    def everything(self) -> list[Any]:
        tables = ("status", "status_change", "status_confirmation")
        return [
            self.connection.execute(text(f"table store.{name} order by 1, 2, 3, 4, 5, 6")).all()
            for name in tables
        ]


@contextmanager
def a_store(url: str) -> Iterator[Store]:
    with engine(url).connect() as connection, connection.begin() as work:
        yield Store(connection)
        work.rollback()


def told(lines: list[Any], resource: str, status_type: int, until: int = 99) -> list[tuple[int, Any]]:
    return sorted(
        (at, cells[status_type])
        for name, at, cells in lines
        if name == resource and status_type in cells and at <= until
    )


def shown(lines: list[Any], resource: str, status_type: int, until: int = 99) -> Shown | None:
    """Say what a status is after all that was said up to a time, in the plainest words."""
    now: Shown | None = None
    for _, (value, reason, comment) in told(lines, resource, status_type, until):
        new = ("" if value is None else str(value), value is None)
        kept = now[2:] if now is not None and now[:2] == new else ("", "")
        now = (*new, reason or kept[0], comment or kept[1])
    return now


def number(lines: list[Any], resource: str, status_type: int, initial: float) -> float:
    said = told(lines, resource, status_type)
    return initial if not said or said[-1][1][0] is None else float(said[-1][1][0])


def of(value: float | None) -> Shown:
    plain = "" if value is None else f"{round(value, 6) + 0.0:.6f}".rstrip("0").rstrip(".")
    return plain, value is None, "", ""


def model(lines: list[Any]) -> dict[tuple[str, int], tuple[Any, ...]]:
    """Say what the store shows in the end."""
    end: dict[tuple[str, int], tuple[Any, ...]] = {}

    def put(resource: str, status_type: int, what: Shown, is_computed: bool, at: int) -> None:
        is_number = status_type not in (ED, NOTE) and not what[1]
        end[resource, status_type] = (
            what,
            float(what[0]) if is_number else None,
            is_computed,
            hours(at),
            hours(at),
        )

    for resource in ("R1", "R2"):
        for status_type in SETTABLE:
            if said := told(lines, resource, status_type):
                put(resource, status_type, shown(lines, resource, status_type), False, said[-1][0])
        parts = [at for one in (BEDS, VENTILATORS) for at, _ in told(lines, resource, one)]
        if parts:
            beds, ventilators = (number(lines, resource, one, n) for one, n in ((BEDS, 4), (VENTILATORS, 3)))
            ratio = None if ventilators == 1 else beds / (ventilators - 1)
            put(resource, RATIO, of(ratio), True, max(parts))
        own = told(lines, resource, SCORE)
        if not parts and not own:
            continue
        if own and own[-1][0] >= max(parts, default=-1):
            score, is_computed = float(own[-1][1][0]), False
        else:
            both = (number(lines, resource, one, 0) for one in (BEDS, VENTILATORS))
            score, is_computed = next(both) + 10 * next(both), True
        at = max([*parts, *(at for at, _ in own)])
        put(resource, SCORE, of(score), is_computed, at)
    return end


@st.composite
def _split(draw: st.DrawFn) -> tuple[list[Any], list[list[Any]]]:
    """Draw what was said, and the same cut into files in any order."""
    lines = draw(_lines)
    shuffled = draw(st.permutations(lines))
    cuts = sorted(draw(st.lists(st.integers(0, len(lines)), max_size=5)))
    files = [shuffled[a:b] for a, b in zip([0, *cuts], [*cuts, len(lines)], strict=True)]
    return lines, files


@_some
@given(drawn=_split())
def test_N07_any_order_of_reports_gives_the_status_of_their_times(
    module_database_url: str, drawn: tuple[list[Any], list[list[Any]]]
) -> None:
    lines, files = drawn
    with a_store(module_database_url) as store:
        for file in files:
            store.merge(file)
        assert store.now() == model(lines)


@_some
@given(drawn=_split(), data=st.data())
def test_N07_any_file_again_changes_neither_status_nor_history(
    module_database_url: str, drawn: tuple[list[Any], list[list[Any]]], data: st.DataObject
) -> None:
    _, files = drawn
    with a_store(module_database_url) as store:
        for file in files:
            store.merge(file)
        before = store.everything()
        again = store.merge(data.draw(st.sampled_from(files)))
        assert store.everything() == before
        assert (again.rows_created, again.rows_updated) == (0, 0)


@_some
@given(drawn=_split())
def test_E39_history_of_what_files_say_tells_what_was_in_force_at_any_time(
    module_database_url: str, drawn: tuple[list[Any], list[list[Any]]]
) -> None:
    lines, files = drawn
    with a_store(module_database_url) as store:
        for file in files:
            store.merge(file)
        for at in range(8):
            found = statuses.as_of(store.connection, TENANT.code, SETTABLE, at=hours(at))
            values = {
                (one.resource_id, one.status_type_id): (one.value, one.is_not_applicable)
                for one in found.itertuples()
            }
            expected = {
                (resource, status_type): what[:2]
                for resource in ("R1", "R2")
                for status_type in SETTABLE
                if (what := shown(lines, resource, status_type, at)) is not None
            }
            assert values == expected
        for (resource, status_type), (what, *_) in store.now().items():
            [last] = statuses.history(store.connection, TENANT.code, resource, status_type, limit=1)
            assert (last.value, last.is_not_applicable, last.reason, last.comment) == what


@_some
@given(drawn=_split())
def test_X04_rows_and_values_are_counted_once_each(
    module_database_url: str, drawn: tuple[list[Any], list[list[Any]]]
) -> None:
    _, files = drawn
    with a_store(module_database_url) as store:
        for file in files:
            known = {key: value[:1] for key, value in store.now().items() if key[1] in (*SETTABLE, SCORE)}
            merged = store.merge(file)
            filled = [line for line in file if line[2]]
            rows = merged.rows_created + merged.rows_updated + merged.rows_unchanged
            assert rows == len(filled)
            counted = merged.columns[["set", "unchanged", "late"]].to_numpy().sum()
            assert counted == sum(len(cells) for _, _, cells in file)
            fresh = {(name, one) for name, _, cells in file for one in cells} - known.keys()
            assert (merged.rows_created > 0) == bool(fresh)


@_some
@given(ours=_lines, theirs=_lines)
def test_X12_a_merge_never_touches_another_tenant(
    module_database_url: str, ours: list[Any], theirs: list[Any]
) -> None:
    with a_store(module_database_url) as store:
        store.merge(ours)
        alone = store.now()
    with a_store(module_database_url) as store:
        other = a_status_tenant("other-clinic")
        reports = [
            a_report(value, one, at=at, resource=name)
            for name, at, cells in theirs
            for one, (value, _, _) in cells.items()
        ]
        statuses.merge(store.connection, observations(*reports), tenant=other, submission_id="t", now=WRITTEN)
        before = statuses.now(store.connection, other.code)
        store.merge(ours)
        assert store.now() == alone
        assert statuses.now(store.connection, other.code) == before
