"""Answers on a real OpenSSH server: the partner's own, and a home that lies on one (X11, X01)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from partner_exchange.errors import PathMissing
from partner_exchange.exports import answers
from partner_exchange.exports.answers import AnswerCounts
from partner_exchange.exports.delivery.carrier import Carrier
from partner_exchange.exports.delivery.faults import Place
from partner_exchange.exports.delivery.session import open_session
from partner_exchange.exports.runs.run import run
from partner_exchange.ledger import deliveries as ledger
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.deliveries import Delivery, DeliveryState
from partner_exchange.storage.folders import SftpHome
from partner_exchange.tenants.exports import Target
from partner_exchange.tenants.model import Tenant
from support.outbound import Outbound
from support.sshd import Sshd, sshd

pytestmark = pytest.mark.service


class Partner:
    """The tenant of ``answered``, whose files are on an OpenSSH server."""

    def __init__(self, exchange: Outbound, server: Sshd) -> None:
        self.exchange = exchange
        self.folder = exchange.folder / "home"
        self._login = server.login()

    @contextmanager
    def open_target(self, _tenant: Tenant, target: Target) -> Iterator[Carrier]:
        folder, is_ours = target.folder or "outbound", target.kind == "home"
        with open_session(self._login, Place("north", folder, is_ours=is_ours)) as client:
            home = SftpHome(client, f"{self.folder}/{folder}")
            yield Carrier(home, folder, is_ours=is_ours, connection_id="north")

    def has_server(self, folder: str, *, answers: str = "") -> None:
        """From now on files go to that folder of the partner's own server."""
        said = f"{{folder: {answers}}}" if answers else "{}"
        target = f"{{kind: server, connection: north, folder: {folder}, answers: {said}}}"
        self.exchange.write_tenant(f"    target: {target}\n")

    def send(self) -> Delivery:
        delivery = run(self.exchange.tenant, "verified", self.open_target)
        assert delivery is not None
        return delivery

    def collect(self) -> AnswerCounts:
        return answers.collect(self.exchange.tenant, "verified", self.open_target, pause=lambda _: None)


@pytest.fixture
def partner(answered: Outbound, tmp_path: Path) -> Iterator[Partner]:
    with sshd(tmp_path / "sshd") as server:
        yield Partner(answered, server)


def state(delivery: Delivery) -> DeliveryState:
    with transaction() as connection:
        return ledger.get(connection, delivery.delivery_id).state


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_X11_a_partners_own_server_is_read_and_left_as_it_is(partner: Partner) -> None:
    partner.has_server("their data", answers="their answers")
    theirs, said = partner.folder / "their data", partner.folder / "their answers"
    theirs.mkdir()
    said.mkdir()
    delivery = partner.send()
    (said / "older.csv.ack").write_bytes(b"")
    (said / f"{delivery.delivered_name}.nack").write_bytes("Rejected: größer als erlaubt".encode("latin-1"))
    (said / os.fsdecode(b"\xff.ack")).write_bytes(b"")
    before = {path.name: path.stat().st_mtime_ns for path in said.iterdir()}
    assert partner.collect() == AnswerCounts(refused=1, unmatched=1)
    assert state(delivery) is DeliveryState.REFUSED
    assert partner.collect() == AnswerCounts()
    assert {path.name: path.stat().st_mtime_ns for path in said.iterdir()} == before
    assert names(theirs) == [delivery.delivered_name]


def test_X11_a_home_on_another_server_is_tidied(partner: Partner) -> None:
    delivery = partner.send()
    inbox = partner.folder / "inbound"
    for name in (f"{delivery.delivered_name}.ack", "unknown.ack", "large.ack"):
        (inbox / name).write_bytes(b"x" * (1024 * 1024 + 1) if name == "large.ack" else b"")
    assert partner.collect() == AnswerCounts(accepted=1, unmatched=1, unreadable=1)
    assert state(delivery) is DeliveryState.CONFIRMED
    assert names(inbox) == ["originals"]
    assert len(names(inbox / "originals")) == 3


def test_X01_an_upload_over_sftp_that_goes_on_is_not_read(partner: Partner) -> None:
    partner.has_server("theirs")
    (partner.folder / "theirs").mkdir()
    delivery = partner.send()
    path = partner.folder / "theirs" / f"{delivery.delivered_name}.ack"
    path.write_bytes(b"")

    def upload(_: float) -> None:
        # The first look saw an empty file, which alone would be a confirmation.
        path.write_bytes(b"rejected")

    found = answers.collect(partner.exchange.tenant, "verified", partner.open_target, pause=upload)
    assert (found, state(delivery)) == (AnswerCounts(), DeliveryState.DELIVERED)
    assert partner.collect() == AnswerCounts(refused=1)


def test_X11_a_folder_of_answers_that_is_missing_is_said(partner: Partner) -> None:
    partner.has_server("theirs", answers="nowhere")
    (partner.folder / "theirs").mkdir()
    partner.send()
    with pytest.raises(PathMissing) as caught:
        partner.collect()
    assert "nowhere" in caught.value.message


def test_X11_old_answers_on_a_server_are_read_once_and_in_portions(partner: Partner) -> None:
    partner.has_server("theirs")
    theirs = partner.folder / "theirs"
    theirs.mkdir()
    for number in range(600):
        (theirs / f"old-{number}.csv.ack").write_bytes(b"")
    assert [partner.collect().unmatched for _ in range(3)] == [500, 100, 0]
