"""A target that fails: the ladder, dead letters, and what a person can do (M67, X09, X10)."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import pytest

from partner_exchange import clock
from partner_exchange.errors import (
    ArchiveDamaged,
    DeliveryGivenUp,
    DeliveryWaits,
    ExportBlocked,
    FileUnwritable,
    HostKeyChanged,
    LoginRefused,
    NameTaken,
    RemoteBusy,
    ReportRefused,
    StateConflict,
    Unreachable,
)
from partner_exchange.exports.delivery.ladder import LADDER_S
from partner_exchange.exports.runs import interventions
from partner_exchange.exports.runs.deliver import deliver
from partner_exchange.exports.runs.select import select
from partner_exchange.exports.runs.write import write
from partner_exchange.ledger import audit, mails
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.deliveries import Delivery, DeliveryState
from partner_exchange.storage.folders import LocalHome
from support.outbound import CODE, NOON, Outbound

SECOND = timedelta(seconds=1)


@contextmanager
def _down() -> Iterator[None]:
    raise Unreachable("target-unreachable", "The server cannot be reached.")
    yield


@contextmanager
def _refusing() -> Iterator[None]:
    raise LoginRefused("target-login-refused", "The server takes neither key nor password.")
    yield


@contextmanager
def _another_host() -> Iterator[None]:
    raise HostKeyChanged("target-host-key-changed", "Another host key.")
    yield


@contextmanager
def _cut_off_after() -> Iterator[None]:
    yield
    raise Unreachable("target-cut-off", "The connection was cut.")


def _written(outbound: Outbound) -> Delivery:
    outbound.verify(*outbound.enroll(3))
    opened = select(outbound.tenant, "verified")
    assert opened is not None
    written = write(opened.delivery_id)
    assert written is not None
    return written


def _newest(outbound: Outbound) -> Delivery:
    return outbound.deliveries()[-1]


def _mails() -> list[tuple[str, str]]:
    with transaction() as connection:
        found = mails.due(connection, clock.now() + timedelta(days=3650), limit=100)
    return [(str(mail.event), mail.recipient) for mail in found]


def test_X10_a_transient_fault_is_tried_again_by_the_ladder(outbound: Outbound) -> None:
    delivery_id = _written(outbound).delivery_id
    outbound.fault = _down
    at, pauses = NOON, []
    for _ in LADDER_S:
        with clock.frozen(at), pytest.raises(Unreachable) as told:
            deliver(delivery_id, outbound.open_target)
        pauses.append(told.value.fields["retry_after_s"])
        with clock.frozen(at + SECOND), pytest.raises(DeliveryWaits):
            deliver(delivery_id, outbound.open_target)
        at += timedelta(seconds=pauses[-1])
    assert pauses == pytest.approx(LADDER_S, rel=0.11)
    assert outbound.opened == len(LADDER_S)
    assert _mails() == []
    with clock.frozen(at), pytest.raises(DeliveryGivenUp):
        deliver(delivery_id, outbound.open_target)
    dead = _newest(outbound)
    assert (dead.state, dead.attempts, dead.fault_code) == (DeliveryState.DEAD, 6, "target-unreachable")
    assert _mails() == [("delivery-failed", "it@uni.example")]


def test_X10_what_waits_goes_out_when_the_server_is_back(outbound: Outbound) -> None:
    delivery = _written(outbound)
    outbound.fault = _down
    with clock.frozen(NOON), pytest.raises(Unreachable):
        deliver(delivery.delivery_id, outbound.open_target)
    outbound.fault = None
    with clock.frozen(NOON + timedelta(hours=1)):
        sent = deliver(delivery.delivery_id, outbound.open_target)
    assert (sent.state, sent.fault_code, sent.next_attempt_at) == (DeliveryState.DELIVERED, "", None)
    assert len(outbound.delivered()) == 3


def test_X10_a_terminal_fault_is_a_dead_letter_at_once_and_a_person_is_told(
    outbound: Outbound, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXCHANGE_OPERATIONS_MAIL", "oncall@exchange.example")
    outbound.write_tenant("    target: {kind: server, connection: partner_sftp, folder: outbound}\n")
    delivery = _written(outbound)
    outbound.fault = _refusing
    with pytest.raises(LoginRefused):
        deliver(delivery.delivery_id, outbound.open_target)
    assert _newest(outbound).state is DeliveryState.DEAD
    assert sorted(_mails()) == [
        ("delivery-failed", "it@uni.example"),
        ("delivery-failed", "oncall@exchange.example"),
    ]


@pytest.mark.parametrize(
    ("ours", "told"), [("oncall@exchange.example", "oncall@exchange.example"), ("", "it@uni.example")]
)
def test_X10_what_is_ours_to_mend_is_told_to_us_alone_where_somebody_of_us_hears(
    outbound: Outbound, monkeypatch: pytest.MonkeyPatch, ours: str, told: str
) -> None:
    monkeypatch.setenv("EXCHANGE_OPERATIONS_MAIL", ours)
    delivery = _written(outbound)
    outbound.fault = _refusing
    with pytest.raises(LoginRefused):
        deliver(delivery.delivery_id, outbound.open_target)
    assert _mails() == [("delivery-failed", told)]


def test_X10_a_dead_letter_holds_its_export_and_loses_nothing(outbound: Outbound) -> None:
    delivery = _written(outbound)
    outbound.fault = _refusing
    with pytest.raises(LoginRefused):
        deliver(delivery.delivery_id, outbound.open_target)
    outbound.fault = None
    outbound.verify(*outbound.enroll(5))
    for _ in range(2):
        with pytest.raises(ExportBlocked) as told:
            outbound.run()
        assert delivery.delivery_id in told.value.message
    sent = interventions.resend(delivery.delivery_id, outbound.open_target, actor="ada")
    assert (sent.state, sent.rows_total) == (DeliveryState.DELIVERED, 3)
    last = outbound.run()
    assert last is not None
    assert last.rows_total == 2
    assert len(set(outbound.delivered())) == len(outbound.delivered()) == 5
    with transaction() as connection:
        entry = next(one for one in audit.entries(connection, CODE) if one.action == "delivery.resend")
    assert (entry.actor, entry.subject) == ("ada", delivery.delivery_id)


def test_X10_a_dead_letter_that_dies_again_is_told_again(outbound: Outbound) -> None:
    delivery = _written(outbound)
    outbound.fault = _refusing
    with clock.frozen(NOON), pytest.raises(LoginRefused):
        deliver(delivery.delivery_id, outbound.open_target)
    with clock.frozen(NOON + SECOND), pytest.raises(LoginRefused):
        interventions.resend(delivery.delivery_id, outbound.open_target, actor="ada")
    assert len(_mails()) == 2


def test_X09_a_dead_letter_that_is_sent_again_and_fails_tells_the_newest_cause(outbound: Outbound) -> None:
    delivery = _written(outbound)
    outbound.fault = _refusing
    with pytest.raises(LoginRefused):
        deliver(delivery.delivery_id, outbound.open_target)
    outbound.fault = _another_host
    with pytest.raises(HostKeyChanged):
        interventions.resend(delivery.delivery_id, outbound.open_target, actor="ada")
    found = _newest(outbound)
    assert (found.state, found.fault_code) == (DeliveryState.DEAD, "target-host-key-changed")
    assert found.fault_message == "Another host key."
    with pytest.raises(ExportBlocked) as told:
        outbound.run()
    assert "Another host key." in told.value.message
    assert "neither key nor password" not in told.value.message


def test_X09_resend_does_not_wait_for_the_next_try(outbound: Outbound) -> None:
    delivery = _written(outbound)
    outbound.fault = _down
    with pytest.raises(Unreachable):
        deliver(delivery.delivery_id, outbound.open_target)
    outbound.fault = None
    sent = interventions.resend(delivery.delivery_id, outbound.open_target, actor="ada")
    assert sent.state is DeliveryState.DELIVERED


def test_X09_a_try_that_a_person_asks_for_is_the_first_of_a_new_ladder(outbound: Outbound) -> None:
    delivery = _written(outbound)
    outbound.fault = _down
    with clock.frozen(NOON), pytest.raises(Unreachable):
        deliver(delivery.delivery_id, outbound.open_target)
    with clock.frozen(NOON), pytest.raises(Unreachable) as told:
        interventions.resend(delivery.delivery_id, outbound.open_target, actor="ada")
    assert told.value.fields["retry_after_s"] == pytest.approx(LADDER_S[0], rel=0.11)
    assert _newest(outbound).attempts == 1


def test_X09_two_people_who_send_it_again_take_turns(outbound: Outbound) -> None:
    outbound.verify(*outbound.enroll(3))
    sent = outbound.run()
    assert sent is not None
    within, may_end = threading.Event(), threading.Event()

    @contextmanager
    def slow() -> Iterator[None]:
        within.set()
        assert may_end.wait(20)
        yield

    outbound.fault = slow
    with ThreadPoolExecutor(1) as pool:
        again = pool.submit(
            interventions.resend, sent.delivery_id, outbound.open_target, actor="ada", is_again=True
        )
        assert within.wait(20)
        with pytest.raises(DeliveryWaits):
            interventions.resend(sent.delivery_id, outbound.open_target, actor="bob", is_again=True)
        may_end.set()
        again.result()
    assert len(outbound.files()) == 2


def test_X09_a_delivered_file_goes_again_only_when_asked_for(outbound: Outbound) -> None:
    outbound.verify(*outbound.enroll(3))
    sent = outbound.run()
    assert sent is not None
    with pytest.raises(StateConflict, match="--again"):
        interventions.resend(sent.delivery_id, outbound.open_target, actor="ada")
    again = interventions.resend(sent.delivery_id, outbound.open_target, actor="ada", is_again=True)
    first, second = (outbound.outbox / one.delivered_name for one in (sent, again))
    assert first != second
    assert first.read_bytes() == second.read_bytes()
    assert outbound.run() is None
    assert _newest(outbound).delivered_name == sent.delivered_name


def test_X09_an_abandoned_deliverys_changes_go_with_the_next_one(outbound: Outbound) -> None:
    delivery = _written(outbound)
    interventions.abandon(delivery.delivery_id, actor="ada")
    outbound.verify(*outbound.enroll(4))
    sent = outbound.run()
    assert sent is not None
    assert sent.rows_total == 4
    with pytest.raises(StateConflict):
        interventions.abandon(delivery.delivery_id, actor="ada")
    with pytest.raises(StateConflict):
        interventions.resend(delivery.delivery_id, outbound.open_target, actor="ada")
    with pytest.raises(StateConflict):
        deliver(delivery.delivery_id, outbound.open_target)
    assert outbound.files() == [sent.delivered_name]


def test_M67_a_connection_cut_after_the_rename_delivers_once(outbound: Outbound) -> None:
    delivery = _written(outbound)
    outbound.fault = _cut_off_after
    with clock.frozen(NOON), pytest.raises(Unreachable):
        deliver(delivery.delivery_id, outbound.open_target)
    assert outbound.files() == [delivery.file_name]
    # The partner is quicker than the next try.
    (outbound.outbox / delivery.file_name).rename(outbound.folder / "taken.csv")
    with pytest.raises(StateConflict, match="not known"):
        interventions.abandon(delivery.delivery_id, actor="ada")
    outbound.fault = None
    with clock.frozen(NOON + timedelta(hours=1)):
        sent = deliver(delivery.delivery_id, outbound.open_target)
    assert (sent.state, outbound.files()) == (DeliveryState.DELIVERED, [])


def test_M67_a_dead_letter_that_may_be_there_is_looked_for_before_it_goes_again(outbound: Outbound) -> None:
    delivery = _written(outbound)
    outbound.fault = _cut_off_after
    at = NOON
    with clock.frozen(at), pytest.raises(Unreachable):
        deliver(delivery.delivery_id, outbound.open_target)
    outbound.fault = _refusing
    with clock.frozen(at + timedelta(hours=1)), pytest.raises(LoginRefused):
        deliver(delivery.delivery_id, outbound.open_target)
    outbound.fault = None
    sent = interventions.resend(delivery.delivery_id, outbound.open_target, actor="ada")
    assert (sent.state, outbound.files()) == (DeliveryState.DELIVERED, [delivery.file_name])


def test_M67_a_taken_name_gets_a_number(outbound: Outbound) -> None:
    delivery = _written(outbound)
    (outbound.outbox / delivery.file_name).write_text("the partner's own")
    sent = deliver(delivery.delivery_id, outbound.open_target)
    stem = delivery.file_name.removesuffix(".csv")
    assert sent.delivered_name == f"{stem}-2.csv"
    assert (outbound.outbox / delivery.file_name).read_text() == "the partner's own"


def test_M67_a_taken_name_is_replaced_where_the_target_says_so(outbound: Outbound) -> None:
    outbound.write_tenant(
        "  everybody:\n    report: verified_students\n    file_name: verified.csv\n"
        "    target: {name_taken: replace}\n"
    )
    outbound.verify("student1@example.edu", *outbound.enroll(2))
    outbound.run("everybody")
    outbound.verify(*outbound.enroll(3))
    outbound.run("everybody")
    assert outbound.files() == ["verified.csv"]
    assert len(outbound.delivered()) == 3


def test_M67_a_taken_name_is_a_dead_letter_where_the_target_says_so(outbound: Outbound) -> None:
    outbound.write_tenant("    file_name: verified.csv\n    target: {name_taken: refuse}\n")
    (outbound.outbox / "verified.csv").write_text("the partner's own")
    delivery = _written(outbound)
    with pytest.raises(NameTaken, match="partner's home: a file of the name verified.csv is there"):
        deliver(delivery.delivery_id, outbound.open_target)
    (outbound.outbox / "verified.csv").unlink()
    sent = interventions.resend(delivery.delivery_id, outbound.open_target, actor="ada")
    assert (sent.delivered_name, outbound.files()) == ("verified.csv", ["verified.csv"])


class _Forgetful(LocalHome):
    """A server that keeps only the first bytes and says nothing of it."""

    def put(self, path: str, chunks: Iterable[bytes]) -> None:
        super().put(path, [b"".join(chunks)[:10]])


@pytest.mark.parametrize("check", ["size", "content"])
def test_M67_what_a_server_does_not_keep_never_gets_its_name(outbound: Outbound, check: str) -> None:
    from partner_exchange.exports.delivery.carrier import Carrier

    outbound.write_tenant(f"    target: {{check: {check}}}\n")
    delivery = _written(outbound)

    @contextmanager
    def opener(*_: object) -> Iterator[Carrier]:
        yield Carrier(_Forgetful(outbound.outbox), "outbound", is_ours=True)

    with clock.frozen(NOON), pytest.raises(RemoteBusy, match="to folder 'outbound'"):
        deliver(delivery.delivery_id, opener)
    assert outbound.files() == []
    assert _newest(outbound).attempts == 1


class _Altering(LocalHome):
    """A server that changes what it keeps, of the same size."""

    def put(self, path: str, chunks: Iterable[bytes]) -> None:
        super().put(path, [b"".join(chunks).swapcase()])


def test_M67_content_that_was_changed_on_the_way_never_gets_its_name(outbound: Outbound) -> None:
    from partner_exchange.exports.delivery.carrier import Carrier

    outbound.write_tenant("    target: {check: content}\n")
    delivery = _written(outbound)

    @contextmanager
    def opener(*_: object) -> Iterator[Carrier]:
        yield Carrier(_Altering(outbound.outbox), "outbound", is_ours=True)

    with clock.frozen(NOON), pytest.raises(RemoteBusy):
        deliver(delivery.delivery_id, opener)
    assert outbound.files() == []


def test_M49_rows_that_do_not_fit_the_file_are_a_dead_letter_with_the_column(outbound: Outbound) -> None:
    outbound.write_tenant("    format: {kind: fixed}\n    columns: [{column: username, width: 5}]\n")
    outbound.verify(*outbound.enroll(3))
    with pytest.raises(FileUnwritable):
        outbound.run()
    dead = _newest(outbound)
    assert dead.state is DeliveryState.DEAD
    assert "Username" in dead.fault_message
    assert "student1" not in dead.fault_message
    assert _mails() == [("delivery-failed", "it@uni.example")]
    # Once the definition is mended, the same delivery goes on.
    outbound.write_tenant("    format: {kind: fixed}\n    columns: [{column: username, width: 30}]\n")
    sent = interventions.resend(dead.delivery_id, outbound.open_target, actor="ada")
    assert (sent.state, sent.rows_total) == (DeliveryState.DELIVERED, 3)


def test_M50_a_definition_that_broke_under_an_open_delivery_is_told(outbound: Outbound) -> None:
    outbound.verify(*outbound.enroll(3))
    opened = select(outbound.tenant, "verified")
    assert opened is not None
    outbound.write_tenant("    columns: [birthday]\n")
    with pytest.raises(ReportRefused):
        write(opened.delivery_id)
    assert (_newest(outbound).state, _newest(outbound).fault_code) == (
        DeliveryState.DEAD,
        "report-column-unknown",
    )
    assert _mails() == [("delivery-failed", "it@uni.example")]
    outbound.write_tenant()
    sent = interventions.resend(opened.delivery_id, outbound.open_target, actor="ada")
    assert sent.rows_total == 3


def test_X10_a_file_that_the_archive_lost_is_our_fault_not_the_targets(outbound: Outbound) -> None:
    delivery = _written(outbound)
    (outbound.folder / "storage" / delivery.archive_path).write_bytes(b"something else")
    with pytest.raises(ArchiveDamaged):
        deliver(delivery.delivery_id, outbound.open_target)
    assert (_newest(outbound).state, outbound.opened) == (DeliveryState.DEAD, 0)
    assert _mails() == [("delivery-failed", "it@uni.example")]


@pytest.mark.parametrize(("when_empty", "files"), [("skip", 0), ("file", 3), ("daily", 2)])
def test_M46_without_rows_the_export_says_whether_a_file_goes(
    outbound: Outbound, when_empty: str, files: int
) -> None:
    outbound.write_tenant(f"    when_empty: {when_empty}\n")
    # Two runs on one day of Chicago, which UTC's midnight lies in, and one on the next day.
    for at in (NOON, NOON + timedelta(hours=13), NOON + timedelta(hours=19)):
        with clock.frozen(at):
            outbound.run(due_at=at)
    assert len(outbound.files()) == files
    assert all(outbound.rows(name) == [] for name in outbound.files())


def test_M46_once_a_day_means_on_a_day_without_another_file(outbound: Outbound) -> None:
    outbound.write_tenant("    when_empty: daily\n")
    outbound.verify(*outbound.enroll(1))
    for at in (NOON, NOON + timedelta(hours=1)):
        with clock.frozen(at):
            outbound.run(due_at=at)
    assert len(outbound.files()) == 1
