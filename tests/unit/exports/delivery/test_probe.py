"""A target that is tried step by step."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from partner_exchange import clock
from partner_exchange.errors import DeliveryError
from partner_exchange.exports.delivery.carrier import Carrier
from partner_exchange.exports.delivery.faults import Fault, Place, error_of
from partner_exchange.exports.delivery.probe import ProbeStep, probe
from partner_exchange.storage.folders import LocalHome
from partner_exchange.storage.sftp_wire import Space

NORTH = Place("north_sftp", "in", is_ours=False)
OPENING = ["connection", "connect", "host key", "login"]
WORK = ["folder", "write", "read back", "rename", "remove", "free space"]


def tried(home: LocalHome) -> list[ProbeStep]:
    @contextlib.contextmanager
    def opener() -> Iterator[Carrier]:
        yield Carrier(home, "in", is_ours=False, connection_id="north_sftp")

    return probe(opener)


def verdicts(steps: list[ProbeStep]) -> dict[str, str]:
    return {step.name: step.code or "ok" for step in steps}


def test_M71_every_step_is_said_and_nothing_stays(tmp_path: Path) -> None:
    steps = tried(LocalHome(tmp_path))
    assert verdicts(steps) == dict.fromkeys(OPENING + WORK, "ok")
    assert all(step.is_ok and step.sentence for step in steps)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("fault", "passed", "failed"),
    [
        (Fault.CONNECTION_MISSING, [], "connection"),
        (Fault.CONNECTION_INVALID, [], "connection"),
        (Fault.UNREACHABLE, ["connection"], "connect"),
        (Fault.SILENT, ["connection"], "connect"),
        (Fault.BUSY, ["connection"], "connect"),
        (Fault.HOST_KEY_UNKNOWN, ["connection"], "host key"),
        (Fault.HOST_KEY_CHANGED, ["connection", "connect"], "host key"),
        (Fault.LOGIN_REFUSED, ["connection", "connect", "host key"], "login"),
        (Fault.NO_SFTP, ["connection", "connect", "host key"], "login"),
    ],
)
def test_M70_a_fault_of_opening_belongs_to_its_step(fault: Fault, passed: list[str], failed: str) -> None:
    def opener() -> contextlib.AbstractContextManager[Carrier]:
        raise error_of(fault, NORTH)

    assert verdicts(probe(opener)) == {**dict.fromkeys(passed, "ok"), failed: fault.value}


def test_M71_what_was_written_is_removed_whatever_fails(tmp_path: Path) -> None:
    class NoRename(LocalHome):
        def rename(self, old: str, new: str) -> None:
            raise PermissionError(13, "no")

    steps = tried(NoRename(tmp_path))
    assert verdicts(steps)["rename"] == "target-not-writable"
    assert "remove" not in verdicts(steps)
    assert list(tmp_path.iterdir()) == []


def test_M71_a_server_that_keeps_another_file_is_found_out(tmp_path: Path) -> None:
    class Changing(LocalHome):
        def read(self, path: str) -> Iterator[bytes]:
            yield b"something else"

    assert verdicts(tried(Changing(tmp_path)))["read back"] == "target-kept-less"


def test_M71_little_room_and_unknown_room_are_told(tmp_path: Path) -> None:
    class Full(LocalHome):
        def space(self, folder: str) -> Space | None:
            return Space(1000, is_read_only=False)

    class Mute(LocalHome):
        def space(self, folder: str) -> Space | None:
            return None

    assert verdicts(tried(Full(tmp_path)))["free space"] == "target-full"
    assert "does not tell" in tried(Mute(tmp_path))[-1].sentence


@pytest.mark.parametrize(
    ("last_on", "is_ok", "code"),
    [
        (None, True, ""),
        (date(2026, 11, 20), False, "target-login-expired"),
        (date(2026, 11, 21), True, "target-login-expires-soon"),
        (date(2026, 12, 21), True, "target-login-expires-soon"),
        (date(2026, 12, 22), True, ""),
    ],
)
def test_M70_the_end_of_a_login_is_watched(last_on: date | None, is_ok: bool, code: str) -> None:
    def opener() -> contextlib.AbstractContextManager[Carrier]:
        raise error_of(Fault.UNREACHABLE, NORTH)

    with clock.frozen(datetime(2026, 11, 21, 12, 0, tzinfo=UTC)):
        step = probe(opener, expires_on=lambda: last_on)[-1]
    assert (step.name, step.is_ok, step.code) == ("expiry", is_ok, code)


def test_M70_an_end_that_cannot_be_read_is_told_and_not_asked_of_a_connection_that_is_not_there(
    tmp_path: Path,
) -> None:
    def opener(fault: Fault) -> contextlib.AbstractContextManager[Carrier]:
        raise error_of(fault, NORTH)

    def expires_on() -> date | None:
        raise error_of(Fault.CONNECTION_INVALID, NORTH)

    assert probe(lambda: opener(Fault.BUSY), expires_on=expires_on)[-1].code == "target-connection-invalid"
    assert [step.name for step in probe(lambda: opener(Fault.CONNECTION_MISSING), expires_on=expires_on)] == [
        "connection"
    ]
    with pytest.raises(DeliveryError):
        expires_on()


@pytest.mark.parametrize("fault", Fault)
def test_M70_a_probe_asks_nobody_to_send_a_delivery_that_may_not_be_there(fault: Fault) -> None:
    def opener() -> contextlib.AbstractContextManager[Carrier]:
        raise error_of(fault, NORTH)

    step = probe(opener)[-1]
    assert (step.is_ok, step.code) == (False, fault.value)
    assert "send the delivery again" not in step.sentence
    assert "It is tried again" not in step.sentence
    assert step.sentence.endswith(".")
