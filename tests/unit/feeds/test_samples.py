"""Where the columns of a local file go, with their first values (E34)."""

from __future__ import annotations

import io

import openpyxl

from partner_exchange.feeds.base import MappedColumn
from partner_exchange.feeds.samples import first_values

MAPPING = [
    MappedColumn("Resource ID", "resource id"),
    MappedColumn("Beds", "Beds (1)"),
    MappedColumn("x", ""),
]


def test_E34_the_first_filled_value_of_each_column_is_shown_in_one_line() -> None:
    content = b'Resource ID,Beds,x\r\nR1,,\r\nR2,12,"two\nlines ' + b"z" * 90 + b'"\r\n'

    found = first_values(content, file_name="a.csv", mapping=MAPPING)

    assert found["Resource ID"] == "R1"
    assert found["Beds"] == "12"
    assert found["x"].startswith("two lines zzz")
    assert len(found["x"]) == 40


def test_E34_a_workbook_is_read_where_its_header_is_and_blank_columns_stay_blank() -> None:
    book = openpyxl.Workbook()
    book.active.append(["title"])
    for row in (["Resource ID", "Beds", "x"], ["007", None, None]):
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)

    found = first_values(content.getvalue(), file_name="a.xlsx", mapping=MAPPING)

    assert found == {"Resource ID": "007", "Beds": "", "x": ""}


def test_E34_a_file_without_mapping_or_that_cannot_be_taken_has_no_samples() -> None:
    assert first_values(b"a,b\n1,2\n", file_name="a.csv", mapping=[]) == {}
    assert first_values(b"%PDF-1.7", file_name="a.csv", mapping=MAPPING) == {}
