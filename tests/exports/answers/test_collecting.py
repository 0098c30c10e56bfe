"""A partner's answer files become states of deliveries, in a home and on the partner's own server (X11)."""

from __future__ import annotations

import logging
import os
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from partner_exchange import clock
from partner_exchange.errors import NameTaken, PathMissing
from partner_exchange.exports import answers
from partner_exchange.exports.answers import AnswerCounts, collecting
from partner_exchange.exports.runs import interventions
from partner_exchange.ledger import deliveries as ledger
from partner_exchange.ledger import delivery_answers
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.deliveries import Delivery, DeliveryState
from partner_exchange.ledger.delivery_answers import Answer, Verdict
from support.killed import in_child
from support.outbound import CODE, NOON, TENANT_YAML, Outbound

pytestmark = pytest.mark.service

SECRET = "jane.doe@uni.example"


def sent(exchange: Outbound, export: str = "verified") -> Delivery:
    delivery = exchange.run(export)
    assert delivery is not None
    return delivery


def inbox(exchange: Outbound) -> Path:
    return exchange.folder / "home" / "inbound"


def drop(folder: Path, name: str, content: bytes = b"", *, at: datetime = NOON) -> Path:
    path = folder / name
    path.write_bytes(content)
    os.utime(path, (at.timestamp(), at.timestamp()))
    return path


def collect(exchange: Outbound, export: str = "verified") -> AnswerCounts:
    return answers.collect(exchange.tenant, export, exchange.open_target, pause=lambda _: None)


def known(**filters: object) -> list[Answer]:
    with transaction() as connection:
        return delivery_answers.latest(connection, CODE, **filters)  # type: ignore[arg-type]


def state(delivery: Delivery) -> DeliveryState:
    with transaction() as connection:
        return ledger.get(connection, delivery.delivery_id).state


def mails() -> list[tuple[str, str, str]]:
    with transaction() as connection:
        rows = connection.execute(text("select event, recipient, topic from ledger.mail order by mail_id"))
        return [(row.event, row.recipient, row.topic) for row in rows]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file())


# ---- in the partner's home


def test_X11_a_confirmation_moves_the_delivery_and_goes_to_the_originals(answered: Outbound) -> None:
    delivery = sent(answered)
    drop(inbox(answered), f"{delivery.delivered_name}.ack")
    assert collect(answered) == AnswerCounts(accepted=1)
    assert state(delivery) is DeliveryState.CONFIRMED
    (answer,) = known()
    assert (answer.delivery_id, answer.export_name, answer.verdict) == (
        delivery.delivery_id,
        "verified",
        Verdict.ACCEPTED,
    )
    assert (answer.place, answer.file_name) == ("inbound", f"{delivery.delivered_name}.ack")
    assert names(inbox(answered)) == []
    kept = inbox(answered) / "originals" / f"{delivery.delivered_name}.ack.20261120T120000Z"
    assert kept.read_bytes() == b""
    assert mails() == []
    assert collect(answered) == AnswerCounts()


def test_X11_a_refusal_is_told_to_contacts_and_to_us_without_its_words(
    answered: Outbound, caplog: pytest.LogCaptureFixture
) -> None:
    delivery = sent(answered)
    caplog.clear()
    caplog.set_level(logging.DEBUG)
    drop(inbox(answered), f"{delivery.delivered_name}.nack", f"Row 2: {SECRET} is unknown".encode())
    assert collect(answered) == AnswerCounts(refused=1)
    assert state(delivery) is DeliveryState.REFUSED
    assert known()[0].comment == f"Row 2: {SECRET} is unknown"
    topic = f"{delivery.delivery_id}.20261120T120000Z"
    assert mails() == [
        ("delivery-refused", "it@uni.example", topic),
        ("delivery-refused", "ops@exchange.example", topic),
    ]
    assert SECRET not in f"{mails()} {caplog.text}"
    assert delivery.delivered_name not in caplog.text
    assert "export.answers tenant=state-university accepted=0 refused=1" in caplog.text


