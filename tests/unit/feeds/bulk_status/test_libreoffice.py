"""The bulk template in another program than the one that wrote it: LibreOffice."""

from __future__ import annotations

import csv
import io
import re
import subprocess
from pathlib import Path

import openpyxl
import pytest

from partner_exchange.feeds.bulk_status.data_map import Door, data_map_workbook
from partner_exchange.feeds.bulk_status.layout import columns
from partner_exchange.feeds.bulk_status.workbook import bulk_csv, bulk_workbook
from support.bulk import a_status_tenant, examined, filled, values
from support.clients import require
from unit.feeds.bulk_status.test_workbook import FILLED, TAKEN

pytestmark = pytest.mark.slow

FILTERS = {"csv": "csv:Text - txt - csv (StarCalc):44,34,76"}
"""UTF-8: by itself it takes the character set of Windows."""


def converted(content: bytes, kind: str, folder: Path) -> bytes:
    source = folder / "from" / "bulk.xlsx"
    source.parent.mkdir(exist_ok=True)
    source.write_bytes(content)
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    command = [require("soffice"), profile, "--headless", "--convert-to", FILTERS.get(kind, kind)]
    subprocess.run(
        [*command, "--outdir", str(folder), str(source)], check=True, capture_output=True, timeout=120
    )
    return (folder / f"bulk.{kind}").read_bytes()


def test_E14_libreoffice_shows_headers_ids_lists_and_limits(tmp_path: Path) -> None:
    tenant = a_status_tenant()
    layout = columns(tenant.status.catalogue)
    content = bulk_workbook(tenant, layout)
    shown = list(csv.reader(io.StringIO(converted(content, "csv", tmp_path).decode())))
    assert shown == list(csv.reader(io.StringIO(bulk_csv(tenant, layout).decode())))
    document = converted(content, "fods", tmp_path).decode()
    conditions = re.findall(r'content-validation table:name="\w+" table:condition="of:([^"]*)"', document)
    assert "cell-content-is-in-list([$_exchange_lists.$C$1:.$C$60])" in conditions
    assert "cell-content-is-whole-number() and cell-content-is-between(0,1234567)" in conditions
    assert "cell-content-is-date() and cell-content()&gt;=1" in conditions
    assert 'table:name="Statuses"' in document
    assert document.count('table:protected="true"') == 1
    assert "A whole number, 0 to 1234567. Blank: no update." in document


@pytest.mark.parametrize("kind", ["xlsx", "xls", "csv"])
def test_E14_template_saved_by_libreoffice_is_taken_without_a_word(kind: str, tmp_path: Path) -> None:
    tenant = a_status_tenant()
    template = bulk_workbook(tenant, columns(tenant.status.catalogue))
    content = converted(filled(template, *FILLED), kind, tmp_path)
    found = examined(tenant, content, f"bulk.{kind}")
    assert values(found) == TAKEN
    assert found.findings.groups == ()


def test_E14_template_opened_and_saved_by_libreoffice_keeps_lists_and_is_then_filled(tmp_path: Path) -> None:
    tenant = a_status_tenant()
    template = converted(bulk_workbook(tenant, columns(tenant.status.catalogue)), "xlsx", tmp_path)
    book = openpyxl.load_workbook(io.BytesIO(template))
    assert [one.sheet_state for one in book.worksheets] == ["visible", "hidden", "hidden"]
    lists = [one for one in book.worksheets[0].data_validations.dataValidation if one.type == "list"]
    assert len(lists) == 4
    found = examined(tenant, filled(template, *FILLED))
    assert values(found) == TAKEN
    assert found.findings.groups == ()


def test_E31_libreoffice_opens_the_data_map(tmp_path: Path) -> None:
    content = data_map_workbook(a_status_tenant(), Door("exchange.example", 2222))
    rows = list(csv.reader(io.StringIO(converted(content, "csv", tmp_path).decode())))
    assert rows[1][3:5] == ["90101", "00101"]
