"""Formulas: only the grammar is taken, and no text can do harm."""

from __future__ import annotations

import numpy as np
import pytest

from partner_exchange.tenants.formula import Formula


def test_E15_parts_come_with_their_initial_values() -> None:
    formula = Formula.parse("st(12238,0) + 2.5 * st(12002, 7) - st(12238,0)")
    assert formula.parts == {12238: 0.0, 12002: 7.0}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("st(1,0)", 8.0),
        ("st(1,0) + st(2,0) * 2", 12.0),
        ("(st(1,0) + st(2,0)) * 2", 20.0),
        ("st(1,0) - st(2,0) - 1", 5.0),
        ("st(1,0) / st(2,0) / 2", 2.0),
        ("-st(1,0) * -.5", 4.0),
        ("2 * (3 - st(2,0))", 2.0),
        ("st(1,0)\n  + st(2,0)", 10.0),
        ("  st ( 1 , 0 )  ", 8.0),
    ],
)
def test_E15_a_formula_counts_as_people_count(text: str, expected: float) -> None:
    formula = Formula.parse(text)
    assert formula.evaluate({1: 8.0, 2: 2.0}) == expected
    columns = {1: np.array([8.0, 8.0]), 2: np.array([2.0, 2.0])}
    assert formula.evaluate(columns).tolist() == [expected, expected]


def test_E15_dividing_columns_by_zero_gives_no_exception() -> None:
    with np.errstate(all="ignore"):
        found = Formula.parse("st(1,0) / st(2,0)").evaluate({1: np.array([1.0, 0.0]), 2: np.zeros(2)})
    assert not np.isfinite(found).any()


def test_E15_a_missing_part_is_an_error_of_the_caller() -> None:
    with pytest.raises(KeyError):
        Formula.parse("st(1,0) + st(2,0)").evaluate({1: 1.0})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "cannot be read"),
        ("1 + 2", "at least one status"),
        ("st(1)", "write a status as"),
        ("st(1,0,0)", "write a status as"),
        ("st(1.5,0)", "write a status as"),
        ("st(st(1,0),0)", "write a status as"),
        ("st(1,-1)", "write a status as"),
        ("st(*1,0)", "write a status as"),
        ("st(1,0) + st(1,1)", "two initial values"),
        ("st(1,0) ** 2", "holds numbers"),
        ("st(1,0) // 2", "holds numbers"),
        ("st(1,0), 2", "holds numbers"),
        ("+st(1,0)", "holds numbers"),
        ("st", "holds numbers"),
        ("st.st(1,0)", "holds numbers"),
        ("st(1,0).s", "holds numbers"),
        ("(st)(1,0)()", "holds numbers"),
        ("max(st(1,0), 2)", "holds numbers"),
        ("st(1,0) % 2", "holds numbers"),
        ("st(1,0) if 1 else 2", "holds numbers"),
        ("st(1,0) + 1e5", "holds numbers"),
        ("st(1,0) + 0x10", "holds numbers"),
        ("st(1,0) + 1_000", "holds numbers"),
        ("st(1,0) + 1j", "holds numbers"),
        ("st(1,0) + ٣", "holds numbers"),
        ("st(1,0)\0", "holds numbers"),
        ("__import__('os').system('true')", "holds numbers"),
        ("(lambda: st(1,0))()", "holds numbers"),
        ("st(1,0) + " + "9" * 400, "too large"),
        ("st(1," + "9" * 400 + ")", "write a status as"),
        ("st(1,0) + 007", "cannot be read"),
        ("st(1,0", "cannot be read"),
        ("st(1,0) st(2,0)", "cannot be read"),
        ("(" * 900 + "st(1,0)" + ")" * 900, "cannot be read"),
        ("-" * 1_900 + "st(1,0)", "nests too deeply"),
        ("st(1,0)" + "+1" * 900, "nests too deeply"),
        ("st(1,0)" + "+1" * 2_000, "2000 characters"),
    ],
)
def test_E15_anything_else_is_refused_with_a_reason(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        Formula.parse(text)


def test_E15_the_longest_sum_that_fits_is_taken() -> None:
    text = "+".join(f"st({number},0)" for number in range(1, 200))
    assert Formula.parse(text).evaluate(dict.fromkeys(range(1, 200), 1.0)) == 199
