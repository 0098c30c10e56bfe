"""Take the answers that lie in a folder: read, record, move the delivery, put the file away (X11).

Each answer is recorded in one transaction with what follows from it, and only then put away. So a crash in
between, or a second collector, finds it recorded and only puts it away. On a partner's own server nothing is
touched; what was read is known by name, time and content.

An answer to a file that may be in place without our knowing (uploaded, but not recorded as delivered) is left
alone until that is settled.
"""

from __future__ import annotations

import hashlib
import logging
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from time import monotonic
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from partner_exchange import clock, log
from partner_exchange.errors import DeliveryError, NameTaken, PathMissing
from partner_exchange.exports.answers.reading import MOST_BYTES, Reading, read_answer
from partner_exchange.exports.delivery.carrier import Carrier
from partner_exchange.exports.runs.deliver import Opener
from partner_exchange.ledger import deliveries, delivery_answers, mails
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.deliveries import Delivery, DeliveryState
from partner_exchange.ledger.delivery_answers import IN_FLIGHT, Received, Verdict
from partner_exchange.ledger.mails import Event
from partner_exchange.storage.answer_names import AnswerPlace, NamedAnswer, answer_places
from partner_exchange.storage.folders import Entry
from partner_exchange.storage.names import (
    ORIGINALS_FOLDER,
    StampedName,
    next_stamp,
    shortened,
    utc_stamp,
)
from partner_exchange.submissions.recipients import recipients
from partner_exchange.tenants.model import Tenant
from partner_exchange.tenants.nhsn_sets import frequency_of

if TYPE_CHECKING:
    from partner_exchange.exports.nhsn.answers import Lines

_logger = logging.getLogger(__name__)

_MOST_AT_ONCE = 500
"""Answers taken by one call; the rest is for the next one."""
_GONE = "target-file-missing"
_NUMBERED = re.compile(r"(?s)(?P<stem>.+)-\d+(?P<ending>\.[^.]*)?")
_MOST_STAMPS = 1000
"""How many seconds after now are tried for a free name among the originals."""


