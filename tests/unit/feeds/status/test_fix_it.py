"""The values to mend as a file of their own (N01, K23)."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import pandas as pd
import pyarrow as pa
import pytest

from partner_exchange.feeds.base import AnswerFile, AnswerKind, AnswerMaterial
from partner_exchange.feeds.status.answers import answer_files
from partner_exchange.feeds.status.fix_it import fix_it_file
from partner_exchange.feeds.status.source import Source
from partner_exchange.readers.grid import Grid, TableFormat
from partner_exchange.readers.table import TablePolicy, read_table
from partner_exchange.storage.archive import Archive
from partner_exchange.tenants.model import Tenant
from partner_exchange.validation.findings import FindingGroup, Findings, Severity

HEADER = ("Resource ID", "Beds", "Note", "Fuel")
TENANT = Tenant.model_validate(
    {"code": "mercy", "name": "Mercy", "feed": "status", "status": {"newline": "lf"}}
)


def a_source(**over: Any) -> Source:
    return Source(**{"sheet_name": "Bulk", "header_row": 1, "header": HEADER, **over})


def rejected(*rows: tuple[int, str, str, str], as_sent: tuple[str, ...] = ()) -> pd.DataFrame:
    """Rows to mend of a file whose Note column holds nothing bad."""
    frame = pd.DataFrame(rows, columns=["row", "h:Resource ID", "h:Beds", "h:Fuel"])
    frame["as_sent"] = list(as_sent) or ""
    return a_source().keep_in(frame)


ROWS = ((2, "007", "x", ""), (3, "R,2", "", "=1+1"), (4, "'-8", '"', "two\nlines"))


def sheet(file: AnswerFile) -> Any:
    assert file.ending == "xlsx"
    return openpyxl.load_workbook(io.BytesIO(file.content)).active


def read(file: AnswerFile) -> Grid:
    found = read_table(
        file.content,
        file_name=f"a.{file.ending}",
        policy=TablePolicy(),
        knows=lambda cells: "Resource ID" in cells,
    )
    assert isinstance(found, Grid)
    return found


@pytest.mark.parametrize(("newline", "end"), [("crlf", "\r\n"), ("lf", "\n")])
def test_N01_a_csv_holds_keys_and_values_to_mend_with_neutral_cells(newline: str, end: str) -> None:
    file = fix_it_file(rejected(*ROWS), format=TableFormat.CSV, newline=newline)

    assert (file.kind, file.ending) == (AnswerKind.FIX_IT, "csv")
    lines = ["Resource ID,Beds,Fuel", "007,x,", '"R,2",,\'=1+1', '\'\'-8,"""","two\nlines"', ""]
    assert file.content.decode() == end.join(lines)


@pytest.mark.parametrize("kind", [TableFormat.XLSX, TableFormat.XLS])
def test_N01_a_workbook_gets_an_xlsx_with_text_cells(kind: TableFormat) -> None:
    file = fix_it_file(rejected(*ROWS), format=kind, newline="lf")

    cells = [[(cell.value, cell.data_type) for cell in row] for row in sheet(file).iter_rows()]
    assert cells[0] == [("Resource ID", "s"), ("Beds", "s"), ("Fuel", "s")]
    assert cells[1] == [("007", "s"), ("x", "s"), (None, "n")]
    assert cells[2][2] == ("'=1+1", "s")
    assert cells[3][0] == ("''-8", "s")


@pytest.mark.parametrize("kind", [TableFormat.CSV, TableFormat.XLSX])
def test_N01_read_again_it_is_what_was_to_be_mended(kind: TableFormat) -> None:
    grid = read(fix_it_file(rejected(*ROWS), format=kind, newline="crlf"))

    assert grid.header == ("Resource ID", "Beds", "Fuel")
    assert [tuple(row) for row in zip(*(c.to_pylist() for c in grid.columns), strict=True)] == [
        row[1:] for row in ROWS
    ]


