"""Where exports go, by which zone, and what the sets for NHSN are called."""

from __future__ import annotations

from typing import Any

import pytest

from partner_exchange.tenants.exports import Target
from partner_exchange.tenants.nhsn_sets import export_name, frequency_of
from support.builders import a_tenant
from support.nhsn import a_hospital, a_hospital_group

SERVER = {"kind": "server", "connection": "their_sftp", "folder": "/data/in/"}
EXPORTS: dict[str, Any] = {
    "here": {"report": "roster"},
    "there": {"report": "roster", "target": SERVER, "time_zone": "Europe/Berlin"},
}


def test_M67_each_export_has_its_target() -> None:
    tenant = a_tenant(exports=EXPORTS)
    assert tenant.targets() == {"here": Target(), "there": Target.model_validate(SERVER)}


def test_E38_sets_go_where_the_tenant_file_says_and_only_of_a_feed_that_has_sets() -> None:
    group = a_hospital_group(a_hospital(1), status={"nhsn_target": SERVER}, exports=EXPORTS)
    # Sets of the other frequency may still wait for their delivery.
    assert list(group.targets()) == ["here", "there", "nhsn_daily", "nhsn_weekly"]
    assert group.targets()["nhsn_weekly"] == group.status.nhsn_target
    assert a_hospital_group().targets() == {}
    assert a_tenant(status=group.status).targets() == {}


def test_E38_sets_are_named_after_their_frequency() -> None:
    assert [export_name("daily"), export_name("weekly")] == ["nhsn_daily", "nhsn_weekly"]
    assert [frequency_of(name) for name in ("nhsn_daily", "nhsn_weekly")] == ["daily", "weekly"]
    assert [frequency_of(name) for name in ("verified", "nhsn_", "nhsn_hourly", "daily")] == [None] * 4


@pytest.mark.parametrize(
    ("target", "folder"),
    [
        ({}, "outbound"),
        ({"folder": "/"}, "outbound"),
        ({"folder": "/nightly/reports/"}, "nightly/reports"),
        (SERVER, "/data/in/"),
        ({**SERVER, "folder": "in"}, "in"),
    ],
)
def test_M71_the_folder_of_a_target(target: dict[str, str], folder: str) -> None:
    assert a_tenant().folder_of(Target.model_validate(target)) == folder


def test_M44_an_export_without_a_zone_has_that_of_the_tenant() -> None:
    tenant = a_tenant(time_zone="America/Chicago", exports=EXPORTS)
    zones = {name: tenant.zone_of(export).key for name, export in tenant.exports.items()}
    assert zones == {"here": "America/Chicago", "there": "Europe/Berlin"}
