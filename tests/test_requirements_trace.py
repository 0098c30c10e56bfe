"""Every delivered requirement names the tests that show it, and every test's requirement is listed."""

from __future__ import annotations

import pytest

from support import trace

PAGE = trace.PAGE.read_text(encoding="utf-8")
ROWS = trace.rows(PAGE)


def test_X19_every_id_in_a_test_name_is_listed_and_listed_once() -> None:
    listed = [row.id for row in ROWS]
    assert listed == sorted(set(listed), key=trace.order)
    missing = set(trace.collect()) - set(listed)
    assert missing == set(), "run `make docs`, then say in docs/requirements.md what holds"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_X19_every_listed_requirement_says_what_holds_and_is_shown(row: trace.Row) -> None:
    assert row.what, f"say in docs/requirements.md what holds for {row.id}"
    assert row.tests, f"no test has {row.id} in its name"
    known = trace.collect()[row.id]
    assert set(row.tests) <= set(known)


def test_X19_the_column_of_tests_is_current() -> None:
    assert trace.updated(PAGE, trace.collect()) == PAGE, "run `make docs` and commit what it writes"


HEAD = "# Page\n\n| id | what holds | shown by |\n| --- | --- | --- |\n"
FOUND = {
    "M2": [trace.Test("tests/test_a.py", f"test_M2_{name}") for name in "abcde"],
    "K1": [trace.Test("tests/test_b.py", "test_K1_holds")],
}


def test_X19_new_id_is_put_in_its_place_and_left_to_be_described() -> None:
    page = trace.updated(HEAD + "| K1 | it holds | old |\n\nThe end.\n", FOUND)
    links = ", ".join(f"[`test_M2_{name}`](../tests/test_a.py)" for name in "abc")
    assert page == (
        f"{HEAD}| M2 |  | {links} and 2 more |\n"
        "| K1 | it holds | [`test_K1_holds`](../tests/test_b.py) |\n"
        "\nThe end.\n"
    )
    assert trace.updated(page, FOUND) == page
    assert [row.what for row in trace.rows(page)] == ["", "it holds"]


def test_X19_requirement_whose_tests_are_gone_is_seen() -> None:
    page = trace.updated(HEAD + "| M9 | it held | [`test_M9_x`](../tests/test_a.py) |\n", FOUND)
    (row,) = [row for row in trace.rows(page) if row.id == "M9"]
    assert row.tests == []
