"""The doorbell against a real SFTP server, through Airflow's own shared-stream manager."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from airflow.triggers.shared_stream import SharedStreamManager

from partner_exchange.orchestration import stream
from partner_exchange.orchestration.trigger import InboxTrigger, SettledTrigger
from partner_exchange.storage.sftp_login import NotOpened
from support.servers import SftpServer

POLL_S = 0.05


def a_trigger(tenant: str, **over: Any) -> InboxTrigger:
    values = {
        "tenant": tenant,
        "connection_id": "exchange_inbox",
        "folder": f"/{tenant}/inbound",
        "poll_interval_s": POLL_S,
        "ring_again_s": 3600.0,
    }
    return InboxTrigger(**{**values, **over})


class Triggerer:
    """What Airflow's triggerer does with event triggers: one manager, one task per trigger, events kept."""

    def __init__(self) -> None:
        self.manager = SharedStreamManager()
        self.events: dict[int, list[Any]] = {}
        self.tasks: dict[int, asyncio.Task[None]] = {}

    def add(self, trigger: InboxTrigger | SettledTrigger) -> list[Any]:
        trigger_id = len(self.tasks)
        self.events[trigger_id] = []
        self.tasks[trigger_id] = asyncio.create_task(self._run(trigger_id, trigger))
        return self.events[trigger_id]

    async def _run(self, trigger_id: int, trigger: InboxTrigger | SettledTrigger) -> None:
        key = trigger.shared_stream_key()
        try:
            looks = self.manager.subscribe(trigger_id=trigger_id, trigger=trigger, key=key)
            async for event in trigger.filter_shared_stream(looks):
                self.events[trigger_id].append(event.payload)
        finally:
            await self.manager.unsubscribe(trigger_id, key)

    async def stop(self) -> None:
        for task in self.tasks.values():
            task.cancel()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)


@asynccontextmanager
async def a_triggerer() -> AsyncIterator[Triggerer]:
    triggerer = Triggerer()
    try:
        yield triggerer
    finally:
        await triggerer.stop()


