"""Sets for NHSN go out, each once and in order, and turn Submitted or Error by the answers (E38, E39)."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from partner_exchange import clock
from partner_exchange.errors import (
    ArchiveDamaged,
    ExportBlocked,
    HostKeyChanged,
    Unreachable,
)
from partner_exchange.exports import answers
from partner_exchange.exports.answers import AnswerCounts
from partner_exchange.exports.delivery.carrier import Carrier
from partner_exchange.exports.nhsn.schedule import latest_due
from partner_exchange.exports.nhsn.sending import send, undelivered_sets
from partner_exchange.exports.nhsn.sets import build
from partner_exchange.exports.runs.interventions import abandon, resend
from partner_exchange.ledger import deliveries as ledger
from partner_exchange.ledger import delivery_answers, nhsn
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.deliveries import Delivery, DeliveryState
from partner_exchange.storage.folders import LocalHome
from partner_exchange.tenants import registry
from partner_exchange.tenants.exports import Target
from partner_exchange.tenants.model import Tenant
from partner_exchange.tenants.resources import Frequency
from support.nhsn import a_hospital, a_hospital_group, report, sound_values

pytestmark = pytest.mark.service

FRIDAY = datetime(2026, 11, 20, 21, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
TARGET = {"kind": "server", "connection": "nhsn_upload", "folder": "in", "answers": {"folder": "out"}}
SET = "mercy-nhsn-daily-20261120.csv"
SECRET = "4711 patients"


@dataclass
class Cdc:
    """NHSN's server as a folder, and the tenant that sends there."""

    folder: Path
    faults: list[Exception] = field(default_factory=list)
    """Raised one by one at each opening."""

    @property
    def tenant(self) -> Tenant:
        return registry.load_one("mercy")

    def write_tenant(self, **over: Any) -> None:
        status = {"nhsn_target": TARGET} | over.pop("status", {})
        hospitals = [a_hospital(1), a_hospital(2), a_hospital(3)]
        contacts = {"delivery": ["it@mercy.example"]}
        tenant = a_hospital_group(*hospitals, status=status, contacts=contacts, **over)
        # JSON is YAML.
        content = json.dumps(tenant.model_dump(mode="json", exclude_unset=True))
        (self.folder / "tenants" / "mercy.yaml").write_text(content)

    @contextmanager
    def open_target(self, _tenant: Tenant, target: Target) -> Iterator[Carrier]:
        if self.faults:
            raise self.faults.pop(0)
        yield Carrier(LocalHome(self.folder / "cdc" / target.folder), target.folder, is_ours=False)

    def build(
        self,
        due_at: datetime = FRIDAY,
        *hospitals: str,
        frequency: Frequency = "daily",
        before: timedelta = HOUR,
    ) -> None:
        """Build the set of a due time, with what these hospitals reported that long before."""
        with transaction() as connection:
            for number, one in enumerate(hospitals or ("10001", "10002")):
                values = {**sound_values(), "numInPtBeds": 100 + due_at.day + number}
                report(connection, self.tenant, values, recorded_at=due_at - before, resource_id=one)
        with clock.frozen(due_at + timedelta(seconds=5)):
            build(self.tenant, latest_due(frequency, at=due_at))

    def send(self, at: datetime = FRIDAY, frequency: Frequency = "daily") -> list[Delivery]:
        with clock.frozen(at + timedelta(minutes=1)):
            return send(self.tenant, frequency, self.open_target)

    def answer(self, name: str, content: str = "", *, at: datetime = FRIDAY + HOUR) -> AnswerCounts:
        """Put an answer there and collect it."""
        path = self.folder / "cdc" / "out" / name
        path.write_bytes(content.encode())
        os.utime(path, (at.timestamp(), at.timestamp()))
        with clock.frozen(at):
            return answers.collect(self.tenant, "nhsn_daily", self.open_target, pause=lambda _: None)

    def states(self, due_at: datetime = FRIDAY) -> dict[str, tuple[str, str, str]]:
        """State, reason and comment of each hospital."""
        with transaction() as connection:
            found = nhsn.states(connection, "mercy", "daily", due_at)
        return {one.resource_id: (str(one.state), one.reason_code, one.comment) for one in found}

    def events(self, resource_id: str) -> list[str]:
        """States of a hospital, newest first."""
        with transaction() as connection:
            return [str(one.state) for one in nhsn.history(connection, "mercy", resource_id)]

    def delivery(self) -> Delivery:
        with transaction() as connection:
            return ledger.latest(connection, "mercy")[0]

    def there(self) -> list[str]:
        return sorted(path.name for path in (self.folder / "cdc" / "in").iterdir())


