"""CSV, TSV and pipe: quoting, neutral cells, and other programs as readers."""

from __future__ import annotations

import csv
import io
from typing import Any

import pandas as pd
import pytest

from partner_exchange.errors import FileUnwritable
from partner_exchange.exports.columns import Kind
from support.outbound_files import CONTRACT, a_column, taken_back, written

DELIMITERS = {"csv": ",", "tsv": "\t", "pipe": "|"}
TWO = [a_column(name="a", header="A"), a_column(name="b", header="B")]
NASTY = [
    ("plain", "000417"),
    ("a,b|c\td", 'say "hi"'),
    ("line\r\nbreak", "lone\rreturn\nfeed"),
    (" spaces ", ""),
    ("=1+1", "'=1+1"),
    ("@cmd", "\t=x"),
    ("'t Hooft", "''"),
    ("Ünïcödé 学生 🎓", "\ufeffmark"),
    ('"', '""'),
    ("-", "+1 512 555 0100"),
    ("x" * 200_000, "end"),
]


@pytest.mark.parametrize("kind", DELIMITERS)
@pytest.mark.parametrize("quoting", ["minimal", "all"])
@pytest.mark.parametrize("newline", ["crlf", "lf"])
def test_M49_nasty_cells_come_back_as_they_were(kind: str, quoting: str, newline: str) -> None:
    content = written(NASTY, TWO, kind=kind, quoting=quoting, newline=newline)

    assert taken_back(content, TWO, kind=kind, newline=newline) == [list(row) for row in NASTY]


@pytest.mark.parametrize("kind", DELIMITERS)
@pytest.mark.parametrize("quoting", ["minimal", "all"])
def test_M49_python_reads_the_same_cells(kind: str, quoting: str) -> None:
    content = written(NASTY, TWO, kind=kind, quoting=quoting, formulas="as_is").decode()
    csv.field_size_limit(1_000_000)

    found = list(csv.reader(io.StringIO(content, newline=""), strict=True, delimiter=DELIMITERS[kind]))

    assert found == [["A", "B"], *(list(row) for row in NASTY)]


@pytest.mark.parametrize("kind", DELIMITERS)
def test_M49_pandas_reads_the_same_cells(kind: str) -> None:
    content = written(NASTY, TWO, kind=kind, formulas="as_is")

    frame = pd.read_csv(
        io.BytesIO(content), sep=DELIMITERS[kind], dtype=str, keep_default_na=False, lineterminator=None
    )

    assert list(frame.itertuples(index=False, name=None)) == NASTY


@pytest.mark.parametrize("kind", DELIMITERS)
def test_M73_quotes_stand_where_they_are_needed_or_everywhere(kind: str) -> None:
    sign = DELIMITERS[kind]
    row = [(f"a{sign}b", None)]
    assert written(row, TWO, kind=kind) == f'A{sign}B\r\n"a{sign}b"{sign}\r\n'.encode()
    assert written(row, TWO, kind=kind, quoting="all") == f'"A"{sign}"B"\r\n"a{sign}b"{sign}""\r\n'.encode()


def test_M73_header_and_mark_are_written_when_asked_for() -> None:
    rows = [("ann@example.edu", "1", None)]
    assert written(rows, CONTRACT, header=False) == b"ann@example.edu,1,\r\n"
    assert (
        written(rows, CONTRACT, header=False, byte_order_mark=True) == b"\xef\xbb\xbfann@example.edu,1,\r\n"
    )
    given: list[dict[str, Any]] = [{"header": False}, {"byte_order_mark": True}]
    for options in (*given, {**given[0], **given[1]}):
        content = written(rows, CONTRACT, **options)
        assert taken_back(content, CONTRACT, **options) == [["ann@example.edu", "1", ""]]


def test_M73_value_that_begins_with_the_mark_is_not_taken_for_that_of_the_file() -> None:
    content = written([("\ufeffname",)], [a_column()], header=False)

    assert not content.startswith(b"\xef\xbb\xbf")
    assert taken_back(content, [a_column()], header=False) == [["\ufeffname"]]


def test_M49_only_column_without_a_value_is_a_row_all_the_same() -> None:
    for kind in DELIMITERS:
        content = written([("a",), (None,), ("",)], [a_column()], kind=kind)
        assert content == b'One\r\na\r\n""\r\n""\r\n'
        assert taken_back(content, [a_column()], kind=kind) == [["a"], [""], [""]]


def test_M64_no_text_is_run_by_a_spreadsheet_and_numbers_keep_their_minus() -> None:
    columns = [
        a_column(name="a", header="=A"),
        a_column(Kind.INTEGER, name="n", header="+N"),
        a_column(Kind.DATE, name="d", header="D"),
    ]
    assert written([("=1+1", -5, None), ("'=1", 5, None)], columns) == (
        b"'=A,'+N,D\r\n'=1+1,-5,\r\n''=1,5,\r\n"
    )
    assert written([("=1+1", -5, None)], columns, formulas="as_is") == b"=A,+N,D\r\n=1+1,-5,\r\n"
    assert taken_back(b"=A,+N,D\r\n'=1+1,-5,\r\n", columns, formulas="as_is") == [["'=1+1", "-5", ""]]


@pytest.mark.parametrize(
    "content",
    [
        b"A,B\r\nsecret,2,3\r\n",
        b"A,B\r\nsecret\r\n",
        b'A,B\r\nse"cret,2\r\n',
        b"A,B\r\n\r\nsecret,2\r\n",
        b"A,B\r\nsecret\xff,2\r\n",
        b"",
    ],
)
def test_M49_changed_file_is_told_without_a_value(content: bytes) -> None:
    with pytest.raises(FileUnwritable) as caught:
        taken_back(content, TWO)
    assert caught.value.code == "not-as-written"
    assert "secret" not in caught.value.message
    assert caught.value.__context__ is None, "the parser's message would quote the record"


@pytest.mark.parametrize(("kind", "sign"), [("tsv", "\t"), ("pipe", "|")])
def test_M49_other_delimiters_are_as_strict_about_the_width(kind: str, sign: str) -> None:
    with pytest.raises(FileUnwritable) as caught:
        taken_back(f"A{sign}B\r\nsecret{sign}2{sign}3\r\n".encode(), TWO, kind=kind)
    assert caught.value.code == "not-as-written"
    assert caught.value.__context__ is None
