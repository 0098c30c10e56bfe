"""Partners hear that their inbox is nearly full, once for each threshold and episode (T38)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from partner_exchange import clock
from partner_exchange.ledger import intake
from partner_exchange.ledger.database import transaction
from partner_exchange.notify.outbox import deliver
from partner_exchange.submissions.quota import watch_quota
from submissions.conftest import Exchange, roster, student
from support.mailbox import Mailbox

pytestmark = pytest.mark.service

Limit = Callable[..., None]


@pytest.fixture
def limit(exchange: Exchange) -> Limit:
    """Give alpha a limit; twenty files unless said otherwise."""
    path = exchange.folder / "tenants" / "alpha.yaml"
    sound = path.read_text()

    def give(quota: str = "{max_files: 20}", inbox: str = "{}") -> None:
        path.write_text(f"{sound}quota: {quota}\ninbox: {inbox}\n")

    give()
    return give


def lie(exchange: Exchange, count: int) -> None:
    """Let so many files of the partner's own lie in the inbox."""
    for path in exchange.files("waits*.csv"):
        path.unlink()
    for number in range(count):
        exchange.drop(b"waits", f"waits{number}.csv")


def look(exchange: Exchange) -> int:
    return watch_quota(exchange.tenant(), exchange.home().entries("inbound"))


def told(exchange: Exchange) -> list[tuple[object, ...]]:
    """Return threshold, count and end of each episode that a mail was queued for, in their order."""
    query = (
        "select percent, file_count, ended_at is not null from ledger.mail"
        " join ledger.quota_warning on warning_id = topic order by warning_id"
    )
    return exchange.rows(query)


def test_T38_each_threshold_is_told_once_and_anew_after_the_count_fell_below(
    exchange: Exchange, limit: Limit
) -> None:
    queued = []
    for minute, count in enumerate([15, 16, 17, 16, 19, 20, 18, 20, 15, 16, 0, 20, 20]):
        lie(exchange, count)
        with clock.frozen(clock.now() + timedelta(minutes=minute)):
            queued.append(look(exchange))
    assert queued == [0, 1, 0, 0, 1, 0, 0, 1, 0, 1, 0, 1, 0]
    assert told(exchange) == [
        (80, 16, True),
        (95, 19, True),
        (95, 20, True),
        (80, 16, True),
        (95, 20, False),
    ]


def test_T38_thresholds_passed_at_once_are_one_mail_with_the_highest(
    exchange: Exchange, limit: Limit
) -> None:
    limit("{max_files: 20, warn_percent: [50, 95, 80]}")
    lie(exchange, 20)
    assert look(exchange) == 1
    assert told(exchange) == [(95, 20, False)]
    assert exchange.rows("select percent from ledger.quota_warning order by percent") == [(50,), (80,), (95,)]
    lie(exchange, 17)
    assert look(exchange) == 0
    lie(exchange, 19)
    assert look(exchange) == 1


@pytest.mark.parametrize("quota", ["{}", "{max_files: 20, warn_percent: []}", "{max_files: 21}"])
def test_T38_nothing_is_told_where_nothing_is_reached(exchange: Exchange, limit: Limit, quota: str) -> None:
    limit(quota)
    lie(exchange, 16)
    assert look(exchange) == 0
    assert exchange.rows("select * from ledger.quota_warning") == []


def test_K13_only_the_partner_s_own_files_are_counted(exchange: Exchange, limit: Limit) -> None:
    lie(exchange, 15)
    for number in range(9):
        exchange.drop(b"ours", f"done{number}.csv.20261121T07471{number}Z.completed")
        exchange.drop(b"ours", f"hand{number}.csv.20261121T07471{number}Z.processing")
        exchange.drop(b"ours", f".01J{number}.exchange")
        (exchange.inbox() / "originals").mkdir(exist_ok=True)
        exchange.drop(b"ours", f"originals/old{number}.csv")
    exchange.drop(b"ours", "INTAKE-SUSPENDED.txt")
    assert look(exchange) == 0
    exchange.drop(b"half", ".half.csv.part")
    assert look(exchange) == 1


def test_T38_the_mail_says_folder_count_limit_and_what_to_do(
    exchange: Exchange, limit: Limit, mailbox: Mailbox
) -> None:
    lie(exchange, 16)
    look(exchange)
    assert deliver().sent == 1
    (mail,) = mailbox.mails
    assert mail["To"] == "stop@alpha.example"
    assert mail["Subject"] == "[Partner Exchange] [TEST] inbound: 16 of 20 files, 80 %"
    assert mail["X-Exchange-Event"] == "quota"
    assert mail["X-Exchange-Submission"] is None
    text, html = (part.get_content() for part in mail.iter_parts())
    for body in (text, html):
        assert "Your folder inbound holds 16 files of your own; 20 are the most." in body
        assert "remove what nobody needs there" in body
        assert "With 20 files there every new one is refused" in body
        assert "Alpha (alpha)" in body
        assert "help@alpha.example" in body
        assert "waits0" not in body
    assert deliver().sent == 0


def test_T38_a_limit_on_the_account_and_a_foreign_server_are_worded_as_they_are(
    exchange: Exchange, limit: Limit, mailbox: Mailbox
) -> None:
    limit("{max_files: 20, scope: account}", "{connection: their_server, root: /data}")
    lie(exchange, 19)
    look(exchange)
    deliver()
    (mail,) = mailbox.mails
    text = mail.get_body(("plain",)).get_content()
    assert "Your account holds 19 files of your own" in text
    assert "refused" not in text


def test_T38_a_claim_tells_it_too_although_intake_is_suspended(exchange: Exchange, limit: Limit) -> None:
    with transaction() as connection:
        intake.suspend(connection, "alpha", reason_code="identical-file", reason="twice", submission_id=None)
    lie(exchange, 16)
    assert exchange.claim_all() == []
    assert exchange.claim_all() == []
    assert told(exchange) == [(80, 16, False)]


def test_T38_files_that_were_taken_in_no_longer_count(exchange: Exchange, limit: Limit) -> None:
    limit("{max_files: 2}")
    exchange.drop(roster(student(1)), "one.csv")
    exchange.drop(roster(student(2)), "two.csv")
    exchange.run()
    assert told(exchange) == [(95, 2, False)]
    exchange.claim_all()
    assert told(exchange) == [(95, 2, True)]


def test_T38_of_looks_at_once_one_tells(exchange: Exchange, limit: Limit) -> None:
    lie(exchange, 19)
    with ThreadPoolExecutor(8) as pool:
        queued = list(pool.map(lambda _: look(exchange), range(16)))
    assert sum(queued) == 1
    assert exchange.rows("select count(*) from ledger.mail") == [(1,)]


def test_T38_a_tenant_without_contacts_is_no_trouble(exchange: Exchange, limit: Limit) -> None:
    path = exchange.folder / "tenants" / "alpha.yaml"
    path.write_text("preset: medproctor-columns\nname: Alpha\nquota: {max_files: 2}\n")
    lie(exchange, 2)
    assert look(exchange) == 0
    assert exchange.rows("select percent from ledger.quota_warning where ended_at is null") == [(80,), (95,)]
