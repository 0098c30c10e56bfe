"""``exchange export resend``, ``settle`` and ``abandon``: what a person may do with a delivery (X09, X10)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from partner_exchange.cli.export_common import plainly, print_facts, target_opener
from partner_exchange.cli.export_run import delivered_sentence
from partner_exchange.cli.export_show import DELIVERY_ARGUMENT, as_document
from partner_exchange.cli.failures import sentence
from partner_exchange.cli.options import BY_OPTION, JSON_OPTION, actor, plain, utc
from partner_exchange.errors import ConfigError, DeliveryError, ReportRefused
from partner_exchange.ledger.deliveries import OPEN, SENT

if TYPE_CHECKING:
    from partner_exchange.exports.delivery.carrier import Carrier
    from partner_exchange.ledger.deliveries import Delivery
    from partner_exchange.settings import Settings
    from partner_exchange.tenants.exports import Target

_NAME_TAKEN = {
    "number": "it would get the next free number behind its name",
    "replace": "it would be replaced",
    "refuse": "so nothing would be delivered",
}


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("resend")(resend)
    app.command("abandon")(abandon)
    app.command("settle")(settle)


def resend(
    delivery_id: DELIVERY_ARGUMENT,
    is_again: Annotated[
        bool, typer.Option("--again", help="send a delivered file a second time, the same bytes")
    ] = False,
    is_dry_run: Annotated[
        bool, typer.Option("--dry-run", help="only say what would be sent where, and what is there now")
    ] = False,
    by: BY_OPTION = None,
    as_json: JSON_OPTION = False,
) -> None:
    """Send a dead letter again, or one whose next try is not due yet, now.

    Exit 0 when it is in place, 1 when this try failed too.
    """
    from partner_exchange.exports.runs import interventions
    from partner_exchange.ledger import deliveries as ledger
    from partner_exchange.ledger.database import transaction
    from partner_exchange.local.database import ensure_database
    from partner_exchange.notify import outbox
    from partner_exchange.settings import get_settings

    settings = get_settings()
    with plainly(), ensure_database(settings):
        if is_dry_run:
            with transaction() as connection:
                delivery = ledger.get(connection, delivery_id)
            _tell(delivery, settings, is_again=is_again, as_json=as_json)
            return
        try:
            sent = interventions.resend(
                delivery_id, target_opener(settings), actor=actor(by), is_again=is_again
            )
        finally:
            outbox.deliver(topic=delivery_id)
    if as_json:
        print(json.dumps(as_document(sent), default=plain, ensure_ascii=False, indent=2))
    elif sent.state in SENT:
        print(delivered_sentence(sent))
    else:
        print(f"{delivery_id}: there is nothing to send any more, so no file went.")


def settle(
    delivery_id: DELIVERY_ARGUMENT,
    is_delivered: Annotated[
        bool,
        typer.Option("--delivered/--not-delivered", help="whether the file has its name where it went"),
    ],
    by: BY_OPTION = None,
    as_json: JSON_OPTION = False,
) -> None:
    """Say what you have found of a delivery that may be where its export went before.

    After ``--not-delivered``, ``resend`` sends it to where the export goes now.
    """
    from partner_exchange.exports.runs import interventions
    from partner_exchange.local.database import ensure_database
    from partner_exchange.settings import get_settings

    with plainly(), ensure_database(get_settings()):
        settled = interventions.settle(delivery_id, is_delivered=is_delivered, actor=actor(by))
    if as_json:
        print(json.dumps(as_document(settled), default=plain, ensure_ascii=False, indent=2))
    elif is_delivered:
        print(f"{delivery_id}: delivered. The next one of {settled.export_name} goes on behind it.")
    else:
        print(f"{delivery_id}: not delivered. `exchange export resend {delivery_id}` sends it.")


def abandon(
    delivery_id: DELIVERY_ARGUMENT,
    even_if_uploaded: Annotated[
        bool,
        typer.Option(
            "--even-if-uploaded", help="also when its file may be at the target; it may go twice then"
        ),
    ] = False,
    by: BY_OPTION = None,
    as_json: JSON_OPTION = False,
) -> None:
    """Give up a delivery that was not delivered; what it holds goes with the next one.

    What an earlier try left at its target under a hidden name is removed, if the target can be reached.
    """
    from partner_exchange.exports.runs import interventions
    from partner_exchange.local.database import ensure_database
    from partner_exchange.settings import get_settings

    settings = get_settings()
    with plainly(), ensure_database(settings):
        given_up = interventions.abandon(delivery_id, actor=actor(by), even_if_uploaded=even_if_uploaded)
        left, told = _clear_target(given_up, settings)
    if as_json:
        document = {**as_document(given_up), "left_at_target": left}
        print(json.dumps(document, default=plain, ensure_ascii=False, indent=2))
    else:
        next_one = f"What it held goes with the next one of {given_up.export_name}."
        print(f"{delivery_id}: given up. {next_one}{told}")


def _clear_target(delivery: Delivery, settings: Settings) -> tuple[str, str]:
    """Remove what the delivery left at its target: ``nothing``, ``removed`` or ``unknown``, and in words."""
    from partner_exchange.exports.runs import interventions

    try:
        was_there = interventions.clear_target(delivery, target_opener(settings))
    except (DeliveryError, ReportRefused, ConfigError) as error:
        name = delivery.temporary_name
        told = f" What an earlier try may have left at the target, {name}, stays there: {sentence(error)}"
        return "unknown", told
    if not was_there:
        return "nothing", ""
    return "removed", " What an earlier try had left at the target was removed."


def _tell(delivery: Delivery, settings: Settings, *, is_again: bool, as_json: bool) -> None:
    """Say what a resend would do; nothing is changed, here or at the target."""
    from partner_exchange.exports import plan as plans
    from partner_exchange.tenants import registry

    if (why_not := _why_not(delivery, is_again=is_again)) or not delivery.archive_path:
        would = why_not or "The file would be written first; it is not known yet how many rows it has."
        facts: dict[str, Any] = {"delivery": delivery.delivery_id, "state": str(delivery.state)}
    else:
        tenant = registry.load_one(delivery.tenant_code)
        target = plans.target_of(tenant, delivery.export_name)
        with target_opener(settings)(tenant, target) as carrier:
            there, would = _at_target(delivery, target, carrier)
            where = str(carrier.place)
        facts = {
            "delivery": delivery.delivery_id,
            "state": str(delivery.state),
            "file": delivery.file_name,
            "rows": delivery.rows_total,
            "bytes": delivery.size_bytes,
            "sha256": delivery.sha256,
            "where": where,
            "there now": there,
        }
    if as_json:
        print(json.dumps({**facts, "would": would, "is_dry_run": True}, ensure_ascii=False, indent=2))
        return
    print_facts({label: str(value) for label, value in facts.items()})
    print(f"\n{would} Nothing was changed.")


def _why_not(delivery: Delivery, *, is_again: bool) -> str:
    if delivery.purged_at is not None:
        return f"Its file was purged at {utc(delivery.purged_at)} UTC, so it cannot be sent again."
    if delivery.state in SENT and not is_again:
        return (
            f"It was delivered at {utc(delivery.delivered_at)} UTC; only with --again it would go once more."
        )
    if delivery.state not in (*SENT, *OPEN):
        return "It was given up; what it held goes with the next one."
    return ""


def _at_target(delivery: Delivery, target: Target, carrier: Carrier) -> tuple[str, str]:
    """Return what is there now, and what would happen."""
    half = carrier.size_bytes(delivery.temporary_name)
    was_uploaded = bool(delivery.delivered_name) and delivery.state not in SENT
    has_got_its_name = was_uploaded and half is None
    named = delivery.delivered_name if has_got_its_name else delivery.file_name
    whole = carrier.size_bytes(named)
    there = [f"{named} with {whole} bytes"] if whole is not None else []
    there += [f"what an earlier try left, {half} bytes under a hidden name"] if half is not None else []
    told = ", and ".join(there) or "neither a file of this name nor what an earlier try left"
    if has_got_its_name:
        return told, "The file has got its name already; only the ledger would be brought up to date."
    if whole is not None:
        return told, f"A file of that name is there: {_NAME_TAKEN[target.name_taken]}."
    return told, f"It would be put there as {named}."