def test_X11_a_refusal_under_the_name_of_a_confirmation_is_a_refusal(answered: Outbound) -> None:
    delivery = sent(answered)
    drop(inbox(answered), f"{delivery.delivered_name}.ack", b'{"status": "rejected", "message": "late"}')
    assert collect(answered) == AnswerCounts(refused=1)
    assert (state(delivery), known()[0].comment) == (DeliveryState.REFUSED, "late")


def test_X11_the_last_answer_counts_and_each_turn_for_the_worse_is_told(answered: Outbound) -> None:
    delivery = sent(answered)
    minute = timedelta(minutes=1)
    for turn, ending in enumerate(("nack", "nack", "ack", "nack")):
        with clock.frozen(NOON + turn * minute):
            drop(inbox(answered), f"{delivery.delivered_name}.{ending}", f"{turn}".encode(), at=clock.now())
            collect(answered)
    assert state(delivery) is DeliveryState.REFUSED
    assert len(known(delivery_id=delivery.delivery_id)) == 4
    ours = [topic.partition(".")[2] for _, who, topic in mails() if who.startswith("ops")]
    assert ours == ["20261120T120000Z", "20261120T120300Z"]


def test_X11_of_two_answers_of_one_second_the_refusal_is_the_last(answered: Outbound) -> None:
    delivery = sent(answered)
    for ending in ("nack", "ack"):
        drop(inbox(answered), f"{delivery.delivered_name}.{ending}")
    assert collect(answered) == AnswerCounts(accepted=1, refused=1)
    assert state(delivery) is DeliveryState.REFUSED


def test_X11_an_answer_to_a_file_that_was_sent_again_is_about_its_delivery(answered: Outbound) -> None:
    first = sent(answered)
    again = interventions.resend(first.delivery_id, answered.open_target, actor="test", is_again=True)
    assert again.delivered_name == first.delivered_name.replace(".csv", "-2.csv")
    drop(inbox(answered), f"{again.delivered_name}.nack")
    assert collect(answered) == AnswerCounts(refused=1)
    assert state(first) is DeliveryState.REFUSED


def test_X11_a_number_that_may_be_of_several_deliveries_is_of_none(answered: Outbound) -> None:
    for number in range(2):
        with clock.frozen(NOON + timedelta(days=number)):
            newest = sent(answered, "all")
    drop(inbox(answered), "all-2.csv.nack")
    drop(inbox(answered), "-2.nack")
    assert collect(answered, "all") == AnswerCounts(unmatched=2)
    assert state(newest) is DeliveryState.DELIVERED


def test_X11_an_answer_to_nothing_is_kept_to_be_seen_and_does_not_come_again(answered: Outbound) -> None:
    delivery = sent(answered)
    drop(inbox(answered), "of-another-system.csv.ack", b"ok")
    assert collect(answered) == AnswerCounts(unmatched=1)
    assert state(delivery) is DeliveryState.DELIVERED
    (answer,) = known(only_unmatched=True)
    assert (answer.delivery_id, answer.export_name, answer.comment) == (None, "", "ok")
    assert names(inbox(answered)) == []


def test_X11_an_answer_that_cannot_be_put_away_counts_stays_and_is_told(answered: Outbound) -> None:
    first, second = sent(answered), sent(answered, "all")
    there = [f"{first.delivered_name}.nack", f"{second.delivered_name}.ack"]
    for name in there:
        drop(inbox(answered), name)
    drop(inbox(answered), "originals", b"a file, no folder")
    for _ in range(2):
        with pytest.raises(PathMissing, match="'originals' there is no folder") as caught:
            collect(answered)
        assert caught.value.code == "target-not-writable"
    assert (state(first), state(second)) == (DeliveryState.REFUSED, DeliveryState.CONFIRMED)
    assert names(inbox(answered)) == sorted([*there, "originals"])
    assert len(mails()) == 2
    (inbox(answered) / "originals").unlink()
    assert collect(answered) == AnswerCounts()
    assert names(inbox(answered)) == []


