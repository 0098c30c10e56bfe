"""The merge against a plain model of it, with random files: order-free, repeatable, separable (N07, M35)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from partner_exchange.ledger.database import engine
from partner_exchange.stores import students
from partner_exchange.stores.students import TEXT_COLUMNS, MergeResult
from partner_exchange.tenants.model import RosterPolicy
from support.builders import a_student_rows

pytestmark = pytest.mark.service

AT = datetime(2026, 11, 21, 7, 47, 12, tzinfo=UTC)
VALUES = ["student_id", "last_name", "requirement_group", "term", "on_campus"]
SOURCES = ["enrollment_source", "on_campus_source"]
Values = dict[str, str | None]
Store = dict[str, Values]

# Few different values, so that clashes, swaps and chains of StudentIds are the rule.
_line = st.fixed_dictionaries(
    {
        "username": st.sampled_from("abcdef"),
        "student_id": st.sampled_from(["", "1", "2", "3", "4"]),
        "last_name": st.sampled_from(["", "X", "Y", 'q"\n\\.']),
        "requirement_group": st.sampled_from(["", "G", "H"]),
        "term": st.sampled_from(["", "T"]),
        "on_campus": st.sampled_from(["", "0", "1"]),
    }
)
_file = st.lists(_line, max_size=6, unique_by=lambda line: line["username"])
_policy = st.builds(
    RosterPolicy, blank_cells=st.sampled_from(["keep", "clear"]), prefill_overrides_review=st.booleans()
)
_many = settings(max_examples=100, deadline=None)
_some = settings(max_examples=40, deadline=None)


def rows_of(file: list[dict[str, str]]) -> pd.DataFrame:
    rows = a_student_rows(
        len(file), **dict.fromkeys([name for name in TEXT_COLUMNS if name != "username"], "")
    )
    for name in file[0] if file else ():
        rows[name] = [line[name] for line in file]
    return rows


@dataclass
class Roster:
    """One tenant in a transaction that is rolled back after each example."""

    connection: Connection
    tenant_code: str = "state-university"

    def merge(self, rows: pd.DataFrame, policy: RosterPolicy) -> MergeResult:
        return students.merge(
            self.connection, rows, tenant_code=self.tenant_code, submission_id="s", policy=policy, now=AT
        )

    def store(self) -> Store:
        columns = ", ".join([*VALUES, *SOURCES])
        query = text(f"select username_key, {columns} from store.student where tenant_code = :t")
        rows = self.connection.execute(query, {"t": self.tenant_code}).mappings()
        flags = {None: None, False: "0", True: "1"}
        return {
            row["username_key"]: {
                name: flags[row[name]] if name == "on_campus" else row[name] for name in [*VALUES, *SOURCES]
            }
            for row in rows
        }

    def review(self, usernames: list[str]) -> None:
        self.connection.execute(
            text(
                "update store.student set "
                "enrollment_source = case when term is not null then 'reviewed' end, "
                "on_campus_source = case when on_campus is not null then 'reviewed' end "
                "where tenant_code = :t and username_key = any(:names)"
            ),
            {"t": self.tenant_code, "names": usernames},
        )


@contextmanager
def a_roster(url: str) -> Iterator[Roster]:
    with engine(url).connect() as connection, connection.begin() as work:
        yield Roster(connection)
        work.rollback()


def after_row(old: Values | None, line: dict[str, str], policy: RosterPolicy) -> Values:
    """Say what one row makes of one student, in the plainest words."""
    held = old or dict.fromkeys([*VALUES, *SOURCES])
    new = dict(held)
    for name in ("student_id", "last_name"):
        if line[name] or policy.blank_cells == "clear":
            new[name] = line[name] or None
    for names, source in ((("requirement_group", "term"), SOURCES[0]), (("on_campus",), SOURCES[1])):
        is_half = len({line[name] == "" for name in names}) > 1
        is_kept = line[names[0]] == "" and policy.blank_cells == "keep"
        if is_half or is_kept or (held[source] == "reviewed" and not policy.prefill_overrides_review):
            continue
        wanted = {name: line[name] or None for name in names}
        if any(held[name] != wanted[name] for name in names):
            new.update(wanted)
            new[source] = "prefilled" if wanted[names[0]] else None
    return new


def model(store: Store, file: list[dict[str, str]], policy: RosterPolicy) -> tuple[Store, set[str]]:
    """Return the store after the file and the rejected Usernames, by trying until nothing changes."""
    wanted = {line["username"]: after_row(store.get(line["username"]), line, policy) for line in file}
    movers = {
        name
        for name, new in wanted.items()
        if new["student_id"] is not None and new["student_id"] != store.get(name, {}).get("student_id")
    }
    claims = [wanted[name]["student_id"] for name in movers]
    rejected = {name for name in movers if claims.count(wanted[name]["student_id"]) > 1}
    while True:
        final = {**store, **{name: new for name, new in wanted.items() if name not in rejected}}
        clash = {
            name
            for name in movers - rejected
            for other, values in final.items()
            if other != name and values["student_id"] == wanted[name]["student_id"]
        }
        if not clash:
            return final, rejected
        rejected |= clash


@_many
@given(first=_file, reviewed=st.lists(st.sampled_from("abcdef")), second=_file, policy=_policy)
def test_N07_the_merge_does_what_its_plain_model_does(
    module_database_url: str,
    first: list[dict[str, str]],
    reviewed: list[str],
    second: list[dict[str, str]],
    policy: RosterPolicy,
) -> None:
    with a_roster(module_database_url) as roster:
        roster.merge(rows_of(first), policy)
        roster.review(reviewed)
        before = roster.store()
        result = roster.merge(rows_of(second), policy)
        expected, rejected = model(before, second, policy)
        assert roster.store() == expected
        lines = {row: line["username"] for row, line in enumerate(second, start=2)}
        assert {lines[row] for row in result.rejected["row"]} == rejected
        assert result.created == len(expected) - len(before)
        changed = sum(before[name] != expected[name] for name in before)
        assert result.updated == changed
        assert result.created + result.updated + result.unchanged + len(result.rejected) == len(second)


@_some
@given(first=_file, second=_file, policy=_policy, data=st.data())
def test_M35_the_order_of_rows_never_matters(
    module_database_url: str,
    first: list[dict[str, str]],
    second: list[dict[str, str]],
    policy: RosterPolicy,
    data: st.DataObject,
) -> None:
    rows = rows_of(second)
    shuffled = rows.iloc[data.draw(st.permutations(range(len(rows))))]
    ends = []
    for one in (rows, shuffled):
        with a_roster(module_database_url) as roster:
            roster.merge(rows_of(first), policy)
            result = roster.merge(one, policy)
            ends.append((roster.store(), result.created, result.updated, result.rejected.to_dict("list")))
    assert ends[0] == ends[1]


@_some
@given(first=_file, second=_file, policy=_policy)
def test_X03_the_same_file_again_changes_nothing(
    module_database_url: str, first: list[dict[str, str]], second: list[dict[str, str]], policy: RosterPolicy
) -> None:
    with a_roster(module_database_url) as roster:
        roster.merge(rows_of(first), policy)
        once = roster.merge(rows_of(second), policy)
        store = roster.store()
        twice = roster.merge(rows_of(second), policy)
        assert roster.store() == store
        assert (twice.created, twice.updated, twice.unchanged) == (0, 0, len(second) - len(once.rejected))
        assert twice.rejected.equals(once.rejected)


@_some
@given(first=_file, second=_file, policy=_policy, cut=st.integers(0, 6))
def test_N07_two_halves_in_either_order_make_the_whole(
    module_database_url: str,
    first: list[dict[str, str]],
    second: list[dict[str, str]],
    policy: RosterPolicy,
    cut: int,
) -> None:
    # Each student has an own id here: where ids pass from one to another, half a file means something else.
    for line in [*first, *second]:
        line["student_id"] = line["student_id"] and f"{line['username']}{line['student_id']}"
    rows = rows_of(second)
    ends = []
    for parts in ([rows], [rows[:cut], rows[cut:]], [rows[cut:], rows[:cut]]):
        with a_roster(module_database_url) as roster:
            roster.merge(rows_of(first), policy)
            results = [roster.merge(part, policy) for part in parts]
            totals = [(one.created, one.updated, one.unchanged) for one in results]
            ends.append((roster.store(), [sum(column) for column in zip(*totals, strict=True)]))
    assert ends[0] == ends[1] == ends[2]


@_some
@given(ours=_file, theirs=_file, policy=_policy)
def test_X12_a_merge_never_touches_another_tenant(
    module_database_url: str, ours: list[dict[str, str]], theirs: list[dict[str, str]], policy: RosterPolicy
) -> None:
    with a_roster(module_database_url) as roster:
        alone = roster.merge(rows_of(ours), policy)
        store = roster.store()
    with a_roster(module_database_url) as roster:
        other = Roster(roster.connection, "other-clinic")
        other.merge(rows_of(theirs), policy)
        before = other.store()
        beside = roster.merge(rows_of(ours), policy)
        assert other.store() == before
        assert roster.store() == store
        assert (beside.created, len(beside.rejected)) == (alone.created, len(alone.rejected))