@pytest.fixture
def cdc(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Cdc:
    for folder in ("tenants", "cdc/in", "cdc/out"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.setenv("EXCHANGE_TENANTS_DIR", str(tmp_path / "tenants"))
    monkeypatch.setenv("EXCHANGE_STORAGE_URL", f"file://{tmp_path / 'storage'}")
    found = Cdc(tmp_path)
    found.write_tenant()
    return found


def dues(cdc: Cdc, at: datetime = FRIDAY) -> list[str]:
    with clock.frozen(at):
        return [f"{one.at:%m-%d}" for one in undelivered_sets(cdc.tenant, "daily")]


# ---- sending


def test_E38_a_built_set_is_delivered_once_byte_for_byte(cdc: Cdc) -> None:
    cdc.build()
    assert dues(cdc) == ["11-20"]
    (sent,) = cdc.send()
    assert (sent.export_name, sent.report, sent.state, sent.rows_total) == (
        "nhsn_daily",
        "nhsn_set",
        DeliveryState.DELIVERED,
        2,
    )
    assert (sent.due_at, sent.delivered_name) == (FRIDAY, SET)
    assert cdc.there() == [SET]
    archived = cdc.folder / "storage" / "exports" / "mercy" / "nhsn_daily" / "20261120T213000Z.csv"
    assert (cdc.folder / "cdc" / "in" / SET).read_bytes() == archived.read_bytes()
    assert (dues(cdc), cdc.send(), cdc.there()) == ([], [], [SET])
    assert cdc.states()["10001"] == ("Ready", "", ""), "until an answer says more"


def test_E38_a_weekly_set_is_named_by_the_saturday_it_reports_on(cdc: Cdc) -> None:
    tuesday = datetime(2026, 11, 17, 21, 30, tzinfo=UTC)
    cdc.write_tenant(status={"resources": [a_hospital(1, frequency="weekly")]})
    cdc.build(tuesday, "10001", frequency="weekly", before=4 * DAY)
    (sent,) = cdc.send(tuesday, "weekly")
    assert sent.delivered_name == "mercy-nhsn-weekly-20261114.csv"


def test_E38_sets_go_in_the_order_of_their_due_times_and_none_overtakes(cdc: Cdc) -> None:
    for number in (2, 0, 1):
        cdc.build(FRIDAY + number * DAY)
    cdc.faults = [Unreachable("target-unreachable", "away")]
    last = FRIDAY + 2 * DAY
    with pytest.raises(Unreachable):
        cdc.send(last)
    assert (cdc.there(), dues(cdc, last)) == ([], ["11-20", "11-21", "11-22"])
    with clock.frozen(last + HOUR):
        sent = send(cdc.tenant, "daily", cdc.open_target)
    assert [f"{one.due_at:%m-%d}" for one in sent] == ["11-20", "11-21", "11-22"]
    assert len(cdc.there()) == 3


def test_E38_a_dead_letter_holds_later_sets_until_it_is_sent(cdc: Cdc) -> None:
    cdc.build()
    cdc.faults = [HostKeyChanged("target-host-key-changed", "another key")]
    with pytest.raises(HostKeyChanged):
        cdc.send()
    cdc.build(FRIDAY + DAY)
    with pytest.raises(ExportBlocked):
        cdc.send(FRIDAY + DAY)
    assert dues(cdc, FRIDAY + DAY) == ["11-20", "11-21"]
    with transaction() as connection:
        told = connection.execute(text("select event, recipient from ledger.mail")).one()
    assert tuple(told) == ("delivery-failed", "it@mercy.example")
    resend(cdc.delivery().delivery_id, cdc.open_target, actor="test")
    assert len(cdc.send(FRIDAY + DAY)) == 1
    assert (dues(cdc, FRIDAY + DAY), len(cdc.there())) == ([], 2)


def test_E38_a_set_that_was_given_up_does_not_go_again(cdc: Cdc) -> None:
    cdc.build()
    cdc.faults = [HostKeyChanged("target-host-key-changed", "another key")]
    with pytest.raises(HostKeyChanged):
        cdc.send()
    abandon(cdc.delivery().delivery_id, actor="test")
    assert (dues(cdc), cdc.send(), cdc.there()) == ([], [], [])


def test_E38_no_more_than_14_days_are_sent(cdc: Cdc) -> None:
    for days in (15, 13):
        cdc.build(FRIDAY - days * DAY)
    assert dues(cdc) == ["11-07"]


@pytest.mark.parametrize("over", [{"status": {"nhsn_target": None}}, {"mode": "test"}])
def test_E38_without_a_target_and_in_test_mode_sets_stay_here(cdc: Cdc, over: dict[str, Any]) -> None:
    cdc.build()
    cdc.write_tenant(**over)
    assert (dues(cdc), cdc.send(), cdc.there()) == ([], [], [])


def test_E38_a_set_without_hospitals_is_no_file(cdc: Cdc) -> None:
    with clock.frozen(FRIDAY + HOUR):
        build(cdc.tenant, latest_due("daily", at=FRIDAY))
    assert (dues(cdc), cdc.send()) == ([], [])


def test_E38_a_set_that_is_not_as_it_was_built_does_not_go(cdc: Cdc) -> None:
    cdc.build()
    (path,) = (cdc.folder / "storage").rglob("*.csv")
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(ArchiveDamaged):
        cdc.send()
    assert cdc.there() == []


# ---- answers


def test_E39_a_confirmation_submits_every_hospital_of_the_set(cdc: Cdc) -> None:
    cdc.build()
    cdc.send()
    assert cdc.answer(f"{SET}.ack") == AnswerCounts(accepted=1)
    assert cdc.states() == {
        "10001": ("Submitted", "", ""),
        "10002": ("Submitted", "", ""),
        "10003": (
            "Not Submitted",
            "no-data",
            cdc.states()["10003"][2],
        ),
    }
    assert cdc.delivery().state is DeliveryState.CONFIRMED
    assert cdc.events("10001") == ["Submitted", "Ready"]
    with transaction() as connection:
        event = nhsn.history(connection, "mercy", "10001")[0]
    assert (event.origin, event.set_sha256) == ("answer", cdc.delivery().sha256)


def test_E39_a_refusal_is_an_error_of_every_hospital_of_the_set(cdc: Cdc) -> None:
    cdc.build()
    cdc.send()
    assert cdc.answer(f"{SET}.nack", "Layout of 2024 is not taken any more") == AnswerCounts(refused=1)
    for resource in ("10001", "10002"):
        assert cdc.states()[resource] == ("Error", "nhsn-error", "Layout of 2024 is not taken any more")
    assert cdc.delivery().state is DeliveryState.REFUSED
    with transaction() as connection:
        told = connection.execute(text("select event, recipient from ledger.mail")).one()
    assert tuple(told) == ("delivery-refused", "it@mercy.example")


LINES = """\
message,STATUS,Reporting Context,org id
,Submitted,HOSP,30101
Beds exceed the census,warning,hosp,30102
not known here,Error,HOSP,39999
,Error,IRF,30101
,--,HOSP,30102
,whatever,HOSP,30101
"""


def test_E39_an_answer_by_hospital_says_each_its_own(cdc: Cdc) -> None:
    cdc.build()
    cdc.send()
    assert cdc.answer(f"{SET}.ack", LINES) == AnswerCounts(accepted=1)
    assert cdc.states()["10001"] == ("Submitted", "", "")
    assert cdc.states()["10002"] == ("Warning", "nhsn-warning", "Beds exceed the census")
    with transaction() as connection:
        (answer,) = delivery_answers.latest(connection, "mercy")
    assert answer.comment == (
        "By hospital: 1 Warning, 1 Submitted, 2 of no hospital in the set, 1 with an unknown status."
    )


@pytest.mark.parametrize(
    ("status", "state", "reason"),
    [
        ("Error", "Error", "nhsn-error"),
        ("REJECTED", "Error", "nhsn-error"),
        ("Not Submitted", "Not Submitted", "nhsn-not-submitted"),
        ("not-submitted", "Not Submitted", "nhsn-not-submitted"),
    ],
)
def test_E39_one_hospital_that_is_not_taken_makes_it_a_refusal(
    cdc: Cdc, status: str, state: str, reason: str
) -> None:
    cdc.build()
    cdc.send()
    content = f"Org ID;Status;Message\n30101;{status};\n"
    assert cdc.answer(f"{SET}.ack", content) == AnswerCounts(refused=1)
    assert cdc.states()["10001"][:2] == (state, reason)
    assert cdc.states()["10001"][2].startswith("NHSN ")
    assert cdc.states()["10002"] == ("Ready", "", ""), "the answer does not name it"
    assert cdc.delivery().state is DeliveryState.REFUSED


def test_E39_an_answer_about_strangers_only_needs_a_person(cdc: Cdc) -> None:
    cdc.build()
    cdc.send()
    assert cdc.answer(f"{SET}.ack", "Org ID,Status\n39999,Submitted\n") == AnswerCounts(unreadable=1)
    assert cdc.states()["10001"] == ("Ready", "", "")
    assert cdc.delivery().state is DeliveryState.DELIVERED


@pytest.mark.parametrize("front", ["", "Result of the upload\n"])
def test_E39_a_cut_line_or_a_title_turns_no_refusal_into_a_confirmation(cdc: Cdc, front: str) -> None:
    cdc.build()
    cdc.send()
    assert cdc.answer(f"{SET}.ack", f"{front}Org ID,Status\n30101\n30102,Error\n") == AnswerCounts(refused=1)
    assert [cdc.states()[one][0] for one in ("10001", "10002")] == ["Ready", "Error"]
    with transaction() as connection:
        (answer,) = delivery_answers.latest(connection, "mercy")
    assert answer.comment == "By hospital: 1 Error, 1 with an unknown status."


@pytest.mark.parametrize("rows", ["", '30101,"Submitted\n30102,Error\n', "30101\n"])
def test_E39_a_table_that_says_nothing_needs_a_person(cdc: Cdc, rows: str) -> None:
    cdc.build()
    cdc.send()
    assert cdc.answer(f"{SET}.ack", f"Org ID,Status\n{rows}") == AnswerCounts(unreadable=1)
    assert [cdc.states()[one][0] for one in ("10001", "10002")] == ["Ready", "Ready"]


def test_E39_late_answers_are_added_and_the_newest_holds(cdc: Cdc) -> None:
    cdc.build()
    cdc.send()
    cdc.answer(f"{SET}.ack")
    line = f"Org ID,Status,Message\n30101,Error,{SECRET}\n"
    assert cdc.answer(f"{SET}.nack", line, at=FRIDAY + 20 * DAY) == AnswerCounts(refused=1)
    assert cdc.events("10001") == ["Error", "Submitted", "Ready"]
    assert cdc.events("10002") == ["Submitted", "Ready"]
    assert cdc.states()["10001"][2] == SECRET


def test_E39_the_same_answer_twice_is_recorded_once(cdc: Cdc) -> None:
    cdc.build()
    cdc.send()
    cdc.answer(f"{SET}.ack")
    assert cdc.answer(f"{SET}.ack") == AnswerCounts()
    assert cdc.answer(f"{SET}.ack", at=FRIDAY + DAY) == AnswerCounts(accepted=1), (
        "a new file, nothing new in it"
    )
    assert cdc.events("10001") == ["Submitted", "Ready"]


def test_E39_an_org_id_that_lost_its_zeros_is_known(cdc: Cdc) -> None:
    cdc.write_tenant(status={"resources": [a_hospital(1, org_id="00123")]})
    cdc.build(FRIDAY, "10001")
    cdc.send()
    cdc.answer(f"{SET}.ack", "Org ID,Status\n123,Submitted\n")
    assert cdc.states()["10001"] == ("Submitted", "", "")


def test_T60_what_nhsn_wrote_is_in_no_log_and_no_mail(cdc: Cdc, caplog: pytest.LogCaptureFixture) -> None:
    cdc.build()
    cdc.send()
    caplog.set_level(logging.DEBUG)
    cdc.answer(f"{SET}.nack", f"Org ID,Status,Message\n30101,Error,{SECRET}\n")
    assert "export.answers tenant=mercy accepted=0 refused=1" in caplog.text
    with transaction() as connection:
        mails = connection.execute(text("select * from ledger.mail")).all()
    assert SECRET not in f"{caplog.text} {mails}"
