"""Whole runs of exports in one process: real SFTP servers, real PostgreSQL, all steps (M46, M67, X10)."""

from __future__ import annotations

import json
import logging
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncssh
import pytest
from airflow.sdk.api.datamodels._generated import DagRun, DagRunState, DagRunType
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from airflow.sdk.execution_time.context import set_current_context
from sqlalchemy import text

from dags.conftest import airflow, airflow_process
from partner_exchange import clock
from partner_exchange.errors import LoginRefused, Unreachable
from partner_exchange.exports.runs.deliver import deliver
from partner_exchange.exports.runs.interventions import resend
from partner_exchange.exports.runs.select import select
from partner_exchange.exports.runs.turns import hold
from partner_exchange.exports.runs.write import write
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.deliveries import DeliveryState
from partner_exchange.orchestration import exports_tasks
from partner_exchange.orchestration.ladder_policy import LADDER_ARGUMENTS, RETRIES
from partner_exchange.orchestration.targets import open_target
from support.outbound import CODE, Outbound, outbound
from support.servers import SftpServer

__all__ = ["outbound"]

pytestmark = [pytest.mark.service, pytest.mark.slow]

AWAY = """\
  away:
    report: verified_students
    content: delta
    target: { kind: server, connection: their_sftp, folder: /in }
"""

FULL = """\
  full:
    report: verified_students
"""


@dataclass
class Airflow:
    """The tenant's exports in Airflow, and two servers: ours, and the partner's own."""

    sent: Outbound
    ours: SftpServer
    theirs: SftpServer
    patch: pytest.MonkeyPatch

    def run(self, export: str) -> str:
        """Run the export's DAG once, as by hand, and return what Airflow printed."""
        done = airflow("dags", "test", f"outbound__{CODE}__{export}")
        return done.stdout + done.stderr

    def let_in(self, key_file: Path | None = None) -> None:
        """Log in to the partner's server with that key from now on; None: with the right one."""
        connection = self.theirs.connection()
        if key_file is not None:
            connection["extra"]["key_file"] = str(key_file)
        self.patch.setenv("AIRFLOW_CONN_THEIR_SFTP", json.dumps(connection))

    def files(self, place: str = "ours") -> list[str]:
        if place == "ours":
            return sorted(path.name for path in (self.ours.root / CODE / "outbound").iterdir())
        return sorted(path.name for path in (self.theirs.root / "in").iterdir())

    def events(self, asset: str) -> list[dict[str, object]]:
        """Return what the events of an asset say, oldest first."""
        query = (
            "select e.extra from asset_event e join asset a on a.id = e.asset_id "
            "where a.name = ? order by e.id"
        )
        with sqlite3.connect(Path(os.environ["AIRFLOW_HOME"]) / "airflow.db") as database:
            return [json.loads(row[0]) for row in database.execute(query, [asset])]

    def mails(self) -> list[tuple[object, ...]]:
        query = text("select event, recipient from ledger.mail order by mail_id")
        with transaction() as connection:
            return [tuple(row) for row in connection.execute(query)]


@pytest.fixture
def exports(
    outbound: Outbound,
    server: SftpServer,
    airflow_database: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Airflow]:
    outbound.write_tenant(AWAY)
    server.inbox(CODE)
    theirs = SftpServer(tmp_path / "theirs")
    (theirs.root / "in").mkdir()
    theirs.start()
    found = Airflow(outbound, server, theirs, monkeypatch)
    found.let_in()
    yield found
    theirs.end()


