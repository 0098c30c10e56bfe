"""Every report through the way that exports take, in each form of a file (M63, M64, M73)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from partner_exchange import clock
from partner_exchange.exports import formats, plan
from partner_exchange.exports.reports.catalogue import REPORTS
from partner_exchange.exports.runs.contents import write_contents
from partner_exchange.ledger.database import transaction
from partner_exchange.tenants.exports import Export, FormatKind
from partner_exchange.tenants.model import Tenant
from support.reported import NOW, filled

pytestmark = [pytest.mark.service, pytest.mark.slow]

FEEDS = sorted({feed for report in REPORTS.values() for feed in report.feeds})


@pytest.fixture(scope="module")
def tenants(module_database_url: str) -> Iterator[dict[str, Tenant]]:
    """A tenant of each feed, with something to say in each report."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXCHANGE_DATABASE_URL", module_database_url)
        with transaction() as connection:
            found = {feed: filled(connection, feed, f"partner-{feed}") for feed in FEEDS}
        yield found


@pytest.mark.parametrize(
    ("name", "feed"), [(name, feed) for name, report in REPORTS.items() for feed in sorted(report.feeds)]
)
def test_M63_every_report_goes_out_in_every_form_and_is_read_back(
    name: str, feed: str, tenants: dict[str, Tenant], tmp_path: Path
) -> None:
    counts = {kind: _written(tenants[feed], name, kind, tmp_path / kind) for kind in get_args(FormatKind)}
    written = {rows for rows, _ in counts.values()}
    assert len(written) == 1
    assert min(written) > 0
    assert {kind: read for kind, (_, read) in counts.items()} == {
        kind: rows for kind, (rows, _) in counts.items()
    }


def _written(tenant: Tenant, report: str, kind: str, file: Path) -> tuple[int, int]:
    form = {"kind": kind}
    settled = plan.settle(tenant, "any", Export(report=report, format=form))
    with clock.frozen(NOW):
        rows = write_contents(settled, file, window=None, made_at=NOW, before=None, after=None)
    return rows, formats.reads_back(file, settled.export.format, settled.file_columns)
