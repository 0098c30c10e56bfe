"""Mails to a registry's partner say what the report says, and each line of them stands alone (X05, E36)."""

from __future__ import annotations

import json
import re
from datetime import date

import pytest

from partner_exchange.ledger.states import State
from partner_exchange.notify import outbox
from partner_exchange.submissions.fail import fail
from partner_exchange.submissions.quota import watch_quota
from submissions.conftest import CLINIC, CLINIC_YAML, Exchange
from support.batches import batch, dose, file_name, historical, message
from support.mailbox import Mailbox

pytestmark = pytest.mark.service

pytest_plugins = ["submissions.conftest"]

TODAY = date(2026, 11, 21)
TEST_CLINIC = "bbb-ssl"
CLEAN = batch(message("1", dose("D1")))
REJECTED = batch(message("1", dose("D1")), message("2", dose("D2"), version="2.3.1"))
WARNED = batch(message("1", historical("D1", on="20200820"), historical("D1", on="20200820")))


def mailed(clinic: Exchange, mailbox: Mailbox, content: bytes, code: str = CLINIC) -> tuple[str, str, str]:
    """Return subject, text and HTML of the mail about a file."""
    clinic.drop(content, file_name(TODAY, code=code.upper()), code)
    clinic.run(code)
    outbox.deliver()
    (mail,) = mailbox.mails
    text, html = (part.get_content().replace("\r\n", "\n") for part in mail.iter_parts())
    return str(mail["Subject"]).strip(), text, html


def verdict(clinic: Exchange, code: str = CLINIC) -> dict[str, str]:
    """Return what the report of the file says of it."""
    found = clinic.home_dir(code) / "DQA-Report" / f"{code.upper()}26325.dqa.json"
    told: dict[str, str] = json.loads(found.read_text())["verdict"]
    return told


@pytest.mark.parametrize(
    "content",
    [CLEAN, WARNED, REJECTED, CLEAN.partition(b"BTS|")[0], b"no HL7", batch(message("1", kind="QBP^Q11"))],
    ids=["clean", "warned", "rejected", "cut", "unread", "query"],
)
@pytest.mark.parametrize("code", [CLINIC, TEST_CLINIC])
def test_X05_mail_and_report_say_whose_turn_it_is_in_the_same_words(
    clinic: Exchange, mailbox: Mailbox, content: bytes, code: str
) -> None:
    _, text, html = mailed(clinic, mailbox, content, code)

    told = verdict(clinic, code)
    assert text.splitlines()[:2] == [told["sentence"], told["turn"]]
    assert f"<strong>{told['sentence']}</strong><br>{told['turn']}</p>" in html


def test_T61_the_mail_says_of_how_many_patients_doses_wait_for_a_consent(
    clinic: Exchange, mailbox: Mailbox
) -> None:
    other = message("3", dose("D3"), patient="P2", name="Doe^Ann^^^^^L", born="20180101")
    again = message("2", historical("D2", on="20200820"))
    _, text, _ = mailed(clinic, mailbox, batch(message("1", dose("D1")), again, other))

    assert "3 doses of 2 patients wait for a consent: the consent notification (CNF) in Receive" in text


def test_K7_the_subject_of_a_test_account_says_so_and_the_mail_that_nothing_is_stored(
    clinic: Exchange, mailbox: Mailbox
) -> None:
    subject, text, html = mailed(clinic, mailbox, CLEAN, TEST_CLINIC)

    assert subject == "[Partner Exchange] [TEST] BBB-SSL26325.hl7: the one message accepted"
    assert "Test mode: nothing entered the registry" in text.splitlines()[0]
    assert "Test mode: nothing entered the registry" in html


def test_E36_a_line_of_a_mail_stands_alone(clinic: Exchange, mailbox: Mailbox) -> None:
    _, text, html = mailed(clinic, mailbox, REJECTED)

    assert (
        "    Message 2. MSH-12 names another version of HL7 than 2.5.1; nothing of the message was read. "
        "Have your system send version 2.5.1;"
    ) in text
    assert "message-rejected" not in text + html
    assert '<th style="padding-right: 1rem">Place</th>' in html
    assert "Column" not in html


def test_E36_what_lies_in_the_folders_stands_below_each_other(clinic: Exchange, mailbox: Mailbox) -> None:
    _, text, _ = mailed(clinic, mailbox, CLEAN)

    block = text.partition("In your folder\n")[2].partition("\n\n")[0].splitlines()
    labels = [re.split(r" {2,}", line.strip())[0] for line in block]
    assert labels == [
        *("Report", "The same as text", "The same as CSV", "The same as JSON"),
        *("Acknowledgements", "Consents", "Original"),
    ]
    assert len({re.search(r"  (?=[A-Z][\w-]+/)", line).end() for line in block}) == 1


def test_T58_of_a_file_that_was_refused_unread_no_messages_are_counted(
    clinic: Exchange, mailbox: Mailbox
) -> None:
    _, text, html = mailed(clinic, mailbox, b"no HL7")

    assert "\nMessages    not read\n" in text
    assert "<p>Messages: not read</p>" in html
    assert "  accepted  " not in text
    report = (clinic.home_dir(CLINIC) / "DQA-Report" / "AAA-SSL26325.dqa.txt").read_text()
    assert re.search(r"^Messages +not read$", report, re.M)


def test_E36_without_a_contact_nobody_is_told_to_write(clinic: Exchange, mailbox: Mailbox) -> None:
    assert "support" not in CLINIC_YAML
    _, text, html = mailed(clinic, mailbox, CLEAN)

    assert "Questions" not in text + html


def test_E36_a_failure_asks_nothing_of_the_partner(clinic: Exchange, mailbox: Mailbox) -> None:
    clinic.drop(CLEAN, file_name(TODAY), CLINIC)
    (submission_id,) = clinic.claim_all(CLINIC)
    fail(submission_id, clinic.home(CLINIC), code="inbox-unavailable")
    assert clinic.get(submission_id).state is State.FAILED
    outbox.deliver()
    (mail,) = mailbox.mails
    assert "please do not send the file again" in mail.get_body(("plain",)).get_content()


@pytest.mark.parametrize(
    ("support", "whom"),
    [("", "ask your contact at the exchange."), ("help@exchange.example", "write to us.")],
)
def test_T38_the_mail_about_a_full_folder_names_somebody_who_can_be_reached(
    clinic: Exchange, mailbox: Mailbox, support: str, whom: str
) -> None:
    file = clinic.folder / "tenants" / f"{CLINIC}.yaml"
    file.write_text(
        CLINIC_YAML.format(mode="production") + f'  support: "{support}"\nquota: {{max_files: 10}}\n'
    )
    for number in range(9):
        clinic.drop(CLEAN, f"waits{number}.hl7", CLINIC)
    watch_quota(clinic.tenant(CLINIC), clinic.home(CLINIC).entries("HL7-Dropoff"))
    outbox.deliver()
    (mail,) = mailbox.mails
    text, html = (" ".join(part.get_content().split()) for part in mail.iter_parts())

    for body in (text, html):
        assert whom in body
        assert ("Questions" in body) is bool(support)
