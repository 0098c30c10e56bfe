"""``exchange export show``: all that is known of one delivery, and what may be done with it (X09, X10)."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from partner_exchange.cli.export_answers import print_answers
from partner_exchange.cli.export_common import count, plainly, print_facts
from partner_exchange.cli.options import JSON_OPTION, database, plain, utc
from partner_exchange.ledger.deliveries import DeliveryState

if TYPE_CHECKING:
    from partner_exchange.ledger.deliveries import Delivery

DELIVERY_ARGUMENT = Annotated[str, typer.Argument(metavar="DELIVERY", help="id of the delivery")]

_NEXT = {
    DeliveryState.SELECTED: "The file is not written yet; the next run of the export goes on with it.",
    DeliveryState.WRITTEN: "The file is in the archive and goes with the next try.",
    DeliveryState.UPLOADED: "The whole file is at the target; the next try sees whether it has its name.",
    DeliveryState.DEAD: (
        "It waits for a person: mend what the fault says, then run `exchange export resend {id}`; or give it "
        "up with `exchange export abandon {id}`, and its changes go with the next one."
    ),
    DeliveryState.DELIVERED: "It is in place.",
    DeliveryState.CONFIRMED: "The partner says that it was taken in.",
    DeliveryState.REFUSED: (
        "The partner says that it was not taken in: see the answer. `exchange export resend {id} --again` "
        "sends the same file once more."
    ),
    DeliveryState.ABANDONED: "It was given up before it was delivered; its changes go with the next one.",
}

_PURGED = "The partner's retention let go of its file, so it cannot be sent again; what stands here stays."


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("show")(show)


def show(
    delivery_id: DELIVERY_ARGUMENT,
    is_read: Annotated[
        bool, typer.Option("--read-back", help="read the file in the archive with our own reader")
    ] = False,
    as_json: JSON_OPTION = False,
) -> None:
    """Show one delivery: file, place, tries, fault, answers, and where its file is in the archive."""
    from partner_exchange.ledger import deliveries as ledger
    from partner_exchange.ledger import delivery_answers

    with plainly():
        with database() as connection:
            delivery = ledger.get(connection, delivery_id)
            answers = delivery_answers.latest(connection, delivery_id=delivery_id)
        rows_read = _rows_read(delivery) if is_read else None
    if as_json:
        extra: dict[str, Any] = {"rows_read": rows_read} if is_read else {}
        extra["answers"] = answers
        print(json.dumps({**as_document(delivery), **extra}, default=plain, ensure_ascii=False, indent=2))
        return
    print_facts(_facts(delivery, rows_read))
    if answers:
        print()
        print_answers(answers)
    told = _PURGED if delivery.purged_at else _NEXT[delivery.state]
    print(f"\n{told.format(id=delivery.delivery_id)}")


def _archive_place(delivery: Delivery) -> str:
    """Return where the file is in the archive, "" while there is none or where it was purged."""
    from partner_exchange.settings import get_settings

    if not delivery.archive_path or delivery.purged_at is not None:
        return ""
    return f"{get_settings().storage_address}/{delivery.archive_path}".removeprefix("file://")


def _rows_read(delivery: Delivery) -> int:
    """Return how many rows our own reader finds in the archived file (M49).

    :raises ReportRefused: the tenant file does not have the export any more as it was.
    :raises FileUnwritable: the file is not what its definition says.
    :raises StateConflict: ``delivery-purged``, retention let go of it.
    :raises ArchiveDamaged: it is not in the archive any more as it was written.
    """
    from partner_exchange.exports import formats
    from partner_exchange.exports import plan as plans
    from partner_exchange.ledger.deliveries import require_kept
    from partner_exchange.storage.archive import Archive
    from partner_exchange.tenants import registry

    if not delivery.archive_path:
        raise typer.BadParameter("its file is not written yet", param_hint="--read-back")
    require_kept(delivery)
    plan = plans.resolve(registry.load_one(delivery.tenant_code), delivery.export_name)
    if plan.sha256 != delivery.policy_sha256:
        message = "the export was changed in the partner file since, so its columns are not known any more"
        raise typer.BadParameter(message, param_hint="--read-back")
    with TemporaryDirectory(prefix="exchange-delivery-") as folder:
        local = Path(folder) / "file"
        Archive().fetch_export(delivery.archive_path, delivery.sha256, local)
        return formats.reads_back(local, plan.export.format, plan.file_columns)


def _facts(delivery: Delivery, rows_read: int | None) -> dict[str, str]:
    positions = ""
    if delivery.until_position is not None:
        positions = f"after {delivery.since_position} up to {delivery.until_position}"
    return {
        "delivery": delivery.delivery_id,
        "partner": delivery.tenant_code,
        "export": delivery.export_name,
        "report": f"{delivery.report}, version {delivery.report_version}",
        "holds": "what is new since the last one" if delivery.content == "delta" else "everything",
        "changes": positions,
        "state": str(delivery.state),
        "due (UTC)": utc(delivery.due_at) or "by hand",
        "opened (UTC)": utc(delivery.opened_at),
        "written (UTC)": utc(delivery.written_at),
        "delivered (UTC)": utc(delivery.delivered_at),
        "answered (UTC)": utc(delivery.answered_at),
        "given up (UTC)": utc(delivery.closed_at),
        "file": delivery.file_name,
        "at the target as": delivery.delivered_name,
        "rows": count(delivery.rows_total),
        "rows read back": count(rows_read),
        "bytes": count(delivery.size_bytes),
        "sha256": delivery.sha256,
        "in the archive": _archive_place(delivery),
        "purged (UTC)": utc(delivery.purged_at),
        "failed tries": str(delivery.attempts or ""),
        "next try (UTC)": utc(delivery.next_attempt_at),
        "fault": delivery.fault_code,
        "what happened": delivery.fault_message,
    }


def as_document(delivery: Delivery) -> dict[str, Any]:
    """Return a delivery for ``--json``, with the address of its file."""
    return {**asdict(delivery), "archive_address": _archive_place(delivery)}
