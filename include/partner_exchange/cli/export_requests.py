"""``exchange export request``: a report that is missed is asked for, with its filters (M66)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from partner_exchange.cli.export_common import PARAMETER_OPTION, parameters, plainly
from partner_exchange.cli.options import (
    BY_OPTION,
    JSON_OPTION,
    MAYBE_TENANT_OPTION,
    TENANT_OPTION,
    actor,
    database,
    plain,
    utc,
)
from partner_exchange.cli.tables import print_table

if TYPE_CHECKING:
    from partner_exchange.ledger.report_requests import ReportRequest

_LONGEST = 2000


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("request")(request)
    app.command("requests")(requests)
    app.command("answer-request")(answer_request)


def request(
    tenant: TENANT_OPTION,
    wanted: Annotated[str, typer.Argument(metavar="WANTED", help="what is wanted, in own words")],
    like: Annotated[str | None, typer.Option("--like", help="the report that comes nearest")] = None,
    param: PARAMETER_OPTION = None,
    by: BY_OPTION = None,
    as_json: JSON_OPTION = False,
) -> None:
    """Ask for a report that the catalogue does not have; those who run the exchange get a mail."""
    from partner_exchange.exports.reports import catalogue
    from partner_exchange.ledger import mails, report_requests
    from partner_exchange.ledger.mails import Event
    from partner_exchange.notify import outbox
    from partner_exchange.settings import get_settings
    from partner_exchange.tenants import registry

    with plainly():
        registry.load_one(tenant)
        if like is not None:
            catalogue.get(like)
        wanted, given = _text(wanted, "WANTED"), parameters(param)
        with database() as connection:
            ours = get_settings().operations_mail
            asked = report_requests.ask(
                connection,
                tenant_code=tenant,
                wanted=wanted,
                requested_by=actor(by),
                report=like or "",
                parameters=given,
            )
            mails.enqueue(
                connection,
                tenant_code=tenant,
                event=Event.REPORT_WANTED,
                recipients=(ours,) if ours else (),
                topic=asked.request_id,
            )
        with database():
            outbox.deliver(topic=asked.request_id)
    if as_json:
        print(json.dumps(asked, default=plain, ensure_ascii=False, indent=2))
        return
    print(f"{asked.request_id}: asked for.")
    if not ours:
        print("EXCHANGE_OPERATIONS_MAIL names nobody, so no mail went; `exchange export requests` shows it.")


def requests(
    tenant: MAYBE_TENANT_OPTION = None,
    with_closed: Annotated[bool, typer.Option("--all", help="answered ones too")] = False,
    as_json: JSON_OPTION = False,
) -> None:
    """List the reports that somebody misses, newest first."""
    from partner_exchange.ledger import report_requests
    from partner_exchange.tenants import registry

    with plainly():
        if tenant is not None:
            registry.load_one(tenant)
    with database() as connection:
        found = report_requests.listed(connection, tenant, with_closed=with_closed)
    if as_json:
        print(json.dumps(found, default=plain, ensure_ascii=False, indent=2))
        return
    header = ("request", "partner", "asked (UTC)", "by", "like", "filters", "wanted", "answer")
    print_table(header, (_cells(one) for one in found), folded=("wanted", "answer"))


def answer_request(
    request_id: Annotated[str, typer.Argument(metavar="REQUEST", help="id of the request")],
    answer: Annotated[str, typer.Argument(metavar="ANSWER", help="what the asker is told")],
    by: BY_OPTION = None,
    as_json: JSON_OPTION = False,
) -> None:
    """Answer a request for a report, which is done with then."""
    from partner_exchange.ledger import audit, report_requests

    with plainly(), database() as connection:
        answer, who = _text(answer, "ANSWER"), actor(by)
        closed = report_requests.close(connection, request_id, answer=answer, closed_by=who)
        audit.record(
            connection,
            actor=who,
            action="report-request.answer",
            subject=request_id,
            tenant_code=closed.tenant_code,
        )
    print(
        json.dumps(closed, default=plain, ensure_ascii=False, indent=2)
        if as_json
        else f"{request_id}: answered."
    )


def _text(given: str, name: str) -> str:
    text = " ".join(given.split())
    if not text or len(text) > _LONGEST or not text.isprintable():
        message = f"say it in words, in {_LONGEST} characters at the most"
        raise typer.BadParameter(message, param_hint=name)
    return text


def _cells(one: ReportRequest) -> tuple[str, ...]:
    filters = ", ".join(f"{name}={value}" for name, value in one.parameters.items())
    asked = (one.request_id, one.tenant_code, utc(one.requested_at), one.requested_by)
    return (*asked, one.report, filters, one.wanted, one.answer)
