"""Verified students through a real Airflow, each minute, to two places (M44, M46, M67, M68)."""

from __future__ import annotations

import json

import pytest

from e2e.conftest import SENDING, Stack, roster, wait_for
from partner_exchange.ledger import deliveries as ledger
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.deliveries import SENT, Delivery
from partner_exchange.stores import verifications

pytestmark = pytest.mark.e2e

STUDENTS = 40


def _sent(export: str) -> list[Delivery]:
    with transaction() as connection:
        return ledger.latest(connection, SENDING, export, states=SENT)[::-1]


def _verify(numbers: range) -> None:
    names = [f"s{number}@college.example" for number in numbers]
    with transaction() as connection:
        counts = verifications.verify(connection, SENDING, names, rule_version="1", actor="e2e")
    assert counts.changed == len(numbers)


def _wait_for_rows(export: str, rows: int) -> list[Delivery]:
    def are_there() -> list[Delivery] | None:
        sent = _sent(export)
        return sent if sum(one.rows_total or 0 for one in sent) >= rows else None

    return wait_for(f"{rows} rows of {export}", are_there, timeout_s=200.0)


def test_M46_verified_students_reach_the_home_and_the_partners_own_server_once(stack: Stack) -> None:
    stack.drop(SENDING, {"roster.csv": roster(1, STUDENTS)})
    stack.wait_for_end(SENDING, {"roster.csv"})
    _verify(range(1, 11))
    for export in ("verified", "elsewhere"):
        _wait_for_rows(export, 10)
    _verify(range(11, STUDENTS + 1))
    here, there = (_wait_for_rows(export, STUDENTS) for export in ("verified", "elsewhere"))
    partner = stack.partner(SENDING)
    names = [
        line.partition(",")[0]
        for one in here
        for line in partner.get(f"outbound/{one.delivered_name}").decode().splitlines()[1:]
    ]
    assert sorted(names) == sorted(f"s{number}@college.example" for number in range(1, STUDENTS + 1))
    files = sorted(path.name for path in stack.partner_folder.iterdir())
    assert files == sorted(one.delivered_name for one in there)
    rows = [
        json.loads(line) for name in files for line in (stack.partner_folder / name).read_text().splitlines()
    ]
    assert sorted(row["Username"] for row in rows) == sorted(names)


def test_M44_a_run_shows_its_steps_and_asset(stack: Stack) -> None:
    dag_id = f"outbound__{SENDING}__verified"
    dag = stack.api(f"/api/v2/dags/{dag_id}/details")
    assert dag["timetable_summary"] == "* * * * *"
    assert not dag["is_paused"]
    tasks = {task["task_id"] for task in stack.api(f"/api/v2/dags/{dag_id}/tasks")["tasks"]}
    assert tasks == {"select", "write", "deliver", "confirm", "notify"}
    assets = stack.api(f"/api/v2/assets?name_pattern=export__{SENDING}__verified")["assets"]
    assert [asset["name"] for asset in assets] == [f"export__{SENDING}__verified"]

    def has_event() -> bool:
        return bool(stack.api(f"/api/v2/assets/events?asset_id={assets[0]['id']}")["asset_events"])

    wait_for("asset event of a delivery", has_event)


def test_X17_the_ui_shows_the_way_from_store_to_file(stack: Stack) -> None:
    (store,) = stack.api(f"/api/v2/assets?name_pattern=store__{SENDING}")["assets"]
    graph = stack.api(f"/ui/dependencies?dependency_type=data&node_id=asset:{store['id']}")
    labels = {node["label"] for node in graph["nodes"]}
    assert {f"store__{SENDING}", f"export__{SENDING}__verified"} <= labels
    assert any("deliver" in label for label in labels)
    # Airflow's other view, of DAGs that start each other: it has to open, and nothing starts an export.
    assert "nodes" in stack.api("/ui/dependencies")
