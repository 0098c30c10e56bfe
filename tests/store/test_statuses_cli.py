"""``exchange statuses``: what people see of the store, and of their own tenant only (E30)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from partner_exchange import clock
from partner_exchange.cli.statuses import app
from partner_exchange.feeds.base import ExamineContext
from partner_exchange.feeds.status.feed import StatusFeed
from partner_exchange.ledger.database import transaction
from partner_exchange.stores import statuses
from partner_exchange.tenants import registry

pytestmark = pytest.mark.service

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
STATUS_TYPES: list[dict[str, Any]] = [
    {"id": 1, "name": "Beds", "kind": "number", "update_every_h": 24},
    {"id": 2, "name": "Spare", "kind": "calculated", "formula": "st(1,0) - 2"},
    {"id": 5, "name": "ED"}
    | {
        "kind": "multi",
        "statuses": [{"name": "Open", "colour": "green"}, {"name": "Divert", "colour": "red"}],
    },
    {"id": 6, "name": "Note", "kind": "text"},
]


@pytest.fixture(autouse=True)
def reported(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tenants ``mercy`` and ``other`` with the same Resource IDs; both have reported."""
    monkeypatch.setenv("EXCHANGE_TENANTS_DIR", str(tmp_path))
    for code in ("mercy", "other"):
        resources = [
            {"name": "General", "production_id": "00101", "test_id": "90101"},
            {"name": "South", "production_id": "00102"},
        ]
        if code == "other":
            resources.append({"name": "Strange", "production_id": "00103"})
        policy = {"status_types": STATUS_TYPES, "resources": resources}
        whole = {"name": code, "feed": "status", "mode": "production", "time_zone": "UTC", "status": policy}
        # JSON is YAML.
        (tmp_path / f"{code}.yaml").write_text(json.dumps(whole))
    report("mercy", NOON, "00101,12,Divert,[red]quiet[/red]")
    report("mercy", NOON + timedelta(hours=1), "00101,14,Open,")
    report("other", NOON, "00101,77,Divert,strange\r\n00103,78,Open,odd")


def report(code: str, arrived_at: datetime, rows: str) -> None:
    """Bring a file into the store as the steps do."""
    tenant = registry.load_one(code)
    context = ExamineContext(tenant=tenant, file_name="b.csv", today=arrived_at.date(), arrived_at=arrived_at)
    content = f"Resource ID,Beds,ED,Note\r\n{rows}\r\n".encode()
    found = StatusFeed().examine(content, context)
    assert found.rows_rejected == 0
    with transaction() as connection:
        submission_id = f"SUB-{code}-{arrived_at:%H}"
        statuses.merge(connection, found.accepted, tenant=tenant, submission_id=submission_id, now=arrived_at)


def run(*arguments: str, code: int = 0, at: datetime = NOON) -> str:
    with clock.frozen(at):
        result: Result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == code, result.output
    return result.stdout


def as_json(*arguments: str, **options: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run(*arguments, "--json", **options))
    return found


def test_E30_now_shows_each_status_with_its_times_and_its_file() -> None:
    lines = run("now", "-t", "mercy").splitlines()
    cells = {line.split()[2]: line.split() for line in lines[1:]}
    assert cells["Beds"] == [
        *(
            "00101",
            "General",
            "Beds",
            "14",
            "2026-11-21",
            "13:00:00",
            "2026-11-21",
            "13:00:00",
            "SUB-mercy-13",
            "2",
        )
    ]
    assert cells["ED"][3:5] == ["Open", "green"]
    assert cells["Spare"][3] == "12"
    assert cells["Spare"][-1] == "computed"
    assert "[red]quiet[/red]" in cells["Note"], "shown as it is, not as a colour"


def test_E30_now_of_one_resource_for_machines() -> None:
    found = as_json("now", "-t", "other", "--resource", "00103")
    assert [(one["status_type_id"], one["value"]) for one in found] == [
        *((1, "78"), (2, "76"), (5, "Open"), (6, "odd"))
    ]
    assert found[0]["reported_at"] == "2026-11-21T12:00:00+00:00"


@pytest.mark.parametrize("command", [("now",), ("history", "-r", "00101", "--type", "Beds"), ("overdue",)])
def test_E19_other_tenants_values_are_never_shown(command: tuple[str, ...]) -> None:
    later = NOON + timedelta(days=9)
    code = 1 if command == ("overdue",) else 0
    for form in ([], ["--json"]):
        shown = run(*command, "-t", "mercy", *form, code=code, at=later)
        assert shown
        for strange in ("77", "78", "strange", "odd", "SUB-other", "00103", "Strange"):
            assert strange not in shown