def test_M46_a_run_delivers_what_is_new_once_and_the_next_one_is_skipped(exports: Airflow) -> None:
    asset = f"export__{CODE}__verified"
    before = len(exports.events(asset))
    usernames = exports.sent.enroll(3)
    exports.sent.verify(*usernames)
    printed = exports.run("verified")
    assert "state=success" in printed
    (sent,) = exports.sent.deliveries()
    assert (sent.state, sent.rows_total, sent.due_at) == (DeliveryState.DELIVERED, 3, None)
    assert exports.files() == [sent.file_name]
    assert exports.events(asset)[before:] == [{"delivery": sent.delivery_id, "rows": 3}]
    # Nothing of what stands in the file stands in the logs of the tasks.
    assert not [name for name in usernames if name in printed]
    printed = exports.run("verified")
    assert "state=success" in printed
    assert "Nothing has changed since the last delivery" in printed
    assert exports.files() == [sent.file_name]
    assert len(exports.events(asset)) == before + 1


def test_X10_a_wrong_key_turns_this_run_and_the_next_ones_red_until_a_person_sends_it(
    exports: Airflow, tmp_path: Path
) -> None:
    asset = f"export__{CODE}__away"
    before = len(exports.events(asset))
    one, two = exports.sent.enroll(2)
    exports.sent.verify(one)
    wrong = tmp_path / "wrong_key"
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(wrong)
    wrong.chmod(0o600)
    exports.let_in(wrong)
    printed = exports.run("away")
    assert "state=failed" in printed
    (dead,) = exports.sent.deliveries("away")
    assert (dead.state, dead.attempts) == (DeliveryState.DEAD, 1)
    assert f"exchange export resend {dead.delivery_id}" in printed
    assert exports.mails() == [("delivery-failed", "it@uni.example")]
    exports.sent.verify(two)
    printed = exports.run("away")
    # As red as the first one: the newest run is what a list of DAGs shows.
    assert "state=failed" in printed
    assert "is a dead letter, and nothing goes before it" in printed
    assert exports.mails() == [("delivery-failed", "it@uni.example")]
    assert (exports.files("theirs"), exports.sent.deliveries("away")) == ([], [dead])
    assert len(exports.events(asset)) == before
    exports.let_in()
    resend(dead.delivery_id, open_target, actor="test")
    assert "state=success" in exports.run("away")
    first, second = exports.sent.deliveries("away")
    assert (first.delivery_id, first.rows_total, second.rows_total) == (dead.delivery_id, 1, 1)
    assert exports.files("theirs") == sorted([first.delivered_name, second.delivered_name])
    assert exports.events(asset)[before:] == [{"delivery": second.delivery_id, "rows": 1}]


def test_X10_a_server_that_is_away_is_tried_again_when_the_ledger_says(exports: Airflow) -> None:
    exports.sent.verify(*exports.sent.enroll(1))
    exports.theirs.stop()
    opened = select(exports.sent.tenant, "away")
    assert opened is not None
    write(opened.delivery_id)
    with clock.frozen(clock.now()), pytest.raises(Unreachable) as caught:
        deliver(opened.delivery_id, open_target)
    (waiting,) = exports.sent.deliveries("away")
    assert waiting.next_attempt_at is not None
    delay = LADDER_ARGUMENTS["retry_policy"].evaluate(caught.value, 1, RETRIES).retry_delay
    assert 540 <= delay.total_seconds() <= 660
    assert exports.mails() == []
    # The same, through the task of a run that comes too early; Airflow itself would wait now.
    with pytest.raises(Exception, match="The next try of delivery") as caught_again:
        deliver(opened.delivery_id, open_target)
    again = LADDER_ARGUMENTS["retry_policy"].evaluate(caught_again.value, 2, RETRIES).retry_delay
    assert again <= delay


def test_M74_a_run_that_finds_another_worker_waits_for_it_and_goes_on(exports: Airflow) -> None:
    exports.sent.verify(*exports.sent.enroll(1))
    with transaction() as connection:
        hold(connection, CODE, "verified")
        process = airflow_process("dags", "test", f"outbound__{CODE}__verified")
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if "Another worker is at the export" in line:
                break
    # Only now it is free; what the policy says is what Airflow does.
    said += process.communicate(timeout=120)[0]
    assert "The next try is due in 15 s" in said
    assert "state=success" in said
    assert [one.state for one in exports.sent.deliveries()] == [DeliveryState.DELIVERED]


