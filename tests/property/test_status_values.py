"""What holds for any status file: the order of columns and rows never matters, numbers are read exactly."""

from __future__ import annotations

import random
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from partner_exchange.feeds.status.nedocs import LEVELS, levels, scores
from partner_exchange.validation.numbers import EXACT_DIGITS, parse_numbers
from support.status_judge import number, plain
from support.status_sheets import Judged, a_policy, judge_table, random_bulk, random_respiratory

pytestmark = pytest.mark.slow


def _content(judged: Judged) -> dict[tuple[int, str], tuple[object, ...]]:
    parts = ("value", "reason", "comment", "level", "colour", "is_not_applicable", "column")
    return {key: tuple(line[part] for part in parts) for key, line in judged.taken.items()}


@pytest.mark.parametrize("seed", range(10))
def test_K23_the_order_of_columns_never_matters(seed: int) -> None:
    dice = random.Random(seed)
    header, rows = (random_bulk if seed % 3 else random_respiratory)(seed, 40)
    policy = a_policy() if seed % 3 else a_policy(status_types=(), catalogues=["cdc-hrd"])
    order = dice.sample(range(len(header)), len(header))

    one = judge_table(header, rows, policy=policy)
    other = judge_table(
        [header[at] for at in order], [[row[at] for at in order] for row in rows], policy=policy
    )

    assert one.weighed == other.weighed
    assert one.mend == other.mend
    assert _content(one) == _content(other)
    assert sorted(one.said.splitlines()) == sorted(other.said.splitlines())


@pytest.mark.parametrize("seed", range(6))
def test_K23_the_order_of_rows_never_matters(seed: int) -> None:
    header, rows = random_bulk(seed, 40)
    order = random.Random(seed).sample(range(len(rows)), len(rows))

    one, other = judge_table(header, rows), judge_table(header, [rows[at] for at in order])

    moved = {old + 2: new + 2 for new, old in enumerate(order)}
    assert {(moved[row], *rest) for row, *rest in one.weighed} == other.weighed
    assert {(moved[row], column) for row, column in one.mend} == other.mend
    assert {(moved[row], name): line for (row, name), line in _content(one).items()} == _content(other)


_LIKE_NUMBERS = st.text(st.sampled_from("0123456789,.+-eE x\u0663"), min_size=1, max_size=24)
_NUMBERS = st.from_regex(r"[+-]?([0-9]{1,3}(,[0-9]{3}){0,4}|[0-9]{1,17})(\.[0-9]{1,8})?", fullmatch=True)


@settings(max_examples=300, deadline=None)
@given(st.lists(_LIKE_NUMBERS | _NUMBERS, min_size=1, max_size=30))
def test_E15_numbers_are_read_as_the_judge_reads_them(texts: list[str]) -> None:
    found = parse_numbers(pa.array(texts, pa.large_string()))

    for at, text in enumerate(texts):
        meant = number(text) if text.isascii() else None
        value = found.value[at].as_py()
        if meant is None:
            assert value == ""
            assert np.isnan([found.number[at], found.decimals[at], found.digits[at]]).all()
            continue
        assert value == plain(text)
        whole, _, fraction = value.lstrip("-").partition(".")
        assert found.digits[at] == len(whole.lstrip("0") + fraction)
        assert found.decimals[at] == len(fraction)
        if found.digits[at] <= EXACT_DIGITS:
            assert Decimal(repr(float(found.number[at]))) == Decimal(value), "nothing is lost"
        else:
            assert np.isnan(found.number[at])


@settings(max_examples=200, deadline=None)
@given(
    st.tuples(
        *(st.integers(0, 300), st.integers(1, 100), st.integers(0, 100), st.integers(1, 900)),
        *(st.integers(0, 20), st.floats(0, 72), st.floats(0, 24)),
    )
)
def test_E15_more_crowding_never_gives_a_lower_score_or_level(inputs: tuple[float, ...]) -> None:
    worse = [one + (at not in (1, 3)) for at, one in enumerate(inputs)]

    score = scores(np.array([inputs, worse], dtype=np.float64))
    level = levels(score)

    assert 0 <= score[0] <= score[1]
    assert 0 <= level[0] <= level[1] < len(LEVELS)
    assert score.tolist() == np.round(score, 1).tolist()
