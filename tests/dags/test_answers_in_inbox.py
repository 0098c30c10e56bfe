"""A partner's answers in the inbox ring no bell, and hold up no run (X11)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from airflow.sdk.exceptions import TaskDeferred

from dags.test_sensor import a_context
from dags.test_trigger import a_trigger, a_triggerer, polls, until
from partner_exchange.orchestration.builders import build_inbound_dag
from partner_exchange.orchestration.inbox import open_home
from partner_exchange.orchestration.looks import Bell, Fact, Look
from partner_exchange.orchestration.sensor import InboxSensor
from partner_exchange.orchestration.trigger import SettledTrigger
from partner_exchange.storage.answer_names import inbox_answers
from partner_exchange.tenants.model import Tenant
from support.builders import a_tenant
from support.servers import SftpServer

ANSWER = "verified-20261120T120000Z.csv.ack"


def answered(**over: Any) -> Tenant:
    export = {"report": "verified_students", "target": {"answers": {}}}
    return a_tenant(code="alpha", exports={"verified": export}, **over)


def watcher(tenant: Tenant) -> dict[str, Any]:
    """Return the arguments of the trigger on the tenant's asset."""
    schedule: Any = build_inbound_dag(tenant).schedule
    (asset,) = schedule.asset_condition.objects
    arguments: dict[str, Any] = asset.watchers[0].trigger.serialize()[1]
    return arguments


def test_X11_a_look_leaves_answers_out_and_keeps_the_rest() -> None:
    facts = {Fact("roster.csv", 1, 1), Fact(ANSWER, 1, 1)}
    look = Look(frozenset(facts), is_suspended=True)
    assert look.without_answers(inbox_answers(answered())) == Look(
        frozenset({Fact("roster.csv", 1, 1)}), is_suspended=True
    )
    assert look.without_answers(()) is look


def test_X11_an_answer_alone_never_rings() -> None:
    look = Look(frozenset({Fact(ANSWER, 1, 1)})).without_answers(inbox_answers(answered()))
    bell = Bell(30)
    assert not any(bell.rings(look, at) for at in range(100))


def test_X11_the_doorbell_of_a_tenant_knows_its_answers_and_others_stay_as_they_are() -> None:
    assert watcher(answered())["answers"] == list(inbox_answers(answered()))
    assert "answers" not in watcher(a_tenant())


def test_AN1_patterns_survive_serialisation() -> None:
    patterns = inbox_answers(answered())
    settled = SettledTrigger(
        connection_id="exchange_inbox", folder="/a", poll_interval_s=1, settle_s=2, answers=patterns
    )
    for trigger in (a_trigger("alpha", answers=patterns), settled):
        again = type(trigger)(**json.loads(json.dumps(trigger.serialize()[1])))
        assert again.serialize() == trigger.serialize()
        assert again.answers == patterns


async def test_X11_only_the_partners_drops_ring(server: SftpServer) -> None:
    async with a_triggerer() as triggerer:
        rings = triggerer.add(a_trigger("alpha", ring_again_s=0.1, answers=inbox_answers(answered())))
        others = triggerer.add(a_trigger("alpha", ring_again_s=0.1))
        server.drop("alpha", ANSWER)
        await until(lambda: len(others) >= 2)
        assert rings == []
        server.drop("alpha", "roster.csv")
        await until(lambda: bool(rings))
        await polls(server, 2)
    assert rings[0]["file_count"] == 1


async def test_X11_a_waiting_run_goes_on_when_only_answers_are_left(server: SftpServer) -> None:
    server.drop("alpha", ANSWER)
    trigger = SettledTrigger(
        connection_id="exchange_inbox",
        folder="/alpha/inbound",
        poll_interval_s=0.05,
        settle_s=3600,
        answers=inbox_answers(answered()),
    )
    async with a_triggerer() as triggerer:
        events = triggerer.add(trigger)
        await until(lambda: bool(events))
    assert events == [{"settled": []}]


def test_X11_the_sensor_waits_for_no_answer_and_hides_none(server: SftpServer) -> None:
    tenant = answered(inbox={"settle_s": 3600})
    sensor = InboxSensor(task_id="wait_for_files", tenant=tenant, poll_interval_s=0.5)
    server.drop("alpha", ANSWER)
    assert sensor.execute(a_context()) == []
    with open_home(tenant, settled=[]) as home:
        # The count of the partner's files (T38) sees it.
        assert [entry.name for entry in home.entries("inbound")] == [ANSWER]
    server.drop("alpha", "roster.csv")
    with pytest.raises(TaskDeferred) as deferred:
        sensor.execute(a_context())
    trigger = deferred.value.trigger
    assert isinstance(trigger, SettledTrigger)
    assert trigger.answers == inbox_answers(tenant)
