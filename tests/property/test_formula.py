"""A formula gives what Python gives for the same expression, and no text makes it do anything else."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partner_exchange.tenants.formula import Formula

NUMBERS = st.integers(0, 999).map(str) | st.decimals(0, 999, places=3).map(str)
PARTS = st.integers(1, 9)


@st.composite
def expressions(draw: st.DrawFn, depth: int = 0) -> str:
    """Return a formula in which every status has the initial value 0."""
    shape = draw(st.sampled_from(("part", "number", "sum", "minus", "nest") if depth < 5 else ("part",)))
    space = draw(st.sampled_from(("", " ", "\n ")))
    inner = expressions(depth=depth + 1)
    if shape == "part":
        return f"st({space}{draw(PARTS)},{space}0)"
    if shape == "number":
        return draw(NUMBERS)
    if shape == "minus":
        return f"-{draw(inner)}"
    if shape == "nest":
        return f"({space}{draw(inner)}{space})"
    return f"{draw(inner)}{space}{draw(st.sampled_from('+-*/'))}{space}{draw(inner)}"


@given(expressions(), st.lists(st.floats(-1e6, 1e6), min_size=9, max_size=9))
def test_E15_a_formula_gives_what_python_gives(text: str, values: list[float]) -> None:
    text = f"st(1,0) + ({text})"
    numbers = dict(enumerate(values, start=1))
    formula = Formula.parse(text)
    # Python's whole numbers are exact where ours are floats.
    as_floats = re.sub(r"(?<![\d.])\d+(?![\d.])", r"\g<0>.", " ".join(text.split()))
    try:
        expected = eval(as_floats, {"__builtins__": {}, "st": lambda number, _: numbers[number]})
    except ZeroDivisionError:
        with pytest.raises(ZeroDivisionError):
            formula.evaluate(numbers)
    else:
        assert formula.evaluate(numbers) == expected
    assert set(formula.parts) <= set(numbers)


@given(st.text(max_size=60) | st.text("st(),.0123456789+-*/ \n", max_size=200))
def test_E15_any_text_is_a_formula_or_a_reason(text: str) -> None:
    try:
        formula = Formula.parse(text)
    except ValueError:
        return
    assert formula.parts
