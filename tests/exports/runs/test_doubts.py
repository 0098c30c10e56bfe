"""Between the name that is committed and the rename: what a try may conclude (M46, M67)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from partner_exchange import clock
from partner_exchange.errors import (
    DeliveryError,
    DeliveryWaits,
    PathMissing,
    RemoteBusy,
    StateConflict,
    TargetChanged,
    Unreachable,
)
from partner_exchange.exports.delivery.carrier import Carrier
from partner_exchange.exports.runs import interventions
from partner_exchange.exports.runs.deliver import Opener, deliver
from partner_exchange.exports.runs.select import select
from partner_exchange.exports.runs.write import write
from partner_exchange.ledger import deliveries as ledger
from partner_exchange.ledger.database import DELIVERY_LOCK, hold, transaction
from partner_exchange.ledger.deliveries import Delivery, DeliveryState
from partner_exchange.storage.folders import LocalHome
from support.outbound import CODE, NOON, VERIFIED, Outbound

LATER = timedelta(hours=1)


def _written(outbound: Outbound) -> Delivery:
    outbound.verify(*outbound.enroll(3))
    opened = select(outbound.tenant, VERIFIED)
    assert opened is not None
    written = write(opened.delivery_id)
    assert written is not None
    return written


def _newest(outbound: Outbound) -> Delivery:
    return outbound.deliveries()[-1]


class _Home(LocalHome):
    """A folder that does to a rename what a test wants."""

    def __init__(self, outbound: Outbound, on_rename: Callable[[LocalHome, str, str], None]) -> None:
        super().__init__(outbound.outbox)
        self._on_rename = on_rename

    def rename(self, old: str, new: str) -> None:
        self._on_rename(LocalHome(self._root), old, new)

    def replace(self, old: str, new: str) -> None:
        self._on_rename(LocalHome(self._root), old, new)


def _opener(outbound: Outbound, on_rename: Callable[[LocalHome, str, str], None]) -> Opener:
    @contextmanager
    def opened(*_: object) -> Iterator[Carrier]:
        yield Carrier(_Home(outbound, on_rename), "outbound", is_ours=True)

    return opened


def _denied(*_: object) -> None:
    raise PermissionError(13, "Permission denied")


def _uploaded(outbound: Outbound) -> Delivery:
    """A delivery whose rename was denied: whole at the target, without its name."""
    delivery = _written(outbound)
    with clock.frozen(NOON), pytest.raises(DeliveryError):
        deliver(delivery.delivery_id, _opener(outbound, _denied))
    assert _newest(outbound).delivered_name
    return _newest(outbound)


def test_M46_a_target_that_was_changed_is_never_taken_for_a_delivery(outbound: Outbound) -> None:
    delivery = _uploaded(outbound)
    (outbound.folder / "home" / "elsewhere").mkdir()
    outbound.write_tenant("    target: {folder: elsewhere}\n")
    with clock.frozen(NOON + LATER), pytest.raises(TargetChanged):
        interventions.resend(delivery.delivery_id, outbound.open_target, actor="ada")
    assert _newest(outbound).state is DeliveryState.DEAD
    # A person has looked at the former folder: it has not got its name there.
    interventions.settle(delivery.delivery_id, is_delivered=False, actor="ada")
    sent = interventions.resend(delivery.delivery_id, outbound.open_target, actor="ada")
    assert sent.state is DeliveryState.DELIVERED
    assert [path.name for path in (outbound.folder / "home" / "elsewhere").iterdir()] == [sent.delivered_name]
    assert outbound.run() is None


def test_M46_a_person_who_has_found_the_file_says_so(outbound: Outbound) -> None:
    delivery = _uploaded(outbound)
    outbound.write_tenant("    target: {folder: elsewhere}\n")
    settled = interventions.settle(delivery.delivery_id, is_delivered=True, actor="ada")
    assert settled.state is DeliveryState.DELIVERED
    assert outbound.run() is None
    with pytest.raises(StateConflict):
        interventions.settle(delivery.delivery_id, is_delivered=True, actor="ada")


def test_M46_only_what_is_in_doubt_is_settled_by_a_person(outbound: Outbound) -> None:
    delivery = _written(outbound)
    with pytest.raises(StateConflict):
        interventions.settle(delivery.delivery_id, is_delivered=True, actor="ada")


def test_M46_a_folder_that_is_gone_is_no_delivery(outbound: Outbound) -> None:
    delivery = _uploaded(outbound)
    outbound.outbox.rename(outbound.folder / "moved away")
    with clock.frozen(NOON + LATER), pytest.raises(PathMissing):
        interventions.resend(delivery.delivery_id, outbound.open_target, actor="ada")
    (outbound.folder / "moved away").rename(outbound.outbox)
    sent = interventions.resend(delivery.delivery_id, outbound.open_target, actor="ada")
    assert (sent.state, outbound.files()) == (DeliveryState.DELIVERED, [sent.delivered_name])


@pytest.mark.parametrize("taken", ["number", "replace", "refuse"])
def test_M67_a_rename_that_is_answered_and_not_done_is_seen(outbound: Outbound, taken: str) -> None:
    outbound.write_tenant(f"    target: {{name_taken: {taken}}}\n")
    delivery = _written(outbound)
    with clock.frozen(NOON), pytest.raises(RemoteBusy):
        deliver(delivery.delivery_id, _opener(outbound, lambda *_: None))
    with clock.frozen(NOON + LATER):
        sent = deliver(delivery.delivery_id, outbound.open_target)
    assert outbound.files() == [sent.delivered_name]


@pytest.mark.parametrize("taken", ["number", "replace", "refuse"])
def test_M67_a_rename_that_is_done_and_answered_with_a_failure_is_seen(
    outbound: Outbound, taken: str
) -> None:
    outbound.write_tenant(f"    target: {{name_taken: {taken}}}\n")
    delivery = _written(outbound)

    def done(home: LocalHome, old: str, new: str) -> None:
        home.rename(old, new)
        raise FileExistsError(17, "name is taken")

    sent = deliver(delivery.delivery_id, _opener(outbound, done))
    assert (sent.state, sent.delivered_name) == (DeliveryState.DELIVERED, delivery.file_name)
    assert outbound.files() == [delivery.file_name]


def test_M67_an_answer_that_does_not_come_is_no_taken_name(outbound: Outbound) -> None:
    delivery = _written(outbound)

    def silent(home: LocalHome, old: str, new: str) -> None:
        home.rename(old, new)
        raise TimeoutError

    with clock.frozen(NOON), pytest.raises(Unreachable):
        deliver(delivery.delivery_id, _opener(outbound, silent))
    with clock.frozen(NOON + LATER):
        sent = deliver(delivery.delivery_id, outbound.open_target)
    assert (sent.delivered_name, outbound.files()) == (delivery.file_name, [delivery.file_name])


def test_M46_nobody_intervenes_while_a_worker_is_at_it(outbound: Outbound) -> None:
    delivery = _written(outbound)
    with transaction() as connection:
        hold(connection, DELIVERY_LOCK, f"{CODE}/{VERIFIED}")
        with pytest.raises(DeliveryWaits):
            interventions.abandon(delivery.delivery_id, actor="ada")
        with pytest.raises(DeliveryWaits):
            interventions.resend(delivery.delivery_id, outbound.open_target, actor="ada")
    assert _newest(outbound).state is DeliveryState.WRITTEN


def test_M46_a_worker_that_lost_its_turn_gives_no_second_name(outbound: Outbound) -> None:
    delivery = _written(outbound)

    def slow(home: LocalHome, old: str, new: str) -> None:
        home.rename(old, new)

    @contextmanager
    def overtaken(*_: object) -> Iterator[Carrier]:
        # The database was restarted: the lock is gone, and another worker delivers meanwhile.
        with transaction() as connection:
            ledger.record_uploaded(connection, delivery, delivery.file_name, place="home outbound")
        (outbound.outbox / delivery.file_name).write_bytes(b"by the other worker")
        yield Carrier(_Home(outbound, slow), "outbound", is_ours=True)

    with pytest.raises(DeliveryWaits):
        deliver(delivery.delivery_id, overtaken)
    assert sorted(name for name in outbound.files() if not name.startswith(".")) == [delivery.file_name]


def test_M46_a_report_that_was_edited_under_an_open_delivery_loses_nothing(outbound: Outbound) -> None:
    names = outbound.enroll(3)
    outbound.verify(*names)
    assert select(outbound.tenant, VERIFIED) is not None
    other = "exports:\n  verified:\n    report: unverified_students\n    content: delta\n"
    outbound.write_tenant(yaml=f"preset: medproctor-columns\nname: State University\n{other}")
    outbound.run()
    outbound.write_tenant()
    while outbound.run() is not None:
        pass
    listed = {row[0] for name in outbound.files() for row in outbound.rows(name) if row[2:]}
    assert set(names) <= listed


def test_M46_a_delta_goes_on_after_a_full_file(outbound: Outbound) -> None:
    one, two = outbound.enroll(2)
    outbound.verify(one)
    outbound.run()
    full = "exports:\n  verified:\n    report: verified_students\n    content: full\n"
    outbound.write_tenant(yaml=f"preset: medproctor-columns\nname: State University\n{full}")
    outbound.run()
    outbound.write_tenant()
    outbound.verify(two)
    last = outbound.run()
    assert last is not None
    assert [row[0] for row in outbound.rows(last.delivered_name)] == [two]


def test_M75_a_comparison_goes_on_after_a_full_file(outbound: Outbound) -> None:
    delta = "  roster: {{report: student_roster, content: {content}, columns: [username]}}\n"
    outbound.write_tenant(delta.format(content="delta"))
    outbound.enroll(2)
    outbound.run("roster")
    outbound.write_tenant(delta.format(content="full"))
    outbound.run("roster")
    outbound.write_tenant(delta.format(content="delta"))
    outbound.enroll(3)
    last = outbound.run("roster")
    assert last is not None
    assert last.rows_total == 1


def test_X10_a_clock_that_ran_ahead_does_not_put_the_next_try_off(outbound: Outbound) -> None:
    delivery = _written(outbound)
    with clock.frozen(NOON + timedelta(days=365)), pytest.raises(DeliveryError):
        deliver(delivery.delivery_id, _busy)
    with clock.frozen(NOON):
        sent = deliver(delivery.delivery_id, outbound.open_target)
    assert sent.state is DeliveryState.DELIVERED


@contextmanager
def _busy(*_: object) -> Iterator[Carrier]:
    raise Unreachable("target-unreachable", "The server cannot be reached.")
    yield
