"""The mails about outbound files, and about reports that are missed: counts, codes and places, never a value.

All hear what happened and whose turn it is; commands stand only in mails to those who run the exchange.
Composed from the ledger at the time of sending: a mail that waited tells what has become of the file since.
Called by ``compose``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection

from partner_exchange.exports.delivery import target_warnings
from partner_exchange.exports.delivery.faults import what_happened
from partner_exchange.ledger import deliveries as ledger
from partner_exchange.ledger import report_requests
from partner_exchange.ledger.deliveries import Delivery, DeliveryState
from partner_exchange.ledger.mails import Event, QueuedMail
from partner_exchange.notify.content import Content, one_line
from partner_exchange.notify.turns import turn
from partner_exchange.settings import get_settings
from partner_exchange.storage.answer_names import answer_target
from partner_exchange.tenants.exports import AnswerFiles, Target
from partner_exchange.tenants.model import Tenant

_KEPT = (
    "Nothing is lost: the file is kept, nothing of this export goes before it, and what changes meanwhile "
    "goes with the next one."
)
_SETTLED = (DeliveryState.CONFIRMED, DeliveryState.REFUSED)


def about(connection: Connection, mail: QueuedMail, tenant: Tenant) -> Content:
    """Return what a mail about a delivery, a target or a missed report says.

    :raises UnknownDelivery: the ledger does not have the delivery any more.
    :raises UnknownReportRequest: nor the request.
    """
    is_to_us = mail.recipient == get_settings().operations_mail
    if mail.event is Event.REPORT_WANTED:
        return _wanted(connection, mail.topic, tenant)
    if mail.event is Event.TARGET_WARNING:
        return _warning(mail.topic, tenant, is_to_us=is_to_us)
    delivery = ledger.get(connection, mail.topic.partition(".")[0])
    target = tenant.targets().get(delivery.export_name)
    match mail.event:
        case Event.DELIVERED:
            return _delivered(delivery, target, tenant)
        case Event.DELIVERY_REFUSED:
            return _refused(delivery, target, tenant, is_to_us=is_to_us)
        case Event.DELIVERY_UNANSWERED:
            return _unanswered(delivery, target, tenant)
        case _:
            return _failed(delivery, target, tenant, is_to_us=is_to_us)


def _delivered(delivery: Delivery, target: Target | None, tenant: Tenant) -> Content:
    more = []
    if target is not None and target.answers is not None:
        taken, refused = _answer_names(target.answers, delivery)
        where = _where(answer_target(tenant, delivery.export_name), tenant)
        more = [
            f"Please answer with a file {taken} in {where} once it is taken in, or {refused} if it cannot be."
        ]
    return _content(
        delivery,
        target,
        tenant,
        subject=f"{_name(delivery)}: delivered, {_rows(delivery)}",
        headline="A file was delivered to you.",
        turn="Your turn: answer it." if more else "Nothing is asked of you.",
        more=more,
    )


def _failed(delivery: Delivery, target: Target | None, tenant: Tenant, *, is_to_us: bool) -> Content:
    if delivery.state is not DeliveryState.DEAD:
        return _content(
            delivery,
            target,
            tenant,
            subject=f"{_name(delivery)}: could not be delivered, and is {_since(delivery)} since",
            headline=f"A file could not be delivered at first. It is {_since(delivery)} since.",
            turn="Nothing is asked of you.",
        )
    is_home = target is None or target.kind == "home"
    was_written = bool(delivery.archive_path)
    what = "delivered" if was_written else "made"
    if is_to_us:
        told = delivery.fault_message
        again = f"Once that is done, run `exchange export resend {delivery.delivery_id}`."
    else:
        told = what_happened(delivery.fault_code, delivery.fault_message)
        again = "Once that is done, we send it."
    return _content(
        delivery,
        target,
        tenant,
        subject=f"{_name(delivery)}: could not be {what}",
        headline=f"A file could not be {what}, and waits until somebody has seen to it.",
        turn=turn(delivery.fault_code, is_home=is_home, is_to_us=is_to_us),
        fault=f"{delivery.fault_code}: {told}" if told else delivery.fault_code,
        more=[again, _KEPT if was_written else _KEPT.replace("the file is kept, ", "")],
    )


def _refused(delivery: Delivery, target: Target | None, tenant: Tenant, *, is_to_us: bool) -> Content:
    if delivery.state is DeliveryState.CONFIRMED:
        headline, asked = "Your answer refused a file; a later one says that it was taken in.", ""
    else:
        headline = "Your answer says that a file could not be taken in."
        asked = "Our turn: we look into it. If you know what is wrong with the file, please tell us."
    commands = [
        f"`exchange export answers --tenant {tenant.code}` shows the answer. "
        f"`exchange export resend {delivery.delivery_id} --again` sends the same file once more."
    ]
    return _content(
        delivery,
        target,
        tenant,
        subject=f"{_name(delivery)}: refused by the partner",
        headline=headline,
        turn=asked or "Nothing is asked of you.",
        more=commands if is_to_us else (),
    )


def _unanswered(delivery: Delivery, target: Target | None, tenant: Tenant) -> Content:
    answers = target.answers if target is not None else None
    if delivery.state in _SETTLED or answers is None:
        return _content(
            delivery,
            target,
            tenant,
            subject=f"{_name(delivery)}: was not answered in time",
            headline="A file was not answered in time. Your answer has come since."
            if delivery.state in _SETTLED
            else "A file was not answered in time.",
            turn="Nothing is asked of you.",
        )
    taken, refused = _answer_names(answers, delivery)
    where = _where(answer_target(tenant, delivery.export_name), tenant)
    hours = f" within {answers.within_h} hours" if answers.within_h else ""
    return _content(
        delivery,
        target,
        tenant,
        subject=f"{_name(delivery)}: no answer yet",
        headline=f"A file was delivered, and no answer came{hours}.",
        turn="Your turn: please look whether the file was taken in.",
        more=[f"Then put an empty file {taken} into {where}, or {refused} if it was not."],
    )


def _answer_names(answers: AnswerFiles, delivery: Delivery) -> tuple[str, str]:
    name = _name(delivery)
    return answers.accepted.replace("{file_name}", name), answers.refused.replace("{file_name}", name)


def _wanted(connection: Connection, request_id: str, tenant: Tenant) -> Content:
    request = report_requests.get(connection, request_id)
    filters = ", ".join(sorted(request.parameters)) or "none"
    rows = {
        "Partner": f"{tenant.name} ({tenant.code})",
        "Asked by": request.requested_by,
        "Asked at": _time(request.requested_at),
        "Like": request.report or "no report that there is",
        # Their values are for the ledger: a filter may be the name of somebody.
        "Filters": filters,
        "Request": request.request_id,
    }
    if request.closed_at is None:
        asked = f'Our turn: `exchange export answer-request {request.request_id} "..."` answers it.'
    else:
        asked = "It has been answered since; nothing is to be done."
    return Content(
        "delivery",
        f"{tenant.code}: a report is missed",
        {
            "headline": "Somebody misses a report.",
            "turn": asked,
            "rows": rows,
            "fault": "",
            "more": [
                f"Wanted: {one_line(request.wanted)}",
                f"`exchange export requests --tenant {tenant.code}` shows the values of the filters.",
            ],
            "support": "",
        },
        {"X-Exchange-Request": request.request_id},
    )


def _warning(topic: str, tenant: Tenant, *, is_to_us: bool) -> Content:
    warning = target_warnings.of_topic(topic)
    day = warning.day.isoformat()
    if warning.is_of_expiry:
        subject = f"{warning.connection_id}: our login ends on {day}"
        headline = f"Our login to your server ends on {day}."
        asked = "Your turn: please give us a new one before. Never send a password or a private key by mail."
        more = ["Until then all goes on as it is."]
    else:
        subject = f"{warning.connection_id}: files cannot be delivered ({warning.what})"
        headline = f"Our test of {day} shows that files cannot be delivered to your server."
        asked = turn(warning.what, is_home=False, is_to_us=is_to_us)
        more = ["Nothing is lost: what cannot be delivered is kept, and goes once this is mended."]
    exports = [name for name, one in tenant.exports.items() if one.target.connection == warning.connection_id]
    if is_to_us:
        more += [
            f"Step by step: `exchange export probe --tenant {tenant.code} {name}`." for name in exports[:1]
        ]
    return Content(
        "delivery",
        subject,
        {
            "headline": headline,
            "turn": asked,
            "rows": {
                "Connection": warning.connection_id,
                "Exports": ", ".join(exports) or "sets for NHSN",
                "Code": warning.what,
                "Partner": f"{tenant.name} ({tenant.code})",
            },
            "fault": "",
            "more": more,
            "support": tenant.contacts.support,
        },
        {"X-Exchange-Connection": one_line(warning.connection_id)},
    )


def _content(
    delivery: Delivery,
    target: Target | None,
    tenant: Tenant,
    *,
    subject: str,
    headline: str,
    turn: str,
    fault: str = "",
    more: Sequence[str] = (),
) -> Content:
    facts = {
        "headline": headline,
        "turn": turn,
        "rows": _facts(delivery, target, tenant),
        "fault": fault,
        "more": list(more),
        "support": tenant.contacts.support,
    }
    return Content("delivery", subject, facts, {"X-Exchange-Delivery": delivery.delivery_id})


def _facts(delivery: Delivery, target: Target | None, tenant: Tenant) -> Mapping[str, str]:
    facts = {
        "File": _name(delivery),
        "Where": _where(target, tenant),
        "Export": delivery.export_name,
        "Holds": "what is new since the last one" if delivery.content == "delta" else "everything",
        "Rows": "" if delivery.rows_total is None else str(delivery.rows_total),
        "Bytes": "" if delivery.size_bytes is None else str(delivery.size_bytes),
        "SHA-256": delivery.sha256,
        "Delivered": _time(delivery.delivered_at),
        "Tries": str(delivery.attempts) if delivery.attempts else "",
        "Partner": f"{tenant.name} ({tenant.code})",
        "Delivery": delivery.delivery_id,
    }
    return {label: value for label, value in facts.items() if value}


def _where(target: Target | None, tenant: Tenant) -> str:
    if target is None:
        return ""
    whose = "home with us" if target.kind == "home" else f"server ({target.connection})"
    return f"folder {tenant.folder_of(target)} of your {whose}"


def _name(delivery: Delivery) -> str:
    return one_line(delivery.delivered_name or delivery.file_name) or delivery.export_name


def _rows(delivery: Delivery) -> str:
    count = delivery.rows_total or 0
    return "1 row" if count == 1 else f"{count} rows"


def _since(delivery: Delivery) -> str:
    if delivery.state is DeliveryState.ABANDONED:
        return "given up"
    return "delivered" if delivery.state in ledger.SENT else "on its way again"


def _time(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if at else ""
