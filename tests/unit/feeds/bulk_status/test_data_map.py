"""The Data Map: ids and connection of a partner, and nothing that is secret."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from partner_exchange.feeds.bulk_status.data_map import (
    CDC_PAGES,
    FACILITY_COLUMNS,
    PAGES_SEEN_ON,
    Door,
    data_map_workbook,
)
from partner_exchange.settings import PROJECT_DIR
from partner_exchange.tenants.model import Tenant
from support.bulk import RESOURCES, a_status_tenant
from support.gateway import KeyPair

DOOR = Door("exchange.example", 2222, "SHA256:abc")
NHSN = {"org_id": "10001", "test_org_id": "90001", "context": "CHLD", "frequency": "daily"}


def rows(tenant: Tenant, sheet: str, door: Door = DOOR) -> list[list[Any]]:
    book = openpyxl.load_workbook(io.BytesIO(data_map_workbook(tenant, door)))
    return [[cell.value for cell in row] for row in book[sheet].iter_rows()]


def test_E31_each_facility_has_its_test_and_production_ids() -> None:
    resources = [{**RESOURCES[0], "nhsn": NHSN, "region": "North"}, *RESOURCES[1:]]
    found = rows(a_status_tenant(resources=resources), "Facilities")
    assert found[0] == list(FACILITY_COLUMNS)
    assert found[1] == [
        *("General", "Hospital", "North", "90101", "00101", "90001", "10001", "CHLD", "daily"),
    ]
    assert found[2][:5] == ["'=HYPERLINK(1)", "Hospital", None, "90102", "'-7"]
    assert found[3][3:] == [None, "3E5", None, None, None, None]


@pytest.mark.parametrize(("mode", "stage"), [("test", "in testing"), ("production", "live")])
def test_E31_connection_says_where_how_and_at_which_stage(mode: str, stage: str) -> None:
    tenant = a_status_tenant(mode=mode, inbox={"folder": "upload", "outbox": "results", "answers": "outbox"})
    found = dict(map(tuple, rows(tenant, "Connection")))
    assert found["Server"] == "exchange.example, SFTP, port 2222"
    assert found["Fingerprint of the server's key"] == "SHA256:abc"
    assert (found["User name"], found["Drop files into"]) == ("mercy", "/upload")
    assert found["Find answers in"] == "/results"
    assert found["Stage"].startswith(stage)
    beside = a_status_tenant(inbox={"folder": "upload", "answers": "beside"})
    assert dict(map(tuple, rows(beside, "Connection")))["Find answers in"] == "/upload"
    unknown = dict(map(tuple, rows(tenant, "Connection", Door("exchange.example", 22))))
    assert unknown["Fingerprint of the server's key"].startswith("we tell it to you")


def test_E20_links_to_the_cdc_templates_stand_in_the_data_map_and_in_the_docs() -> None:
    links = [link for _, link in CDC_PAGES.values()]
    taken = a_status_tenant(status_types=[], catalogues=["cdc-hrd", "cdc-bed-capacity"])
    assert [row[1] for row in rows(taken, "Connection") if row[0].startswith("CDC on")] == links
    assert not [row for row in rows(a_status_tenant(), "Connection") if row[0].startswith("CDC on")]
    page = (PROJECT_DIR / "docs" / "templates.md").read_text()
    assert all(f"]({link})" in page for link in links)
    assert f"{PAGES_SEEN_ON:%Y-%m-%d}" in page


def test_E31_status_types_are_listed_with_what_may_be_chosen() -> None:
    found = {row[1]: row for row in rows(a_status_tenant(), "Status types")}
    assert found["ED"] == ["5", "ED", "multi", "Open, Divert", "Whether it takes patients."]
    assert "Sum" in found
    assert "Gone" not in found


def test_E31_no_key_and_no_password_is_inside(tmp_path: Path) -> None:
    pair = KeyPair(tmp_path, "id", "ssh-ed25519")
    tenant = a_status_tenant(access={"key_policy": {"types": ["ed25519"]}, "public_keys": [pair.public]})
    content = data_map_workbook(tenant, DOOR)
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        text = b"".join(map(parts.read, parts.namelist())).decode()
    assert "mercy" in text
    assert not re.search(r"PRIVATE KEY|ssh-(rsa|ed25519)|ecdsa-|AAAA[A-Z0-9]|password is\b", text)
    assert pair.public.split()[1] not in text
    assert pair.file.read_text().splitlines()[1] not in text


def test_E31_it_changes_when_an_id_changes_and_only_then() -> None:
    of_today = data_map_workbook(a_status_tenant(), DOOR)
    assert data_map_workbook(a_status_tenant(), DOOR) == of_today
    other = [{**RESOURCES[0], "production_id": "00102"}, *RESOURCES[1:]]
    assert data_map_workbook(a_status_tenant(resources=other), DOOR) != of_today
