"""The way of one file as Airflow sees it (design.md section 4)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from airflow.sdk import DAG, Asset, AssetAll, AssetOrTimeSchedule, CronTriggerTimetable, TriggerRule
from airflow.serialization.serialized_objects import DagSerialization

from partner_exchange.orchestration.builders import (
    build_housekeeping_dag,
    build_inbound_dag,
    build_quotas_dag,
)
from partner_exchange.orchestration.sensor import InboxSensor
from partner_exchange.orchestration.trigger import InboxTrigger
from support.builders import a_tenant

WAY = [
    "wait_for_files",
    "claim",
    "file.validate",
    "file.load",
    "file.respond",
    "file.notify",
    "report_failures",
]


@pytest.fixture
def dag() -> DAG:
    return build_inbound_dag(a_tenant())


def the_schedule(dag: DAG) -> AssetOrTimeSchedule:
    assert isinstance(dag.schedule, AssetOrTimeSchedule)
    return dag.schedule


def the_sweep(dag: DAG) -> str:
    timetable = the_schedule(dag).timetable
    assert isinstance(timetable, CronTriggerTimetable)
    return timetable.expression


def test_M33_the_tasks_are_the_steps_in_their_order(dag: DAG) -> None:
    assert dag.task_ids == WAY
    for earlier, later in zip(WAY, WAY[1:], strict=False):
        assert later in dag.get_task(earlier).downstream_task_ids, f"{earlier} comes right before {later}"


def test_M33_each_submission_is_a_mapped_instance_that_shows_its_file_name(dag: DAG) -> None:
    group = dag.task_group.get_child_by_label("file")
    for task_id in WAY[2:6]:
        task = dag.get_task(task_id)
        assert task.get_closest_mapped_task_group() is group
        assert task.map_index_template == "{{ file_name }}"


def test_AN4_the_last_task_runs_whatever_became_of_the_files_and_decides_the_color_of_the_run(
    dag: DAG,
) -> None:
    last = dag.get_task("report_failures")
    assert last.trigger_rule is TriggerRule.ALL_DONE_MIN_ONE_SUCCESS
    assert last.upstream_task_ids == {"claim", "file.notify"}
    assert [task.task_id for task in dag.leaves] == ["report_failures"]


def test_X18_the_dag_waits_for_its_inbox_and_sweeps_once_an_hour(dag: DAG) -> None:
    schedule = the_schedule(dag)
    assert isinstance(schedule.asset_condition, AssetAll)
    (asset,) = schedule.asset_condition.objects
    assert isinstance(asset, Asset)
    assert asset.name == "inbox__state-university"
    (watcher,) = asset.watchers
    assert isinstance(watcher.trigger, InboxTrigger)
    assert watcher.trigger.folder == "/state-university/inbound"
    minute, *rest = the_sweep(dag).split()
    assert (0 <= int(minute) < 60, rest) == (True, ["*", "*", "*", "*"])


def test_X01_the_first_task_looks_at_the_inbox_itself() -> None:
    tenant = a_tenant(inbox={"connection": "their_server", "root": "/data/", "folder": "in", "settle_s": 60})
    sensor = build_inbound_dag(tenant).get_task("wait_for_files")
    assert isinstance(sensor, InboxSensor)
    assert (sensor.connection_id, sensor.folder, sensor.settle_s) == ("their_server", "/data/in", 60)
    assert sensor.timeout == timedelta(hours=6).total_seconds()


def test_AN1_tenants_sweep_at_different_minutes() -> None:
    minutes = {
        the_sweep(build_inbound_dag(a_tenant(code=f"tenant-{number}"))).split()[0] for number in range(30)
    }
    assert len(minutes) > 15


@pytest.mark.parametrize(
    "dag",
    [build_inbound_dag(a_tenant()), build_housekeeping_dag(), build_quotas_dag()],
    ids=lambda d: d.dag_id,
)
def test_AN1_the_dag_survives_serialisation(dag: DAG) -> None:
    again = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    assert again.task_ids == dag.task_ids


def test_E36_housekeeping_sends_due_mails() -> None:
    dag = build_housekeeping_dag()
    assert (dag.dag_id, dag.task_ids) == ("housekeeping", ["deliver_mails"])


def test_T38_quotas_are_looked_at_every_ten_minutes_apart_from_the_mails() -> None:
    dag = build_quotas_dag()
    assert (dag.dag_id, dag.task_ids) == ("housekeeping__quotas", ["check_quotas"])
    assert isinstance(dag.schedule, CronTriggerTimetable)
    assert dag.schedule.expression == "*/10 * * * *"


def test_P1_the_docs_of_a_run_say_what_happens_and_how_to_go_on(dag: DAG) -> None:
    assert dag.doc_md is not None
    for needed in (
        *(f"`{task_id}`" for task_id in WAY),
        "/state-university/inbound",
        "exchange account resume",
        "paused",
    ):
        assert needed in dag.doc_md, needed
