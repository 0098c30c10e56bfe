"""How ``exchange export`` ends: 1 for the world, 2 for what cannot be asked so, and our failures as ever."""

from __future__ import annotations

import pytest
import typer

from partner_exchange.cli.export_common import parameters, plainly
from partner_exchange.errors import (
    ArchiveDamaged,
    DeliveryWaits,
    ExchangeError,
    ExportBlocked,
    FileUnwritable,
    HostKeyChanged,
    ReportRefused,
    StateConflict,
    StoreUnavailable,
    UnknownDelivery,
    UnknownTenant,
)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (HostKeyChanged("target-host-key-changed", "Another key."), 1),
        (DeliveryWaits("delivery-waits", "Not yet."), 1),
        (ExportBlocked("export-blocked", "A dead letter."), 1),
        (FileUnwritable("value-too-wide", "Too wide."), 1),
        (ReportRefused("report-unknown", "No such report."), 2),
        (UnknownDelivery("unknown-delivery", "No such delivery."), 2),
        (UnknownTenant("unknown-tenant", "No such tenant."), 2),
        (StateConflict("already-delivered", "It was delivered."), 2),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, ExchangeError) else None,
)
def test_X10_what_is_not_ours_ends_in_a_sentence(
    error: ExchangeError, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as ended, plainly():
        raise error
    assert ended.value.exit_code == code
    assert capsys.readouterr().err == f"exchange: {error.message}\n"


@pytest.mark.parametrize(
    "error",
    [
        StateConflict("cursor-moved", "A fault of the exchange."),
        StoreUnavailable("store-unavailable", "No database."),
        ArchiveDamaged("archive-damaged", "It is missing."),
    ],
    ids=lambda error: error.code,
)
def test_X10_what_is_ours_stays_ours(error: ExchangeError) -> None:
    with pytest.raises(type(error)), plainly():
        raise error


def test_M66_parameters_are_read_by_name_and_the_last_one_counts() -> None:
    assert parameters(None) == {}
    assert parameters(["days=30", " term =Fall = 2026", "days=7"]) == {"days": "7", "term": "Fall = 2026"}
    for wrong in ("days", "=30"):
        with pytest.raises(typer.BadParameter):
            parameters([wrong])