DUE = datetime(2026, 11, 20, 13, 30, tzinfo=UTC)


def select_at(due_at: datetime, *, late: timedelta) -> str:
    """Call the task ``select`` as in a run that the scheduler starts so long after its time."""
    run = DagRun(
        dag_id=f"outbound__{CODE}__verified",
        run_id="any",
        logical_date=due_at,
        data_interval_start=due_at,
        data_interval_end=due_at,
        run_after=due_at,
        start_date=due_at + late,
        end_date=None,
        run_type=DagRunType.SCHEDULED,
        state=DagRunState.RUNNING,
        consumed_asset_events=[],
        partition_key=None,
    )
    # A task sees much more; this one reads the run alone.
    with set_current_context({"dag_run": run}), clock.frozen(due_at + late):
        found: str = exports_tasks.select.function(CODE, "verified")
    return found


def test_M44_a_new_export_sends_nothing_for_a_time_that_has_passed(
    outbound: Outbound, caplog: pytest.LogCaptureFixture
) -> None:
    outbound.verify(*outbound.enroll(1))
    caplog.set_level(logging.INFO)
    late = timedelta(hours=4, minutes=32)
    with pytest.raises(AirflowSkipException) as told:
        select_at(DUE, late=late)
    why = str(told.value)
    assert why.startswith("The export is new: its first file goes at the next time of its schedule, ")
    assert "2026-11-20 18:05Z" in why
    assert f"`exchange export run --tenant {CODE} verified`" in why
    # Airflow's own line about a skipped task does not say why.
    assert why in [" ".join(message.split()) for message in caplog.messages]
    assert outbound.deliveries() == []
    at = DUE + timedelta(hours=4, minutes=35)
    opened = select_at(at, late=timedelta(minutes=9))
    assert [(one.delivery_id, one.due_at) for one in outbound.deliveries()] == [(opened, at)]


def test_M74_an_export_that_has_sent_before_goes_on_at_once_after_an_outage(outbound: Outbound) -> None:
    one, two = outbound.enroll(2)
    outbound.verify(one)
    outbound.run()
    outbound.verify(two)
    opened = select_at(DUE, late=timedelta(days=1))
    assert [each.delivery_id for each in outbound.deliveries()][1:] == [opened]


def test_X10_the_log_says_why_nothing_goes(outbound: Outbound, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with pytest.raises(AirflowSkipException):
        select_at(DUE, late=timedelta(0))
    assert "Nothing has changed so far" in caplog.text
    assert exports_tasks.confirm.function(CODE, "verified") == {}
    assert "No answers are looked for" in caplog.text
    caplog.clear()
    outbound.write_tenant(FULL)
    opened = select(outbound.tenant, "full")
    assert opened is not None
    with pytest.raises(AirflowSkipException):
        exports_tasks.write.function(opened.delivery_id)
    assert "There is no row, and `when_empty` of the export says no file then." in caplog.messages


def test_X10_the_sentence_of_a_failure_stands_in_the_log_in_front_of_its_traceback(
    outbound: Outbound, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Airflow knows no such connection.
    monkeypatch.delenv("AIRFLOW_CONN_THEIR_SFTP", raising=False)
    outbound.write_tenant(AWAY)
    outbound.verify(*outbound.enroll(1))
    opened = select(outbound.tenant, "away")
    assert opened is not None
    write(opened.delivery_id)
    ledger_says = []
    for step in (exports_tasks.deliver, exports_tasks.notify):
        caplog.clear()
        with pytest.raises((LoginRefused, AirflowFailException)) as told:
            step.function(opened.delivery_id)
        (line,) = [one for one in caplog.records if one.levelno == logging.ERROR]
        assert " ".join(line.message.split()) == " ".join(str(told.value).split())
        ledger_says.append(outbound.deliveries("away")[0].state)
    assert ledger_says == [DeliveryState.DEAD] * 2
