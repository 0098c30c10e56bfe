"""Every report through the way that exports take, in each form of a file (M63, M64, M73)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest

from partner_exchange.exports import formats, plan
from partner_exchange.exports.reports.catalogue import REPORTS
from partner_exchange.exports.runs.contents import write_contents
from partner_exchange.tenants.exports import Export, FormatKind
from partner_exchange.tenants.model import Tenant
from support.builders import a_tenant
from support.outbound import Outbound

_TENANTS = {
    "roster": a_tenant(),
    "status": a_tenant(feed="status"),
    "vxu": a_tenant(
        feed="vxu", inbox={"answers": "registry", "accepted": "Accepted", "reports": "DQA-Report"}
    ),
}


@pytest.mark.parametrize("name", REPORTS)
def test_M63_every_report_goes_out_and_is_read_back(name: str, outbound: Outbound, tmp_path: Path) -> None:
    outbound.verify(*outbound.enroll(3))
    for feed in sorted(REPORTS[name].feeds):
        for kind in get_args(FormatKind):
            rows, read = _written(_TENANTS[feed], name, kind, tmp_path / "file")
            assert rows == read


def _written(tenant: Tenant, report: str, kind: str, file: Path) -> tuple[int, int]:
    settled = plan.settle(tenant, "any", Export(report=report, format={"kind": kind}))
    at = datetime(2026, 11, 21, tzinfo=UTC)
    rows = write_contents(settled, file, window=None, made_at=at, before=None, after=None)
    return rows, formats.reads_back(file, settled.export.format, settled.file_columns)
