"""The daily purge as Airflow sees it, and whole runs of it over a real SFTP server (T39)."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from airflow.sdk import CronTriggerTimetable
from airflow.serialization.serialized_objects import DagSerialization
from sqlalchemy import text

from dags.conftest import airflow
from partner_exchange import clock
from partner_exchange.exports.delivery.carrier import Carrier
from partner_exchange.exports.runs.run import run as run_export
from partner_exchange.feeds.vxu.consent_file import read_consents
from partner_exchange.ledger import audit, tombstones
from partner_exchange.ledger.database import transaction
from partner_exchange.orchestration.retention import build_retention_dag
from partner_exchange.storage.folders import LocalHome
from partner_exchange.stores import consents
from partner_exchange.submissions.claim import claim
from partner_exchange.submissions.process import run_steps
from partner_exchange.tenants import registry
from support.batches import batch, dose, message
from support.servers import SftpServer

ROSTER = (
    "Username,StudentId,LastName,FirstName,Telephone,Dob,RequirementGroup,Term,OnCampus\r\n"
    "s1@uni.example,S000001,Nguyen,Ada,512-555-0100,01/31/2001,Undergraduate,Fall 2026,1\r\n"
)


CONSENT_HEADER = (
    "PatientId,AssigningAuthority,LastName,FirstName,BirthDate,ConsentType,ConsentStatus,ConsentDate"
)
DROPPED_ON = date(2026, 11, 21)


def test_T39_the_purge_runs_once_a_day_and_takes_each_tenant_by_itself() -> None:
    dag = build_retention_dag()
    assert (dag.dag_id, dag.task_ids) == ("housekeeping__retention", ["find_tenants", "purge_expired"])
    assert isinstance(dag.schedule, CronTriggerTimetable)
    minute, hour, *rest = dag.schedule.expression.split()
    assert (minute.isdigit(), hour.isdigit(), rest) == (True, True, ["*", "*", "*"])
    purge = dag.get_task("purge_expired")
    assert purge.is_mapped
    assert purge.map_index_template == "{{ tenant_code }}"


def test_AN1_the_dag_of_the_purge_survives_serialisation() -> None:
    dag = build_retention_dag()
    assert DagSerialization.from_dict(DagSerialization.to_dict(dag)).task_ids == dag.task_ids


def test_P1_the_docs_of_the_purge_say_what_goes_and_how_to_stop_it() -> None:
    page = build_retention_dag().doc_md
    assert page is not None
    for needed in ("find_tenants", "purge_expired", "legal_hold", "exchange retention list", "Red run"):
        assert needed in page, needed


@pytest.fixture
def tenants(
    server: SftpServer,
    database_url: str,
    tenants_dir: Path,
    airflow_database: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> SftpServer:
    """``alpha`` and ``held`` say 180 days, ``held`` has a legal hold, ``beta`` keeps its files for ever; each
    has an answered file that is 200 days old.
    """
    monkeypatch.setenv("EXCHANGE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("EXCHANGE_STORAGE_URL", f"file://{tmp_path / 'storage'}")
    retention = {"alpha": "{days: 180}", "beta": "{}", "held": "{days: 180, legal_hold: true}"}
    for code, days in retention.items():
        (tenants_dir / f"{code}.yaml").write_text(
            f"name: {code}\npreset: medproctor-columns\nretention: {days}\n"
        )
        server.drop(code, "old.csv", ROSTER)
        home, tenant = LocalHome(server.root / code), registry.load_one(code)
        with clock.frozen(datetime.now(UTC) - timedelta(days=200)):
            (claimed,) = claim(home, tenant)
            run_steps(claimed.submission_id, home)
    return server


def deliver_long_ago(server: SftpServer, tenants_dir: Path, code: str) -> Path:
    """Deliver the tenant's students into its home, 200 days ago, and return the file there."""
    policy = tenants_dir / f"{code}.yaml"
    policy.write_text(
        f"{policy.read_text()}exports: {{all: {{report: student_roster, file_name: all.csv}}}}\n"
    )
    folder = server.root / code / "outbound"
    folder.mkdir(exist_ok=True)
    carrier = Carrier(LocalHome(folder), "outbound", is_ours=True)
    with clock.frozen(datetime.now(UTC) - timedelta(days=200)):
        run_export(registry.load_one(code), "all", lambda _tenant, _target: nullcontext(carrier))
    return folder / "all.csv"


def files(server: SftpServer, code: str) -> list[Path]:
    return [path for path in (server.root / code).rglob("*") if path.is_file()]


