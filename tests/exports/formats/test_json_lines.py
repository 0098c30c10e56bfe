"""JSON lines: types, exact numbers, and Python's parser as the other reader."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from partner_exchange.errors import FileUnwritable
from partner_exchange.exports.columns import Kind
from support.outbound_files import a_column, taken_back, written

COLUMNS = [
    a_column(name="name", header="Name %s"),
    a_column(Kind.INTEGER, name="count", header="Count"),
    a_column(Kind.DECIMAL, name="share", header="Share"),
    a_column(Kind.BOOLEAN, name="is_on", header="On"),
    a_column(Kind.DATE, name="day", header="Day", form="MM/DD/YYYY"),
    a_column(Kind.INSTANT, name="at", header="At"),
]
AT = datetime(2026, 7, 4, 13, 5, 9, tzinfo=UTC)


def test_M73_each_row_is_an_object_with_typed_values() -> None:
    rows = [('a "b"\n\\ =1', 7, Decimal("1.50"), True, date(2026, 1, 2), AT), (None,) * 6]

    content = written(rows, COLUMNS, kind="jsonl")

    assert content.decode().split("\n") == [
        '{"Name %s":"a \\"b\\"\\n\\\\ =1","Count":7,"Share":1.50,"On":true,"Day":"01/02/2026",'
        '"At":"2026-07-04T13:05:09Z"}',
        '{"Name %s":null,"Count":null,"Share":null,"On":null,"Day":null,"At":null}',
        "",
    ]
    assert taken_back(content, COLUMNS, kind="jsonl") == [
        ['a "b"\n\\ =1', "7", "1.50", "1", "01/02/2026", "2026-07-04T13:05:09Z"],
        [""] * 6,
    ]


@pytest.mark.parametrize("text", ["12345678901234567890.0123456789", "-0.1", "100000000000000000000000"])
def test_M73_numbers_are_exact(text: str) -> None:
    content = written([(Decimal(text),)], [a_column(Kind.DECIMAL)], kind="jsonl")

    assert json.loads(content, parse_float=Decimal) == {"One": Decimal(text)}
    assert taken_back(content, [a_column(Kind.DECIMAL)], kind="jsonl") == [[text]]


def test_M73_text_in_a_column_of_numbers_stays_text() -> None:
    content = written([("n/a",), (False,)], [a_column(Kind.INTEGER)], kind="jsonl")

    assert content == b'{"One":"n/a"}\n{"One":false}\n'


def test_M73_headers_that_repeat_would_lose_values() -> None:
    columns = [a_column(name="a", header="Id"), a_column(name="b", header="Id")]

    with pytest.raises(FileUnwritable) as caught:
        written([("1", "2")], columns, kind="jsonl")
    assert caught.value.code == "headers-repeat"


@pytest.mark.parametrize("content", [b"[1]\n", b'{"One":"secret"\n', b'{"Two":"secret"}\n', b"\n"])
def test_M49_changed_file_is_told_with_its_line(content: bytes) -> None:
    with pytest.raises(FileUnwritable, match="line 2") as caught:
        taken_back(b'{"One":"a"}\n' + content, [a_column()], kind="jsonl")
    assert "secret" not in caught.value.message
