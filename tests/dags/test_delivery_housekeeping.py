"""What housekeeping looks after between deliveries, over real SFTP servers (M70, X10, X11)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncssh
import pytest
from airflow.sdk import DAG, CronTriggerTimetable
from airflow.serialization.serialized_objects import DagSerialization
from sqlalchemy import text

from dags.conftest import airflow
from partner_exchange import clock
from partner_exchange.errors import LoginRefused
from partner_exchange.exports.delivery.watch import (
    LOOKED_FOR,
    collect_answers,
    old_dead_letters,
    watch_targets,
)
from partner_exchange.exports.runs.run import run
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.deliveries import DeliveryState
from partner_exchange.orchestration.delivery_housekeeping import build_answers_dag, build_targets_dag
from partner_exchange.orchestration.targets import expires_on, open_target
from support.outbound import CODE, Outbound, outbound
from support.servers import SftpServer
from support.spoken import warning_days_in_words

__all__ = ["outbound"]

EXPORTS = """\
    target: { answers: {} }
  away:
    report: verified_students
    target: { kind: server, connection: their.sftp, folder: /in, answers: { within_h: 24 } }
  away_too:
    report: student_roster
    target: { kind: server, connection: their.sftp, folder: /in2, answers: {} }
"""


@pytest.mark.parametrize(
    ("dag", "task_ids", "cron"),
    [
        (build_answers_dag(), ["collect_answers"], "*/2 * * * *"),
        (build_targets_dag(), ["probe_targets", "check_dead_letters"], "17 2 * * *"),
    ],
    ids=["answers", "targets"],
)
def test_X10_answers_are_looked_for_all_the_time_and_targets_each_night(
    dag: DAG, task_ids: list[str], cron: str
) -> None:
    assert dag.task_ids == task_ids
    # None waits for another: each turns the run red by itself.
    assert dag.leaves == dag.roots
    assert isinstance(dag.schedule, CronTriggerTimetable)
    assert dag.schedule.expression == cron
    assert DagSerialization.from_dict(DagSerialization.to_dict(dag)).task_ids == task_ids


def test_P1_the_docs_of_the_night_say_when_the_end_of_a_login_is_told() -> None:
    page = build_targets_dag().doc_md
    assert page is not None
    assert warning_days_in_words() in " ".join(page.split())


@dataclass
class Partner:
    """The tenant's exports, and two servers: ours, and the partner's own."""

    sent: Outbound
    ours: SftpServer
    theirs: SftpServer
    patch: pytest.MonkeyPatch

    def connect(self, key_file: Path | None = None, **extra: str) -> None:
        connection = self.theirs.connection()
        connection["extra"] |= extra
        if key_file is not None:
            connection["extra"]["key_file"] = str(key_file)
        self.patch.setenv("AIRFLOW_CONN_THEIR.SFTP", json.dumps(connection))

    def let_nobody_in(self) -> None:
        wrong = self.sent.folder / "wrong_key"
        asyncssh.generate_private_key("ssh-ed25519").write_private_key(wrong)
        wrong.chmod(0o600)
        self.connect(wrong)

    def deliver(self, export: str) -> str:
        """Deliver and return the name of the file there."""
        delivery = run(self.sent.tenant, export, open_target)
        assert delivery is not None
        return delivery.delivered_name

    def states(self, export: str) -> list[DeliveryState]:
        return [one.state for one in self.sent.deliveries(export)]

    def mails(self) -> list[tuple[object, ...]]:
        query = text("select event, topic, recipient from ledger.mail order by recipient, mail_id")
        with transaction() as connection:
            return [tuple(row) for row in connection.execute(query)]


@pytest.fixture
def partner(
    outbound: Outbound, server: SftpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Partner]:
    outbound.write_tenant(EXPORTS)
    server.inbox(CODE)
    theirs = SftpServer(tmp_path / "theirs")
    for folder in ("in", "in2"):
        (theirs.root / folder).mkdir()
    theirs.start()
    monkeypatch.setenv("EXCHANGE_OPERATIONS_MAIL", "operations@exchange.example")
    found = Partner(outbound, server, theirs, monkeypatch)
    found.connect()
    outbound.verify(*outbound.enroll(2))
    yield found
    theirs.end()


@pytest.mark.service
def test_X11_answers_in_the_home_and_on_the_partners_server_are_taken_in(partner: Partner) -> None:
    here, there = partner.deliver("verified"), partner.deliver("away")
    (partner.ours.inbox(CODE) / f"{here}.ack").touch()
    (partner.theirs.root / "in" / f"{there}.nack").touch()
    counts = collect_answers(open_target).as_dict()
    assert (counts["folders"], counts["accepted"], counts["refused"]) == (2, 1, 1)
    assert partner.states("verified") == [DeliveryState.CONFIRMED]
    assert partner.states("away") == [DeliveryState.REFUSED]
    # Nothing is missing in the home any more; a refusal may still be taken back.
    assert collect_answers(open_target).as_dict()["folders"] == 1
    assert [mail[0] for mail in partner.mails()] == ["delivery-refused", "delivery-refused"]


@pytest.mark.service
def test_X11_a_server_that_is_away_fails_nothing_and_holds_up_no_other(partner: Partner) -> None:
    here, _, _ = (partner.deliver(export) for export in ("verified", "away", "away_too"))
    (partner.ours.inbox(CODE) / f"{here}.ack").touch()
    partner.theirs.stop()
    counts = collect_answers(open_target).as_dict()
    assert (counts["accepted"], counts["folders"], counts["unreachable"]) == (1, 1, 2)


@pytest.mark.service
def test_X11_a_file_without_an_answer_is_told_once(partner: Partner) -> None:
    with clock.frozen(datetime.now(UTC) - timedelta(hours=25)):
        partner.deliver("away")
    assert collect_answers(open_target).reminders == 1
    assert collect_answers(open_target).reminders == 0
    assert {mail[0] for mail in partner.mails()} == {"delivery-unanswered"}


@pytest.mark.service
def test_X11_nobody_looks_for_ever(partner: Partner) -> None:
    with clock.frozen(datetime.now(UTC) - LOOKED_FOR - timedelta(hours=1)):
        partner.deliver("away")
    asked = partner.theirs.requests["connect"]
    assert collect_answers(open_target).as_dict()["folders"] == 0
    assert partner.theirs.requests["connect"] == asked


@pytest.mark.service
def test_X10_a_target_that_holds_is_left_as_it_was(partner: Partner) -> None:
    watch = watch_targets(open_target, expires_on)
    assert (watch.targets, watch.mails, watch.failed) == (2, 0, [])
    assert list((partner.theirs.root / "in").iterdir()) == []


@pytest.mark.service
def test_X10_a_target_that_does_not_hold_is_told_to_the_partner_and_to_us_once_a_night(
    partner: Partner,
) -> None:
    (partner.theirs.root / "in").rmdir()
    with clock.frozen(datetime(2026, 11, 21, 2, 17, tzinfo=UTC)):
        watch = watch_targets(open_target, expires_on)
        assert (watch.targets, watch.mails) == (2, 2)
        assert watch.failed == ["their.sftp:/in (target-path-missing)"]
        assert watch_targets(open_target, expires_on).mails == 0
    topic = "their.sftp.target-path-missing.20261121"
    assert partner.mails() == [
        ("target-warning", topic, "it@uni.example"),
        ("target-warning", topic, "operations@exchange.example"),
    ]


@pytest.mark.service
def test_X10_a_login_that_ends_soon_is_told_before(partner: Partner) -> None:
    partner.connect(expires_on="2026-12-05")
    for night, told in (("2026-11-20", 2), ("2026-11-21", 2), ("2026-11-22", 0), ("2026-12-05", 2)):
        with clock.frozen(datetime.fromisoformat(f"{night}T02:17:00+00:00")):
            watch = watch_targets(open_target, expires_on)
        assert (night, watch.mails, watch.failed) == (night, told, [])
    topics = {str(mail[1]) for mail in partner.mails()}
    assert topics == {f"their.sftp.target-login-ends-within-{days}-days.20261205" for days in (30, 14, 1)}
    with clock.frozen(datetime(2026, 12, 6, 2, 17, tzinfo=UTC)):
        assert watch_targets(open_target, expires_on).failed == [
            "their.sftp:/in (target-login-expired)",
            "their.sftp:/in2 (target-login-expired)",
        ]


@pytest.mark.service
def test_X10_a_dead_letter_is_left_to_its_mail_for_a_day(partner: Partner) -> None:
    partner.let_nobody_in()
    with pytest.raises(LoginRefused):
        partner.deliver("away")
    assert old_dead_letters() == []
    with clock.frozen(datetime.now(UTC) + timedelta(hours=25)):
        assert [one.export_name for one in old_dead_letters()] == ["away"]


@pytest.mark.service
@pytest.mark.slow
def test_X10_the_nightly_run_turns_red_and_names_targets_and_dead_letters(
    partner: Partner, airflow_database: None
) -> None:
    partner.let_nobody_in()
    with clock.frozen(datetime.now(UTC) - timedelta(hours=25)), pytest.raises(LoginRefused):
        partner.deliver("away")
    (dead,) = partner.sent.deliveries("away")
    done = airflow("dags", "test", "housekeeping__targets")
    printed = done.stdout + done.stderr
    assert "state=failed" in printed
    assert "2 of 2 targets do not hold: their.sftp:/in (target-login-refused), their.sftp:/in2 (" in printed
    assert f"{dead.delivery_id} ({CODE}, away)" in printed
    done = airflow("dags", "test", "housekeeping__answers")
    assert "state=success" in done.stdout + done.stderr