def run() -> str:
    done = airflow("dags", "test", "housekeeping__retention")
    return done.stdout + done.stderr


@pytest.mark.service
@pytest.mark.slow
def test_T39_a_run_purges_who_says_so_and_keeps_the_rest(tenants: SftpServer, tenants_dir: Path) -> None:
    assert all(len(files(tenants, code)) == 2 for code in ("alpha", "beta", "held"))
    sent = [deliver_long_ago(tenants, tenants_dir, code) for code in ("alpha", "beta", "held")]
    printed = run()
    assert [one.exists() for one in sent] == [False, True, True]
    assert "state=success" in printed
    assert [len(files(tenants, code)) for code in ("alpha", "beta", "held")] == [0, 3, 3]
    with transaction() as connection:
        kinds = [one.kind for one in tombstones.entries(connection, "alpha")]
        assert sorted(kinds) == ["archive", "delivered", "original", "outbound", "result"]
        assert [one.actor for one in audit.entries(connection)] == ["pipeline", "pipeline"]
    assert "Nguyen" not in printed


@pytest.mark.service
@pytest.mark.slow
def test_T39_a_run_without_such_tenants_is_green(tenants: SftpServer, tenants_dir: Path) -> None:
    (tenants_dir / "alpha.yaml").write_text("name: alpha\npreset: medproctor-columns\n")
    printed = run()
    assert "state=success" in printed
    assert "Nothing to purge" in printed
    assert len(files(tenants, "alpha")) == 2


HELD_DOSE = text(
    "insert into store.held_dose (tenant_code, patient_key, dose_key, is_refusal, action, is_given, "
    "fingerprint, payload, reported_at, held_at, submission_id) values ('clinic', 'p', :key, false, 'A', "
    "true, '00000000-0000-0000-0000-000000000000', '{}', :held_at, :held_at, 's')"
)


@pytest.mark.service
@pytest.mark.slow
def test_T62_a_run_removes_doses_that_are_held_too_long(
    server: SftpServer, database_url: str, tenants_dir: Path, airflow_database: None
) -> None:
    (tenants_dir / "clinic.yaml").write_text(
        "name: Clinic\npreset: texas-registry\nretention: {days: never}\nvxu: {held_days: 30}\n"
    )
    with transaction() as connection:
        for key, days in (("old", 31), ("new", 29)):
            held_at = datetime.now(UTC) - timedelta(days=days)
            connection.execute(HELD_DOSE, {"key": key, "held_at": held_at})
    printed = run()
    assert "state=success" in printed
    with transaction() as connection:
        assert connection.execute(text("select dose_key from store.held_dose")).scalars().all() == ["new"]


def test_T62_a_run_takes_out_of_the_store_what_lost_its_consent(
    server: SftpServer,
    database_url: str,
    tenants_dir: Path,
    airflow_database: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EXCHANGE_STORAGE_URL", f"file://{tmp_path / 'storage'}")
    (tenants_dir / "clinic.yaml").write_text(
        "name: Clinic\npreset: texas-registry\nmode: production\nretention: {days: never, legal_hold: true}\n"
    )
    home, tenant = LocalHome(server.root / "clinic"), registry.load_one("clinic")
    stored, held = text("select count(*) from store.dose"), text("select count(*) from store.held_dose")

    def counts() -> tuple[int, int]:
        with transaction() as connection:
            return connection.execute(stored).scalar_one(), connection.execute(held).scalar_one()

    def consent(status: str) -> None:
        line = f"P1,CLINIC,,,,CHILD,{status},20261101"
        read = read_consents(f"{CONSENT_HEADER}\r\n{line}\r\n".encode(), file_name="c.csv", today=DROPPED_ON)
        with transaction() as connection:
            consents.record(
                connection,
                read.records,
                tenant_code="clinic",
                source="test",
                actor="test",
                now=datetime.now(UTC),
            )

    consent("YES")
    with clock.frozen(datetime(2026, 11, 21, 15, tzinfo=UTC)):
        (server.root / "clinic" / "HL7-Dropoff").mkdir(parents=True)
        dropped = server.root / "clinic" / "HL7-Dropoff" / "CLINIC26325.hl7"
        dropped.write_bytes(batch(message("1", dose("D1"))))
        (claimed,) = claim(home, tenant)
        run_steps(claimed.submission_id, home)
    assert counts() == (1, 0)
    consent("WITHDRAWN")
    assert "state=success" in run()
    assert counts() == (0, 1)
