"""Which files the first task lets go on, against a real SFTP server."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import TaskDeferred

from partner_exchange import clock
from partner_exchange.errors import InboxUnavailable
from partner_exchange.orchestration.inbox import open_home
from partner_exchange.orchestration.looks import look_at
from partner_exchange.orchestration.sensor import InboxSensor
from partner_exchange.orchestration.trigger import SettledTrigger
from support.builders import a_tenant
from support.servers import SftpServer

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@dataclass
class Ring:
    """An asset event as the task context shows it."""

    timestamp: datetime
    extra: dict[str, Any] = field(default_factory=dict)


def a_context(*rings: Ring) -> Any:
    return {"triggering_asset_events": {"inbox": rings}}


def a_sensor(settle_s: float) -> InboxSensor:
    tenant = a_tenant(code="alpha", inbox={"settle_s": settle_s})
    return InboxSensor(task_id="wait_for_files", tenant=tenant, poll_interval_s=0.5)


def names(settled: list[str] | None) -> list[str]:
    """Return the names that the claim will see."""
    with open_home(a_tenant(code="alpha"), settled=settled) as home:
        return sorted(fact.name for fact in look_at(home.entries("inbound")).facts)


def the_ring(seconds_ago: float) -> Ring:
    """A ring that told of what lies in the inbox now."""
    with open_home(a_tenant(code="alpha")) as home:
        digest = look_at(home.entries("inbound")).digest
    extra = {"from_trigger": True, "payload": {"tenant": "alpha", "file_count": 1, "digest": digest}}
    return Ring(clock.now() - timedelta(seconds=seconds_ago), extra)


@pytest.mark.parametrize("settle_s", [0, 2])
def test_X01_an_empty_or_missing_inbox_is_done_at_once(server: SftpServer, settle_s: float) -> None:
    assert not a_sensor(settle_s).execute(a_context())
    server.inbox("alpha")
    assert not a_sensor(settle_s).execute(a_context())


def test_X01_behind_a_gateway_that_publishes_atomically_one_look_is_enough(server: SftpServer) -> None:
    server.drop("alpha", "roster.csv")
    settled = a_sensor(0).execute(a_context())
    assert settled is None
    assert names(settled) == ["roster.csv"]


def test_X01_the_look_that_rang_counts_as_the_first_one(server: SftpServer) -> None:
    server.drop("alpha", "roster.csv")
    with clock.frozen(NOON):
        # An hour: had it waited for a second look of its own, it would have deferred.
        settled = a_sensor(3600).execute(a_context(the_ring(seconds_ago=3600)))
    assert names(settled) == ["roster.csv"]


def test_X01_a_ring_that_told_of_another_look_proves_nothing(server: SftpServer) -> None:
    path = server.drop("alpha", "roster.csv")
    with clock.frozen(NOON):
        ring = the_ring(seconds_ago=3600)
        path.write_text("it grew meanwhile")
        with pytest.raises(TaskDeferred):
            a_sensor(3600).execute(a_context(ring))


def test_X01_waits_for_the_second_look_in_the_task_when_that_is_short(server: SftpServer) -> None:
    server.drop("alpha", "roster.csv")
    assert names(a_sensor(0.3).execute(a_context())) == ["roster.csv"]


def test_X01_defers_while_the_only_file_grows(server: SftpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    path = server.drop("alpha", "roster.csv")
    monkeypatch.setattr(time, "sleep", lambda seconds: path.write_text(path.read_text() + "more"))
    with pytest.raises(TaskDeferred) as deferred:
        a_sensor(2).execute(a_context())
    trigger = deferred.value.trigger
    assert isinstance(trigger, SettledTrigger)
    assert (trigger.folder, trigger.settle_s) == ("/alpha/inbound", 2)
    assert a_sensor(2).resume_settled(a_context(), {"settled": ["0123456789abcdef"]}) == ["0123456789abcdef"]


def test_X01_lets_the_complete_file_go_on_and_hides_the_growing_one_from_the_claim(
    server: SftpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    growing = server.inbox("alpha") / "growing.csv"
    growing.write_text("half")
    server.drop("alpha", "complete.csv")
    monkeypatch.setattr(time, "sleep", lambda seconds: growing.write_text("half and more"))
    settled = a_sensor(2).execute(a_context())
    assert names(settled) == ["complete.csv"]


def test_X01_an_upload_that_began_after_the_look_is_hidden_from_the_claim(server: SftpServer) -> None:
    server.drop("alpha", "roster.csv")
    settled = a_sensor(0.1).execute(a_context())
    (server.inbox("alpha") / "late.csv").write_text("half")
    processing = Path(server.inbox("alpha") / "old.csv.20261121T074712Z.processing")
    processing.write_text("ours")
    assert names(settled) == ["roster.csv"]
    with open_home(a_tenant(code="alpha"), settled=settled) as home:
        assert processing.name in {entry.name for entry in home.entries("inbound")}, (
            "a claim takes up its own"
        )


def test_M39_a_suspended_inbox_is_done_at_once(server: SftpServer) -> None:
    server.drop("alpha", "roster.csv")
    server.drop("alpha", "INTAKE-SUSPENDED.txt")
    assert a_sensor(3600).execute(a_context()) == []


def test_AN3_a_dead_server_is_an_error_to_try_again_never_no_file(server: SftpServer) -> None:
    server.stop()
    with pytest.raises(InboxUnavailable):
        a_sensor(2).execute(a_context())
