"""Fixed width: padding, alignment, values that do not fit, and pandas as the other reader."""

from __future__ import annotations

import io
from datetime import date

import pandas as pd
import pytest

from partner_exchange.errors import FileUnwritable
from partner_exchange.exports.columns import Kind
from support.outbound_files import a_column, taken_back, written

NAME = a_column(name="name", header="Name", width=8)
COUNT = a_column(Kind.INTEGER, name="count", header="Count", width=6, align="right")
DAY = a_column(Kind.DATE, name="day", header="Day", width=10, form="DD.MM.YYYY")
COLUMNS = [NAME, COUNT, DAY]


def test_M73_values_stand_in_their_places() -> None:
    content = written(
        [("Ann", 7, date(2026, 1, 2)), ("学生", -12, None)], COLUMNS, kind="fixed", newline="lf"
    )

    assert content.decode() == (
        "Name     CountDay       \nAnn          702.01.2026\n学生         -12          \n"
    )
    assert taken_back(content, COLUMNS, kind="fixed", newline="lf") == [
        ["Ann", "7", "02.01.2026"],
        ["学生", "-12", ""],
    ]


def test_M49_pandas_reads_the_same_values() -> None:
    rows = [("Ann Lee", 7, date(2026, 1, 2)), ("000417", 123_456, date(2026, 12, 31)), ('Zoë|,"', 0, None)]
    content = written(rows, COLUMNS, kind="fixed")

    frame = pd.read_fwf(io.BytesIO(content), widths=[8, 6, 10], dtype=str, keep_default_na=False)

    assert list(frame.columns) == ["Name", "Count", "Day"]
    assert frame.to_numpy().tolist() == taken_back(content, COLUMNS, kind="fixed")


def test_M73_too_wide_value_is_no_file_and_is_not_quoted() -> None:
    rows = [("short", 1, None), ("secretly long", 2, None), ("secretly longer", 3, None)]

    with pytest.raises(FileUnwritable) as caught:
        written(rows, COLUMNS, kind="fixed")

    assert caught.value.code == "value-too-wide"
    assert caught.value.fields == {"column": "Name", "width": 8, "count": 2, "longest": 15}
    assert "secret" not in caught.value.message


def test_M73_texts_and_headers_are_cut_when_asked_for() -> None:
    columns = [a_column(name="name", header="A long header", width=8), COUNT]

    content = written([("much too long", 1)], columns, kind="fixed", too_long="cut", newline="lf")

    assert content == b"A long h Count\nmuch too     1\n"
    assert taken_back(content, columns, kind="fixed", newline="lf") == [["much too", "1"]]
    with pytest.raises(FileUnwritable, match="A long header"):
        written([], columns, kind="fixed")


@pytest.mark.parametrize("row", [("a", 1_234_567, None), ("a", 1, date(2026, 1, 2))])
def test_M73_numbers_and_dates_are_never_cut(row: tuple[str, int, date | None]) -> None:
    columns = [NAME, COUNT, a_column(Kind.DATE, name="day", header="Day", width=6)]

    with pytest.raises(FileUnwritable) as caught:
        written([row], columns, kind="fixed", too_long="cut")
    assert caught.value.code == "value-too-wide"


@pytest.mark.parametrize("sign", ["\r\n", "\r", "\n", "\u2028", "\x85", "\v", "\f"])
def test_M73_line_break_in_a_value_is_one_space(sign: str) -> None:
    content = written([(f"a{sign}b",)], [NAME], kind="fixed", header=False)

    assert content == b"a b     \r\n"


def test_M73_mark_of_utf_8_is_no_part_of_the_first_value() -> None:
    content = written([("Ann",)], [NAME], kind="fixed", byte_order_mark=True, newline="lf")

    assert content == b"\xef\xbb\xbfName    \nAnn     \n"
    assert taken_back(content, [NAME], kind="fixed", byte_order_mark=True, newline="lf") == [["Ann"]]
