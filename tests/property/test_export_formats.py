"""What holds for any outbound file: what was written is read back, by our readers and by others."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from partner_exchange.exports.columns import Kind, Row
from support.outbound_files import KINDS, a_column, plain, taken_back, written

pytestmark = pytest.mark.slow

Texts = tuple[str, ...]
FEW = settings(max_examples=60, deadline=None)
SIGNS = "'\"=+-@\t\r\n,;|<>&_x0D{}%\\ab0\u00e9\u5b66\U0001f393\u2028\x85\x01\ufeff "
NASTY = st.one_of(
    st.text(st.sampled_from(SIGNS), max_size=12),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
    st.sampled_from(["", "000417", " x ", "'=1", "_x000D_", "]]>", "x" * 3_000]),
)
TEXT_ROWS = st.lists(st.tuples(NASTY, NASTY, NASTY), max_size=12)
TEXTS = [a_column(name=f"c{at}", header=f"C {at}", width=3_000) for at in range(3)]
TYPED = [
    a_column(name="key", header="Key"),
    a_column(Kind.INTEGER, name="count", header="Count", align="right"),
    a_column(Kind.DECIMAL, name="share", header="Share", width=60, align="right"),
    a_column(Kind.BOOLEAN, name="is_on", header="On"),
    a_column(Kind.DATE, name="day", header="Day"),
    a_column(Kind.INSTANT, name="at", header="At"),
]
LIFETIME = (datetime.fromisoformat("1950-01-01"), datetime.fromisoformat("2100-01-01"))
VALUES = st.lists(
    st.tuples(
        st.integers(1, 10**6).map(str),
        st.none() | st.integers(-(10**17), 10**17),
        st.none()
        | st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**12), max_value=10**12),
        st.none() | st.booleans(),
        st.none() | st.dates(date(1800, 1, 1)),
        st.none() | st.datetimes(*LIFETIME, timezones=st.just(UTC)),
    ),
    max_size=12,
)
OPTIONS = st.fixed_dictionaries(
    {
        "quoting": st.sampled_from(["minimal", "all"]),
        "newline": st.sampled_from(["crlf", "lf"]),
        "header": st.booleans(),
        "byte_order_mark": st.booleans(),
        "formulas": st.sampled_from(["neutral", "as_is"]),
    }
)
BREAKS = re.compile("\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
NO_XML = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@pytest.mark.parametrize("kind", ["csv", "tsv", "pipe"])
@FEW
@given(rows=TEXT_ROWS, options=OPTIONS)
@example(rows=[("\ufeff", "", "")], options={"header": False})
def test_M49_delimited_texts_are_read_back(kind: str, rows: list[Texts], options: dict[str, Any]) -> None:
    content = written(rows, TEXTS, kind=kind, **options)

    assert taken_back(content, TEXTS, kind=kind, **options) == [list(row) for row in rows]


@pytest.mark.parametrize(("kind", "sign"), [("csv", ","), ("tsv", "\t"), ("pipe", "|")])
@FEW
@given(rows=TEXT_ROWS, options=OPTIONS)
def test_M49_python_reads_delimited_texts_alike(
    kind: str, sign: str, rows: list[Texts], options: dict[str, Any]
) -> None:
    content = written(rows, TEXTS, kind=kind, **{**options, "formulas": "as_is"})

    text = content.decode("utf-8-sig" if options["byte_order_mark"] else "utf-8")
    found = list(csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=sign))
    assert found[options["header"] :] == [list(row) for row in rows]


@FEW
@given(rows=TEXT_ROWS)
def test_M64_no_delimited_text_is_run_by_a_spreadsheet(rows: list[Texts]) -> None:
    content = written(rows, TEXTS, header=False).decode()

    for row in csv.reader(io.StringIO(content, newline=""), strict=True):
        assert not [cell for cell in row if cell[:1] in tuple("=+-@\t\r")]


@FEW
@given(rows=TEXT_ROWS)
def test_M49_json_lines_are_read_back_here_and_by_python(rows: list[Texts]) -> None:
    content = written(rows, TEXTS, kind="jsonl")

    assert taken_back(content, TEXTS, kind="jsonl") == [list(row) for row in rows]
    lines = content.decode().split("\n")[:-1]
    assert [tuple(json.loads(line).values()) for line in lines] == rows


@FEW
@given(rows=TEXT_ROWS)
def test_M49_xml_is_read_back_here_and_by_python(rows: list[Texts]) -> None:
    content = written(rows, TEXTS, kind="xml")

    expected = [[NO_XML.sub("\ufffd", text) for text in row] for row in rows]
    assert taken_back(content, TEXTS, kind="xml") == expected
    assert [[value.text or "" for value in row] for row in ElementTree.fromstring(content)] == expected


@FEW
@given(rows=TEXT_ROWS)
def test_M49_workbooks_are_read_back_here_and_by_openpyxl(rows: list[Texts]) -> None:
    # A sheet ends with the last cell that holds anything.
    rows = [*rows, ("end", "end", "end")]

    content = written(rows, TEXTS, kind="xlsx")

    rows = [tuple(re.sub("[\ufffe\uffff]", "\ufffd", text) for text in row) for row in rows]
    assert taken_back(content, TEXTS, kind="xlsx") == [list(row) for row in rows]
    sheet = load_workbook(io.BytesIO(content)).active
    found = [[cell.value or "" for cell in row] for row in sheet.iter_rows(min_row=2)]
    for cells, row in zip(found, rows, strict=True):
        for cell, text in zip(cells, row, strict=True):
            if not re.search(r"[\x00-\x1f\x7f\ufffe\uffff]|_x[0-9A-Fa-f]{4}_", text):
                assert cell == (f"'{text}" if re.match("'*[=+@-]", text) else text)


@FEW
@given(rows=TEXT_ROWS, newline=st.sampled_from(["crlf", "lf"]))
def test_M49_fixed_lines_are_read_back_but_for_breaks_and_padding(rows: list[Texts], newline: str) -> None:
    content = written(rows, TEXTS, kind="fixed", newline=newline)

    assert taken_back(content, TEXTS, kind="fixed", newline=newline) == [
        [BREAKS.sub(" ", text).rstrip(" ") for text in row] for row in rows
    ]


@pytest.mark.parametrize("kind", KINDS)
@FEW
@given(rows=VALUES)
def test_M49_typed_values_are_read_back_as_the_same_texts(kind: str, rows: list[Row]) -> None:
    content = written(rows, TYPED, kind=kind, batch_rows=5)

    expected = [[plain(value) for value in row] for row in rows]
    found = taken_back(content, TYPED, kind=kind)
    if kind == "xlsx":
        # A workbook has numbers, and those have no zeros at their end.
        for row in [*found, *expected]:
            row[2] = row[2] and f"{Decimal(row[2]).normalize():f}".replace(
                "-0", "0", row[2].strip("-0.") == ""
            )
    assert found == expected
