"""A hospital's status files through a real SFTP client and a real Airflow to the answers in ``results``."""

from __future__ import annotations

import io
import subprocess
from datetime import timedelta

import openpyxl
import pytest
from sqlalchemy import text

from e2e.conftest import HOSPITAL, Stack, wait_for
from partner_exchange import clock
from partner_exchange.errors import StackError
from partner_exchange.ledger import submissions as ledger
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.states import State
from partner_exchange.local.mailsink import read_mails
from partner_exchange.local.status_maker import make_status_files
from partner_exchange.tenants import registry
from partner_exchange.validation.findings import Severity

pytestmark = pytest.mark.e2e


def test_E01_three_templates_in_three_formats_are_loaded_and_answered(stack: Stack) -> None:
    tenant = registry.load().get(HOSPITAL)
    made = make_status_files(tenant, at=clock.now() - timedelta(minutes=1), seed=7)
    stack.drop(HOSPITAL, {one.file_name: one.content for one in made})
    ended = stack.wait_for_end(HOSPITAL, {one.file_name for one in made})
    templates = {submission.template for submission in ended.values()}
    assert templates == {"bulk_status", "cdc_respiratory", "cdc_bed_capacity"}
    for one in made:
        submission = ended[one.file_name]
        assert submission.state is State.DONE
        assert (submission.rows_total, submission.rows_rejected) == (one.rows, one.bad_rows)
        with transaction() as connection:
            groups = ledger.findings(connection, submission.submission_id).groups
        assert {group.code for group in groups if group.severity is Severity.ERROR} == one.codes
    stack.assert_answered_once(HOSPITAL, {one.file_name for one in made})
    with transaction() as connection:
        query = text("select count(*) from store.status where tenant_code = :code")
        assert connection.execute(query, {"code": HOSPITAL}).scalar_one() > 20


def test_E30_partner_reads_answers_in_results_and_may_not_write_there(stack: Stack) -> None:
    tenant = registry.load().get(HOSPITAL)
    (made, *_) = make_status_files(tenant, at=clock.now() - timedelta(minutes=1), seed=8)
    name = f"answers-{made.file_name}"
    stack.drop(HOSPITAL, {name: made.content})
    submission = stack.wait_for_end(HOSPITAL, {name})[name]
    partner = stack.partner(HOSPITAL)
    stem = f"results/{name.removesuffix('.xlsx')}.{submission.stamp}"
    assert b"test-id-in-production" in partner.get(f"{stem}.result.csv")
    annotated = openpyxl.load_workbook(io.BytesIO(partner.get(f"{stem}.annotated.xlsx")))
    assert any(cell.comment for sheet in annotated for row in sheet.iter_rows() for cell in row)
    assert openpyxl.load_workbook(io.BytesIO(partner.get(f"{stem}.fix-it.xlsx"))).active.max_row > 1
    with pytest.raises((StackError, subprocess.SubprocessError, OSError)):
        partner.put(stack.inbox(HOSPITAL) / f"{name}.{submission.stamp}.completed", "results/mine.csv")

    def mailed() -> bool:
        return any(
            mail.message["X-Exchange-Submission"] == submission.submission_id
            for mail in read_mails(stack.settings)
        )

    wait_for("mail about the file", mailed)


def test_X12_statuses_of_one_partner_are_out_of_reach_of_another(stack: Stack) -> None:
    with pytest.raises((StackError, OSError)):
        stack.partner("first-college").get(f"../{HOSPITAL}/results")


def test_E38_sets_for_nhsn_have_dags_of_their_own(stack: Stack) -> None:
    def dags() -> set[str]:
        found = stack.api(f"/api/v2/dags?dag_id_pattern=outbound__{HOSPITAL}&limit=50")["dags"]
        return {dag["dag_id"] for dag in found}

    found = wait_for("outbound DAGs", dags)
    assert found == {f"outbound__{HOSPITAL}__nhsn_daily", f"outbound__{HOSPITAL}__nhsn_weekly"}
