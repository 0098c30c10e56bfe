"""``exchange export answers``: what partners say of delivered files (X11)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from partner_exchange.cli.export_common import plainly, target_opener
from partner_exchange.cli.options import JSON_OPTION, MAYBE_TENANT_OPTION, plain, utc
from partner_exchange.cli.tables import print_table

if TYPE_CHECKING:
    from partner_exchange.ledger.delivery_answers import Answer


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("answers")(answers)


def answers(
    tenant: MAYBE_TENANT_OPTION = None,
    is_unmatched: Annotated[
        bool, typer.Option("--unmatched", help="only those that fit no delivered file")
    ] = False,
    is_collecting: Annotated[
        bool, typer.Option("--collect", help="first look for new ones of --tenant, as housekeeping does")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="how many, newest first")] = 50,
    as_json: JSON_OPTION = False,
) -> None:
    """List the answers to delivered files, newest first; comments are the partner's own words."""
    from partner_exchange.ledger import delivery_answers
    from partner_exchange.ledger.database import transaction
    from partner_exchange.local.database import ensure_database
    from partner_exchange.settings import get_settings
    from partner_exchange.tenants import registry

    settings = get_settings()
    if is_collecting and tenant is None:
        raise typer.BadParameter("needs --tenant", param_hint="--collect")
    with plainly(), ensure_database(settings):
        policy = registry.load_one(tenant) if tenant is not None else None
        if is_collecting and policy is not None:
            from partner_exchange.exports.answers import collect_all

            collect_all(policy, target_opener(settings))
        with transaction() as connection:
            found = delivery_answers.latest(connection, tenant, only_unmatched=is_unmatched, limit=limit)
    if as_json:
        print(json.dumps(found, default=plain, ensure_ascii=False, indent=2))
        return
    print_answers(found)


def print_answers(found: Sequence[Answer]) -> None:
    """Print answers as a table."""
    rows = (
        (
            utc(one.received_at),
            one.tenant_code,
            one.file_name,
            str(one.verdict),
            one.delivery_id or "none has this name",
            one.export_name,
            one.place,
            one.comment,
        )
        for one in found
    )
    header = ("received (UTC)", "partner", "answer", "says", "delivery", "export", "where", "comment")
    print_table(header, rows, folded=("comment",))
