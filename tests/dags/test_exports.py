"""The DAG of an export: what it looks like, when it runs, what is tried again (M44, M74, X10)."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG, Asset, CronTriggerTimetable, RetryAction, TriggerRule
from airflow.sdk.api.datamodels._generated import DagRun, DagRunState, DagRunType
from airflow.serialization.serialized_objects import DagSerialization

from dags.conftest import PROJECT
from partner_exchange.errors import DeliveryWaits, LoginRefused, RemoteBusy, StoreUnavailable, Unreachable
from partner_exchange.exports.delivery.ladder import LADDER_S, SPREAD
from partner_exchange.orchestration.builders import build_inbound_dag
from partner_exchange.orchestration.exports import build_export_dag
from partner_exchange.orchestration.exports_tasks import ON_TIME, due_at, in_lines, is_made_up
from partner_exchange.orchestration.ladder_policy import (
    LADDER_ARGUMENTS,
    LONGEST_PAUSE_S,
    RETRIES,
    LadderRetryPolicy,
)
from partner_exchange.orchestration.outbound import outbound_dags
from partner_exchange.orchestration.retry import RETRY_ARGUMENTS
from partner_exchange.tenants.model import Tenant
from support.builders import a_tenant
from support.spoken import ladder_in_words

WAY = ["select", "write", "deliver", "confirm", "notify"]
POLICY: LadderRetryPolicy = LADDER_ARGUMENTS["retry_policy"]
EXPORT: dict[str, Any] = {
    "report": "verified_students",
    "content": "delta",
    "schedule": "weekdays at 7:30",
}
SERVER = {"kind": "server", "connection": "their_sftp", "folder": "/data/in"}
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
HEAVY = ("great_expectations", "pandas", "openpyxl", "pyarrow", "asyncssh", "paramiko", "psycopg", "alembic")


def with_export(name: str = "verified", **over: Any) -> Tenant:
    return a_tenant(time_zone="America/Chicago", exports={name: {**EXPORT, **over}})


@pytest.fixture
def dag() -> DAG:
    return build_export_dag(with_export(), "verified")


def test_M44_each_export_has_a_dag_of_its_own(add_tenant: Callable[..., None]) -> None:
    exports = {"verified": EXPORT, "by__hand2": {**EXPORT, "schedule": ""}}
    add_tenant("alpha", json.dumps({"name": "Alpha", "feed": "roster", "exports": exports}))
    add_tenant("beta")
    assert sorted(dag.dag_id for dag in outbound_dags()) == [
        "outbound__alpha__by__hand2",
        "outbound__alpha__verified",
    ]


def test_M46_the_tasks_are_the_steps_in_their_order(dag: DAG) -> None:
    assert dag.task_ids == WAY
    for earlier, later in zip(WAY, WAY[1:], strict=False):
        assert later in dag.get_task(earlier).downstream_task_ids, f"{earlier} comes right before {later}"


def test_X10_the_run_shows_what_became_of_the_delivery(dag: DAG) -> None:
    notify = dag.get_task("notify")
    assert [task.task_id for task in dag.leaves] == ["notify"]
    assert notify.upstream_task_ids == set(WAY[:-1])
    # With one step skipped it is skipped, with one failed it runs.
    assert notify.trigger_rule is TriggerRule.ALL_DONE_MIN_ONE_SUCCESS


def test_M44_the_words_of_the_schedule_become_cron_in_the_zone_of_the_tenant(dag: DAG) -> None:
    assert isinstance(dag.schedule, CronTriggerTimetable)
    assert (dag.schedule.expression, str(dag.schedule.timezone)) == ("30 7 * * MON-FRI", "America/Chicago")


def test_M44_an_export_may_have_a_zone_of_its_own() -> None:
    schedule = build_export_dag(with_export(time_zone="Europe/Berlin"), "verified").schedule
    assert isinstance(schedule, CronTriggerTimetable)
    assert str(schedule.timezone) == "Europe/Berlin"


def test_M43_an_export_without_a_schedule_waits_for_a_hand() -> None:
    dag = build_export_dag(with_export(schedule=""), "verified")
    assert dag.schedule is None
    assert dag.doc_md is not None
    assert "started by hand" in dag.doc_md


def test_M74_runs_never_overlap_and_none_is_made_up_for(dag: DAG) -> None:
    assert (dag.max_active_runs, dag.catchup) == (1, False)
    assert dag.doc_md is not None
    assert "nothing is lost" in dag.doc_md
    page = " ".join(dag.doc_md.split())
    assert "more than 10 minutes ago, the run is skipped" in page
    assert "more than 10 minutes ago" in " ".join((PROJECT / "docs" / "exports.md").read_text().split())


def test_M44_the_tags_name_feed_tenant_mode_export_and_report() -> None:
    assert build_export_dag(with_export("out_2"), "out_2").tags == {
        "feed:roster",
        "tenant:state-university",
        "mode:test",
        "export:out_2",
        "report:verified_students",
    }


def test_P1_the_docs_of_a_run_say_what_happens_and_how_to_go_on() -> None:
    page = build_export_dag(with_export(target={**SERVER, "answers": {}}), "verified").doc_md
    assert page is not None
    for needed in (
        *(f"`{task_id}`" for task_id in WAY),
        "weekdays at 7:30: `30 7 * * MON-FRI` in America/Chicago",
        "`/data/in` on the partner's server, connection `their_sftp`",
        "looks for the partner's answers",
        "exchange export resend",
        "exchange export deliveries --tenant state-university --export verified",
        "Red run?",
        "later runs are red too",
        ladder_in_words(),
    ):
        assert needed in " ".join(page.split()), needed


def test_AN1_the_dag_survives_serialisation(dag: DAG) -> None:
    again = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    assert again.task_ids == dag.task_ids
    # The policy itself is asked in the worker, which builds the DAG anew.
    assert again.get_task("deliver").has_retry_policy


def names(assets: Any) -> list[str]:
    return [asset.name for asset in assets if isinstance(asset, Asset)]


def test_M46_the_store_lies_between_the_file_in_and_the_file_out(dag: DAG) -> None:
    store = "store__state-university"
    assert names(build_inbound_dag(a_tenant()).get_task("file.load").outlets) == [store]
    # Airflow draws the line through a task that has both.
    assert [names(dag.get_task(step).inlets) for step in ("select", "write", "deliver")] == [[store]] * 3
    assert names(dag.get_task("deliver").outlets) == ["export__state-university__verified"]
    # Nothing starts by them.
    assert isinstance(dag.schedule, CronTriggerTimetable)


@pytest.mark.parametrize(
    ("target", "place"),
    [
        ({}, "exchange_inbox/state-university/outbound"),
        ({"folder": "/nightly/"}, "exchange_inbox/state-university/nightly"),
        (SERVER, "their_sftp/data/in"),
        ({**SERVER, "folder": "in box/ü"}, "their_sftp/~/in%20box/%C3%BC"),
        ({**SERVER, "folder": "/" + "x" * 4000}, "their_sftp/" + "x" * 999),
    ],
)
def test_M71_the_asset_says_where_the_file_goes(target: dict[str, str], place: str) -> None:
    tenant = a_tenant(exports={name: {**EXPORT, "target": target} for name in ("one", "two")})
    uris = [build_export_dag(tenant, name).get_task("deliver").outlets[0].uri for name in ("one", "two")]
    assert uris == [f"x-exchange-export://{place}?export=state-university/{name}" for name in ("one", "two")]


def a_run(kind: DagRunType, *, late: timedelta = timedelta(0), clear_number: int = 0) -> DagRun:
    return DagRun(
        dag_id="outbound__alpha__verified",
        run_id="any",
        logical_date=NOON,
        data_interval_start=NOON,
        data_interval_end=NOON,
        run_after=NOON,
        start_date=NOON + late,
        end_date=None,
        clear_number=clear_number,
        run_type=kind,
        state=DagRunState.RUNNING,
        consumed_asset_events=[],
        partition_key=None,
    )


@pytest.mark.parametrize("kind", list(DagRunType))
def test_M46_only_runs_of_the_schedule_serve_a_time_of_it(kind: DagRunType) -> None:
    is_of_schedule = kind in (DagRunType.SCHEDULED, DagRunType.BACKFILL)
    assert due_at(a_run(kind)) == (NOON if is_of_schedule else None)


@pytest.mark.parametrize("kind", list(DagRunType))
def test_M44_only_a_run_that_the_scheduler_starts_late_is_made_up(kind: DagRunType) -> None:
    late = ON_TIME + timedelta(seconds=1)
    assert is_made_up(a_run(kind, late=late)) == (kind is DagRunType.SCHEDULED)
    assert not is_made_up(a_run(kind, late=ON_TIME))
    # Somebody cleared it, so somebody wants it.
    assert not is_made_up(a_run(kind, late=late, clear_number=1))


def test_X10_a_message_is_logged_in_lines_with_each_command_whole() -> None:
    message = "The server of the partner shows another key than the pinned one, " * 2 + (
        "so nothing goes. Mend that, then run `exchange export resend 01M7Z0K9SSR3BVJ4T5W1QEXAMP`, at once."
    )
    lines = in_lines(message).splitlines()
    assert len(lines) > 2
    assert max(map(len, lines)) <= 100
    assert " ".join(lines) == message
    assert [line for line in lines if "`exchange export resend 01M7Z0K9SSR3BVJ4T5W1QEXAMP`" in line]


@pytest.mark.parametrize("step", ["select", "write", "deliver"])
def test_X10_the_steps_wait_as_the_ledger_says(dag: DAG, step: str) -> None:
    assert dag.get_task(step).retry_policy is POLICY
    assert dag.get_task(step).retries == RETRIES


@pytest.mark.parametrize("family", [DeliveryWaits, Unreachable, RemoteBusy])
def test_X10_the_pause_is_the_one_that_the_error_names(family: type[DeliveryWaits]) -> None:
    decision = POLICY.evaluate(family("some-code", "A message.", retry_after_s=583.0), 1, RETRIES)
    assert decision.action is RetryAction.RETRY
    assert decision.retry_delay == timedelta(seconds=583)


def test_X10_a_long_pause_is_waited_for_in_parts() -> None:
    decision = POLICY.evaluate(DeliveryWaits("some-code", "A message.", retry_after_s=86_400.0), 9, RETRIES)
    assert decision.retry_delay == timedelta(seconds=LONGEST_PAUSE_S)


def test_X10_the_retries_last_for_the_whole_ladder() -> None:
    looks = sum(-(-step * (1 + SPREAD) // LONGEST_PAUSE_S) for step in LADDER_S)
    assert looks + RETRY_ARGUMENTS["retries"] <= RETRIES


def test_X10_a_terminal_fault_is_not_tried_again() -> None:
    assert POLICY.evaluate(LoginRefused("some-code", "A message."), 1, RETRIES).action is RetryAction.FAIL


def test_AN4_a_transient_fault_of_ours_follows_the_delays_of_the_task() -> None:
    decision = POLICY.evaluate(StoreUnavailable("some-code", "A message."), 1, RETRIES)
    assert (decision.action, decision.retry_delay) == (RetryAction.RETRY, None)


def test_AN4_what_nobody_foresaw_is_tried_as_often_as_elsewhere() -> None:
    most = RETRY_ARGUMENTS["retries"]
    assert POLICY.evaluate(RuntimeError("?"), most, RETRIES).action is RetryAction.DEFAULT
    assert POLICY.evaluate(RuntimeError("?"), most + 1, RETRIES).action is RetryAction.FAIL


def test_P4_an_export_that_does_not_hold_is_shown_and_takes_no_dag_away(
    add_tenant: Callable[..., None],
) -> None:
    exports = {"broken": {"report": "verified_student"}, "verified": EXPORT}
    add_tenant("alpha", json.dumps({"name": "Alpha", "feed": "roster", "exports": exports}))
    folder = PROJECT / "dags"
    bag = DagBag(folder, bundle_path=folder, bundle_name="dags-folder")
    assert {"inbound__alpha", "outbound__alpha__broken", "outbound__alpha__verified"} < set(bag.dags)
    assert [Path(file).name for file in bag.import_errors] == ["tenant_files.py"]
    shown = next(iter(bag.import_errors.values()))
    assert "alpha.yaml: exports.broken" in shown
    assert "verified_students" in shown


def test_P4_sound_exports_show_nothing(add_tenant: Callable[..., None]) -> None:
    add_tenant("alpha", json.dumps({"name": "Alpha", "feed": "roster", "exports": {"verified": EXPORT}}))
    runpy.run_path(str(PROJECT / "dags" / "tenant_files.py"))


def parse(**variables: str) -> Any:
    """Parse the DAG file in a process of its own, as Airflow does; return DAG ids and heavy modules."""
    code = (
        "import json, runpy, sys\n"
        f"names = runpy.run_path({str(PROJECT / 'dags' / 'outbound.py')!r})\n"
        "dags = sorted(name for name in names if name.startswith('outbound__'))\n"
        f"print(json.dumps([dags, [name for name in {HEAVY!r} if name in sys.modules]]))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        # Airflow ends a parse then.
        timeout=30,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1])


@pytest.mark.slow
def test_AN5_500_exports_are_parsed_within_the_budget(add_tenant: Callable[..., None]) -> None:
    for number in range(500):
        text = json.dumps({"name": "Partner", "feed": "roster", "exports": {"verified": EXPORT}})
        add_tenant(f"partner-{number}", text)
    dags, heavy = parse()
    assert (len(dags), heavy) == (500, [])
    context = {
        "_AIRFLOW_PARSING_CONTEXT_DAG_ID": "outbound__partner-250__verified",
        "_AIRFLOW_PARSING_CONTEXT_TASK_ID": "deliver",
    }
    add_tenant("broken", "name: [")
    assert parse(**context) == [["outbound__partner-250__verified"], []]