def test_X11_nobody_looks_for_a_free_name_for_ever(
    answered: Outbound, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = sent(answered)
    monkeypatch.setattr(collecting, "_MOST_STAMPS", 2)
    (inbox(answered) / "originals").mkdir()
    for second in range(3):
        drop(inbox(answered) / "originals", f"{delivery.delivered_name}.ack.20261120T12000{second}Z")
    drop(inbox(answered), f"{delivery.delivered_name}.ack")
    with pytest.raises(NameTaken):
        collect(answered)
    assert state(delivery) is DeliveryState.CONFIRMED


def test_X11_drops_and_names_of_ours_are_left_alone(answered: Outbound) -> None:
    sent(answered)
    there = ["a.csv.20261120T110000Z.processing", "roster.csv", "x.csv.ack.part", "x.csv.ack~"]
    for name in there:
        drop(inbox(answered), name)
    (inbox(answered) / "folder.ack").mkdir()
    assert collect(answered) == AnswerCounts()
    assert names(inbox(answered)) == there


@pytest.mark.parametrize(
    "content", [b"\x00\x01\x02", b'{"status": ', b'{"status": "maybe"}', b"x" * (1024 * 1024 + 1)]
)
def test_X11_what_nobody_can_read_changes_nothing_and_is_kept(answered: Outbound, content: bytes) -> None:
    delivery = sent(answered)
    drop(inbox(answered), f"{delivery.delivered_name}.ack", content)
    assert collect(answered) == AnswerCounts(unreadable=1)
    assert state(delivery) is DeliveryState.DELIVERED
    (answer,) = known()
    assert (answer.delivery_id, answer.verdict) == (delivery.delivery_id, Verdict.UNREADABLE)
    (kept,) = (inbox(answered) / "originals").iterdir()
    assert kept.read_bytes() == content
    assert mails() == []


def test_X11_a_name_that_is_no_text_hides_no_other(answered: Outbound) -> None:
    delivery = sent(answered)
    odd = os.fsencode(inbox(answered)) + b"/\xff.ack"
    with open(odd, "wb"):
        pass
    drop(inbox(answered), f"{delivery.delivered_name}.ack")
    assert collect(answered) == AnswerCounts(accepted=1)
    assert os.path.exists(odd)


def test_X11_each_confirmation_of_a_name_that_never_changes_counts(answered: Outbound) -> None:
    day = timedelta(days=1)
    for number in range(3):
        with clock.frozen(NOON + number * day):
            delivery = sent(answered, "all")
            assert delivery.delivered_name == "all.csv"
            drop(inbox(answered), "all.csv.ack", at=clock.now())
            assert collect(answered, "all") == AnswerCounts(accepted=1)
            assert state(delivery) is DeliveryState.CONFIRMED


def test_X11_two_answers_put_away_in_one_second_keep_both_names(answered: Outbound) -> None:
    for number in range(2):
        drop(inbox(answered), "old.csv.ack", b"ok", at=NOON + timedelta(seconds=number))
        assert collect(answered) == AnswerCounts(unmatched=1)
    assert sorted(path.name for path in (inbox(answered) / "originals").iterdir()) == [
        "old.csv.ack.20261120T120000Z",
        "old.csv.ack.20261120T120001Z",
    ]


def test_X11_an_answer_before_we_know_of_the_delivery_waits_for_it(answered: Outbound) -> None:
    delivery = sent(answered)
    name = f"{delivery.delivered_name}.ack"
    drop(inbox(answered), name)
    with transaction() as connection:
        # The rename was done and the worker died before it could say so.
        connection.execute(
            text(
                "update ledger.delivery set state = 'uploaded', delivered_at = null where delivery_id = :one"
            ),
            {"one": delivery.delivery_id},
        )
        connection.execute(text("delete from ledger.export_cursor"))
    assert collect(answered) == AnswerCounts(waiting=1)
    assert (names(inbox(answered)), known()) == ([name], [])
    assert answered.run() is not None
    assert collect(answered) == AnswerCounts(accepted=1)
    assert state(delivery) is DeliveryState.CONFIRMED


def test_X11_exports_that_share_names_and_inbox_each_get_their_answer(answered: Outbound) -> None:
    same = """\
    file_name: list.csv
    target: {folder: outbound/a, answers: {}}
  other:
    report: verified_students
    file_name: list.csv
    target: {folder: outbound/b, answers: {}}
  quiet:
    report: verified_students
    file_name: list.csv
    target: {folder: outbound/c}
"""
    answered.write_tenant(same)
    for folder in "abc":
        (answered.outbox / folder).mkdir()
    first, second, quiet = (sent(answered, name) for name in ("verified", "other", "quiet"))
    drop(inbox(answered), "list.csv.ack")
    assert collect(answered, "verified") == AnswerCounts(accepted=1)
    assert (state(first), state(second)) == (DeliveryState.DELIVERED, DeliveryState.CONFIRMED)
    drop(inbox(answered), "list.csv.nack")
    assert collect(answered, "other") == AnswerCounts(refused=1)
    assert (state(first), state(second)) == (DeliveryState.REFUSED, DeliveryState.CONFIRMED)
    assert state(quiet) is DeliveryState.DELIVERED, "nobody asked for answers to it"
    assert collect(answered, "quiet") == AnswerCounts()


def test_X11_all_folders_of_a_tenant_are_looked_at_once_each(answered: Outbound) -> None:
    one, two = sent(answered), sent(answered, "all")
    for delivery in (one, two):
        drop(inbox(answered), f"{delivery.delivered_name}.ack")
    opened = answered.opened
    found = answers.collect_all(answered.tenant, answered.open_target)
    assert (found, answered.opened - opened) == (AnswerCounts(accepted=2), 1)


def test_X11_an_export_without_answers_opens_nothing(outbound: Outbound) -> None:
    assert collect(outbound) == AnswerCounts()
    assert outbound.opened == 0


# ---- crashes and other collectors


@pytest.mark.slow
def test_X11_killed_anywhere_an_answer_counts_once_and_is_put_away(answered: Outbound) -> None:
    first = sent(answered)
    drop(inbox(answered), f"{first.delivered_name}.nack")
    calls = in_child(lambda: collect(answered), None)
    assert calls is not None
    in_between = 0
    for number, at in enumerate(sorted(random.Random(3).sample(range(1, calls), 25))):
        answered.verify(answered.enroll(10 + number)[-1])
        with clock.frozen(NOON + timedelta(minutes=number + 1)):
            delivery = sent(answered)
            name = f"{delivery.delivered_name}.nack"
            drop(inbox(answered), name, at=clock.now())
            in_child(lambda: collect(answered), at)
            in_between += bool(known(delivery_id=delivery.delivery_id)) and name in names(inbox(answered))
            collect(answered)
        assert state(delivery) is DeliveryState.REFUSED
        assert len(known(delivery_id=delivery.delivery_id)) == 1
        assert names(inbox(answered)) == []
        told = [one for one in mails() if one[2].startswith(delivery.delivery_id)]
        assert len(told) == 2
    assert in_between, "no kill fell between recording and putting away"


def test_X11_two_collectors_at_once_take_each_answer_once(answered: Outbound) -> None:
    delivery = sent(answered)
    for number in range(10):
        drop(inbox(answered), f"other-{number}.csv.ack")
    drop(inbox(answered), f"{delivery.delivered_name}.nack")
    before = threading.Barrier(4)

    def work(_: int) -> AnswerCounts:
        before.wait()
        with clock.frozen(NOON):
            return collect(answered)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(work, range(4)))
    assert (sum(one.refused for one in found), sum(one.unmatched for one in found)) == (1, 10)
    assert (len(known()), len(mails()), names(inbox(answered))) == (11, 2, [])