def test_E30_history_shows_the_newest_first_by_name_or_number() -> None:
    for name in ("beds", "1", "Beds (1)"):
        lines = run("history", "-t", "mercy", "-r", "00101", "--type", name).splitlines()
        assert [line.split()[:3] for line in lines[1:]] == [
            ["2026-11-21", "13:00:00", "14"],
            ["2026-11-21", "12:00:00", "12"],
        ]
    assert len(as_json("history", "-t", "mercy", "-r", "00101", "--type", "1", "--limit", "1")) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("history", "-r", "00101", "--type", "Bets"), "no status type 'Bets'. Did you mean 'Beds'?"),
        (("history", "-r", "00101", "--type", "xyz"), "no status type 'xyz'. Its Data Map lists them."),
        (
            ("history", "-r", "0102", "--type", "Beds"),
            "no resource '0102'. Did you mean '00102' (South)?",
        ),
        (("now", "-r", "9010"), "no resource '9010'. Did you mean '90101' (General)?"),
        (("now", "-r", "south"), "no resource 'south'. Did you mean '00102' (South)?"),
        (("now", "-r", "nope"), "no resource 'nope'. Its Data Map lists them."),
    ],
)
def test_E30_what_is_unknown_is_named_with_the_nearest(arguments: tuple[str, ...], said: str) -> None:
    result = CliRunner().invoke(app, [*arguments, "-t", "mercy"], env={"COLUMNS": "200"})
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.replace("│", " ").split())


def test_E30_a_resource_that_left_the_tenant_file_is_still_known() -> None:
    with transaction() as connection:
        connection.exec_driver_sql("update store.status set resource_id = 'GONE' where resource_id = '00101'")
    assert {one["resource_id"] for one in as_json("now", "-t", "mercy", "-r", "GONE")} == {"GONE"}


def test_E32_now_marks_what_is_reported_under_a_test_id() -> None:
    with transaction() as connection:
        connection.exec_driver_sql(
            "update store.status set resource_id = '90101' where resource_id = '00101'"
        )
    assert run("now", "-t", "mercy").splitlines()[1].split()[:4] == ["90101", "(test)", "General", "Beds"]


def test_E30_nothing_is_said_as_such() -> None:
    assert run("now", "-t", "mercy", "-r", "00102").strip() == "There are none."
    assert as_json("now", "-t", "mercy", "-r", "00102") == []


def test_E30_overdue_ends_with_1_when_there_are_any() -> None:
    report("mercy", NOON, "00102,3,Open,")
    assert run("overdue", "-t", "mercy", at=NOON + timedelta(hours=24)).strip() == "There are none."
    late = run("overdue", "-t", "mercy", code=1, at=NOON + timedelta(hours=24, minutes=30))
    assert [line.split() for line in late.splitlines()[1:]] == [
        ["00102", "South", "Beds", "2026-11-21", "12:00:00", "every", "24", "h"]
    ]
    (one,) = as_json("overdue", "-t", "mercy", code=1, at=NOON + timedelta(hours=24, minutes=30))
    assert (one["status_type_id"], one["value"]) == (1, "3")


def test_E30_what_was_never_reported_is_a_line_per_resource() -> None:
    report("mercy", NOON, "00102,,Open,")
    assert run("overdue", "-t", "mercy", code=1).splitlines() == [
        "00102 South: 1 type was never reported (--never lists it)."
    ]
    listed = run("overdue", "-t", "mercy", "--never", code=1).splitlines()
    assert [line.split() for line in listed[1:]] == [["00102", "South", "Beds", "never", "every", "24", "h"]]
    (one,) = as_json("overdue", "-t", "mercy", code=1)
    assert (one["resource_id"], one["status_type_id"], one["confirmed_at"]) == ("00102", 1, None)


def test_E30_a_resource_that_never_reported_anything_is_one_line() -> None:
    assert run("overdue", "-t", "mercy", code=1).splitlines() == ["00102 South: never reported."]
    (one,) = as_json("overdue", "-t", "mercy", code=1)
    assert one == {
        **{"resource_id": "00102", "is_test": False, "value": ""},
        **{"status_type_id": None, "confirmed_at": None, "update_every_h": None},
    }


def test_E32_overdue_leaves_out_ids_of_the_other_mode_and_of_nobody() -> None:
    with transaction() as connection:
        connection.exec_driver_sql(
            "update store.status set resource_id = '90101' where resource_id = '00101'"
        )
    late = NOON + timedelta(days=9)
    assert {one["resource_id"] for one in as_json("overdue", "-t", "mercy", code=1, at=late)} == {
        "00101",
        "00102",
    }, "in production the test id is nobody's"
    with transaction() as connection:
        connection.exec_driver_sql("update store.status set resource_id = 'GONE' where resource_id = '90101'")
    assert "GONE" not in run("overdue", "-t", "mercy", code=1, at=late)
