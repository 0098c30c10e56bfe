"""Mails about outbound files, through a real SMTP server: who hears what, whose turn it is, never a value."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from email.message import EmailMessage

import pytest
from sqlalchemy import Connection

from partner_exchange import clock
from partner_exchange.errors import ExchangeError, FileUnwritable
from partner_exchange.exports.answers import remind
from partner_exchange.exports.delivery.faults import Fault, Place, error_of
from partner_exchange.exports.delivery.probe import EXPIRED
from partner_exchange.exports.delivery.target_warnings import TargetWarning, of_expiry
from partner_exchange.exports.runs import interventions
from partner_exchange.ledger import deliveries as ledger
from partner_exchange.ledger import mails, report_requests
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.deliveries import Delivery
from partner_exchange.ledger.mails import Event
from partner_exchange.notify.outbox import deliver
from partner_exchange.notify.turns import turn
from support.mailbox import Mailbox
from support.outbound import CODE, NOON, Outbound

pytestmark = pytest.mark.service

OPERATIONS = "operations@exchange.example"
THEIR_SERVER = "    target: {kind: server, connection: partner_sftp, folder: outbound}\n"
SECRETS = ("student1@", "S00000001", "Last1", "First1")
PLACE = Place("partner_sftp", "outbound", is_ours=False)


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    """A real SMTP server that the exchange sends to."""
    with Mailbox() as found:
        monkeypatch.setenv("EXCHANGE_SMTP_HOST", found.host)
        monkeypatch.setenv("EXCHANGE_SMTP_PORT", str(found.port))
        monkeypatch.setenv("EXCHANGE_OPERATIONS_MAIL", OPERATIONS)
        yield found


@pytest.fixture
def uni(outbound: Outbound, mailbox: Mailbox) -> Outbound:
    """The tenant with three verified students."""
    outbound.verify(*outbound.enroll(3), at=NOON)
    return outbound


def bodies(mail: EmailMessage) -> list[str]:
    return [part.get_content() for part in mail.iter_parts()]


def run(uni: Outbound, fault: Fault | None = None) -> Delivery:
    """Run the export once and return its delivery; with a fault at its target."""

    @contextmanager
    def broken() -> Iterator[None]:
        assert fault is not None
        raise error_of(fault, PLACE)
        yield

    uni.fault = broken if fault else None
    try:
        uni.run()
    except ExchangeError:
        assert fault is not None
    uni.fault = None
    return uni.deliveries()[-1]


def queue(connection: Connection, event: Event, topic: str) -> None:
    mails.enqueue(connection, tenant_code=CODE, event=event, recipients=("it@uni.example",), topic=topic)


def sent(mailbox: Mailbox, delivery: Delivery) -> dict[str, EmailMessage]:
    """Send what is due about a delivery and return its mails by recipient; none of them holds a value."""
    deliver(topic=delivery.delivery_id)
    for mail in mailbox.mails:
        assert [one for one in SECRETS if one in mail.as_string()] == []
        assert mail["X-Exchange-Delivery"] == delivery.delivery_id
        assert mail["Message-ID"].endswith("@localhost>")
    return {mail["To"]: mail for mail in mailbox.mails}


def test_M67_a_delivered_file_is_told_with_counts_to_those_the_export_names(
    uni: Outbound, mailbox: Mailbox
) -> None:
    uni.write_tenant("    delivered_mail: [desk@uni.example]\n")
    delivery = run(uni)
    (mail,) = sent(mailbox, delivery).values()
    assert mail["To"] == "desk@uni.example"
    assert mail["X-Exchange-Event"] == "delivered"
    assert mail["Subject"] == f"[Partner Exchange] {delivery.delivered_name}: delivered, 3 rows"
    for body in bodies(mail):
        assert delivery.sha256 in body
        assert "folder outbound of your home with us" in body
        assert "Nothing is asked of you." in body


def test_E36_a_tenant_in_test_mode_is_labelled(uni: Outbound, mailbox: Mailbox) -> None:
    path = uni.folder / "tenants" / f"{CODE}.yaml"
    uni.write_tenant("    delivered_mail: [desk@uni.example]\n")
    path.write_text(path.read_text().replace("mode: production", "mode: test"))
    (mail,) = sent(mailbox, run(uni)).values()
    assert mail["Subject"].strip().startswith("[Partner Exchange] [TEST] verified-")


def test_X11_a_delivered_file_that_is_to_be_answered_says_how(uni: Outbound, mailbox: Mailbox) -> None:
    uni.write_tenant(
        "    delivered_mail: [desk@uni.example]\n    file_name: v.csv\n    target: {answers: {}}\n"
    )
    (mail,) = sent(mailbox, run(uni)).values()
    for body in bodies(mail):
        assert "v.csv.ack" in body
        assert "v.csv.nack" in body
        assert "in folder inbound of your home with us" in body


@pytest.mark.parametrize(
    ("fault", "asked"),
    [
        (Fault.LOGIN_REFUSED, "let our user log in again"),
        (Fault.HOST_KEY_CHANGED, "confirm by phone that your server has a new host key"),
        (Fault.PATH_MISSING, "make the folder"),
        (Fault.FULL, "make room"),
    ],
)
def test_X10_a_dead_letter_says_what_failed_whose_turn_it_is_and_how_it_goes_on(
    uni: Outbound, mailbox: Mailbox, fault: Fault, asked: str
) -> None:
    uni.write_tenant(THEIR_SERVER)
    delivery = run(uni, fault)
    told = sent(mailbox, delivery)
    assert set(told) == {"it@uni.example", OPERATIONS}
    for body in bodies(told["it@uni.example"]):
        text = " ".join(body.replace("&#39;", "'").split())
        assert f"{fault}: Nothing can be delivered to folder 'outbound' of connection 'partner_sftp'" in text
        assert asked in text
        assert "send the delivery again" not in text
        assert "exchange export" not in text
        assert "Nothing is lost" in text
    for body in bodies(told[OPERATIONS]):
        assert f"exchange export resend {delivery.delivery_id}" in body
        assert "send the delivery again" in body
    assert told[OPERATIONS]["X-Exchange-Event"] == "delivery-failed"


@pytest.mark.parametrize("ours", [OPERATIONS, ""])
def test_X10_what_is_ours_to_mend_asks_the_partner_for_nothing(
    uni: Outbound, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, ours: str
) -> None:
    monkeypatch.setenv("EXCHANGE_OPERATIONS_MAIL", ours)
    uni.write_tenant(THEIR_SERVER)
    delivery = run(uni, Fault.CONNECTION_MISSING)
    told = sent(mailbox, delivery)
    assert list(told) == [ours or "it@uni.example"]
    (mail,) = told.values()
    for body in bodies(mail):
        assert f"{Fault.CONNECTION_MISSING}: Nothing can be delivered" in body
        assert ("Our turn: this is for us to mend. Nothing is asked of you." in body) is not bool(ours)
        assert ("Nothing is asked of the partner." in body) is bool(ours)
        assert ("exchange export" in body) is bool(ours)


def test_X10_each_fault_has_a_turn_and_at_home_nearly_all_is_ours() -> None:
    ours = {fault for fault in (*Fault, EXPIRED) if turn(fault, is_home=False).startswith("Our turn")}
    assert ours == {
        Fault.CONNECTION_MISSING,
        Fault.CONNECTION_INVALID,
        Fault.CONNECTION_UNTOLD,
        Fault.HOST_KEY_UNKNOWN,
    }
    theirs = {fault for fault in Fault if turn(fault, is_home=True).startswith("Your turn")}
    assert theirs == {Fault.NAME_TAKEN}
    assert turn("report-unknown", is_home=False).startswith("Our turn")


def test_X10_a_transient_fault_is_told_only_when_the_ladder_is_at_its_end(
    uni: Outbound, mailbox: Mailbox
) -> None:
    uni.write_tenant(THEIR_SERVER)
    at = clock.now()
    for _ in range(6):
        with clock.frozen(at):
            delivery = run(uni, Fault.UNREACHABLE)
            is_dead = delivery.state == "dead"
            assert bool(sent(mailbox, delivery)) == is_dead
        at = delivery.next_attempt_at or at
    assert is_dead
    assert "look why your server did not answer" in bodies(mailbox.mails[0])[0]


def test_X10_a_mail_that_waited_tells_what_has_become_of_the_file_since(
    uni: Outbound, mailbox: Mailbox
) -> None:
    uni.write_tenant(THEIR_SERVER)
    delivery = run(uni, Fault.FULL)
    interventions.resend(delivery.delivery_id, uni.open_target, actor="ada")
    mail = sent(mailbox, delivery)["it@uni.example"]
    assert "could not be delivered, and is delivered since" in mail["Subject"]
    assert "Nothing is asked of you." in bodies(mail)[0]


def test_M73_a_file_that_cannot_be_made_is_told_as_ours(uni: Outbound, mailbox: Mailbox) -> None:
    uni.write_tenant("    format: {kind: fixed}\n    columns: [{column: username, width: 3}]\n")
    with pytest.raises(FileUnwritable):
        uni.run()
    delivery = uni.deliveries()[-1]
    (mail,) = sent(mailbox, delivery).values()
    assert mail["To"] == OPERATIONS
    assert mail["Subject"] == "[Partner Exchange] verified: could not be made"
    assert "Our turn" in bodies(mail)[0]
    assert delivery.fault_code in bodies(mail)[0]


def test_X11_a_refused_file_is_told_without_the_partners_words(uni: Outbound, mailbox: Mailbox) -> None:
    delivery = run(uni)
    with transaction() as connection:
        ledger.record_answer(connection, delivery.delivery_id, is_accepted=False)
        queue(connection, Event.DELIVERY_REFUSED, f"{delivery.delivery_id}.20261121T000000Z")
        mails.enqueue(
            connection,
            tenant_code=CODE,
            event=Event.DELIVERY_REFUSED,
            recipients=(OPERATIONS,),
            topic=f"{delivery.delivery_id}.20261121T000000Z",
        )
    told = sent(mailbox, delivery)
    assert told["it@uni.example"]["Subject"].endswith("refused by the partner")
    assert "exchange export" not in bodies(told["it@uni.example"])[0]
    assert f"exchange export answers --tenant {CODE}" in bodies(told[OPERATIONS])[0]


def test_X11_a_missing_answer_is_asked_for_by_name(uni: Outbound, mailbox: Mailbox) -> None:
    answers = "{answers: {accepted: 'ok-{file_name}', within_h: 24}}"
    uni.write_tenant(f"    file_name: v.csv\n    target: {answers}\n")
    delivery = run(uni)
    with clock.frozen(clock.now() + timedelta(hours=25)):
        assert remind(uni.tenant) == 1
        assert remind(uni.tenant) == 0
        mail = sent(mailbox, delivery)["it@uni.example"]
    assert mail["X-Exchange-Event"] == "delivery-unanswered"
    assert "ok-v.csv into folder inbound of your home with us" in " ".join(bodies(mail)[0].split())
    assert "within 24 hours" in bodies(mail)[0]


def test_X11_an_answer_that_came_while_the_mail_waited_is_told(uni: Outbound, mailbox: Mailbox) -> None:
    delivery = run(uni)
    with transaction() as connection:
        queue(connection, Event.DELIVERY_UNANSWERED, delivery.delivery_id)
        ledger.record_answer(connection, delivery.delivery_id, is_accepted=True)
    (mail,) = sent(mailbox, delivery).values()
    assert "Your answer has come since." in bodies(mail)[0]


def test_X10_a_login_that_ends_soon_and_a_server_that_does_not_hold_are_told(
    uni: Outbound, mailbox: Mailbox
) -> None:
    uni.write_tenant(THEIR_SERVER)
    ends = of_expiry("partner.sftp", date(2026, 12, 5), date(2026, 11, 21))
    assert ends is not None
    fails = TargetWarning("partner_sftp", Fault.LOGIN_REFUSED, date(2026, 11, 21))
    with transaction() as connection:
        for one in (ends, fails):
            queue(connection, Event.TARGET_WARNING, one.topic)
    assert deliver(topic="partner_sftp").sent == 1
    assert deliver().sent == 1
    failing, ending = mailbox.mails
    assert "files cannot be delivered (target-login-refused)" in failing["Subject"]
    assert failing["X-Exchange-Connection"] == "partner_sftp"
    assert "exchange export" not in bodies(failing)[0]
    assert "let our user log in again" in bodies(failing)[0]
    assert ending["Subject"] == "[Partner Exchange] partner.sftp: our login ends on 2026-12-05"
    assert "Your turn" in bodies(ending)[1]


def test_M66_a_missed_report_is_told_with_the_names_of_its_filters(uni: Outbound, mailbox: Mailbox) -> None:
    with transaction() as connection:
        request = report_requests.ask(
            connection,
            tenant_code=CODE,
            wanted="Verified students\r\nBcc: evil@x.example by hall",
            requested_by="ada",
            parameters={"hall": "Canary"},
        )
        queue(connection, Event.REPORT_WANTED, request.request_id)
    deliver(topic=request.request_id)
    (mail,) = mailbox.mails
    assert mail["Bcc"] is None
    for body in bodies(mail):
        assert "hall" in body
        assert "Canary" not in body
        assert f"exchange export answer-request {request.request_id}" in body


def test_E36_mails_of_one_delivery_do_not_send_those_of_another(uni: Outbound, mailbox: Mailbox) -> None:
    first = run(uni)
    uni.verify(*uni.enroll(4)[3:])
    second = run(uni)
    with transaction() as connection:
        queue(connection, Event.DELIVERED, second.delivery_id)
        queue(connection, Event.DELIVERY_REFUSED, f"{first.delivery_id}.x")
        queue(connection, Event.DELIVERY_REFUSED, f"{first.delivery_id[:-1]}_.x")
    assert deliver(topic=first.delivery_id).sent == 1
    assert [mail["X-Exchange-Delivery"] for mail in mailbox.mails] == [first.delivery_id]


def test_E36_a_mail_sent_again_keeps_its_id(uni: Outbound, mailbox: Mailbox) -> None:
    delivery = run(uni, Fault.FULL)
    mailbox.refuse_with = "451 later"
    assert deliver(topic=delivery.delivery_id).deferred == 1
    mailbox.refuse_with = None
    with transaction() as connection, clock.frozen(clock.now() + timedelta(hours=2)):
        queued = {mail.mail_id for mail in mails.due(connection, clock.now(), 10, topic=delivery.delivery_id)}
    with clock.frozen(clock.now() + timedelta(hours=2)):
        sent(mailbox, delivery)
    assert {mail["Message-ID"].strip("<>").split("@")[0] for mail in mailbox.mails} == queued