# ---- on the partner's own server


@pytest.fixture
def theirs(answered: Outbound) -> Path:
    """The folder of the partner's own server, with ``verified`` going there."""
    server = """\
    target: {kind: server, connection: north, folder: theirs, answers: {}}
"""
    answered.write_tenant(server)
    folder = answered.folder / "home" / "theirs"
    folder.mkdir()
    return folder


def test_X11_beside_the_file_on_a_partners_server_nothing_is_touched(
    answered: Outbound, theirs: Path
) -> None:
    delivery = sent(answered)
    drop(theirs, f"{delivery.delivered_name}.ack")
    assert collect(answered) == AnswerCounts(accepted=1)
    assert known()[0].place == "north:theirs"
    there = names(theirs)
    assert there == [delivery.delivered_name, f"{delivery.delivered_name}.ack"]
    assert collect(answered) == AnswerCounts()
    assert (names(theirs), len(known())) == (there, 1)


def test_X11_a_later_file_of_the_same_name_is_another_answer(answered: Outbound, theirs: Path) -> None:
    answered.write_tenant(
        "    file_name: list.csv\n"
        "    target: {kind: server, connection: north, folder: theirs, answers: {}}\n"
    )
    first = sent(answered)
    drop(theirs, "list.csv.ack")
    collect(answered)
    # Taken away, so that the name is free again.
    (theirs / "list.csv").unlink()
    answered.verify(answered.enroll(4)[-1])
    second = sent(answered)
    assert collect(answered) == AnswerCounts(), "yesterday's confirmation says nothing of today's file"
    assert (state(first), state(second)) == (DeliveryState.CONFIRMED, DeliveryState.DELIVERED)
    drop(theirs, "list.csv.ack", at=NOON + timedelta(seconds=1))
    assert collect(answered) == AnswerCounts(accepted=1)
    assert state(second) is DeliveryState.CONFIRMED