class _Fate(StrEnum):
    """What became of one file; the names of the counts."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNMATCHED = "unmatched"
    UNREADABLE = "unreadable"
    WAITING = "waiting"
    KNOWN = "known"


@dataclass(frozen=True)
class AnswerCounts:
    """How many answers were found, by what they say; what was read before does not count."""

    accepted: int = 0
    refused: int = 0
    unmatched: int = 0
    """Of these no delivery has the name; they change nothing."""
    unreadable: int = 0
    waiting: int = 0
    """Left alone until it is known whether their file was delivered."""

    def as_dict(self) -> dict[str, int]:
        """Return plain values for logs and XCom."""
        return asdict(self)


def collect(
    tenant: Tenant, export_name: str, opener: Opener, *, pause: Callable[[float], None] = time.sleep
) -> AnswerCounts:
    """Take the answers that lie where those of the export lie; none when it asks for no answers.

    Exports that share the folder are served too: of a name alone nobody knows which of them it is for.

    :param pause: waits between the two looks at files that may still grow (X01).
    :raises DeliveryError: the folder cannot be opened or read now, or an answer cannot be put away and
        stays where it is; what was taken is recorded.
    :raises StoreUnavailable: the database cannot be reached.
    """
    return _collect(
        tenant, [one for one in answer_places(tenant) if export_name in one.exports], opener, pause
    )


def collect_all(
    tenant: Tenant, opener: Opener, *, pause: Callable[[float], None] = time.sleep
) -> AnswerCounts:
    """Take the answers to all exports of the tenant, each folder once; see ``collect``."""
    return _collect(tenant, answer_places(tenant), opener, pause)


def _collect(
    tenant: Tenant, places: Iterable[AnswerPlace], opener: Opener, pause: Callable[[float], None]
) -> AnswerCounts:
    fates: Counter[_Fate] = Counter()
    left: list[DeliveryError] = []
    started_s = monotonic()
    try:
        for place in places:
            with opener(tenant, place.target) as carrier:
                for entry in _complete(tenant, place, carrier, pause):
                    fate = _take(tenant, place, carrier, entry, left)
                    fates.update([fate] if fate else [])
    finally:
        counts = AnswerCounts(**{str(fate): fates[fate] for fate in _Fate if fate is not _Fate.KNOWN})
        if fates:
            log.event(
                _logger,
                "export.answers",
                tenant=tenant.code,
                **counts.as_dict(),
                seconds=monotonic() - started_s,
            )
    if left:
        raise left[0]
    return counts


def _complete(
    tenant: Tenant, place: AnswerPlace, carrier: Carrier, pause: Callable[[float], None]
) -> list[Entry]:
    """Return the answers that do not grow any more, in the order of their times."""
    found = _unread(tenant, place, carrier.entries())
    if found and place.settle_s:
        pause(place.settle_s)
        again = {(one.name, one.size_bytes, one.modified_at_s) for one in carrier.entries()}
        found = [one for one in found if (one.name, one.size_bytes, one.modified_at_s) in again]
    return found[:_MOST_AT_ONCE]


def _unread(tenant: Tenant, place: AnswerPlace, entries: Iterable[Entry]) -> list[Entry]:
    named = {one.name: place.parse(one.name) for one in entries if one.is_file and _is_text(one.name)}
    found = [one for one in entries if named.get(one.name)]
    if not place.is_home:
        # Nothing is put away there, so most of what is there was read before, and is not read again.
        with transaction() as connection:
            known = delivery_answers.known(connection, tenant.code, place.place, [one.name for one in found])
        found = [one for one in found if (one.name, _modified_at(one)) not in known]
    # The last answer counts, and of one second it is the refusal.
    return sorted(found, key=lambda one: (_modified_at(one), not named[one.name][0].is_accepted, one.name))


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _modified_at(entry: Entry) -> datetime:
    # Whole seconds, as SFTP tells them; what no calendar has is as good as no time.
    try:
        return datetime.fromtimestamp(int(entry.modified_at_s), UTC)
    except (OverflowError, ValueError, OSError):
        return datetime.fromtimestamp(0, UTC)


def _take(
    tenant: Tenant, place: AnswerPlace, carrier: Carrier, entry: Entry, left: list[DeliveryError]
) -> _Fate | None:
    """Record one answer and put it away; None when it is gone.

    :param left: gets why it could not be put away, which keeps no other from being taken.
    """
    fate = None
    # Another collector, or the partner, may be quicker at any point.
    with _gone_is_well():
        content = _content(carrier, entry)
        fate = _record(tenant, place, entry, content)
        if place.is_home and fate is not _Fate.WAITING:
            try:
                _put_away(carrier, entry.name)
            except (NameTaken, PathMissing) as error:
                if error.code == _GONE:
                    raise
                left.append(error)
    return fate


@contextmanager
def _gone_is_well() -> Iterator[None]:
    try:
        yield
    except PathMissing as error:
        if error.code != _GONE:
            raise


def _content(carrier: Carrier, entry: Entry) -> bytes | None:
    """Return the content, None when it is too long to be read."""
    if entry.size_bytes > MOST_BYTES:
        return None
    content = carrier.read(entry.name, max_bytes=MOST_BYTES + 1)
    return content if len(content) <= MOST_BYTES else None


def _record(tenant: Tenant, place: AnswerPlace, entry: Entry, content: bytes | None) -> _Fate:
    named = place.parse(entry.name)
    with transaction() as connection:
        delivery = delivery_answers.addressee(connection, tenant.code, _pairs(named))
        if delivery is None and (plain := _unnumbered(named)):
            delivery = delivery_answers.sent_twice(connection, tenant.code, _pairs(plain))
            named = plain if delivery is not None else named
        if delivery is not None and delivery.state in IN_FLIGHT:
            return _Fate.WAITING
        is_accepted = _is_accepted(named, delivery)
        reading, lines = _read(connection, tenant, delivery, content, is_accepted=is_accepted)
        received = Received(
            tenant_code=tenant.code,
            place=place.place,
            file_name=entry.name,
            sha256=hashlib.sha256(content).hexdigest() if content is not None else "",
            modified_at=_modified_at(entry),
            verdict=reading.verdict,
            comment=reading.comment,
            delivery_id=delivery.delivery_id if delivery else None,
            export_name=delivery.export_name if delivery else "",
        )
        if delivery_answers.record(connection, received) is None:
            return _Fate.KNOWN
        if reading.verdict is not Verdict.UNREADABLE and delivery is not None:
            _settle(connection, tenant, delivery, reading, lines)
    if reading.verdict is Verdict.UNREADABLE:
        return _Fate.UNREADABLE
    return _Fate(reading.verdict) if delivery is not None else _Fate.UNMATCHED


def _pairs(named: Iterable[NamedAnswer]) -> list[tuple[str, str]]:
    return [(one.export_name, one.file_name) for one in named]


def _unnumbered(named: Iterable[NamedAnswer]) -> list[NamedAnswer]:
    """Return what a name may say of files that got a number since their own name was taken."""
    found = ((one, _NUMBERED.fullmatch(one.file_name)) for one in named)
    return [replace(one, file_name=f"{it['stem']}{it['ending'] or ''}") for one, it in found if it]


def _is_accepted(named: list[NamedAnswer], delivery: Delivery | None) -> bool:
    """Return what the name says of the delivery; two patterns may fit one name."""
    meant = (
        one
        for one in named
        if delivery
        and one.export_name == delivery.export_name
        and one.file_name in (delivery.delivered_name, delivery.file_name)
    )
    return next(meant, named[0]).is_accepted


def _is_of_set(delivery: Delivery) -> bool:
    return frequency_of(delivery.export_name) is not None


def _read(
    connection: Connection,
    tenant: Tenant,
    delivery: Delivery | None,
    content: bytes | None,
    *,
    is_accepted: bool,
) -> tuple[Reading, Lines | None]:
    if content is None:
        return Reading(Verdict.UNREADABLE, "It is larger than 1 MiB and was not read."), None
    if delivery is not None and _is_of_set(delivery):
        # Here and below: what reads a set brings the rules of a feed along, for no other answer.
        from partner_exchange.exports.nhsn import answers as nhsn

        lines = nhsn.read_lines(connection, tenant, delivery, content)
        if lines is not None:
            return lines.reading(is_accepted=is_accepted), lines
    return read_answer(content, is_accepted=is_accepted), None


def _settle(
    connection: Connection, tenant: Tenant, delivery: Delivery, reading: Reading, lines: Lines | None
) -> None:
    """Let follow from an answer what does, in the transaction that records it."""
    is_accepted = reading.verdict is Verdict.ACCEPTED
    deliveries.record_answer(connection, delivery.delivery_id, is_accepted=is_accepted)
    if _is_of_set(delivery):
        from partner_exchange.exports.nhsn import answers as nhsn

        nhsn.record(connection, delivery, reading, lines)
    if not is_accepted and delivery.state is not DeliveryState.REFUSED:
        mails.enqueue(
            connection,
            tenant_code=tenant.code,
            event=Event.DELIVERY_REFUSED,
            recipients=recipients(tenant.contacts, Event.DELIVERY_REFUSED, with_ours=True),
            # A delivery that was confirmed in between may be refused, and told, again.
            topic=f"{delivery.delivery_id}.{utc_stamp(clock.now())}",
        )


def _put_away(carrier: Carrier, name: str) -> None:
    """Move an answer that was read to the originals, where it keeps name and time."""
    kept = StampedName(shortened(name), utc_stamp(clock.now()))
    for _ in range(_MOST_STAMPS):
        try:
            carrier.put_away(name, ORIGINALS_FOLDER, kept.original)
        except NameTaken:
            kept = StampedName(kept.file_name, next_stamp(kept.stamp))
        else:
            return
    carrier.put_away(name, ORIGINALS_FOLDER, kept.original)
