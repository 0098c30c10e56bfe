"""What retention lets go of that went out, and what a purge leaves behind (T39, K10)."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text

from partner_exchange import clock
from partner_exchange.errors import NameTaken, StateConflict
from partner_exchange.exports import answers
from partner_exchange.exports.purge import Purged, purge
from partner_exchange.exports.retention import Due, find
from partner_exchange.exports.runs import interventions
from partner_exchange.exports.runs.select import select
from partner_exchange.exports.runs.turns import alone
from partner_exchange.exports.runs.write import write
from partner_exchange.ledger import audit, delivery_answers, tombstones
from partner_exchange.ledger import deliveries as ledger
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.deliveries import Delivery, DeliveryState
from partner_exchange.ledger.tombstones import Kind, Removal, Tombstone
from partner_exchange.storage.folders import LocalHome
from partner_exchange.submissions import purge as of_submissions
from support.killed import in_child
from support.outbound import CODE, NOON, Outbound

pytestmark = pytest.mark.service

DAYS = 180
KEEP = "retention: {days: 180}\n"
COMPARED = """\
  roster:
    report: student_roster
    content: delta
    file_name: roster-{number}.csv
"""
FULL = """\
  all:
    report: verified_students
    file_name: all.csv
    target: {%s}
"""


def day(number: float) -> datetime:
    return NOON + timedelta(days=number)


def on(number: float) -> AbstractContextManager[object]:
    return clock.frozen(day(number))


@pytest.fixture
def kept(outbound: Outbound) -> Outbound:
    """The tenant keeps files for 180 days; three students are verified."""
    (outbound.folder / "home" / "inbound").mkdir()
    outbound.write_tenant(KEEP)
    outbound.verify(*outbound.enroll(3), at=NOON)
    return outbound


def home(exchange: Outbound) -> LocalHome:
    return LocalHome(exchange.folder / "home")


def send(exchange: Outbound, number: float, export: str = "verified") -> Delivery:
    """Deliver what is new on a day."""
    with on(number):
        delivery = exchange.run(export)
    assert delivery is not None
    return delivery


def send_new(exchange: Outbound, number: int) -> Delivery:
    """Deliver one more student on a day."""
    exchange.verify(exchange.enroll(number + 10)[-1])
    return send(exchange, number)


def due(exchange: Outbound, number: float, **options: int) -> Due:
    with on(number):
        found = find(home(exchange), exchange.tenant, **options)
    assert found is not None
    return found


def purge_on(exchange: Outbound, number: float, at: LocalHome | None = None, **options: int) -> Purged:
    with on(number):
        return purge(at or home(exchange), exchange.tenant, by="tester", **options)


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def all_files(exchange: Outbound) -> set[str]:
    """Everything in the home and in the archive, by its path below the one or the other."""
    return files(exchange.folder / "home") | files(exchange.folder / "storage")


def stones() -> list[Tombstone]:
    with transaction() as connection:
        return tombstones.entries(connection, CODE, limit=1000)[::-1]


def what(things: list[Tombstone] | tuple[Removal, ...]) -> list[tuple[object, ...]]:
    return sorted((one.kind, one.path, one.size_bytes, one.delivery_id or "") for one in things)


def newest(delivery: Delivery) -> Delivery:
    with transaction() as connection:
        return ledger.get(connection, delivery.delivery_id)


def test_T39_the_list_is_what_a_purge_removes_and_each_thing_leaves_a_tombstone(kept: Outbound) -> None:
    first, second, young = send(kept, 0), send_new(kept, 1), send_new(kept, 100)
    stays = {f"outbound/{young.delivered_name}", young.archive_path}
    there = all_files(kept)
    listed = due(kept, 182)
    assert what(due(kept, 182).removals) == what(listed.removals)
    assert all_files(kept) == there
    assert {one.path for one in listed.removals} == there - stays

    done = purge_on(kept, 182)

    sizes = sum(one.size_bytes for one in listed.removals)
    assert done == Purged(deliveries=2, files=4, size_bytes=sizes)
    assert all_files(kept) == stays
    assert what(stones()) == what(listed.removals)
    for one in stones():
        assert (one.purged_at, one.policy_days, one.submission_id) == (day(182), DAYS, None)
        assert (
            one.sha256 == {sent.delivery_id: sent.sha256 for sent in (first, second)}[one.delivery_id or ""]
        )
    assert [newest(one).purged_at for one in (first, second, young)] == [day(182), day(182), None]
    with transaction() as connection:
        told = [one for one in audit.entries(connection) if one.action == "retention.purge"][::-1]
    assert [(one.actor, one.subject, one.facts["files"]) for one in told] == [
        ("tester", one.delivery_id, 2) for one in (first, second)
    ]
    assert list((kept.folder / "storage" / "exports" / CODE / "verified").iterdir()) == [
        kept.folder / "storage" / Path(young.archive_path).parent
    ]
    assert purge_on(kept, 182) == Purged()
    assert len(stones()) == 4


@pytest.mark.parametrize("policy", ["{}", "{days: never}", "{days: 180, legal_hold: true}"])
def test_K10_what_went_out_stays_for_ever_unless_the_tenant_says_otherwise(
    kept: Outbound, policy: str
) -> None:
    kept.write_tenant(f"retention: {policy}\n")
    send(kept, 0)
    there = all_files(kept)
    with on(4000):
        assert find(home(kept), kept.tenant) is None
    assert purge_on(kept, 4000) == Purged()
    assert all_files(kept) == there


@pytest.mark.parametrize(("number", "count"), [(179.9, 0), (180, 0), (180.1, 1)])
def test_K10_the_days_count_from_the_delivery(kept: Outbound, number: float, count: int) -> None:
    send(kept, 0)
    assert len(due(kept, number).deliveries) == count
    assert purge_on(kept, number).deliveries == count


def test_T39_the_list_looks_ahead(kept: Outbound) -> None:
    send(kept, 0)
    assert due(kept, 170).removals == ()
    assert len(due(kept, 170, within_days=14).deliveries) == 1
    assert purge_on(kept, 170) == Purged()


def test_T39_what_the_ledger_says_stays_and_the_export_goes_on(kept: Outbound) -> None:
    first = send(kept, 0)
    purge_on(kept, 200)
    assert replace(newest(first), purged_at=None) == first
    assert kept.run() is None
    send_new(kept, 200)
    assert len(kept.delivered()) == 1


def test_T39_the_keys_of_the_last_delivery_stay_until_the_next_one_has_its_own(kept: Outbound) -> None:
    kept.write_tenant(COMPARED + KEEP)
    first = send(kept, 0, "roster")
    assert purge_on(kept, 200).files == 2
    assert files(kept.folder / "storage") == {first.keys_path}
    assert purge_on(kept, 201) == Purged()
    kept.enroll(4)
    second = send(kept, 202, "roster")
    assert [row[-1] for row in kept.rows(second.delivered_name)] == ["new"]
    assert [one.path for one in due(kept, 203).removals] == [first.keys_path]
    assert (purge_on(kept, 203).files, purge_on(kept, 203).files) == (1, 0)
    assert newest(first).purged_at == day(200)
    assert files(kept.folder / "storage") == {second.archive_path, second.keys_path}
    assert len(stones()) == 3


@pytest.mark.parametrize("state", [DeliveryState.SELECTED, DeliveryState.WRITTEN, DeliveryState.DEAD])
def test_T39_an_open_delivery_keeps_all_it_has(kept: Outbound, state: DeliveryState) -> None:
    kept.write_tenant("    target: {name_taken: refuse}\n    file_name: v.csv\n" + KEEP)
    (kept.outbox / "v.csv").write_text("somebody else's")
    with on(0):
        opened = select(kept.tenant, "verified")
        assert opened is not None
        if state is not DeliveryState.SELECTED:
            write(opened.delivery_id)
        if state is DeliveryState.DEAD:
            with pytest.raises(NameTaken):
                kept.run()
    for path in kept.outbox.iterdir():
        os.utime(path, (0, 0))
    there = all_files(kept)
    assert newest(opened).state is state
    assert due(kept, 400).removals == ()
    assert purge_on(kept, 400) == Purged()
    with on(400):
        of_submissions.purge(home(kept), kept.tenant, by="tester")
    assert all_files(kept) == there
    (kept.outbox / "v.csv").unlink()
    with on(400):
        sent = interventions.resend(opened.delivery_id, kept.open_target, actor="ada")
    assert (sent.state, kept.files()) == (DeliveryState.DELIVERED, ["v.csv"])
    # From now on it is 180 days old in 180 days.
    assert purge_on(kept, 500) == Purged()


def test_T39_a_hidden_file_whose_delivery_waits_for_its_name_is_not_forgotten(kept: Outbound) -> None:
    with on(0):
        opened = select(kept.tenant, "verified")
        assert opened is not None
        write(opened.delivery_id)
        with transaction() as connection:
            written = ledger.get(connection, opened.delivery_id)
            ledger.record_uploaded(
                connection, written, "v.csv", place="home outbound", home_folder="outbound"
            )
    hidden = kept.outbox / opened.temporary_name
    hidden.write_bytes((kept.folder / "storage" / newest(opened).archive_path).read_bytes())
    os.utime(hidden, (0, 0))
    with on(400):
        of_submissions.purge(home(kept), kept.tenant, by="tester")
        kept.run()
    assert kept.files() == [newest(opened).file_name]


def test_T39_a_given_up_delivery_goes_by_the_day_on_which_it_was(kept: Outbound) -> None:
    with on(0):
        opened = select(kept.tenant, "verified")
        assert opened is not None
        write(opened.delivery_id)
    with on(10):
        interventions.abandon(opened.delivery_id, actor="ada")
    assert purge_on(kept, 189) == Purged()
    assert purge_on(kept, 191).files == 1
    assert all_files(kept) == set()


def test_T39_what_a_killed_try_left_beside_the_file_goes_too(kept: Outbound) -> None:
    sent = send(kept, 0)
    half = kept.folder / "storage" / f"{sent.archive_path}.01K"
    half.write_text("half")
    assert purge_on(kept, 200).files == 3
    assert all_files(kept) == set()


def test_T39_sets_for_nhsn_stay(kept: Outbound) -> None:
    sent = send(kept, 0)
    with transaction() as connection:
        connection.execute(text("update ledger.delivery set report = 'nhsn_set'"))
    assert purge_on(kept, 400) == Purged()
    assert sent.archive_path in all_files(kept)


# ---- the file in the partner's home


def test_T39_the_file_is_found_where_it_went_before_the_tenant_changed_that(kept: Outbound) -> None:
    kept.write_tenant("    target: {folder: deep/below}\n" + KEEP)
    (kept.folder / "home" / "deep" / "below").mkdir(parents=True)
    send(kept, 0)
    kept.write_tenant(yaml="name: Uni\npreset: medproctor-columns\n{more}", more=KEEP)
    assert purge_on(kept, 200).files == 2
    assert all_files(kept) == set()


def test_T39_a_file_that_is_not_ours_stays_under_whatever_name(kept: Outbound) -> None:
    sent = send(kept, 0)
    ours = kept.outbox / sent.delivered_name
    content = ours.read_bytes()
    ours.write_bytes(content[:-2] + b"\r\r")
    (kept.outbox / "theirs.csv").write_bytes(content)
    assert [one.path for one in due(kept, 200).removals] == [sent.archive_path]
    purge_on(kept, 200)
    assert kept.files() == sorted([sent.delivered_name, "theirs.csv"])


def test_T39_what_was_sent_a_second_time_goes_too(kept: Outbound) -> None:
    kept.write_tenant("    file_name: v.csv\n" + KEEP)
    sent = send(kept, 0)
    with on(1):
        interventions.resend(sent.delivery_id, kept.open_target, actor="ada", is_again=True)
    assert kept.files() == ["v-2.csv", "v.csv"]
    purge_on(kept, 200)
    assert kept.files() == []


@pytest.mark.parametrize("taken", ["replace", "number"])
def test_T39_a_name_and_a_content_belong_to_their_last_delivery(kept: Outbound, taken: str) -> None:
    kept.write_tenant(FULL % f"name_taken: {taken}" + KEEP)
    first, second = send(kept, 0, "all"), send(kept, 100, "all")
    assert first.sha256 == second.sha256
    with on(101):
        interventions.resend(second.delivery_id, kept.open_target, actor="ada", is_again=True)
    stays = {"replace": ["all.csv"], "number": ["all-2.csv", "all-3.csv"]}[taken]
    listed = due(kept, 200)
    assert purge_on(kept, 200).deliveries == 1
    assert kept.files() == stays
    assert what(stones()) == what(listed.removals)
    listed = due(kept, 300)
    purge_on(kept, 300)
    assert kept.files() == []
    assert what([one for one in stones() if one.purged_at == day(300)]) == what(listed.removals)


def test_T39_of_one_name_in_one_purge_the_last_delivery_takes_the_file(kept: Outbound) -> None:
    kept.write_tenant(FULL % "name_taken: replace" + KEEP)
    _, second = send(kept, 0, "all"), send(kept, 1, "all")
    listed = due(kept, 200)
    assert [one.delivery_id for one in listed.removals if one.kind is Kind.DELIVERED] == [second.delivery_id]
    assert purge_on(kept, 200).deliveries == 2
    assert what(stones()) == what(listed.removals)
    assert all_files(kept) == set()


def test_T39_a_newer_file_that_takes_the_name_during_a_purge_stays(kept: Outbound) -> None:
    kept.write_tenant(FULL % "name_taken: replace" + KEEP)
    send(kept, 0, "all")

    class Racing(LocalHome):
        """A home into which the next file comes between the look and the purge."""

        def read(self, path: str) -> Iterator[bytes]:
            yield from super().read(path)
            if len(kept.deliveries("all")) == 1:
                send(kept, 199, "all")

    assert purge_on(kept, 200, Racing(kept.folder / "home")).deliveries == 1
    assert kept.files() == ["all.csv"]
    assert [one.kind for one in stones()] == [Kind.OUTBOUND]


def test_M74_an_export_that_is_being_sent_now_is_left_to_the_next_purge(kept: Outbound) -> None:
    sent = send(kept, 0)
    with alone(sent.delivery_id):
        assert purge_on(kept, 200) == Purged(waiting=1)
    assert sent.archive_path in all_files(kept)
    assert purge_on(kept, 200).deliveries == 1


# ---- purged, and then


def test_X09_a_purged_delivery_cannot_be_sent_again(kept: Outbound) -> None:
    sent = send(kept, 0)
    purge_on(kept, 200)
    for is_again in (False, True):
        with pytest.raises(StateConflict) as caught:
            interventions.resend(sent.delivery_id, kept.open_target, actor="ada", is_again=is_again)
        assert caught.value.code == "delivery-purged"
        assert "--report verified_students" in caught.value.message
    assert kept.files() == []


# ---- answers and left-overs


def answer(exchange: Outbound, number: float, name: str, content: bytes = b"") -> None:
    """Have an answer read and put away on a day."""
    path = exchange.folder / "home" / "inbound" / name
    path.write_bytes(content)
    os.utime(path, (day(number).timestamp(), day(number).timestamp()))
    with on(number):
        answers.collect_all(exchange.tenant, exchange.open_target, pause=lambda _: None)


def test_T39_answers_that_were_put_away_go_by_the_day_on_which_they_were_read(kept: Outbound) -> None:
    kept.write_tenant("    target: {answers: {}}\n    file_name: v.csv\n" + KEEP)
    sent = send(kept, 0)
    answer(kept, 1, "v.csv.ack")
    answer(kept, 2, "other.csv.nack", b"row 2")
    answer(kept, 100, "v.csv.ack")
    originals = kept.folder / "home" / "inbound" / "originals"
    old, lost, young = sorted(originals.iterdir(), key=lambda path: path.name.rpartition(".")[2])
    # Of these the ledger knows nothing.
    for name in ("roster.csv.20200101T000000Z", "v.csv.ack", "other.csv.nack.20200101T000000Z"):
        (originals / name).write_text("a partner's")
    listed = due(kept, 185)
    found = {Path(one.path).name: one.delivery_id for one in listed.removals if one.kind is Kind.ANSWER}
    assert found == {old.name: sent.delivery_id, lost.name: None}
    assert purge_on(kept, 185).files == 4
    assert what(stones()) == what(listed.removals)
    assert {path.name for path in originals.iterdir()} == {
        young.name,
        "roster.csv.20200101T000000Z",
        "v.csv.ack",
        "other.csv.nack.20200101T000000Z",
    }
    assert {one.sha256 for one in stones() if one.path.endswith(lost.name)} == {
        hashlib.sha256(b"row 2").hexdigest()
    }
    with transaction() as connection:
        assert len(delivery_answers.latest(connection, CODE)) == 3
    purge_on(kept, 400)
    assert not young.exists()


def test_T39_an_answer_too_large_to_be_read_goes_too(kept: Outbound) -> None:
    kept.write_tenant("    target: {answers: {}}\n" + KEEP)
    content = b"x" * (1024 * 1024 + 1)
    answer(kept, 0, "v.csv.ack", content)
    assert purge_on(kept, 200).files == 1
    (stone,) = stones()
    assert stone.sha256 == hashlib.sha256(content).hexdigest()


def test_T39_a_submissions_original_of_the_same_name_and_content_is_no_answer(kept: Outbound) -> None:
    kept.write_tenant("    target: {answers: {}}\n" + KEEP)
    answer(kept, 0, "v.csv.ack", b"x")
    (original,) = (kept.folder / "home" / "inbound" / "originals").iterdir()
    with transaction() as connection:
        values = {"name": "v.csv.ack", "stamp": original.name.rpartition(".")[2]}
        query = "update ledger.submission set file_name = :name, stamp = :stamp"
        assert connection.execute(text(query), values).rowcount == 1
    assert purge_on(kept, 400) == Purged()
    assert original.exists()


def test_T39_left_overs_go_from_any_folder_that_files_went_to(kept: Outbound) -> None:
    kept.write_tenant("    target: {folder: theirs}\n" + KEEP)
    folder = kept.folder / "home" / "theirs"
    folder.mkdir()
    for name, number in ((".01OLD.exchange", 0), (".01NEW.exchange", 100), (".profile", 0)):
        (folder / name).write_text("cut")
        os.utime(folder / name, (day(number).timestamp(), day(number).timestamp()))
    listed = due(kept, 200)
    assert [(one.kind, one.path) for one in listed.removals] == [(Kind.LEFT_OVER, "theirs/.01OLD.exchange")]
    assert purge_on(kept, 200).files == 1
    assert {path.name for path in folder.iterdir()} == {".01NEW.exchange", ".profile"}
    assert stones()[0].sha256 == hashlib.sha256(b"cut").hexdigest()


def test_T39_the_two_purges_settle_only_what_they_planned_themselves(kept: Outbound) -> None:
    with on(0), transaction() as connection:
        mine = [
            Removal(Kind.ANSWER, "inbound/originals/gone", 1),
            Removal(Kind.FORGOTTEN, "inbound/.gone", 1),
        ]
        tombstones.plan(connection, CODE, mine, policy_days=DAYS)
    with on(1):
        of_submissions.purge(home(kept), kept.tenant, by="tester")
    assert [(one.kind, one.purged_at) for one in stones()] == [
        (Kind.ANSWER, None),
        (Kind.FORGOTTEN, day(1)),
    ]
    purge_on(kept, 2)
    assert [one.purged_at for one in stones()] == [day(2), day(1)]


# ---- when something goes wrong


def test_T39_a_purge_takes_so_many_and_leaves_the_rest_to_the_next(
    kept: Outbound, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = [send_new(kept, number) for number in range(3)]
    monkeypatch.setenv("EXCHANGE_PURGE_LIMIT", "2")
    listed = due(kept, 300)
    assert [one.delivery_id for one in listed.deliveries] == [one.delivery_id for one in sent[:2]]
    done = purge_on(kept, 300)
    assert (done.deliveries, done.waiting) == (2, 1)
    done = purge_on(kept, 300)
    assert (done.deliveries, done.waiting) == (1, 0)
    assert all_files(kept) == set()


def test_T39_a_file_that_cannot_be_removed_keeps_no_other_from_it(kept: Outbound) -> None:
    first, second = send(kept, 0), send_new(kept, 1)

    class Stuck(LocalHome):
        """A home on a server that does not let one file go."""

        def remove(self, path: str) -> None:
            if path.endswith(first.delivered_name):
                raise PermissionError(path)
            super().remove(path)

    done = purge_on(kept, 200, Stuck(kept.folder / "home"))
    assert (done.deliveries, done.failed) == (1, 1)
    assert (newest(first).purged_at, newest(second).purged_at) == (None, day(200))
    assert first.archive_path in all_files(kept)
    assert purge_on(kept, 201).deliveries == 1
    assert all_files(kept) == set()
    assert [one.purged_at for one in stones()].count(day(201)) == 2
    assert len(stones()) == 4


def test_T39_a_partner_may_take_its_file_first(kept: Outbound) -> None:
    sent = send(kept, 0)
    (kept.outbox / sent.delivered_name).unlink()
    assert purge_on(kept, 200) == Purged(deliveries=1, files=1, size_bytes=sent.size_bytes or 0)


@pytest.mark.slow
def test_X03_a_purge_killed_anywhere_is_finished_by_the_next(kept: Outbound) -> None:
    kept.write_tenant("    target: {folder: theirs, answers: {}}\n" + COMPARED + KEEP)
    folder = kept.folder / "home" / "theirs"
    folder.mkdir()

    def fill(number: int) -> list[Delivery]:
        usernames = kept.enroll(number + 10)
        kept.verify(usernames[-1])
        sent = [send(kept, number), send(kept, number, "roster")]
        answer(kept, number, f"{sent[0].delivered_name}.ack")
        (folder / f".{number}.exchange").write_text("cut")
        os.utime(folder / f".{number}.exchange", (day(number).timestamp(), day(number).timestamp()))
        return sent

    fill(0)
    calls = in_child(lambda: purge_on(kept, 200), kill_at=None)
    assert calls is not None
    points, killed = 24, 0
    for point in range(1, points + 1):
        sent = fill(point)
        known = len(stones())
        listed = due(kept, 200 + point)
        there = all_files(kept)
        killed += in_child(partial(purge_on, kept, 200 + point), 1 + (point - 1) * calls // points) is None
        told = {one.path for one in stones()[known:]}
        for lost in there - all_files(kept):
            assert lost in told, lost
        purge_on(kept, 200.5 + point)
        assert all_files(kept) == {sent[1].keys_path}
        new = stones()[known:]
        assert what(new) == what(listed.removals)
        assert all(one.purged_at for one in new)
        assert all(newest(one).purged_at for one in sent)
    assert killed == points


def test_T39_no_value_of_a_file_reaches_the_log(kept: Outbound, caplog: pytest.LogCaptureFixture) -> None:
    kept.write_tenant("    file_name: secret-name.csv\n" + KEEP)
    send(kept, 0)
    caplog.set_level(logging.INFO, "partner_exchange")
    purge_on(kept, 200)
    assert "purge.outbound" in caplog.text
    assert "secret-name" not in caplog.text
