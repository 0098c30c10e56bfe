"""What housekeeping looks after between deliveries: answers, targets, deliveries that stand (X10, X11).

Called by the housekeeping DAGs, which say how targets are opened.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from typing import TypeAlias

from partner_exchange import clock, log
from partner_exchange.errors import DeliveryError, NameTaken, PathMissing
from partner_exchange.exports import answers
from partner_exchange.exports.delivery import target_warnings
from partner_exchange.exports.delivery.probe import probe
from partner_exchange.exports.delivery.target_warnings import TargetWarning
from partner_exchange.exports.delivery.whose_turn import is_ours
from partner_exchange.exports.runs.deliver import Opener
from partner_exchange.ledger import deliveries as ledger
from partner_exchange.ledger import mails
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.deliveries import Delivery, DeliveryState
from partner_exchange.ledger.mails import Event
from partner_exchange.settings import get_settings
from partner_exchange.storage.answer_names import AnswerPlace, answer_places
from partner_exchange.submissions.recipients import recipients
from partner_exchange.tenants import registry
from partner_exchange.tenants.exports import Target
from partner_exchange.tenants.model import Tenant

_logger = logging.getLogger(__name__)

LastDay: TypeAlias = Callable[[str], date | None]
"""Says on which day the login of a connection ends, None when nobody knows; raises only ``DeliveryError``."""

LOOKED_FOR = timedelta(days=14)
"""How long after a delivery its answer is looked for every other minute; later ones are found when the next
file of the export is delivered, and by ``exchange export answers``."""
OLD_AFTER = timedelta(days=1)
"""How long after its opening a dead letter turns the nightly run red."""
STUCK_AFTER = timedelta(days=2)
"""The same for a delivery that is no dead letter and not delivered either: longer than the whole ladder, so
that nobody tries any more, as of an export whose runs are paused."""
_MOST_OPEN = 1000


@dataclass
class AnswerWatch:
    """How many folders were looked into or could not be, what was found, and how many mails were queued."""

    folders: int = 0
    unreachable: int = 0
    accepted: int = 0
    refused: int = 0
    unmatched: int = 0
    unreadable: int = 0
    waiting: int = 0
    reminders: int = 0

    def as_dict(self) -> dict[str, int]:
        """Return plain values for a log line or an XCom."""
        return asdict(self)


@dataclass
class TargetWatch:
    """How many targets were tried, how many mails were queued, and which targets do not hold."""

    targets: int = 0
    mails: int = 0
    failed: list[str] = field(default_factory=list)
    """``<connection>:<folder> (<code>)`` of each that does not hold."""


def collect_answers(opener: Opener) -> AnswerWatch:
    """Look where answers to recent deliveries are missing; a server that is away holds up no other.

    :raises StoreUnavailable: the ledger cannot be reached.
    """
    watch, away = AnswerWatch(), set[str]()
    for tenant in _tenants():
        places = answer_places(tenant)
        for place in places:
            if not _waits(tenant, place):
                continue
            # Each look at a server that is away costs its whole patience: one a run is enough.
            connection_id = _connection_id(tenant, place.target)
            if connection_id in away:
                watch.unreachable += 1
            elif not _collect(tenant, place, opener, watch):
                away.add(connection_id)
        if places:
            watch.reminders += answers.remind(tenant)
    log.event(_logger, "answers.collected", **watch.as_dict())
    return watch


def _collect(tenant: Tenant, place: AnswerPlace, opener: Opener, watch: AnswerWatch) -> bool:
    """Take in the answers of one folder; False when its server cannot be reached."""
    try:
        # Of any of its exports: the others that share the folder are served too.
        found = answers.collect(tenant, min(place.exports), opener)
    except DeliveryError as error:
        log.event(_logger, "answers.unreachable", tenant=tenant.code, place=place.place, code=error.code)
        watch.unreachable += 1
        # What is wrong with one folder says nothing about the others of the server.
        return isinstance(error, (PathMissing, NameTaken))
    watch.folders += 1
    for verdict, count in found.as_dict().items():
        setattr(watch, verdict, getattr(watch, verdict) + count)
    return True


def _waits(tenant: Tenant, place: AnswerPlace) -> bool:
    """Say whether an answer may be new there: one is missing, or a refusal may be taken back."""
    states = (DeliveryState.DELIVERED, DeliveryState.REFUSED)
    with transaction() as connection:
        last = [
            one
            for name in place.exports
            for one in ledger.latest(connection, tenant.code, name, states=states, limit=1)
        ]
    after = clock.now() - LOOKED_FOR
    return any(one.delivered_at is not None and one.delivered_at > after for one in last)


def watch_targets(opener: Opener, expires_on: LastDay) -> TargetWatch:
    """Try every server that files go to, and queue mails about what does not hold or soon will not.

    :raises StoreUnavailable: the ledger cannot be reached.
    """
    users: dict[tuple[str, str], list[tuple[Tenant, Target]]] = {}
    for tenant in _tenants():
        for target in tenant.targets().values():
            if target.kind == "server":
                users.setdefault((target.connection, target.folder), []).append((tenant, target))
    watch = TargetWatch(targets=len(users))
    for (connection_id, folder), used_by in users.items():
        for warning in _warnings(*used_by[0], opener, expires_on):
            if not warning.is_of_expiry:
                watch.failed.append(f"{connection_id}:{folder} ({warning.what})")
            watch.mails += _tell([tenant for tenant, _ in used_by], warning)
    log.event(_logger, "targets.watched", targets=watch.targets, failed=len(watch.failed), mails=watch.mails)
    return watch


def _warnings(tenant: Tenant, target: Target, opener: Opener, expires_on: LastDay) -> Iterator[TargetWarning]:
    connection_id, today = target.connection, clock.today()
    steps = probe(lambda: opener(tenant, target), expires_on=lambda: expires_on(connection_id))
    failed = next((step for step in steps if not step.is_ok), None)
    if failed is not None:
        log.event(_logger, "target.failed", connection=connection_id, step=failed.name, code=failed.code)
        yield TargetWarning(connection_id, failed.code, today)
    # What is wrong with the connection itself, the probe has said.
    with suppress(DeliveryError):
        last_on = expires_on(connection_id)
        due = target_warnings.of_expiry(connection_id, last_on, today) if last_on else None
        if due is not None:
            yield due


def _tell(tenants: list[Tenant], warning: TargetWarning) -> int:
    """Queue the mails of a warning: once to us and, unless it is ours to mend, to all who use the target."""
    count, is_our_turn = 0, not warning.is_of_expiry and is_ours(warning.what, is_home=False)
    with transaction() as connection:
        for place, tenant in enumerate({tenant.code: tenant for tenant in tenants}.values()):
            count += mails.enqueue(
                connection,
                tenant_code=tenant.code,
                event=Event.TARGET_WARNING,
                recipients=recipients(
                    tenant.contacts, Event.DELIVERY_FAILED, with_ours=place == 0, is_our_turn=is_our_turn
                ),
                topic=warning.topic,
            )
    return count


def old_dead_letters() -> list[Delivery]:
    """Return dead letters, oldest first, that were opened more than a day ago.

    :raises StoreUnavailable: the ledger cannot be reached.
    """
    return _opened_before((DeliveryState.DEAD,), OLD_AFTER)


def stuck_deliveries() -> list[Delivery]:
    """Return what was opened more than two days ago, is not delivered and no dead letter, oldest first.

    :raises StoreUnavailable: the ledger cannot be reached.
    """
    return _opened_before(tuple(one for one in ledger.OPEN if one is not DeliveryState.DEAD), STUCK_AFTER)


def _opened_before(states: tuple[DeliveryState, ...], age: timedelta) -> list[Delivery]:
    with transaction() as connection:
        found = ledger.latest(connection, states=states, limit=_MOST_OPEN)
    return [one for one in reversed(found) if clock.now() - one.opened_at > age]


def _tenants() -> list[Tenant]:
    """Return the tenants whose file holds; one that does not shows as an import error."""
    return list(registry.examine(get_settings().tenants_dir)[0].tenants.values())


def _connection_id(tenant: Tenant, target: Target) -> str:
    return target.connection if target.kind == "server" else tenant.inbox.connection
