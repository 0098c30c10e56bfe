"""Messages and doses are called so wherever a person reads of a file: on the command line and in mails."""

from __future__ import annotations

import json
from datetime import date

import pytest
from typer.testing import CliRunner

from partner_exchange.cli.app import app
from partner_exchange.notify import outbox
from submissions.conftest import CLINIC, Exchange
from support.batches import batch, dose, file_name, historical, message
from support.mailbox import Mailbox

NAME = file_name(date(2026, 11, 21))
ONE_BAD_DOSE = batch(message("1", dose("D1"), historical("D2", on="29990101")))


def run(clinic: Exchange, command: str, *options: str) -> str:
    """Run a command over the file with one bad dose."""
    file = clinic.folder / NAME
    file.write_bytes(ONE_BAD_DOSE)
    result = CliRunner().invoke(app, [command, str(file), "--tenant", CLINIC, *options])
    assert result.exit_code == 1, result.output
    return result.stdout


def test_T64_check_counts_messages_and_doses(clinic: Exchange) -> None:
    lines = run(clinic, "check").splitlines()
    assert lines[1:3] == ["messages 1: accepted 1, rejected 0", "doses 2: rejected 1"]


def test_T64_process_counts_messages_and_doses(clinic: Exchange) -> None:
    printed = run(clinic, "process")
    assert "messages 1: created 1, updated 0, unchanged 0, rejected 0\n" in printed
    assert "doses 2: stored 0, held 1, unchanged 0, deleted 0, refused 0, rejected 1\n" in printed


def test_T64_process_counts_doses_for_programs(clinic: Exchange) -> None:
    doses = json.loads(run(clinic, "process", "--json"))["doses"]
    assert (doses["held"], doses["rejected"], sum(doses.values())) == (1, 1, 2)


@pytest.mark.parametrize(
    ("content", "subject"),
    [
        (batch(message("1", dose("D1"))), f"{NAME}: the one message accepted"),
        (ONE_BAD_DOSE, f"{NAME}: 1 of 1 message accepted, 1 dose rejected"),
        (
            batch(message("1", dose("D1")), message("2", dose("D2"), dose("D3"), version="2.3.1")),
            f"{NAME}: 1 of 2 messages accepted, 1 rejected, 2 doses rejected",
        ),
        (b"no HL7", f"{NAME}: refused, nothing loaded"),
    ],
)
def test_E36_a_mail_speaks_of_messages_and_doses(
    clinic: Exchange, mailbox: Mailbox, content: bytes, subject: str
) -> None:
    clinic.drop(content, NAME, CLINIC)
    clinic.run(CLINIC)
    outbox.deliver()
    (mail,) = mailbox.mails
    # A long subject is folded before its first word.
    assert mail["Subject"].strip() == f"[Partner Exchange] {subject}"
