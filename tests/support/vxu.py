"""Immunization messages through the checks, and what is said of them as a readable table."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from partner_exchange.feeds.vxu.check import CheckContext, Checked, FileMemory, check
from partner_exchange.feeds.vxu.flatten import flatten
from partner_exchange.feeds.vxu.found import severity_of
from partner_exchange.feeds.vxu.places import places
from partner_exchange.readers.hl7 import Stream, read_stream
from partner_exchange.tenants.model import Tenant
from partner_exchange.tenants.presets import PRESETS
from support import batches

ARRIVED_AT = datetime(2026, 11, 21, 12, tzinfo=UTC)


def a_registry(**over: Any) -> Tenant:
    """Return a valid tenant with the immunization feed, in production."""
    own = {"code": "aaa-ssl", "name": "AAA Sample School of Life Clinic", "mode": "production", **over}
    return Tenant.model_validate({**PRESETS["texas-registry"], **own})


def a_message(control: str = "C1", *doses: list[str], **over: str) -> str:
    """Return a clean message with the doses, one given now when there are none."""
    return batches.message(control, *(doses or (batches.dose("D1"),)), **over)


def put(message: str, place: str, value: str, *, nth: int = 1) -> str:
    """Return the message with another value in a field of the nth such segment, or the segment replaced."""
    name, _, number = place.partition("-")
    segments = message.split("\r")
    at = [at for at, segment in enumerate(segments) if segment.startswith(name)][nth - 1]
    if not number:
        segments[at : at + 1] = [value] if value else []
        return "\r".join(segments)
    fields = segments[at].split("|")
    # MSH-1 is the bar itself.
    field = int(number) - (name == "MSH")
    fields += [""] * (field + 1 - len(fields))
    fields[field] = value
    segments[at] = "|".join(fields)
    return "\r".join(segments)


def spoilt(*changes: tuple[str, str], message: str = "") -> str:
    """Return a message with other values in fields of its first segments."""
    text = message or a_message()
    for place, value in changes:
        text = put(text, place, value)
    return text


def judged(
    *messages: str,
    tenant: Tenant | None = None,
    arrived_at: datetime = ARRIVED_AT,
    memory: FileMemory | None = None,
) -> Checked:
    """Return what the checks make of the messages of one piece."""
    return judged_bytes("".join(messages).encode(), tenant=tenant, arrived_at=arrived_at, memory=memory)


def judged_bytes(
    content: bytes,
    *,
    tenant: Tenant | None = None,
    arrived_at: datetime = ARRIVED_AT,
    memory: FileMemory | None = None,
) -> Checked:
    """Return what the checks make of a file."""
    stream = read_stream(content, max_messages=1_000_000)
    assert isinstance(stream, Stream)
    context = CheckContext(
        tenant=tenant or a_registry(), arrived_at=arrived_at, memory=memory or FileMemory()
    )
    return check(flatten(list(stream.messages)), context)


def said(checked: Checked, *, but: Iterable[str] = ()) -> list[str]:
    """Return ``row place code severity`` of each issue in order; the row only where there are several."""
    issues = checked.issues
    table = zip(issues["row"], places(issues), issues["code"], issues["is_warning"], strict=True)
    is_one = len(checked.flat.messages) == 1
    return [
        " ".join(([] if is_one else [str(row)]) + [place, code, severity_of(code, is_warning=warning).value])
        for row, place, code, warning in table
        if code not in but
    ]


def count(checked: Checked, *key: str) -> int:
    """Return a count of the tally: what, name and detail."""
    tally = checked.tally
    what, name, detail = (*key, "")[:3]
    is_it = (tally["what"] == what) & (tally["name"] == name) & (tally["detail"] == detail)
    return int(tally.loc[is_it, "count"].sum())


def findings_of_each(messages: Iterable[str], **over: Any) -> list[list[str]]:
    """Return ``place code severity`` for each message, judged together; consequences are left out.

    Messages that are to be judged alone get control ID and patient of their own, so write ``C1`` and ``P1``.
    """
    own = [text.replace("|C1|", f"|M{at}|").replace("|P1^", f"|Q{at}^") for at, text in enumerate(messages)]
    # A row number is told only beside another message.
    checked = judged(*own, a_message("last", patient="last"), **over)
    found: list[list[str]] = [[] for _ in own]
    for line in said(checked, but=("message-rejected", "dose-rejected")):
        row, _, rest = line.partition(" ")
        found[int(row) - 1].append(rest)
    return found
