"""The demo hospital at the door: its own key size, its own folders (E42, K4, M05)."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from partner_exchange.errors import StackError
from partner_exchange.gateway import service
from partner_exchange.local.partner import Partner, ensure_partner_key
from partner_exchange.settings import PROJECT_DIR
from partner_exchange.tenants import keys, registry
from support.gateway import Gateway

pytestmark = pytest.mark.service


def test_E42_the_demo_hospital_logs_in_with_rsa_4096_and_uploads_into_its_folder(
    gateway: Gateway, tmp_path: Path
) -> None:
    shutil.copy(PROJECT_DIR / "include" / "tenants" / "mercy-hospital.yaml", gateway.settings.tenants_dir)
    settings = gateway.settings.model_copy(update={"sftp_port": gateway.port})
    tenant = registry.load_one("mercy-hospital", settings.tenants_dir)
    ensure_partner_key(settings, tenant)
    assert [(key.type, key.bits) for key in keys.keys_of(tenant, settings)] == [("rsa", 4096)]
    partner = Partner(settings, tenant, service.pinned_host_key(settings))
    local = tmp_path / "status.csv"
    local.write_bytes(b"Resource ID,ED Status\r\n10001,Open\r\n")
    partner.put(local, "upload/status.csv")
    assert gateway.names("mercy-hospital", "upload") == ["status.csv"]
    assert gateway.names("mercy-hospital", "results") == []
    (gateway.folder("mercy-hospital", "results") / "answer.csv").write_bytes(b"an answer")
    assert partner.get("results/answer.csv") == b"an answer"
    with pytest.raises(StackError):
        partner.put(local, "results/status.csv")
