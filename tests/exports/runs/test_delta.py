"""What stands in which file: each change once, however late it came (M46, M47, M48, M50)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from partner_exchange import clock
from partner_exchange.ledger.database import engine, transaction
from partner_exchange.ledger.deliveries import DeliveryState, cursor
from partner_exchange.stores import verifications
from support.outbound import CODE, NOON, VERIFIED, Outbound

MINUTE = timedelta(minutes=1)


def test_M46_each_run_holds_what_was_verified_since_the_last_one(outbound: Outbound) -> None:
    one, two, three = outbound.enroll(3)
    outbound.verify(one)
    first = outbound.run()
    outbound.verify(one, two)
    second = outbound.run()
    assert first is not None
    assert second is not None
    assert (first.state, first.rows_total, second.rows_total) == (DeliveryState.DELIVERED, 1, 1)
    assert [row[0] for row in outbound.rows(first.delivered_name)] == [one]
    assert [row[0] for row in outbound.rows(second.delivered_name)] == [two]
    assert outbound.run() is None
    outbound.verify(three)
    outbound.run()
    assert sorted(outbound.delivered()) == [one, two, three]


def test_M46_the_cursor_stands_where_the_last_file_ends(outbound: Outbound) -> None:
    outbound.verify(*outbound.enroll(5))
    outbound.run()
    outbound.unverify("student3@example.edu")
    outbound.verify("student3@example.edu")
    last = outbound.run()
    with transaction() as connection:
        found = cursor(connection, CODE, VERIFIED)
    assert found is not None
    assert last is not None
    assert (found.position, found.delivery_id) == (7, last.delivery_id)
    assert [(one.since_position, one.until_position) for one in outbound.deliveries()] == [(0, 5), (5, 7)]


def test_M46_a_change_that_commits_late_goes_with_the_next_file(outbound: Outbound) -> None:
    one, two = outbound.enroll(2)
    with engine().connect() as slow:
        verifications.verify(slow, CODE, [one], rule_version="1", actor="slow")
        outbound.verify(two)
        assert outbound.run() is not None
        assert outbound.delivered() == [two]
        slow.commit()
    assert outbound.run() is not None
    assert sorted(outbound.delivered()) == [one, two]
    assert outbound.run() is None


def test_M46_a_change_that_is_rolled_back_goes_nowhere(outbound: Outbound) -> None:
    one, two = outbound.enroll(2)
    with engine().connect() as slow:
        verifications.verify(slow, CODE, [one], rule_version="1", actor="slow")
        slow.rollback()
    outbound.verify(two)
    outbound.run()
    assert outbound.delivered() == [two]


def test_M46_verified_and_taken_back_between_two_runs_is_not_listed(outbound: Outbound) -> None:
    one, two = outbound.enroll(2)
    outbound.verify(one, two)
    outbound.unverify(one)
    outbound.run()
    assert outbound.delivered() == [two]


def test_M46_who_lost_it_is_told_whichever_export_listed_them(outbound: Outbound) -> None:
    outbound.write_tenant("  lost:\n    report: unverified_students\n    content: delta\n")
    one, two = outbound.enroll(2)
    outbound.verify(one, two)
    outbound.run()
    assert outbound.run("lost") is None
    outbound.unverify(one)
    lost = outbound.run("lost")
    assert lost is not None
    assert [row[0] for row in outbound.rows(lost.delivered_name)] == [one]
    assert outbound.run("lost") is None


def test_M46_verified_anew_after_a_delivery_is_listed_anew(outbound: Outbound) -> None:
    (one,) = outbound.enroll(1)
    outbound.verify(one, at=NOON)
    first = outbound.run()
    outbound.unverify(one)
    assert outbound.run() is None
    outbound.verify(one, at=NOON + timedelta(days=1))
    second = outbound.run()
    assert first is not None
    assert second is not None
    days = [outbound.rows(each.delivered_name)[0][2] for each in (first, second)]
    assert days == ["11/20/2026", "11/21/2026"]


def test_M46_a_replayed_time_of_the_schedule_sends_nothing_twice(outbound: Outbound) -> None:
    one, two = outbound.enroll(2)
    outbound.verify(one)
    outbound.run(due_at=NOON)
    outbound.verify(two)
    assert outbound.run(due_at=NOON) is None
    assert outbound.delivered() == [one]
    outbound.run(due_at=NOON - timedelta(days=30))
    assert sorted(outbound.delivered()) == [one, two]


def test_M47_the_file_has_the_three_columns_of_the_source(outbound: Outbound) -> None:
    outbound.verify(*outbound.enroll(2), at=NOON)
    sent = outbound.run()
    assert sent is not None
    assert (outbound.outbox / sent.delivered_name).read_bytes() == (
        b"Username,StudentId,VerifyDate\r\n"
        b"student1@example.edu,S00000001,11/20/2026\r\n"
        b"student2@example.edu,S00000002,11/20/2026\r\n"
    )


def test_M48_the_day_is_that_of_utc(outbound: Outbound) -> None:
    one, two = outbound.enroll(2)
    # 23:59 in Chicago on the day on which daylight saving time ends, and a moment before UTC's midnight.
    outbound.verify(one, at=datetime(2026, 11, 2, 5, 59, tzinfo=UTC))
    outbound.verify(two, at=datetime(2026, 11, 1, 23, 59, 59, tzinfo=UTC))
    sent = outbound.run()
    assert sent is not None
    assert [row[2] for row in outbound.rows(sent.delivered_name)] == ["11/02/2026", "11/01/2026"]


def test_M46_two_exports_of_one_log_have_a_cursor_each(outbound: Outbound) -> None:
    outbound.write_tenant("  changes:\n    report: verification_changes\n    content: delta\n")
    one, two = outbound.enroll(2)
    outbound.verify(one)
    outbound.run()
    outbound.verify(two)
    outbound.unverify(one)
    first, second = outbound.run(), outbound.run("changes")
    assert first is not None
    assert second is not None
    assert (first.rows_total, second.rows_total) == (1, 3)


def test_X12_another_tenants_students_stay_with_it(outbound: Outbound) -> None:
    (one,) = outbound.enroll(1)
    others = outbound.enroll(3, code="other-university")
    outbound.verify(*others, code="other-university")
    assert outbound.run() is None
    outbound.verify(one)
    outbound.run()
    assert outbound.delivered() == [one]
    assert [each.until_position for each in outbound.deliveries()] == [1]


def test_M43_a_full_export_holds_everybody_each_time(outbound: Outbound) -> None:
    outbound.write_tenant("  everybody:\n    report: verified_students\n    content: full\n")
    one, two, _ = outbound.enroll(3)
    outbound.verify(one)
    with clock.frozen(NOON):
        outbound.run("everybody")
    outbound.verify(two)
    with clock.frozen(NOON + MINUTE):
        outbound.run("everybody")
    assert [len(outbound.rows(name)) for name in outbound.files()] == [1, 2]


def test_M75_other_reports_say_what_is_new_changed_and_gone(outbound: Outbound) -> None:
    outbound.write_tenant(
        "  campus:\n    report: unverified_students\n    content: full\n"
        "  roster:\n    report: student_roster\n    content: delta\n"
        "    columns: [username, last_name, change]\n"
    )
    outbound.enroll(2)
    first = outbound.run("roster")
    outbound.enroll(3, last_name=["Last1", "Other", "Last3"])
    second = outbound.run("roster")
    assert first is not None
    assert second is not None
    told = [[row[1:] for row in outbound.rows(each.delivered_name)] for each in (first, second)]
    assert told == [[["Last1", "new"], ["Last2", "new"]], [["Other", "changed"], ["Last3", "new"]]]
    assert outbound.run("roster") is None


def test_M75_what_was_not_delivered_is_compared_again(outbound: Outbound) -> None:
    from partner_exchange.exports.runs import interventions
    from partner_exchange.exports.runs.select import select
    from partner_exchange.exports.runs.write import write

    outbound.write_tenant(
        "  roster:\n    report: student_roster\n    content: delta\n    columns: [username]\n"
    )
    outbound.enroll(2)
    opened = select(outbound.tenant, "roster")
    assert opened is not None
    write(opened.delivery_id)
    interventions.abandon(opened.delivery_id, actor="test")
    outbound.enroll(3)
    sent = outbound.run("roster")
    assert sent is not None
    assert sent.rows_total == 3
