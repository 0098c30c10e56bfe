"""Any cell comes back as its canonical text, and no bytes make the table reader raise (E02, E03, X15)."""

from __future__ import annotations

import datetime as dt
import io
import random
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
import xlwt
from hypothesis import given, settings
from hypothesis import strategies as st

from partner_exchange.readers.cells import WHITE_SPACE
from partner_exchange.readers.grid import Grid
from partner_exchange.readers.marks import Refusal
from partner_exchange.validation.catalogue import CATALOGUE
from support.workbooks import cells, grid, read, saved, xls, xlsx

# What both writers can hold; control characters have tests of their own.
SIGNS = st.characters(
    codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"], exclude_characters="_'\ufffe\uffff"
)
TEXTS = st.text(SIGNS, min_size=1, max_size=30).filter(
    lambda text: text.strip(WHITE_SPACE) and not text.startswith("=")
)
POWERS = st.one_of(st.integers(-20, 10), st.integers(-290, 280))
NUMBERS = st.one_of(
    st.integers(-(2**53), 2**53),
    st.integers(0, 10_000),
    st.decimals(-(10**9), 10**9, places=3).map(float),
    # Fifteen digits at most: openpyxl writes no more than sixteen.
    st.builds(lambda digits, power: float(f"{digits}e{power}"), st.integers(-(10**14), 10**14), POWERS),
)
DAYS = st.dates(dt.date(1905, 1, 1), dt.date(2200, 1, 1))
MOMENTS = st.datetimes(dt.datetime(1905, 1, 1), dt.datetime(2200, 1, 1)).map(  # noqa: DTZ001
    lambda value: value.replace(microsecond=0)
)
TIMES = st.times().map(lambda value: value.replace(microsecond=0))
CELLS = st.one_of(st.none(), st.booleans(), TEXTS, NUMBERS, DAYS, MOMENTS, TIMES)
LOOKS = {dt.date: "yyyy-mm-dd", dt.datetime: "yyyy-mm-dd hh:mm:ss", dt.time: "hh:mm:ss"}
TABLES = st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=6)
HEADER = ["Resource ID", "B", "C"]


def _expected(value: Any) -> str:
    """Return the canonical text by another road than the reader's."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        whole = value == int(value)
        text = format(Decimal(int(value)) if whole else Decimal(f"{value:.15g}"), "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}".removesuffix(" 00:00:00")
    return str(value) if not isinstance(value, str) else value.strip(WHITE_SPACE)


def _by_openpyxl(table: list[list[Any]]) -> bytes:
    book = openpyxl.Workbook()
    for row, line in enumerate([HEADER, *table], 1):
        for column, value in enumerate(line, 1):
            cell = book.active.cell(row, column, value)
            if isinstance(value, str):
                cell.data_type = "s"
            cell.number_format = LOOKS.get(type(value), "General")
    return saved(book)


def _by_xlwt(table: list[list[Any]]) -> bytes:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Data")
    looks = {kind: xlwt.easyxf(num_format_str=look) for kind, look in LOOKS.items()}
    for row, line in enumerate([HEADER, *table]):
        for column, value in enumerate(line):
            if value is not None:
                sheet.write(row, column, value, looks.get(type(value), xlwt.Style.default_style))
    return saved(book)


@pytest.mark.parametrize("write", [_by_openpyxl, _by_xlwt])
@settings(max_examples=150, deadline=None)
@given(table=TABLES)
def test_E02_E03_any_cell_comes_back_as_its_canonical_text(write: Any, table: list[list[Any]]) -> None:
    expected = [[_expected(value) for value in row] for row in table]
    filled = [row for row in expected if any(row)]

    found = read(write(table))

    if not filled:
        assert isinstance(found, Refusal)
        assert found.code == "no-rows"
        return
    assert cells(found) == filled
    assert found.rows.tolist() == [at for at, row in enumerate(expected, 2) if any(row)]


def _judged(content: bytes) -> None:
    """Read the bytes, under a name that helps nothing, and see that every code can be worded."""
    for found in (read(content), read(content, known=lambda header: True)):
        if isinstance(found, Refusal):
            assert CATALOGUE[found.code].sentence(found.facts)
            return
        assert isinstance(found, Grid)
        assert all(len(column) == len(found.rows) for column in found.columns)
        assert len(found.columns) == len(found.header)
        for mark in found.marks:
            assert CATALOGUE[mark.code].sentence(mark.facts)


WHOLE = [
    xlsx(["Resource ID", "Beds"], ["a", 1], ["b", dt.date(2026, 11, 21)], More=[["x", 2.5]]),
    xls(["Resource ID", "Beds"], ["a", 1], ["b", xlwt.Formula("1+1")], More=[["x", 2.5]]),
    b'Resource ID,Beds\r\na,1\r\n"b",2\r\n',
]


@settings(max_examples=300, deadline=None)
@given(
    content=st.binary(max_size=2_000),
    start=st.sampled_from([b"", b"PK\x03\x04", WHOLE[1][:512], b"\x09\x08\x10\0"]),
)
def test_X15_any_bytes_end_in_a_grid_or_a_refusal(content: bytes, start: bytes) -> None:
    _judged(start + content)


@settings(max_examples=150, deadline=None)
@given(whole=st.sampled_from(WHOLE), share=st.floats(0, 1))
def test_X15_cut_off_files_end_in_a_grid_or_a_refusal(whole: bytes, share: float) -> None:
    _judged(whole[: int(len(whole) * share)])


@settings(max_examples=400, deadline=None)
@given(whole=st.sampled_from(WHOLE), seed=st.integers(0, 2**32), count=st.integers(1, 20))
def test_X15_flipped_bits_end_in_a_grid_or_a_refusal(whole: bytes, seed: int, count: int) -> None:
    content = bytearray(whole)
    picked = random.Random(seed)
    for _ in range(count):
        content[picked.randrange(len(content))] ^= 1 << picked.randrange(8)
    _judged(bytes(content))


@settings(max_examples=400, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(1, 12), part=st.integers(0, 3))
def test_X15_flipped_bits_inside_the_parts_end_in_a_grid_or_a_refusal(
    seed: int, count: int, part: int
) -> None:
    """A package checks its sums, so flips outside hardly ever reach the XML; these do."""
    import zipfile

    names = ("xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml", "xl/_rels/workbook.xml.rels")
    picked = random.Random(seed)
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(WHOLE[0])) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            data = bytearray(source.read(name))
            if name == names[part]:
                for _ in range(count):
                    data[picked.randrange(len(data))] ^= 1 << picked.randrange(8)
            target.writestr(name, bytes(data))
    _judged(out.getvalue())


def test_E03_the_writers_of_these_tests_agree() -> None:
    table: list[list[Any]] = [["x", 1.5, dt.date(2026, 11, 21)]]

    assert cells(grid(_by_openpyxl(table))) == cells(grid(_by_xlwt(table)))
