"""The outbound DAGs of NHSN sets: which there are, when they run, when a run turns red (E38)."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG, CronTriggerTimetable, TriggerRule
from airflow.serialization.serialized_objects import DagSerialization
from airflow.timetables.base import TimeRestriction
from airflow.timetables.trigger import CronTriggerTimetable as SchedulerTimetable
from sqlalchemy import text

from dags.conftest import PROJECT, airflow
from partner_exchange import clock
from partner_exchange.exports.nhsn.schedule import CRON, ZONE_NAME, due_times, latest_due
from partner_exchange.exports.nhsn.sets import build
from partner_exchange.exports.runs.interventions import resend
from partner_exchange.ledger import deliveries, nhsn
from partner_exchange.ledger.database import transaction
from partner_exchange.orchestration.outbound import build_nhsn_dag, outbound_dags
from partner_exchange.orchestration.targets import open_target
from partner_exchange.tenants import registry
from partner_exchange.tenants.resources import Frequency
from support.builders import a_tenant
from support.nhsn import a_hospital, a_hospital_group, report, sound_values
from support.servers import SftpServer
from support.spoken import ladder_in_words

FREQUENCIES: tuple[Frequency, ...] = ("daily", "weekly")
HEAVY = ("great_expectations", "pandas", "openpyxl", "pyarrow", "asyncssh", "paramiko", "psycopg", "alembic")


@pytest.fixture(params=FREQUENCIES)
def dag(request: pytest.FixtureRequest) -> DAG:
    return build_nhsn_dag(a_hospital_group(), request.param)


def add_group(add_tenant: Callable[..., None], code: str, *hospitals: dict[str, object], **over: Any) -> None:
    tenant = a_hospital_group(*hospitals, code=code, **over)
    # JSON is YAML.
    add_tenant(code, json.dumps(tenant.model_dump(mode="json", exclude_defaults=True)))


def test_E38_a_tenant_has_a_dag_for_each_frequency_of_its_hospitals(add_tenant: Callable[..., None]) -> None:
    add_tenant("college")
    add_group(add_tenant, "both")
    add_group(add_tenant, "daily-only", a_hospital(1), a_hospital(2))
    add_group(add_tenant, "weekly-only", a_hospital(1, frequency="weekly"))
    add_group(add_tenant, "never", a_hospital(1, frequency=None))
    assert sorted(dag.dag_id for dag in outbound_dags()) == [
        "outbound__both__nhsn_daily",
        "outbound__both__nhsn_weekly",
        "outbound__daily-only__nhsn_daily",
        "outbound__weekly-only__nhsn_weekly",
    ]


def test_E38_a_tenant_of_another_feed_has_none(add_tenant: Callable[..., None]) -> None:
    add_tenant("college", a_tenant().model_dump_json(exclude={"code", "status"}))
    assert list(outbound_dags()) == []


@pytest.mark.parametrize("frequency", FREQUENCIES)
def test_E38_the_clock_of_airflow_and_ours_name_the_same_due_times(frequency: Frequency) -> None:
    schedule = build_nhsn_dag(a_hospital_group(), frequency).schedule
    assert isinstance(schedule, CronTriggerTimetable)
    assert (schedule.expression, str(schedule.timezone)) == (CRON[frequency], ZONE_NAME)
    # A year with both changes of the clock, as the scheduler itself counts it.
    timetable = SchedulerTimetable(CRON[frequency], timezone=ZONE_NAME)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    end = start + timedelta(days=366)
    ours = [due.at for due in due_times(frequency, after=start, until=end)]
    theirs = []
    at = start
    restriction = TimeRestriction(earliest=start, latest=end, catchup=True)
    last = None
    while at <= end:
        info = timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)
        if info is None:
            break
        theirs.append(info.run_after)
        last, at = info.data_interval, info.run_after
    assert ours == theirs[: len(ours)]
    assert len(ours) == (366 if frequency == "daily" else 52)


def test_E38_the_set_is_built_sent_and_then_reported(dag: DAG) -> None:
    assert dag.task_ids == ["build_set", "deliver_sets", "confirm", "report"]
    for task, before in itertools.pairwise(reversed(dag.task_ids)):
        assert dag.get_task(task).upstream_task_ids == {before}
    assert [task.task_id for task in dag.leaves] == ["report"]
    assert dag.get_task("report").trigger_rule is TriggerRule.ALL_DONE
    assert (dag.max_active_runs, dag.catchup) == (1, False)


def test_E38_the_tags_name_feed_tenant_mode_and_export() -> None:
    dag = build_nhsn_dag(a_hospital_group(mode="test"), "weekly")
    assert dag.tags == {"feed:status", "tenant:mercy", "mode:test", "export:nhsn_weekly"}


def test_P1_the_docs_of_a_run_say_what_happens_and_how_to_go_on(dag: DAG) -> None:
    assert dag.doc_md is not None
    for needed in (
        "`build_set`",
        "`deliver_sets`",
        "`confirm`",
        "`report`",
        "exchange export resend",
        "16:30",
        "exchange nhsn list --tenant mercy",
        "Red run?",
        "docs/nhsn.md",
        ladder_in_words(),
    ):
        assert needed in " ".join(dag.doc_md.split()), needed


def test_AN1_the_dag_survives_serialisation(dag: DAG) -> None:
    again = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    assert again.task_ids == dag.task_ids


@pytest.mark.service
@pytest.mark.slow
def test_E38_a_run_records_each_hospital_and_only_our_failure_turns_it_red(
    add_tenant: Callable[..., None],
    airflow_database: None,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    storage = tmp_path / "storage"
    monkeypatch.setenv("EXCHANGE_STORAGE_URL", f"file://{storage}")
    add_group(add_tenant, "mercy", a_hospital(1), a_hospital(2))
    due = latest_due("daily", at=clock.now() - timedelta(days=1))
    with transaction() as connection:
        values = {**sound_values(), "numConfFluNewAdmUnk": 47114711}
        report(connection, registry.load_one("mercy"), values, recorded_at=due.at - timedelta(hours=1))
    with clock.frozen(due.at):
        build(registry.load_one("mercy"), due)
    printed = airflow("dags", "test", "outbound__mercy__nhsn_daily")
    assert "state=success" in printed.stdout + printed.stderr
    with transaction() as connection:
        states = {event.resource_id: str(event.state) for event in nhsn.newest(connection, "mercy")}
        assert (
            nhsn.last_due(connection, "mercy", "daily")
            == due_times("daily", after=due.at, until=clock.now())[-1].at
        )
    # One had nothing new and the other nothing at all: neither is a failure.
    assert states == {"10001": "Not Submitted", "10002": "Not Submitted"}
    # The log of the run says of each why, without a value.
    assert "10001: Not Submitted. No HRD value changed in the 24 hours" in printed.stdout + printed.stderr
    assert "10002: Not Submitted. No HRD value was reported" in printed.stdout + printed.stderr
    assert "47114711" not in printed.stdout + printed.stderr
    with transaction() as connection:
        # A ledger that takes no more is a failure of ours that trying again does not mend.
        connection.execute(text("delete from ledger.nhsn_event where due_at > :due_at"), {"due_at": due.at})
        refuse = f"alter table ledger.nhsn_event add check (due_at <= '{due.at:%Y-%m-%dT%H:%M:%SZ}')"
        connection.execute(text(refuse))
    printed = airflow("dags", "test", "outbound__mercy__nhsn_daily")
    assert "state=failed" in printed.stdout + printed.stderr
    assert "sets are not built" in printed.stdout + printed.stderr


NHSN_TARGET = {"kind": "server", "connection": "exchange_inbox", "folder": "/hrd", "answers": {}}


def test_E38_the_docs_say_whether_sets_go_out() -> None:
    going = a_hospital_group(status={"nhsn_target": NHSN_TARGET})
    testing = a_hospital_group(status={"nhsn_target": NHSN_TARGET}, mode="test")
    docs = [build_nhsn_dag(one, "daily").doc_md or "" for one in (going, testing, a_hospital_group())]
    assert ["`/hrd` on the partner's server, connection `exchange_inbox`" in doc for doc in docs] == [
        True,
        False,
        False,
    ]
    assert ["It is not sent" in doc for doc in docs] == [False, True, True]


@pytest.mark.service
@pytest.mark.slow
def test_E39_a_run_sends_the_set_and_the_next_one_reads_what_nhsn_says(
    add_tenant: Callable[..., None],
    airflow_database: None,
    database_url: str,
    server: SftpServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EXCHANGE_STORAGE_URL", f"file://{tmp_path / 'storage'}")
    add_group(add_tenant, "mercy", a_hospital(1), status={"nhsn_target": NHSN_TARGET})
    due = latest_due("daily", at=clock.now())
    with transaction() as connection:
        tenant = registry.load_one("mercy")
        report(connection, tenant, sound_values(), recorded_at=due.at - timedelta(hours=1))
    printed = airflow("dags", "test", "outbound__mercy__nhsn_daily")
    said = printed.stdout + printed.stderr
    assert "state=failed" in said
    assert "1 sets are built and not delivered" in said, "the folder is missing"
    with transaction() as connection:
        (dead,) = deliveries.latest(connection, "mercy")
    assert dead.fault_code == "target-path-missing"

    folder = server.root / "hrd"
    folder.mkdir()
    resend(dead.delivery_id, open_target, actor="test")
    name = f"mercy-nhsn-daily-{due.reports_on:%Y%m%d}.csv"
    assert [path.name for path in folder.iterdir()] == [name]
    (folder / f"{name}.nack").write_text("Org ID,Status,Message\n30101,Error,4711 beds are too many\n")
    printed = airflow("dags", "test", "outbound__mercy__nhsn_daily")
    said = printed.stdout + printed.stderr
    assert "state=success" in said
    assert "10001: Error. nhsn-error" in said
    assert "are too many" not in said
    with transaction() as connection:
        (event,) = nhsn.newest(connection, "mercy")
    assert (event.state, event.comment) == (nhsn.NhsnState.ERROR, "4711 beds are too many")


def _parse(**variables: str) -> list[object]:
    code = (
        "import json, runpy, sys\n"
        f"names = runpy.run_path({str(PROJECT / 'dags' / 'outbound.py')!r})\n"
        f"heavy = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "print(json.dumps([sorted(name for name in names if name.startswith('outbound__')), heavy]))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    found: list[object] = json.loads(run.stdout.splitlines()[-1])
    return found


@pytest.mark.slow
def test_AN5_parsing_builds_all_and_imports_nothing_heavy(add_tenant: Callable[..., None]) -> None:
    add_group(add_tenant, "mercy")
    assert _parse() == [["outbound__mercy__nhsn_daily", "outbound__mercy__nhsn_weekly"], []]


@pytest.mark.slow
def test_AN1_inside_a_task_only_the_wanted_dag_is_built_and_only_its_tenant_read(
    add_tenant: Callable[..., None],
) -> None:
    add_group(add_tenant, "mercy")
    # Not even readable as YAML: had it been opened, it would show.
    add_tenant("broken", "name: [")
    context = {
        "_AIRFLOW_PARSING_CONTEXT_DAG_ID": "outbound__mercy__nhsn_weekly",
        "_AIRFLOW_PARSING_CONTEXT_TASK_ID": "build_set",
    }
    assert _parse(**context) == [["outbound__mercy__nhsn_weekly"], []]
    context["_AIRFLOW_PARSING_CONTEXT_DAG_ID"] = "inbound__mercy"
    assert _parse(**context) == [[], []]
