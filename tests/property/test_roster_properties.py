"""What holds for any roster: order does not matter, fix-it files repair nothing, nothing is lost."""

from __future__ import annotations

import csv
import io
import random
import re
from collections import Counter

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from partner_exchange.feeds.base import Examination
from partner_exchange.readers.cells import as_cells, csv_text, neutral, restored
from support.rosters import HEADER, PAIRS, TITLES, a_row, examine, faulty_rows, fix_it_of, text

pytestmark = pytest.mark.slow

FEW = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
BROKEN = (
    'a@example.edu,1,Do"e,Jane,,,,,0',
    '"a@example.edu,2,Doe,Jane,,,,,0',
    'b@example.edu",3,Roe,Ann,,,,,1',
    'c@example.edu,4,"Poe" x,Jo,,,,,1',
    '=1+1,5,"Open,Jo,,,,,1',
    "only,three,'=fields",
    '"","""",=cmd,"a,-b"',
    "a,b,c,d,e,f,g,h,i,j",
    ",,,,,,,",
    '""',
    "=1",
    '"two, ""x""","=3"',
)


def _content_of_rows(examination: Examination, rows: list[list[str]]) -> Counter[tuple[str, ...]]:
    """Return each finding with the content of its row in place of its number."""
    said: Counter[tuple[str, ...]] = Counter()
    for found in examination.findings.table.itertuples():
        about = () if pd.isna(found.row) else tuple(rows[int(found.row) - 2])
        said[(*about, found.code, found.column, found.severity, found.message)] += 1
    return said


@pytest.mark.parametrize("seed", range(4))
def test_M35_the_order_of_rows_never_matters(seed: int) -> None:
    rows = faulty_rows(seed, 120)
    shuffled = list(rows)
    random.Random(seed).shuffle(shuffled)

    one, other = (
        examine(text(order), requirement_terms=PAIRS, max_findings_listed=100_000)
        for order in (rows, shuffled)
    )

    assert _content_of_rows(one, rows) == _content_of_rows(other, shuffled)
    cells = [*one.accepted.columns.drop("row")]
    assert Counter(one.accepted[cells].itertuples(index=False, name=None)) == Counter(
        other.accepted[cells].itertuples(index=False, name=None)
    )
    assert Counter(tuple(rows[row - 2]) for row in one.rejected["row"]) == Counter(
        tuple(shuffled[row - 2]) for row in other.rejected["row"]
    )


@pytest.mark.slow
@FEW
@given(st.integers(0, 10_000), st.lists(st.sampled_from(BROKEN), max_size=8), st.sampled_from(["crlf", "lf"]))
def test_N01_a_row_left_as_it_is_in_the_fix_it_file_is_rejected_again(
    seed: int, broken: list[str], newline: str
) -> None:
    lines = text(faulty_rows(seed, 40), newline="\n").decode() + "".join(line + "\n" for line in broken)
    policy = {"requirement_terms": PAIRS, "newline": newline}
    first = examine(lines.encode(), **policy)
    fix_it = fix_it_of(first.rejected, **policy)
    if first.rejected.empty:
        assert not fix_it, "nothing is to mend"
        return

    again = examine(fix_it, file_name="roster.fix-it.csv", **policy)

    assert again.rows_accepted == 0
    assert again.rows_rejected == first.rows_rejected
    assert fix_it_of(again.rejected, **policy) == fix_it, "and it stays the same"


@pytest.mark.slow
@FEW
@given(st.integers(0, 10_000))
def test_N01_a_mended_fix_it_file_loads_the_rest_and_nothing_twice(seed: int) -> None:
    rows = [a_row(n, **({"OnCampus": "x", "LastName": "=1"} if n % 3 == seed % 3 else {})) for n in range(30)]
    first = examine(text(rows))
    fix_it = fix_it_of(first.rejected)

    mended = examine(re.sub(rb",x\r\n", b",1\r\n", fix_it))

    assert mended.rows_rejected == 0
    loaded = [*first.accepted["username"], *mended.accepted["username"]]
    assert sorted(loaded) == sorted(row[0] for row in rows)
    assert set(mended.accepted["last_name"]) == {"=1"}, "the apostrophe that kept it neutral is gone"


@given(st.lists(st.text(st.sampled_from("'=+-@\t\ra \"\n,"), max_size=6), min_size=1, max_size=20))
def test_N01_neutral_cells_come_back_as_they_were(cells: list[str]) -> None:
    written = neutral(as_cells(cells))

    assert restored(written).to_pylist() == cells
    assert not [cell for cell in written.to_pylist() if cell[:1] in tuple("=+-@\t\r")]


@given(
    st.lists(
        st.lists(st.text(max_size=8).filter(lambda cell: "\0" not in cell), min_size=3, max_size=3),
        max_size=8,
    )
)
def test_K16_written_text_reads_back_with_the_csv_module(rows: list[list[str]]) -> None:
    columns = [as_cells([row[at] for row in rows]) for at in range(3)]

    content = csv_text(columns, newline="\r\n").decode()

    read = list(csv.reader(io.StringIO(content, newline=""), strict=True))
    assert [restored(as_cells(row)).to_pylist() for row in read] == rows


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=300))
def test_M16_any_bytes_give_an_answer_and_never_an_exception(content: bytes) -> None:
    for whole in (content, HEADER.encode() + b"\n" + content):
        examination = examine(whole)
        assert examination.rows_total == examination.rows_accepted + examination.rows_rejected
        assert examination.findings.total or not examination.is_refused


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.text(max_size=12), min_size=9, max_size=9), min_size=1, max_size=6))
def test_X06_any_cells_reconcile(rows: list[list[str]]) -> None:
    rows = [[cell.replace("\0", "") for cell in row] for row in rows]

    examination = examine(text(rows))

    if examination.is_refused:
        # A few bytes that are mostly control characters are no text at all.
        assert [group.code for group in examination.findings.groups] == ["file-not-text"]
        return
    assert examination.rows_total == len(rows)
    assert len(examination.rejected) == examination.rows_rejected
    assert len(examination.accepted) + examination.accepted["repeats"].sum() == examination.rows_accepted
    assert len(TITLES) == 9