async def until(condition: Callable[[], bool]) -> None:
    """Poll until it holds; the deadline is only there so that a broken trigger ends the test."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.02)


async def polls(server: SftpServer, count: int) -> None:
    """Wait until the server was polled ``count`` times more."""
    goal = server.requests["stat"] + count
    await until(lambda: server.requests["stat"] >= goal)


def test_AN1_serialises_to_plain_arguments_that_build_it_again() -> None:
    for trigger in (a_trigger("alpha"), SettledTrigger(**_settled("alpha", settle_s=2.0))):
        path, kwargs = trigger.serialize()
        module, _, name = path.rpartition(".")
        assert (module, name) == (type(trigger).__module__, type(trigger).__name__)
        again = type(trigger)(**json.loads(json.dumps(kwargs)))
        assert again.serialize() == trigger.serialize()


def _settled(tenant: str, settle_s: float) -> dict[str, Any]:
    return {
        "connection_id": "exchange_inbox",
        "folder": f"/{tenant}/inbound",
        "poll_interval_s": POLL_S,
        "settle_s": settle_s,
    }


async def test_X18_twenty_files_at_once_ring_once_and_the_ring_names_none(server: SftpServer) -> None:
    staging = server.root / "staging"
    staging.mkdir()
    for number in range(20):
        (staging / f"patient-smith-{number}.csv").write_text("x")
    async with a_triggerer() as triggerer:
        rings = triggerer.add(a_trigger("alpha"))
        await until(lambda: server.requests["stat"] > 0)
        (server.root / "alpha").mkdir()
        staging.rename(server.root / "alpha" / "inbound")
        await until(lambda: bool(rings))
        await polls(server, 10)
    assert [(ring["tenant"], ring["file_count"]) for ring in rings] == [("alpha", 20)]
    assert set(rings[0]) == {"tenant", "file_count", "digest"}
    assert "smith" not in json.dumps(rings)


async def test_X18_all_tenants_of_a_server_share_one_connection_and_hear_their_own_files(
    server: SftpServer,
) -> None:
    async with a_triggerer() as triggerer:
        rings = {code: triggerer.add(a_trigger(code)) for code in ("alpha", "beta", "gamma")}
        for code in rings:
            server.inbox(code)
        await polls(server, 6)
        server.drop("beta", "roster.csv")
        await until(lambda: bool(rings["beta"]))
        await polls(server, 6)
    assert {code: len(heard) for code, heard in rings.items()} == {"alpha": 0, "beta": 1, "gamma": 0}
    assert server.requests["connect"] == 1


async def test_X18_rings_for_files_that_lay_there_before_as_after_unpausing(server: SftpServer) -> None:
    server.drop("alpha", "roster.csv")
    async with a_triggerer() as triggerer:
        rings = triggerer.add(a_trigger("alpha"))
        await until(lambda: bool(rings))
    async with a_triggerer() as triggerer:
        rings = triggerer.add(a_trigger("alpha"))
        await until(lambda: bool(rings))
    assert rings[0]["file_count"] == 1


async def test_X18_keeps_ringing_while_the_file_is_there(server: SftpServer) -> None:
    async with a_triggerer() as triggerer:
        rings = triggerer.add(a_trigger("alpha", ring_again_s=0.2))
        path = server.drop("alpha", "roster.csv")
        await until(lambda: len(rings) >= 3)
        path.rename(path.with_name("roster.csv.20261121T074712Z.processing"))
        await polls(server, 4)
        count = len(rings)
        await polls(server, 12)
    assert len(rings) == count, "claimed files do not ring"


async def test_X18_a_server_that_was_away_fails_no_trigger_and_is_heard_again(
    server: SftpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "BACKOFF_S", (0.05,))
    async with a_triggerer() as triggerer:
        rings = triggerer.add(a_trigger("alpha"))
        await until(lambda: server.requests["stat"] > 0)
        await asyncio.to_thread(server.stop)
        server.drop("alpha", "roster.csv")
        await asyncio.sleep(0.3)
        assert rings == []
        await asyncio.to_thread(server.start)
        await until(lambda: bool(rings))
        assert not triggerer.tasks[0].done()
    assert len(rings) == 1


async def test_X18_a_wrong_host_key_is_refused_until_it_is_mended(
    server: SftpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncssh

    monkeypatch.setattr(stream, "BACKOFF_S", (0.05,))
    good = os.environ["AIRFLOW_CONN_EXCHANGE_INBOX"]
    wrong = json.loads(good)
    wrong["extra"]["host_key"] = (
        asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    )
    monkeypatch.setenv("AIRFLOW_CONN_EXCHANGE_INBOX", json.dumps(wrong))
    server.drop("alpha", "roster.csv")
    async with a_triggerer() as triggerer:
        rings = triggerer.add(a_trigger("alpha"))
        await until(lambda: server.requests["connect"] >= 3)
        assert server.requests["stat"] == 0
        assert rings == []
        monkeypatch.setenv("AIRFLOW_CONN_EXCHANGE_INBOX", good)
        await until(lambda: bool(rings))


@pytest.mark.parametrize("knows", ["another key", "the right key"])
async def test_M70_the_machines_known_hosts_do_not_count_for_the_bell(
    server: SftpServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, knows: str
) -> None:
    import asyncssh

    monkeypatch.setattr(stream, "BACKOFF_S", (0.05,))
    good = json.loads(os.environ["AIRFLOW_CONN_EXCHANGE_INBOX"])
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    is_right = knows == "the right key"
    known = good["extra"].pop("host_key") if is_right else other
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "known_hosts").write_text(f"[127.0.0.1]:{server.port} {known}\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AIRFLOW_CONN_EXCHANGE_INBOX", json.dumps(good))
    server.drop("alpha", "roster.csv")
    async with a_triggerer() as triggerer:
        rings = triggerer.add(a_trigger("alpha"))
        if not is_right:
            await until(lambda: bool(rings))
            return
        with pytest.raises(NotOpened, match="pins no host key"):
            await asyncio.to_thread(stream._connecting, "exchange_inbox")
    assert (rings, server.requests["connect"]) == ([], 0)


async def test_X18_a_folder_that_is_closed_or_missing_blinds_no_other(server: SftpServer) -> None:
    server.inbox("beta")
    server.closed.add("/beta/inbound")
    async with a_triggerer() as triggerer:
        triggerer.add(a_trigger("beta"))
        triggerer.add(a_trigger("missing"))
        rings = triggerer.add(a_trigger("alpha"))
        server.drop("alpha", "roster.csv")
        await until(lambda: bool(rings))


async def test_M15_a_name_that_is_no_utf8_hides_no_other(server: SftpServer) -> None:
    (server.root / "alpha").mkdir()
    server.inbox("alpha")
    with open(os.fsencode(server.inbox("alpha")) + b"/caf\xe9.csv", "wb") as file:
        file.write(b"x")
    server.drop("alpha", "roster.csv")
    async with a_triggerer() as triggerer:
        rings = triggerer.add(a_trigger("alpha"))
        await until(lambda: bool(rings))
    assert rings[0]["file_count"] == 2


async def test_AN3_quiet_empty_inboxes_are_not_listed_at_every_poll(
    server: SftpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "TIME_GRAIN_S", 0.0)
    server.inbox("alpha")
    async with a_triggerer() as triggerer:
        rings = triggerer.add(a_trigger("alpha"))
        await polls(server, 5)
        listed = server.requests["list"]
        await polls(server, 20)
        assert server.requests["list"] - listed <= 1
        server.drop("alpha", "roster.csv")
        await until(lambda: bool(rings))


async def test_AN3_a_server_whose_folder_time_never_moves_is_heard_too(
    server: SftpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "TIME_GRAIN_S", 0.0)
    monkeypatch.setattr(stream, "RELIST_S", 0.5)
    server.frozen_time = 1
    server.inbox("alpha")
    async with a_triggerer() as triggerer:
        rings = triggerer.add(a_trigger("alpha"))
        await polls(server, 5)
        server.drop("alpha", "roster.csv")
        await until(lambda: bool(rings))


async def test_X01_settled_trigger_fires_for_the_complete_file_while_another_grows(
    server: SftpServer,
) -> None:
    growing = server.inbox("alpha") / "growing.csv"
    growing.write_text("x")
    server.drop("alpha", "complete.csv")
    async with a_triggerer() as triggerer:
        events = triggerer.add(SettledTrigger(**_settled("alpha", settle_s=0.5)))
        while not events:
            with growing.open("a") as file:
                file.write("x")
            await asyncio.sleep(0.02)
    assert len(events[0]["settled"]) == 1


async def test_X01_settled_trigger_fires_at_once_when_nothing_is_there_any_more(server: SftpServer) -> None:
    server.inbox("alpha")
    async with a_triggerer() as triggerer:
        # Its sibling has heard of the empty inbox before; the newcomer must hear of it as well.
        triggerer.add(a_trigger("alpha"))
        await polls(server, 5)
        events = triggerer.add(SettledTrigger(**_settled("alpha", settle_s=3600.0)))
        await until(lambda: bool(events))
    assert events == [{"settled": []}]


async def test_AN10_run_alone_rings_as_well(server: SftpServer) -> None:
    server.drop("alpha", "roster.csv")
    async with asyncio.timeout(20):
        events = a_trigger("alpha").run()
        event = await anext(events)
        await events.aclose()  # type: ignore[attr-defined]
    assert event.payload["file_count"] == 1
