"""Every DAG file loads, and every DAG keeps the house rules."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag

from dags.conftest import PROJECT
from partner_exchange.tenants import registry

TAGS = {
    "feed": re.compile(r"^feed:[a-z_]+$"),
    "tenant": re.compile(r"^tenant:[a-z0-9-]+$"),
    "mode": re.compile(r"^mode:(test|production)$"),
    "export": re.compile(r"^export:[a-z0-9_]+$"),
    "report": re.compile(r"^report:[a-z0-9_]+$"),
}
HOUSEKEEPING = {
    "housekeeping",
    "housekeeping__answers",
    "housekeeping__quotas",
    "housekeeping__retention",
    "housekeeping__targets",
}
HEAVY = ("great_expectations", "pandas", "openpyxl", "pyarrow", "asyncssh", "paramiko", "psycopg", "alembic")


def a_bag() -> DagBag:
    return DagBag(PROJECT / "dags", bundle_path=PROJECT / "dags", bundle_name="dags-folder")


def test_AN10_every_dag_file_loads_and_every_tenant_of_the_demo_has_its_dag() -> None:
    bag = a_bag()
    assert bag.import_errors == {}
    tenants = registry.load(PROJECT / "include" / "tenants").tenants
    assert tenants
    inbound = {f"inbound__{code}" for code in tenants}
    exports = {f"outbound__{code}__{name}" for code, tenant in tenants.items() for name in tenant.exports}
    assert exports
    nhsn = {"outbound__mercy-hospital__nhsn_daily", "outbound__mercy-hospital__nhsn_weekly"}
    assert set(bag.dags) == {*HOUSEKEEPING, *inbound, *exports, *nhsn}


def test_AN10_every_dag_keeps_the_house_rules() -> None:
    for dag in a_bag().dags.values():
        dag.check_cycle()
        assert dag.max_active_runs == 1, dag.dag_id
        assert not dag.catchup, dag.dag_id
        assert dag.is_paused_upon_creation is False, f"{dag.dag_id}: a new tenant waits for a click"
        assert dag.doc_md, f"{dag.dag_id}: people who see a red run need to know what it does"
        assert dag.description, dag.dag_id
        for task in dag.tasks:
            assert task.owner == "partner-exchange", task.task_id
            assert (task.retries or 0) >= 3, f"{task.task_id}: a killed task must be tried again"
            assert task.retry_policy is not None, task.task_id
            assert task.email is None, f"{task.task_id}: failure mails would quote exception texts (AN 7)"
            assert getattr(task, "soft_fail", False) is False, (
                f"{task.task_id}: an outage would look like no file"
            )


def test_AN10_dags_of_a_tenant_carry_feed_tenant_and_mode_as_tags() -> None:
    for dag in a_bag().dags.values():
        if dag.dag_id not in HOUSEKEEPING:
            expected = ["feed", "mode", "tenant"]
            if dag.dag_id.startswith("outbound__"):
                expected = ["export", *expected]
            if dag.dag_id.startswith("outbound__") and "__nhsn_" not in dag.dag_id:
                expected = [*expected[:-1], "report", "tenant"]
            tags = sorted(dag.tags)
            assert [tag.split(":")[0] for tag in tags] == expected, dag.dag_id
            assert all(TAGS[tag.split(":")[0]].match(tag) for tag in tags), tags


def test_P4_a_tenant_file_that_does_not_hold_is_shown_and_takes_no_other_dag_away(
    add_tenant: Callable[..., None],
) -> None:
    add_tenant("alpha")
    add_tenant("broken", "name: Broken\nfeed: rooster\n")
    bag = a_bag()
    assert set(bag.dags) == {*HOUSEKEEPING, "inbound__alpha"}
    assert [Path(file).name for file in bag.import_errors] == ["tenant_files.py"]
    assert "broken.yaml: feed" in next(iter(bag.import_errors.values()))


def _run(code: str, **variables: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def _parse(then: str) -> str:
    return (
        "import runpy, sys\n"
        f"names = runpy.run_path({str(PROJECT / 'dags' / 'inbound.py')!r})\n"
        f"names |= runpy.run_path({str(PROJECT / 'dags' / 'outbound.py')!r})\n"
        f"runpy.run_path({str(PROJECT / 'dags' / 'housekeeping.py')!r})\n"
        "dags = sorted(name for name in names if '__' in name.strip('_'))\n" + then
    )


def test_AN5_parsing_imports_nothing_heavy(add_tenant: Callable[..., None]) -> None:
    add_tenant("alpha")
    loaded = _run(_parse(f"print([name for name in {HEAVY!r} if name in sys.modules])"))
    assert loaded.strip().splitlines()[-1] == "[]", "import it inside the function that needs it"


def test_AN1_inside_a_task_only_the_wanted_tenant_is_read_and_built(add_tenant: Callable[..., None]) -> None:
    add_tenant("alpha")
    add_tenant("beta")
    # Not even readable as YAML: had it been opened, it would show.
    add_tenant("broken", "name: [")
    context = {
        "_AIRFLOW_PARSING_CONTEXT_DAG_ID": "inbound__beta",
        "_AIRFLOW_PARSING_CONTEXT_TASK_ID": "claim",
    }
    built = _run(_parse("print(dags)"), **context)
    assert built.strip().splitlines()[-1] == "['inbound__beta']"


@pytest.mark.parametrize("file", sorted((PROJECT / "dags").glob("*.py")), ids=lambda file: file.name)
def test_AN1_dag_files_hold_the_words_that_airflow_scans_for(file: Path) -> None:
    content = file.read_text().lower()
    assert "dag" in content
    assert "airflow" in content


def test_P1_dag_files_are_wiring_only() -> None:
    for file in (PROJECT / "dags").glob("*.py"):
        lines = [line for line in file.read_text().splitlines() if line.strip()]
        assert len(lines) < 15, f"{file.name}: move what it does into orchestration/"
