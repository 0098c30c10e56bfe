"""The merge of students on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from threading import Barrier
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Connection, text

from partner_exchange.errors import ConstraintSurprise, SerializationConflict
from partner_exchange.ledger.database import transaction
from partner_exchange.stores import students
from partner_exchange.stores.students import MergeResult, Student
from partner_exchange.tenants.model import RosterPolicy
from support.builders import a_student_rows

pytestmark = pytest.mark.service

AT = datetime(2026, 11, 21, 7, 47, 12, tzinfo=UTC)
LATER = AT + timedelta(days=1)
TENANT = "state-university"
KEEP, CLEAR = RosterPolicy(), RosterPolicy(blank_cells="clear")
BLANKS = [
    "student_id",
    "last_name",
    "first_name",
    "telephone",
    "dob",
    "requirement_group",
    "term",
    "on_campus",
]


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with transaction() as open_connection:
        yield open_connection


def merge(connection: Connection, rows: pd.DataFrame, **over: Any) -> MergeResult:
    values = {"tenant_code": TENANT, "submission_id": "first", "policy": KEEP, "now": AT}
    return students.merge(connection, rows, **{**values, **over})


def later(connection: Connection, rows: pd.DataFrame, policy: RosterPolicy = KEEP) -> MergeResult:
    return merge(connection, rows, submission_id="second", now=LATER, policy=policy)


def counts(result: MergeResult) -> tuple[int, int, int, int]:
    return result.created, result.updated, result.unchanged, len(result.rejected)


def student(connection: Connection, number: int = 1, tenant_code: str = TENANT) -> Student:
    found = students.find(connection, tenant_code, f"student{number}@example.edu")
    assert found is not None
    return found


def ids(connection: Connection) -> dict[str, str | None]:
    query = text("select username_key, student_id from store.student where tenant_code = :t order by 1")
    rows = connection.execute(query, {"t": TENANT})
    return {key.removesuffix("@example.edu"): student_id for key, student_id in rows}


def with_ids(*wanted: str, usernames: list[str] | None = None) -> pd.DataFrame:
    rows = a_student_rows(len(wanted), student_id=list(wanted))
    if usernames:
        rows["username"] = [f"{name}@example.edu" for name in usernames]
    return rows


def test_M18_a_new_row_creates_a_student_with_every_value(connection: Connection) -> None:
    assert counts(merge(connection, a_student_rows(1))) == (1, 0, 0, 0)
    assert student(connection) == Student(
        tenant_code=TENANT,
        username_key="student1@example.edu",
        username="student1@example.edu",
        student_id="S00000001",
        last_name="Last1",
        first_name="First1",
        telephone="(512) 500-0001",
        telephone_key="+15125000001",
        dob=date(2001, 2, 2),
        requirement_group="Health Sciences",
        term="Fall 2026",
        enrollment_source="prefilled",
        on_campus=True,
        on_campus_source="prefilled",
        created_at=AT,
        updated_at=AT,
        created_by_submission="first",
        changed_by_submission="first",
    )


def test_M18_created_updated_and_unchanged_in_one_file(connection: Connection) -> None:
    merge(connection, a_student_rows(3))
    rows = a_student_rows(4)
    rows.loc[1, "last_name"] = "Married"
    assert counts(later(connection, rows)) == (1, 1, 2, 0)
    changed, untouched = student(connection, 2), student(connection, 1)
    assert (changed.last_name, changed.updated_at, changed.changed_by_submission) == (
        "Married",
        LATER,
        "second",
    )
    assert (changed.created_at, changed.created_by_submission) == (AT, "first")
    assert (untouched.updated_at, untouched.changed_by_submission) == (AT, "first")


@pytest.mark.parametrize("column", [*BLANKS, "username"])
def test_M18_a_change_of_any_column_is_an_update(connection: Connection, column: str) -> None:
    merge(connection, a_student_rows(1))
    new = {
        "dob": "2001-12-31",
        "on_campus": "0",
        "username": "STUDENT1@example.edu",
        "telephone": "512 5000001",
    }.get(column, "New9")
    assert counts(later(connection, a_student_rows(1, **{column: new}))) == (0, 1, 0, 0)
    assert counts(later(connection, a_student_rows(1, **{column: new}))) == (0, 0, 1, 0)


def test_K22_blank_cells_keep_the_value(connection: Connection) -> None:
    merge(connection, a_student_rows(1))
    before = student(connection)
    assert counts(later(connection, a_student_rows(1, **dict.fromkeys(BLANKS, "")))) == (0, 0, 1, 0)
    assert student(connection) == before


def test_K22_blank_cells_clear_the_value_when_the_tenant_says_so(connection: Connection) -> None:
    merge(connection, a_student_rows(1))
    blank = a_student_rows(1, **dict.fromkeys(BLANKS, ""))
    assert counts(later(connection, blank, CLEAR)) == (0, 1, 0, 0)
    found = student(connection)
    sources = ["telephone_key", "enrollment_source", "on_campus_source"]
    assert [getattr(found, name) for name in [*BLANKS, *sources]] == [None] * 11
    assert counts(later(connection, blank, CLEAR)) == (0, 0, 1, 0)


@pytest.mark.parametrize("policy", [KEEP, CLEAR])
@pytest.mark.parametrize("half", ["requirement_group", "term"])
def test_M28_half_a_pair_changes_nothing(connection: Connection, policy: RosterPolicy, half: str) -> None:
    merge(connection, a_student_rows(1))
    rows = a_student_rows(2, **{half: ""})
    rows["requirement_group" if half == "term" else "term"] = "Another"
    assert counts(later(connection, rows, policy)) == (1, 0, 1, 0)
    assert (student(connection).requirement_group, student(connection).term) == (
        "Health Sciences",
        "Fall 2026",
    )
    assert (student(connection, 2).requirement_group, student(connection, 2).term) == (None, None)


def test_M20_one_login_whatever_its_case_or_form(connection: Connection) -> None:
    names = ["Straße@example.edu", "jose\u0301@example.edu", "ΣΊΣΥΦΟΣ@example.edu"]
    same = [" STRASSE@EXAMPLE.EDU ", "JOSÉ@example.edu", "σίσυφος@example.edu"]
    merge(connection, a_student_rows(3, username=names))
    assert counts(later(connection, a_student_rows(3, username=same)))[0] == 0
    assert students.count(connection, TENANT) == 3
    assert all(students.find(connection, TENANT, name) for name in [*names, *same])


def test_M20_the_same_login_twice_is_a_fault_of_the_feed(connection: Connection) -> None:
    with pytest.raises(ValueError, match="same Username twice") as caught:
        merge(connection, a_student_rows(2, username=["a@example.edu", "A@example.edu"]))
    assert "example.edu" not in str(caught.value)


@pytest.mark.parametrize(
    "cell",
    [
        'say "hi"',
        "two\nlines",
        "two\r\nlines",
        "\\.",
        "\\N",
        "NULL",
        "NA",
        "a,b;c\td",
        "007",
        "' or 1=1",
        "日本 😀",
        " x ",
    ],
)
def test_M25_cells_are_stored_as_sent(connection: Connection, cell: str) -> None:
    rows = a_student_rows(2, last_name=[cell, "Plain"], student_id=["0001", "NA"])
    assert counts(merge(connection, rows)) == (2, 0, 0, 0)
    assert student(connection).last_name == cell
    assert (student(connection).student_id, student(connection, 2).student_id) == ("0001", "NA")
    assert counts(later(connection, rows)) == (0, 0, 2, 0)


def test_M23_an_id_of_another_student_rejects_the_row(connection: Connection) -> None:
    merge(connection, with_ids("A", "B"))
    rows = with_ids("A", "C", usernames=["new", "other"])
    rows["row"] = [7, 9]
    result = later(connection, rows)
    assert counts(result) == (1, 0, 0, 1)
    assert result.rejected.to_dict("records") == [{"row": 7, "code": "student-id-taken"}]
    assert ids(connection) == {"student1": "A", "student2": "B", "other": "C"}


def test_M23_a_rejected_row_changes_nothing_at_all(connection: Connection) -> None:
    merge(connection, with_ids("A", "B"))
    before = student(connection, 2)
    rows = with_ids("A", "A").iloc[1:].assign(last_name="New")
    assert counts(later(connection, rows)) == (0, 0, 0, 1)
    assert student(connection, 2) == before


def test_M23_ids_swapped_inside_one_file(connection: Connection) -> None:
    merge(connection, with_ids("A", "B", "C"))
    assert counts(later(connection, with_ids("B", "C", "A"))) == (0, 3, 0, 0)
    assert ids(connection) == {"student1": "B", "student2": "C", "student3": "A"}


def test_M23_an_id_given_up_in_the_file_is_free_for_a_new_student(connection: Connection) -> None:
    merge(connection, with_ids("A"))
    assert counts(later(connection, with_ids("B", "A"))) == (1, 1, 0, 0)
    assert ids(connection) == {"student1": "B", "student2": "A"}


def test_M23_an_id_cleared_in_the_file_is_free(connection: Connection) -> None:
    merge(connection, with_ids("A"))
    assert counts(later(connection, with_ids("", "A"), CLEAR)) == (1, 1, 0, 0)
    assert ids(connection) == {"student1": None, "student2": "A"}
    assert counts(later(connection, with_ids("", "A", "A").iloc[[0, 2]], KEEP)) == (0, 0, 1, 1)


def test_M23_an_id_kept_by_a_blank_cell_is_not_free(connection: Connection) -> None:
    merge(connection, with_ids("A"))
    assert counts(later(connection, with_ids("", "A"))) == (0, 0, 1, 1)


def test_M23_two_new_students_with_one_id_are_both_rejected(connection: Connection) -> None:
    result = merge(connection, with_ids("A", "A", "B"))
    assert counts(result) == (1, 0, 0, 2)
    assert result.rejected["row"].tolist() == [2, 3]


def test_M23_a_rejected_row_holds_up_those_behind_it(connection: Connection) -> None:
    # 4 wants what the absent 5 keeps; 3 wants 4's, 2 wants 3's, 1 wants 2's: none can move. 6 and 7 swap.
    merge(connection, with_ids("A", "B", "C", "D", "E", "F", "G"))
    rows = with_ids("B", "C", "D", "E", "E", "G", "F").drop(index=4)
    result = later(connection, rows)
    assert counts(result) == (0, 2, 0, 4)
    assert result.rejected["row"].tolist() == [2, 3, 4, 5]
    assert list(ids(connection).values()) == ["A", "B", "C", "D", "E", "G", "F"]


def test_M23_a_chain_as_long_as_the_file_is_judged_at_once(connection: Connection) -> None:
    rows = a_student_rows(20_000)
    merge(connection, rows)
    chain = rows.assign(student_id=[*rows["student_id"].iloc[1:], "new"])
    assert counts(later(connection, chain)) == (0, 20_000, 0, 0)
    blocked = rows.assign(student_id=[*chain["student_id"].iloc[1:], "x"]).iloc[:-1]
    assert counts(later(connection, blocked)) == (0, 0, 0, 19_999)


def test_M26_telephones_are_kept_and_compared_by_their_digits(connection: Connection) -> None:
    forms = {
        "(512) 555-0100": "+15125550100",
        "512.555.0100 ext. 12": "+15125550100",
        "1-512-555-0100x7": "+15125550100",
        "+44 20 7946 0000": "+442079460000",
        "0044 20 7946 0000": "+442079460000",
        "011 44 20 7946 0000": "+442079460000",
        "555-0100": None,
        "unknown": None,
        "+1": None,
    }
    merge(connection, a_student_rows(len(forms), telephone=list(forms)))
    found = [student(connection, number) for number in range(1, len(forms) + 1)]
    assert {one.telephone: one.telephone_key for one in found} == forms
    rows = a_student_rows(1, telephone="555-0100")
    assert counts(later(connection, rows)) == (0, 1, 0, 0)
    assert student(connection).telephone_key is None


def review(connection: Connection) -> None:
    connection.execute(
        text(
            "update store.student set requirement_group = 'Arts', term = 'Spring', "
            "enrollment_source = 'reviewed', on_campus = false, on_campus_source = 'reviewed'"
        )
    )


def reviewed(connection: Connection) -> tuple[object, ...]:
    one = student(connection)
    return one.requirement_group, one.term, one.enrollment_source, one.on_campus, one.on_campus_source


@pytest.mark.parametrize("policy", [KEEP, CLEAR])
@pytest.mark.parametrize("blank", [False, True])
def test_M30_a_file_does_not_undo_what_the_student_reviewed(
    connection: Connection, policy: RosterPolicy, blank: bool
) -> None:
    merge(connection, a_student_rows(1))
    review(connection)
    columns = ["requirement_group", "term", "on_campus"]
    rows = a_student_rows(1, **(dict.fromkeys(columns, "") if blank else {}))
    assert counts(later(connection, rows, policy)) == (0, 0, 1, 0)
    assert reviewed(connection) == ("Arts", "Spring", "reviewed", False, "reviewed")


def test_M30_other_values_of_a_reviewed_student_are_updated(connection: Connection) -> None:
    merge(connection, a_student_rows(1))
    review(connection)
    assert counts(later(connection, a_student_rows(1, last_name="New"))) == (0, 1, 0, 0)
    assert reviewed(connection) == ("Arts", "Spring", "reviewed", False, "reviewed")


def test_M30_a_file_overrides_the_review_when_the_tenant_says_so(connection: Connection) -> None:
    policy = RosterPolicy(prefill_overrides_review=True)
    merge(connection, a_student_rows(1))
    review(connection)
    equal = a_student_rows(1, requirement_group="Arts", term="Spring", on_campus="0")
    assert counts(later(connection, equal, policy)) == (0, 0, 1, 0)
    assert reviewed(connection)[2] == "reviewed"
    assert counts(later(connection, a_student_rows(1), policy)) == (0, 1, 0, 0)
    assert reviewed(connection) == ("Health Sciences", "Fall 2026", "prefilled", True, "prefilled")


def test_M19_created_students_are_invited_once(connection: Connection) -> None:
    inviting = RosterPolicy(invite_new_students=True)
    merge(connection, a_student_rows(1))
    assert students.invited(connection, TENANT) == []
    later(connection, a_student_rows(3), inviting)
    assert students.invited(connection, TENANT) == ["student2@example.edu", "student3@example.edu"]
    assert counts(later(connection, a_student_rows(3), inviting)) == (0, 0, 3, 0)
    assert len(students.invited(connection, TENANT)) == 2


def test_X12_two_tenants_never_touch_each_others_students(connection: Connection) -> None:
    inviting = RosterPolicy(invite_new_students=True)
    merge(connection, a_student_rows(2))
    before = [student(connection, 1), student(connection, 2)]
    # The same Usernames and StudentIds, crossed: neither a clash nor an update of the other tenant.
    other = a_student_rows(2, last_name="Other", student_id=["S00000002", "S00000001"])
    assert counts(merge(connection, other, tenant_code="other-clinic", policy=inviting)) == (2, 0, 0, 0)
    assert [student(connection, 1), student(connection, 2)] == before
    assert student(connection, 1, "other-clinic").student_id == "S00000002"
    assert students.count(connection, "other-clinic") == students.count(connection, TENANT) == 2
    assert students.invited(connection, TENANT) == []
    assert len(students.invited(connection, "other-clinic")) == 2
    assert students.find(connection, "third", "student1@example.edu") is None


def test_M18_an_empty_file_merges_nothing(connection: Connection) -> None:
    assert counts(merge(connection, a_student_rows(0))) == (0, 0, 0, 0)
    result = merge(connection, a_student_rows(0))
    assert result.rejected.dtypes.astype(str).to_dict() == {"row": "int64", "code": "str"}


def test_X03_a_merge_that_is_rolled_back_leaves_nothing(database_url: str) -> None:
    def dies_after_the_merge(connection: Connection) -> None:
        merge(connection, a_student_rows(5))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), transaction() as connection:
        dies_after_the_merge(connection)
    with transaction() as connection:
        assert students.count(connection, TENANT) == 0


def test_X02_merges_of_one_tenant_take_turns_without_a_deadlock(database_url: str) -> None:
    rows = a_student_rows(2_000)
    start = Barrier(4)

    def work(number: int) -> tuple[int, int, int, int]:
        mixed = rows.sample(frac=1, random_state=number)
        with transaction() as connection:
            start.wait()
            return counts(merge(connection, mixed, submission_id=str(number)))

    with ThreadPoolExecutor(4) as pool:
        results = sorted(pool.map(work, range(4)))
    assert results == [(0, 0, 2_000, 0)] * 3 + [(2_000, 0, 0, 0)]


def test_X03_a_change_by_somebody_else_in_between_is_not_lost(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction() as connection:
        merge(connection, a_student_rows(2))
    judge = students._rejected

    def review_meanwhile(claims: Any) -> list[int]:
        with transaction() as other:
            review(other)
        return judge(claims)

    # A hook at the one point in time that matters: after the plan was made and before it is applied.
    monkeypatch.setattr(students, "_rejected", review_meanwhile)
    with pytest.raises(SerializationConflict), transaction() as connection:
        later(connection, a_student_rows(2, last_name="New"))
    with transaction() as connection:
        assert reviewed(connection)[0] == "Arts"


def test_X12_a_value_that_cannot_be_stored_is_not_quoted(database_url: str) -> None:
    with pytest.raises(ConstraintSurprise) as caught, transaction() as connection:
        merge(connection, a_student_rows(1, dob="Secret"))
    assert "Secret" not in str(caught.value)
    assert caught.value.__suppress_context__
