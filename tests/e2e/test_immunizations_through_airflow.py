"""A clinic's HL7 batch through a real SFTP client and a real Airflow to report, ACKs and consents."""

from __future__ import annotations

import json
import subprocess
from itertools import count
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from e2e.conftest import CLINIC, Stack, wait_for
from partner_exchange import clock
from partner_exchange.errors import StackError
from partner_exchange.feeds.vxu.consent_file import read_consents
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.states import State
from partner_exchange.local.vxu_maker import MadeBatch, consent_file, make_batch
from partner_exchange.storage.hl7_names import Hl7Name
from partner_exchange.stores import consents
from partner_exchange.tenants import registry

pytestmark = pytest.mark.e2e

_numbers = count(1)


def _made(*, faulty: int = 0) -> tuple[str, MadeBatch]:
    """A batch under a name that no test has used."""
    tenant, at = registry.load().get(CLINIC), clock.now()
    today = at.astimezone(ZoneInfo(tenant.time_zone)).date()
    number = next(_numbers)
    made = make_batch(messages=60, seed=number, import_code=tenant.import_code, at=at, faulty=faulty)
    return Hl7Name(tenant.import_code, today, number).format(), made


def test_T57_T58_a_batch_is_answered_in_the_partner_s_folders(stack: Stack) -> None:
    name, made = _made(faulty=20)
    at = clock.now()
    read = read_consents(consent_file(made, share=0.8, at=at), file_name="c.csv", today=at.date())
    with transaction() as connection:
        consents.record(
            connection, read.records, tenant_code=CLINIC, source="test", actor="test", now=clock.now()
        )
    stack.drop(CLINIC, {name: made.content})
    submission = stack.wait_for_end(CLINIC, {name})[name]
    assert submission.state is State.DONE
    assert (submission.rows_total, submission.rows_rejected) == (made.messages, made.rejected_messages)
    partner = stack.partner(CLINIC)
    stem = name.removesuffix(".hl7")
    assert partner.get(f"Accepted/{name}") == made.content
    document = json.loads(partner.get(f"DQA-Reports/{stem}.dqa.json"))
    assert document["score"]
    assert b"<!doctype html>" in partner.get(f"DQA-Report/{stem}.dqa.html").lower()
    acknowledged = partner.get(f"DQA-Report/{stem}.ack.hl7").split(b"\r")
    assert sum(line.startswith(b"MSA|") for line in acknowledged) == made.messages
    assert partner.get(f"Receive/{stem}.cnf.csv").startswith(b"ImportCode,")
    with transaction() as connection:
        query = text("select count(*) from store.dose where tenant_code = :code")
        assert connection.execute(query, {"code": CLINIC}).scalar_one() > 0


def test_T31_a_partner_reads_answers_and_may_not_write_there(stack: Stack) -> None:
    name, made = _made()
    stack.drop(CLINIC, {name: made.content})
    stack.wait_for_end(CLINIC, {name})
    inbox = stack.inbox(CLINIC)
    assert list(inbox.iterdir()) == []
    for folder in ("Accepted", "DQA-Report", "Receive"):
        with pytest.raises((StackError, subprocess.SubprocessError, OSError)):
            stack.partner(CLINIC).put(inbox.parent / "Accepted" / name, f"{folder}/mine.hl7")


def test_K20_two_files_of_one_name_are_both_answered(stack: Stack) -> None:
    name, made = _made()
    stack.drop(CLINIC, {name: made.content})
    stack.wait_for_end(CLINIC, {name})
    stack.drop(CLINIC, {name: made.content})

    def again() -> bool:
        found = [one for one in stack.submissions(CLINIC) if one.file_name == name]
        return len(found) == 2 and all(one.state is State.DONE for one in found)

    wait_for("second file of the name", again)
    stamp = stack.submissions(CLINIC)[0].stamp
    kept = {one.name for one in (stack.inbox(CLINIC).parent / "Accepted").glob(f"{name[:-4]}*")}
    assert kept == {name, f"{name[:-4]}.{stamp}.hl7"}
