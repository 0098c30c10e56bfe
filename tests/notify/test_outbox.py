"""Mails from the outbox, through a real SMTP server (E36): who hears what, and never a cell value."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from partner_exchange import clock
from partner_exchange.ledger.mails import Event
from partner_exchange.notify.outbox import RETRY_LADDER_S, deliver
from partner_exchange.submissions.recipients import recipients
from partner_exchange.tenants.model import Contacts
from submissions.conftest import Exchange, roster, student
from support.mailbox import Mailbox

pytestmark = pytest.mark.service

pytest_plugins = ["submissions.conftest"]


def test_E36_success_is_told_in_text_and_html_with_counts(exchange: Exchange, mailbox: Mailbox) -> None:
    exchange.drop(roster(student(1), student(2)))
    (submission,) = exchange.run()
    assert deliver().sent == 1
    (mail,) = mailbox.mails
    assert mail["To"] == "ok@alpha.example"
    assert mail["Subject"] == "[Partner Exchange] [TEST] roster.csv: all 2 rows loaded"
    text, html = (part.get_content() for part in mail.iter_parts())
    for body in (text, html):
        assert submission.submission_id in body
        assert f"inbound/roster.csv.{submission.stamp}.completed" in body
        assert "help@alpha.example" in body
    assert deliver().sent == 0


def test_E36_findings_name_codes_counts_and_rows_but_no_cell(exchange: Exchange, mailbox: Mailbox) -> None:
    exchange.drop(roster(student(1), student(2, dob="31/31/Canary", last="Canary")))
    exchange.run()
    deliver()
    (mail,) = mailbox.mails
    assert mail["To"] == "fix@alpha.example"
    assert mail["X-Exchange-Event"] == "findings"
    whole = mail.as_string()
    assert "1 of 2 rows loaded, 1 rejected" in mail["Subject"]
    assert "dob-format" in whole
    assert "rejected/roster." in whole
    assert "Canary" not in whole
    assert "student2@" not in whole


def test_E36_refusal_goes_to_its_own_contacts(exchange: Exchange, mailbox: Mailbox) -> None:
    exchange.drop(b"", "empty.csv")
    exchange.run()
    deliver()
    (mail,) = mailbox.mails
    assert (mail["To"], mail["X-Exchange-Event"]) == ("stop@alpha.example", "refusal")
    assert "Your turn" in mail.get_body(("plain",)).get_content()


@pytest.mark.parametrize(
    ("given", "hears"),
    [
        ({"success"}, {Event.FINDINGS: "success", Event.REFUSAL: "success", Event.FAILURE: "success"}),
        ({"success", "findings"}, {Event.REFUSAL: "findings", Event.SUSPENDED: "findings"}),
        ({"findings"}, {Event.SUCCESS: "", Event.FINDINGS: "findings", Event.FAILURE: "findings"}),
        ({"refusal"}, {Event.SUCCESS: "", Event.FINDINGS: "", Event.REFUSAL: "refusal"}),
    ],
)
def test_E36_bad_news_without_a_list_goes_to_those_of_better_news(
    given: set[str], hears: dict[Event, str]
) -> None:
    contacts = Contacts.model_validate({name: [f"{name}@alpha.example"] for name in given})
    for event, name in hears.items():
        assert recipients(contacts, event) == ((f"{name}@alpha.example",) if name else ())


def test_X10_we_hear_too_when_asked_for_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    contacts = Contacts.model_validate({"delivery": ["it@alpha.example", "us@exchange.example"]})
    of_failure = partial(recipients, contacts, Event.DELIVERY_FAILED)
    assert of_failure(with_ours=True) == of_failure() == ("it@alpha.example", "us@exchange.example")
    monkeypatch.setenv("EXCHANGE_OPERATIONS_MAIL", "ops@exchange.example")
    assert of_failure() == ("it@alpha.example", "us@exchange.example")
    assert of_failure(with_ours=True) == (*of_failure(), "ops@exchange.example")
    monkeypatch.setenv("EXCHANGE_OPERATIONS_MAIL", "us@exchange.example")
    assert of_failure(with_ours=True) == of_failure()


def test_E36_a_file_name_cannot_make_a_header(exchange: Exchange, mailbox: Mailbox) -> None:
    exchange.drop(roster(student(1)), "a\r\nBcc: evil@x.example\r\n.csv")
    exchange.run()
    assert deliver().sent == 1
    (mail,) = mailbox.mails
    assert mail["Bcc"] is None


def test_E36_a_stopped_mail_server_delays_only(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    with Mailbox() as gone:
        monkeypatch.setenv("EXCHANGE_SMTP_HOST", gone.host)
        monkeypatch.setenv("EXCHANGE_SMTP_PORT", str(gone.port))
    exchange.drop(roster(student(1)))
    (submission,) = exchange.run()
    assert submission.state == "done"
    assert deliver().deferred == 1
    assert deliver().deferred == 0
    assert exchange.rows("select state, attempts, last_error_code from ledger.mail") == [
        ("queued", 1, "mail-relay-unreachable")
    ]
    with Mailbox() as back:
        monkeypatch.setenv("EXCHANGE_SMTP_PORT", str(back.port))
        with clock.frozen(clock.now() + timedelta(seconds=RETRY_LADDER_S[0] + 1)):
            assert deliver().sent == 1
        assert len(back.mails) == 1


def test_E36_a_refused_address_is_not_tried_for_ever(exchange: Exchange, mailbox: Mailbox) -> None:
    mailbox.refuse_with = "550 no such user"
    exchange.drop(roster(student(1)))
    exchange.run()
    assert deliver().refused == 1
    assert exchange.rows("select state, last_error_code from ledger.mail") == [("refused", "mail-refused")]


def test_E36_a_busy_mail_server_is_tried_again(exchange: Exchange, mailbox: Mailbox) -> None:
    mailbox.refuse_with = "451 try again later"
    exchange.drop(roster(student(1)))
    exchange.run()
    assert deliver().deferred == 1
    mailbox.refuse_with = None
    with clock.frozen(clock.now() + timedelta(seconds=RETRY_LADDER_S[0] + 1)):
        assert deliver().sent == 1


def test_X12_a_broken_tenant_file_holds_up_its_own_mails_only(exchange: Exchange, mailbox: Mailbox) -> None:
    for code in ("alpha", "beta"):
        exchange.drop(roster(student(1)), code=code)
        exchange.run(code)
    broken = exchange.folder / "tenants" / "alpha.yaml"
    sound = broken.read_text()
    broken.write_text("name: [broken")
    counts = deliver()
    assert (counts.sent, counts.waiting) == (1, 1)
    assert [mail["To"] for mail in mailbox.mails] == ["ok@beta.example"]
    broken.write_text(sound)
    with clock.frozen(clock.now() + timedelta(seconds=RETRY_LADDER_S[-1] + 1)):
        assert deliver().sent == 1