def test_X01_an_answer_that_still_grows_is_left_for_the_next_look(answered: Outbound, theirs: Path) -> None:
    delivery = sent(answered)
    growing = drop(theirs, f"{delivery.delivered_name}.ack", b'{"status": "reje')
    waited: list[float] = []

    def pause(seconds: float) -> None:
        waited.append(seconds)
        growing.write_bytes(b'{"status": "rejected"}')

    found = answers.collect(answered.tenant, "verified", answered.open_target, pause=pause)
    assert (found, known(), waited) == (AnswerCounts(), [], [2.0])
    assert collect(answered) == AnswerCounts(refused=1)


def test_X11_a_folder_that_is_gone_is_said_so(answered: Outbound, theirs: Path) -> None:
    theirs.rmdir()
    with pytest.raises(PathMissing):
        collect(answered)


# ---- answers that do not come


def test_X11_a_missing_answer_is_told_once(answered: Outbound) -> None:
    delivery = sent(answered)
    sent(answered, "all")
    hours = [(3, 0), (4, 1), (5, 0), (60, 0)]
    for after_h, told in hours:
        with clock.frozen(NOON + timedelta(hours=after_h)):
            assert answers.remind(answered.tenant) == told
    assert mails() == [
        ("delivery-unanswered", "it@uni.example", delivery.delivery_id),
        ("delivery-unanswered", "ops@exchange.example", delivery.delivery_id),
    ]


def test_X11_an_answer_in_time_is_not_asked_for(answered: Outbound) -> None:
    delivery = sent(answered)
    drop(inbox(answered), f"{delivery.delivered_name}.nack")
    collect(answered)
    with clock.frozen(NOON + timedelta(hours=5)):
        assert answers.remind(answered.tenant) == 0


def test_X11_the_past_of_an_export_that_is_answered_from_now_on_is_not_told(outbound: Outbound) -> None:
    outbound.verify(*outbound.enroll(1))
    with clock.frozen(NOON):
        sent(outbound)
    outbound.write_tenant("    target: {answers: {within_h: 1}}\n", TENANT_YAML)
    with clock.frozen(NOON + timedelta(days=3)):
        assert answers.remind(outbound.tenant) == 0
