"""``exchange retention`` and ``exchange export`` about what went out and is gone, or is to go (T39, X09)."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from partner_exchange import clock
from partner_exchange.cli import retention
from partner_exchange.cli.exports import export_app
from partner_exchange.ledger import deliveries as ledger
from partner_exchange.ledger.deliveries import Delivery
from support.outbound import CODE, NOON, Outbound

pytestmark = pytest.mark.service

LATER = NOON + timedelta(days=200)
NAMED = "    file_name: verified.csv\n"
REFUSING = f"    target: {{name_taken: refuse}}\n{NAMED}"
KEEP = "retention: {days: 180}\n"

retention_app = typer.Typer()
retention.add_to(retention_app)


@pytest.fixture
def uni(outbound: Outbound) -> Outbound:
    """The tenant with three verified students; its home is the one behind this machine's gateway."""
    outbound.write_tenant(NAMED + KEEP)
    outbound.verify(*outbound.enroll(3), at=NOON)
    return outbound


def outbox(uni: Outbound) -> Path:
    return uni.folder / "exchange" / "homes" / CODE / "outbound"


def invoke(app: typer.Typer, *arguments: str, code: int = 0, days: int = 200) -> Result:
    with clock.frozen(NOON + timedelta(days=days)):
        result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == code, (result.output, result.exception)
    return result


def export(*arguments: str, code: int = 0, days: int = 200) -> Result:
    return invoke(export_app, *arguments, code=code, days=days)


def purge(*arguments: str) -> str:
    return invoke(retention_app, "retention", *arguments, "-t", CODE).stdout


def the_delivery(uni: Outbound) -> Delivery:
    return uni.deliveries()[-1]


@pytest.fixture
def sent(uni: Outbound) -> Delivery:
    """A file that was delivered 200 days ago."""
    export("run", "-t", CODE, "verified", days=0)
    return the_delivery(uni)


def test_T39_what_went_out_is_listed_and_purged_with_what_came_in(uni: Outbound, sent: Delivery) -> None:
    listed: dict[str, Any] = json.loads(purge("list", "--json"))
    assert listed["deliveries"] == [sent.delivery_id]
    assert [(one["kind"], one["delivery_id"]) for one in listed["files"]] == [
        ("delivered", sent.delivery_id),
        ("outbound", sent.delivery_id),
    ]
    told = purge("list")
    assert (
        "1 delivery ended before 2026-12-10 12:00 UTC (180 days), 2 files (1 delivered, 1 outbound)" in told
    )
    assert told.count(sent.delivery_id) == 3
    assert told.count("2026-11-20 12:00") == 2
    assert (outbox(uni) / "verified.csv").exists()

    assert f"{CODE}: purged 1 delivery, 2 files" in purge("purge", "--yes", "--by", "ada")

    assert list(outbox(uni).iterdir()) == []
    assert {one["path"] for one in json.loads(purge("tombstones", "--json"))} == {
        one["path"] for one in listed["files"]
    }
    assert sent.delivery_id in purge("tombstones")
    assert "deliver" not in purge("purge", "--yes")


def test_T39_a_legal_hold_is_told_for_deliveries_too(uni: Outbound, sent: Delivery) -> None:
    uni.write_tenant(NAMED + "retention: {days: 180, legal_hold: true}\n")
    document = json.loads(purge("list", "--json"))
    assert (document["deliveries"], document["files"], document["deliveries_waiting"]) == ([], [], 0)
    assert "held" in purge("purge", "--yes")


def test_X09_a_purged_delivery_says_so_wherever_its_file_is_asked_for(uni: Outbound, sent: Delivery) -> None:
    purge("purge", "--yes")
    shown = export("show", sent.delivery_id).stdout
    assert "purged (UTC)" in shown
    assert "let go of its file" in shown
    assert "in the archive" not in shown
    assert json.loads(export("show", sent.delivery_id, "--json").stdout)["archive_address"] == ""
    for asked in (["show", "--read-back"], ["resend", "--again"], ["resend"]):
        said = export(*asked, sent.delivery_id, code=2).stderr
        assert f"The file of delivery {sent.delivery_id} was purged at " in said, asked
    would = json.loads(export("resend", sent.delivery_id, "--again", "--dry-run", "--json").stdout)["would"]
    assert would.startswith("Its file was purged at ")


@pytest.fixture
def dead(uni: Outbound) -> Delivery:
    """A dead letter whose name is taken; what it uploaded lies there under its hidden name."""
    uni.write_tenant(REFUSING)
    outbox(uni).mkdir(parents=True)
    (outbox(uni) / "verified.csv").write_text("somebody else's")
    export("run", "-t", CODE, "verified", code=1)
    found = the_delivery(uni)
    assert (outbox(uni) / found.temporary_name).exists()
    return found


def test_X09_a_delivery_that_is_given_up_leaves_nothing_hidden_behind(uni: Outbound, dead: Delivery) -> None:
    said = export("abandon", dead.delivery_id).stdout
    assert said.endswith("What an earlier try had left at the target was removed.\n")
    assert [one.name for one in outbox(uni).iterdir()] == ["verified.csv"]
    assert (outbox(uni) / "verified.csv").read_text() == "somebody else's"


def test_X09_nothing_hidden_there_is_no_fault(uni: Outbound, dead: Delivery) -> None:
    (outbox(uni) / dead.temporary_name).unlink()
    document = json.loads(export("abandon", dead.delivery_id, "--json").stdout)
    assert (document["state"], document["left_at_target"]) == ("abandoned", "nothing")


@pytest.mark.parametrize("is_away", [True, False])
def test_X09_a_delivery_is_given_up_although_its_target_cannot_be_opened(
    uni: Outbound, dead: Delivery, is_away: bool
) -> None:
    hidden = outbox(uni) / dead.temporary_name
    if is_away:
        hidden.unlink()
        hidden.mkdir()
    else:
        uni.write_tenant(yaml="name: Uni\npreset: medproctor-columns\n")
    said = export("abandon", dead.delivery_id).stdout
    assert f"may have left at the target, {dead.temporary_name}, stays there: " in said
    assert "Traceback" not in said
    assert the_delivery(uni).state == ledger.DeliveryState.ABANDONED
    assert hidden.exists()
