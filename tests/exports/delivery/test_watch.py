"""What housekeeping looks after, without Airflow: whoever calls says how targets are opened (X10, X11).

Over real servers and Airflow's connections: ``tests/dags/test_delivery_housekeeping.py``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta

import pytest

from partner_exchange import clock
from partner_exchange.exports.delivery.faults import Fault, Place, error_of
from partner_exchange.exports.delivery.ladder import LADDER_S, SPREAD
from partner_exchange.exports.delivery.watch import (
    STUCK_AFTER,
    collect_answers,
    old_dead_letters,
    stuck_deliveries,
    watch_targets,
)
from partner_exchange.exports.runs.run import run
from partner_exchange.exports.runs.select import select
from partner_exchange.exports.runs.write import write
from partner_exchange.ledger import mails
from partner_exchange.ledger.database import transaction
from partner_exchange.tenants import registry
from support.nhsn import a_hospital
from support.outbound import Outbound

pytestmark = pytest.mark.service

TARGET = {"kind": "server", "connection": "nhsn", "folder": "hrd", "answers": {}}


def never(_connection_id: str) -> date | None:
    return None


def write_hospitals(outbound: Outbound, feed: str) -> None:
    status = {"nhsn_target": TARGET, "resources": [a_hospital(1)]}
    text = json.dumps({"name": "Mercy", "feed": feed, "status": status})
    (outbound.folder / "tenants" / "mercy.yaml").write_text(text)


def test_X11_answers_are_read_by_whatever_opens_a_target(outbound: Outbound) -> None:
    outbound.write_tenant("    target: { answers: { folder: answers } }\n")
    (outbound.folder / "home" / "answers").mkdir()
    outbound.verify(*outbound.enroll(1))
    delivery = outbound.run()
    assert delivery is not None
    (outbound.folder / "home" / "answers" / f"{delivery.delivered_name}.ack").touch()
    counts = collect_answers(outbound.open_target)
    assert (counts.folders, counts.accepted, counts.unreachable) == (1, 1, 0)
    assert [str(one.state) for one in outbound.deliveries()] == ["confirmed"]


def test_X10_the_target_of_sets_is_tried_once_and_only_for_a_feed_that_has_sets(outbound: Outbound) -> None:
    (outbound.folder / "home" / "hrd").mkdir()
    write_hospitals(outbound, "status")
    assert watch_targets(outbound.open_target, never).targets == 1
    assert outbound.opened == 1
    write_hospitals(outbound, "roster")
    assert watch_targets(outbound.open_target, never).targets == 0


def test_X10_the_end_of_a_login_is_asked_of_the_caller(
    outbound: Outbound, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXCHANGE_OPERATIONS_MAIL", "operations@exchange.example")
    outbound.write_tenant("    target: { kind: server, connection: theirs, folder: outbound }\n")
    asked: list[str] = []

    def soon(connection_id: str) -> date | None:
        asked.append(connection_id)
        return clock.today() + timedelta(days=3)

    watch = watch_targets(outbound.open_target, soon)
    assert (watch.failed, watch.mails, set(asked)) == ([], 2, {"theirs"})


@pytest.mark.parametrize(
    ("fault", "ours", "told"),
    [
        (Fault.CONNECTION_MISSING, "operations@exchange.example", {"operations@exchange.example"}),
        (Fault.CONNECTION_MISSING, "", {"it@uni.example"}),
        (
            Fault.LOGIN_REFUSED,
            "operations@exchange.example",
            {"operations@exchange.example", "it@uni.example"},
        ),
    ],
)
def test_X10_a_target_that_does_not_hold_for_a_reason_of_ours_is_told_to_us_alone(
    outbound: Outbound, monkeypatch: pytest.MonkeyPatch, fault: Fault, ours: str, told: set[str]
) -> None:
    monkeypatch.setenv("EXCHANGE_OPERATIONS_MAIL", ours)
    outbound.write_tenant("    target: { kind: server, connection: theirs, folder: outbound }\n")

    @contextmanager
    def broken() -> Iterator[None]:
        raise error_of(fault, Place("theirs", "outbound", is_ours=False))
        yield

    outbound.fault = broken
    assert watch_targets(outbound.open_target, never).mails == len(told)
    with transaction() as connection:
        found = mails.due(connection, clock.now(), limit=10)
    assert {mail.recipient for mail in found} == told


def test_X11_a_folder_that_takes_nothing_keeps_nobody_else_from_being_heard(outbound: Outbound) -> None:
    """Homes of all partners are behind one connection."""
    (outbound.folder / "tenants" / "a-college.yaml").write_text(
        "name: A College\nfeed: roster\nexports:\n  all:\n    report: verified_students\n"
        "    when_empty: file\n"
        "    target: { answers: { folder: theirs } }\n"
    )
    (outbound.folder / "home" / "theirs").mkdir()
    with clock.frozen(clock.now() - timedelta(hours=1)):
        theirs = run(registry.load_one("a-college"), "all", outbound.open_target)
    assert theirs is not None
    (outbound.folder / "home" / "theirs" / f"{theirs.delivered_name}.ack").touch()
    (outbound.folder / "home" / "theirs" / "originals").touch()
    outbound.write_tenant("    target: { answers: { folder: answers } }\n")
    (outbound.folder / "home" / "answers").mkdir()
    outbound.verify(*outbound.enroll(1))
    ours = outbound.run()
    assert ours is not None
    (outbound.folder / "home" / "answers" / f"{ours.delivered_name}.ack").touch()
    counts = collect_answers(outbound.open_target)
    assert (counts.folders, counts.accepted, counts.unreachable) == (1, 1, 1)
    assert [str(one.state) for one in outbound.deliveries()] == ["confirmed"]


@pytest.mark.parametrize("is_written", [True, False])
def test_X10_what_stands_for_longer_than_the_ladder_is_seen_in_whatever_state(
    outbound: Outbound, is_written: bool
) -> None:
    assert timedelta(seconds=sum(LADDER_S) * (1 + SPREAD)) < STUCK_AFTER
    outbound.verify(*outbound.enroll(1))
    delivery = select(outbound.tenant, "verified")
    assert delivery is not None
    if is_written:
        write(delivery.delivery_id)
    with clock.frozen(delivery.opened_at + STUCK_AFTER):
        assert stuck_deliveries() == []
    with clock.frozen(delivery.opened_at + STUCK_AFTER + timedelta(seconds=1)):
        assert [one.delivery_id for one in stuck_deliveries()] == [delivery.delivery_id]
        assert old_dead_letters() == []
        outbound.run()
        assert stuck_deliveries() == []