def test_N01_records_without_column_form_come_as_sent_under_the_whole_header() -> None:
    frame = rejected((2, "R1", "x", ""), (3, "", "", ""), as_sent=("", "R2,=1,3,4,5,6"))

    file = fix_it_file(frame, format=TableFormat.CSV, newline="lf")

    assert file.content.decode().splitlines() == ["Resource ID,Beds,Note,Fuel", "R1,x,,", "R2,'=1,3,4,5,6"]


def test_N01_such_records_are_seen_in_a_workbook_too() -> None:
    frame = rejected((3, "", "", ""), as_sent=("=R2,1",))
    made = sheet(fix_it_file(frame, format=TableFormat.XLSX, newline="lf"))
    assert made["A2"].value == "'=R2,1"


def test_N01_what_the_reader_found_survives_the_work_area(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("EXCHANGE_STORAGE_URL", f"file://{tmp_path}")
    source = a_source(sheet_name="Blatt \u00e4", header_row=4)
    Archive().write_table("s1", "rejected.parquet", source.keep_in(rejected(*ROWS)))
    assert Source.kept_in(Archive().read_table("s1", "rejected.parquet")) == source


def test_N01_a_grid_s_source_names_the_columns_as_findings_do() -> None:
    grid = Grid(TableFormat.CSV, ("a", "", "b" * 70), 3, pa.array([], pa.int64()).to_numpy(), ())
    source = Source.of(grid)
    assert source.header_row == 3
    assert source.titles[:2] == ("a", "column 2")
    assert len(source.titles[2]) == 60
    assert Source.kept_in(pd.DataFrame()) == Source()


def findings(severity: Severity, code: str = "number-not-a-number") -> Findings:
    table = pd.DataFrame(
        [(2, "Beds", str(severity), code, "Bad.")], columns=["row", "column", "severity", "code", "message"]
    )
    return Findings((FindingGroup(code, severity, "Beds", 1, "2", "Bad."),), table.astype({"row": "Int64"}))


def original() -> bytes:
    book = openpyxl.Workbook()
    book.active.append(HEADER)
    book.active.append(("R1", "x", "", ""))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def answers(file_name: str, frame: pd.DataFrame, said: Findings) -> list[tuple[str, str]]:
    material = AnswerMaterial(TENANT, file_name, original, frame, said)
    return [(file.kind.value, file.ending) for file in answer_files(material)]


@pytest.mark.parametrize(
    ("file_name", "expected"),
    [
        ("a.csv", [("fix-it", "csv")]),
        ("a.XLS", [("fix-it", "xlsx")]),
        ("a.xlsx", [("fix-it", "xlsx"), ("annotated", "xlsx")]),
        ("A b.v2.XLSX", [("fix-it", "xlsx"), ("annotated", "xlsx")]),
        ("noending", [("fix-it", "csv")]),
        (".xlsx", [("fix-it", "csv")]),
    ],
)
def test_N01_the_name_of_the_drop_says_which_files_come_back(
    file_name: str, expected: list[tuple[str, str]]
) -> None:
    assert answers(file_name, rejected(ROWS[0]), findings(Severity.ERROR)) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (Findings(), []),
        (findings(Severity.INFO), []),
        (findings(Severity.WARNING), [("annotated", "xlsx")]),
        (findings(Severity.WARNING, "extension-differs"), []),
    ],
)
def test_E30_a_copy_comes_back_for_warnings_too_but_not_for_infos(
    said: Findings, expected: list[Any]
) -> None:
    assert answers("a.xlsx", rejected(), said) == expected


def test_E30_the_original_is_read_only_where_it_is_copied() -> None:
    def missing() -> bytes:
        raise AssertionError("not needed")

    material = AnswerMaterial(TENANT, "a.csv", missing, rejected(ROWS[0]), findings(Severity.ERROR))
    (file,) = answer_files(material)
    assert file.content.endswith(b"007,x,\n"), "line ends are those of the status policy (K16)"
