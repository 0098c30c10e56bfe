"""Whole runs of exports in one process: real SFTP servers, real PostgreSQL, all steps (M46, M67, X10)."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncssh
import pytest
from sqlalchemy import text

from dags.conftest import airflow, airflow_process
from partner_exchange import clock
from partner_exchange.errors import Unreachable
from partner_exchange.exports.runs.deliver import deliver
from partner_exchange.exports.runs.interventions import resend
from partner_exchange.exports.runs.select import select
from partner_exchange.exports.runs.turns import hold
from partner_exchange.exports.runs.write import write
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.deliveries import DeliveryState
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


def test_X10_a_wrong_key_turns_the_run_red_and_the_next_ones_wait_for_a_person(
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
    assert "state=success" in printed
    assert "is a dead letter, and nothing goes before it" in printed
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
