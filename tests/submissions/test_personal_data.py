"""Personal data in a status file, wherever it stands: refused or warned about, and never shown (E08)."""

from __future__ import annotations

import io
import logging
from collections.abc import Sequence

import openpyxl
import pytest

from partner_exchange.ledger import submissions as ledger
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.states import State
from partner_exchange.notify.outbox import deliver
from submissions.conftest import HOSPITAL_YAML, Exchange
from support.mailbox import Mailbox

M = "mercy"
SECRETS = ("Kowalczyk", "219-09-999", "04/17/1958", "5551234")
KNOWN = ("Resource ID", "ED Status")
Rows = Sequence[Sequence[object]]


def workbook(rows: Rows, others: dict[str, Rows]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, lines in {"Data": rows, **others}.items():
        sheet = book.create_sheet(name)
        sheet.sheet_state = "hidden" if name.startswith("Hidden") else "visible"
        for line in lines:
            sheet.append(list(line))
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


CENSUS = [("Patient Name", "SSN", "DOB"), ("Kowalczyk, Anna", "219-09-9999", "04/17/1958")]
PLAIN = [KNOWN, ("R1", "Open")]
LIST = [("Patient", "Age", "Room"), ("Anna Kowalczyk", 68, 4)]

FILES = {
    "header": workbook([(*KNOWN, "Kowalczyk, Anna 219-09-9998"), ("R1", "Open", "x")], {}),
    "header twice": workbook([(*KNOWN, "219-09-9999", "219-09-9999"), ("R1", "Open", 1, 2)], {}),
    "below no header": workbook([KNOWN, ("R1", "Open", "MRN 5551234")], {}),
    "rejected value": workbook([KNOWN, ("R1", "SSN 219-09-9999")], {}),
    "title": workbook([("Patient: Anna Kowalczyk",), *PLAIN], {}),
    "other sheet": workbook(PLAIN, {"Census": CENSUS}),
    "other sheet with a list": workbook(PLAIN, {"Census": LIST}),
    "hidden sheet": workbook(PLAIN, {"Hidden": CENSUS}),
    "name of a sheet": workbook(PLAIN, {"Kowalczyk 219-09-9999": [("x",)]}),
}


def told(hospital: Exchange, mailbox: Mailbox, logged: str) -> str:
    """Return all that the exchange says of a file, but the copies of cells that go back to the partner."""
    deliver()
    texts = [logged, str(hospital.rows("select f::text from ledger.finding f"))]
    texts += [
        str(hospital.rows(f"select t::text from ledger.{table} t")) for table in ("audit", "column_outcome")
    ]
    texts += [str(mail) for mail in mailbox.mails]
    texts += [path.read_text() for path in hospital.inbox(M).glob("*.completed")]
    texts += [path.read_text() for path in (hospital.home_dir(M) / "results").glob("*.csv")]
    assert mailbox.mails
    return "".join(texts)


def codes(submission_id: str) -> set[str]:
    with transaction() as connection:
        return {group.code for group in ledger.findings(connection, submission_id).groups}


@pytest.mark.parametrize("place", FILES)
def test_E08_personal_data_is_refused_wherever_it_stands(
    hospital: Exchange, place: str, caplog: pytest.LogCaptureFixture, mailbox: Mailbox
) -> None:
    caplog.set_level(logging.DEBUG)
    hospital.drop(FILES[place], "status.xlsx", M)

    (submission,) = hospital.run(M)

    assert submission.state is State.REFUSED
    assert codes(submission.submission_id) == {"personal-data"}
    said = told(hospital, mailbox, caplog.text)
    assert not [secret for secret in SECRETS if secret in said]


@pytest.mark.parametrize("place", FILES)
def test_E08_where_the_tenant_is_warned_nothing_found_is_quoted(
    hospital: Exchange, place: str, caplog: pytest.LogCaptureFixture, mailbox: Mailbox
) -> None:
    caplog.set_level(logging.DEBUG)
    policy = hospital.folder / "tenants" / "mercy.yaml"
    policy.write_text(HOSPITAL_YAML.replace("status:\n", "status:\n  personal_data: warn\n"))
    hospital.drop(FILES[place], "status.xlsx", M)

    (submission,) = hospital.run(M)

    assert submission.state is State.DONE
    warned = {code for code in codes(submission.submission_id) if code.startswith("personal-")}
    assert warned
    audited = hospital.rows("select action from ledger.audit where action like 'finding.personal-%'")
    assert {action for (action,) in audited} == {f"finding.{code}" for code in warned}
    said = told(hospital, mailbox, caplog.text)
    assert not [secret for secret in SECRETS if secret in said]
