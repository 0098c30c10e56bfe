"""A target tried step by step, before the first delivery and each night (M70, M71)."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date

from ulid import ULID

from partner_exchange import clock
from partner_exchange.errors import DeliveryError
from partner_exchange.exports.delivery.carrier import Carrier
from partner_exchange.exports.delivery.faults import Fault
from partner_exchange.exports.delivery.target_warnings import WITHIN_DAYS

SOON_DAYS = max(WITHIN_DAYS)
"""From how many days before its end on a login is said to expire soon."""
EXPIRED = "target-login-expired"
EXPIRES_SOON = "target-login-expires-soon"
NEEDED_BYTES = 1024 * 1024
_CONTENT = b"Partner Exchange tries whether files can be put here. This file may be deleted.\n"
_SEND_AGAIN = re.compile(r"(;|, and)? then send the delivery again")
_AGAIN = "It is tried again by itself"

_OPENING = ("connection", "connect", "host key", "login")
_OPENING_STEP: dict[str, str] = {
    Fault.CONNECTION_MISSING: "connection",
    Fault.CONNECTION_INVALID: "connection",
    Fault.HOST_KEY_UNKNOWN: "host key",
    Fault.HOST_KEY_CHANGED: "host key",
    Fault.LOGIN_REFUSED: "login",
    Fault.NO_SFTP: "login",
    Fault.PATH_MISSING: "folder",
    Fault.NOT_WRITABLE: "folder",
}


@dataclass(frozen=True)
class ProbeStep:
    """What became of one step.

    :param code: code of ``faults`` or of the expiry; "" when there is nothing to say.
    """

    name: str
    is_ok: bool
    code: str
    sentence: str


def probe(
    opener: Callable[[], AbstractContextManager[Carrier]],
    *,
    expires_on: Callable[[], date | None] | None = None,
) -> list[ProbeStep]:
    """Return what became of each step, in order; after a failed one those that build on it are left out.

    A small file is written under a temporary name, read, renamed and removed again; whatever happens, nothing
    of it stays, unless the connection is gone.

    :param opener: opens the target; its errors are of the ``DeliveryError`` family.
    :param expires_on: says when the login to the target ends; asked last.
    """
    steps: list[ProbeStep] = []
    try:
        with opener() as carrier:
            steps += [ProbeStep(name, True, "", f"{name} holds") for name in _OPENING]
            steps += _try(carrier)
    except DeliveryError as error:
        steps += _opening_failed(error)
    if expires_on is not None and all(step.name != "connection" or step.is_ok for step in steps):
        steps.append(_expiry(expires_on))
    return steps


def _opening_failed(error: DeliveryError) -> list[ProbeStep]:
    failed = _OPENING_STEP.get(error.code, "connect")
    # A host key that is not pinned is seen before anybody connects.
    passed = _OPENING[: _OPENING.index(failed)] if failed in _OPENING else _OPENING
    if error.code == Fault.HOST_KEY_UNKNOWN:
        passed = _OPENING[:1]
    steps = [ProbeStep(name, True, "", f"{name} holds") for name in passed]
    return [*steps, ProbeStep(failed, False, error.code, _said(error))]


def _said(error: DeliveryError) -> str:
    """Return the sentence of a fault without what is to be done with a delivery: there may be none yet."""
    return _SEND_AGAIN.sub("", error.message).replace(_AGAIN, f"A delivery {_AGAIN.removeprefix('It ')}")


def _try(carrier: Carrier) -> Iterator[ProbeStep]:
    written = f".exchange-probe-{ULID()}.tmp"
    renamed = f".exchange-probe-{ULID()}.tmp"
    actions: list[tuple[str, Callable[[], str]]] = [
        ("folder", lambda: f"{carrier.place} is there, with {len(carrier.entries())} entries"),
        ("write", lambda: _write(carrier, written)),
        ("read back", lambda: _read_back(carrier, written)),
        ("rename", lambda: _rename(carrier, written, renamed)),
        ("remove", lambda: _remove(carrier, renamed)),
    ]
    try:
        for name, act in actions:
            step = _step(name, act)
            yield step
            if not step.is_ok:
                break
    finally:
        for name in (written, renamed):
            with contextlib.suppress(DeliveryError):
                carrier.remove(name)
    yield _free_space(carrier)


def _step(name: str, act: Callable[[], str]) -> ProbeStep:
    try:
        return ProbeStep(name, True, "", act())
    except DeliveryError as error:
        return ProbeStep(name, False, error.code, _said(error))


def _write(carrier: Carrier, name: str) -> str:
    carrier.put(name, [_CONTENT], size_bytes=len(_CONTENT))
    return f"a file of {len(_CONTENT)} bytes was written"


def _read_back(carrier: Carrier, name: str) -> str:
    is_whole = carrier.size_bytes(name) == len(_CONTENT)
    if not is_whole or carrier.sha256(name) != hashlib.sha256(_CONTENT).hexdigest():
        raise carrier.error(Fault.KEPT_LESS)
    return "size and content are what was written"


def _rename(carrier: Carrier, old: str, new: str) -> str:
    carrier.rename(old, new)
    if carrier.exists(old) or not carrier.exists(new):
        raise carrier.error(Fault.BUSY, why="the server says that it renamed a file, and did not")
    return "a file can get its final name"


def _remove(carrier: Carrier, name: str) -> str:
    carrier.remove(name)
    if carrier.exists(name):
        raise carrier.error(Fault.NOT_WRITABLE, why="a file that was removed is still there")
    return "a file can be removed"


def _free_space(carrier: Carrier) -> ProbeStep:
    def look() -> str:
        space = carrier.space()
        if space is None:
            return "the server does not tell how much space is left"
        if space.free_bytes < NEEDED_BYTES:
            raise carrier.error(Fault.FULL, why=f"only {space.free_bytes} bytes are free")
        return f"{space.free_bytes // NEEDED_BYTES} MiB are free"

    return _step("free space", look)


def _expiry(expires_on: Callable[[], date | None]) -> ProbeStep:
    name = "expiry"
    try:
        last_on = expires_on()
    except DeliveryError as error:
        return ProbeStep(name, False, error.code, _said(error))
    if last_on is None:
        return ProbeStep(name, True, "", "the connection names no day on which its login ends")
    days = (last_on - clock.today()).days
    if days < 0:
        sentence = f"The login of the connection ended on {last_on}. Ask the partner for a new one."
        return ProbeStep(name, False, EXPIRED, sentence)
    if days <= SOON_DAYS:
        sentence = f"The login of the connection ends on {last_on}. Ask the partner for a new one before."
        return ProbeStep(name, True, EXPIRES_SOON, sentence)
    return ProbeStep(name, True, "", f"the login holds until {last_on}")
