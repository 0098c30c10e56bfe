"""Ten thousand damaged messages through the real feed: nothing raises or hangs, everything is accounted for.

The seed of a file stands in the name of its test; ``a_file(random.Random(seed), MESSAGES)`` makes it again.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest

from partner_exchange import clock
from partner_exchange.feeds.base import Examination, ExamineContext
from partner_exchange.feeds.registry import get_feed
from partner_exchange.feeds.vxu.acknowledge import acknowledgements
from partner_exchange.ledger import messages
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.states import DOSE_OUTCOMES, State
from partner_exchange.readers.marks import Mark
from partner_exchange.stores import consents
from partner_exchange.stores.consent_registry import RECORD_TEXTS
from partner_exchange.validation.findings import Severity
from partner_exchange.validation.wording import severity_of
from submissions.conftest import Exchange, _use
from support.batches import file_name
from support.vxu_answers import a_clinic, a_loaded_submission
from support.vxu_mutations import a_file

MESSAGES = 500
FILES = 22
NOW = datetime(2026, 11, 21, 15, tzinfo=UTC)
TODAY = date(2026, 11, 21)
YAML = "preset: texas-registry\nname: Clinic\nmode: production\n"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


def _examined(content: bytes) -> Examination:
    context = ExamineContext(tenant=a_clinic(), file_name=file_name(TODAY), today=TODAY, arrived_at=NOW)
    return get_feed("vxu").examine(content, context)


def _rows_with_errors(issues: pd.DataFrame) -> set[int]:
    kinds = issues[["code", "is_warning"]].drop_duplicates()
    errors = [
        (code, is_warning)
        for code, is_warning in kinds.itertuples(index=False)
        if severity_of(Mark(code, is_warning=is_warning)) is Severity.ERROR
    ]
    is_error = pd.MultiIndex.from_frame(issues[["code", "is_warning"]]).isin(errors)
    return set(issues.loc[is_error, "row"].tolist())


def _verdicts(content: bytes) -> list[str]:
    """What each ACK of a batch says."""
    return [line[4:6] for line in content.decode().split("\r") if line.startswith("MSA|")]


@pytest.mark.parametrize("seed", range(FILES))
def test_T63_a_damaged_batch_never_raises_and_always_reconciles(seed: int) -> None:
    found = _examined(a_file(random.Random(seed), MESSAGES))

    assert found.rows_total == found.rows_accepted + found.rows_rejected
    assert len(found.accepted) == found.rows_accepted
    assert found.rows_accepted > MESSAGES // 10, "most of the damage must not reach the whole file"

    told, issues = found.tables["messages"], found.tables["issues"]
    assert told["row"].tolist() == list(range(1, found.rows_total + 1))
    rejected = set(told.loc[told["is_rejected"], "row"].tolist())
    assert rejected <= _rows_with_errors(issues)
    assert len(rejected) == found.rows_rejected
    assert set(found.accepted["row"].tolist()) == set(told["row"].tolist()) - rejected
    assert set(issues["row"].tolist()) <= set(told["row"].tolist())

    doses = found.tables["doses"]
    counts = found.part_counts
    assert counts["doses_total"] == counts["doses_rejected"] + len(doses)
    assert not doses.duplicated(["row", "dose"]).any()
    assert not rejected & set(doses["row"].tolist())
    assert set(map(tuple, found.tables["observations"][["row", "dose"]].to_numpy().tolist())) <= set(
        map(tuple, doses[["row", "dose"]].to_numpy().tolist())
    )

    content = acknowledgements(told, issues, tenant=a_clinic(), submission=a_loaded_submission())
    verdicts = _verdicts(content)
    assert len(verdicts) == found.rows_total
    accepted = {row for row, verdict in enumerate(verdicts, 1) if verdict == "AA"}
    assert accepted == set(told["row"].tolist()) - _rows_with_errors(issues)


def _consent(clinic: Exchange, patients: Iterable[int]) -> None:
    lines = [
        {"authority": "CLINIC", "identifier": f"P{patient}", "type": kind}
        for patient in patients
        for kind in ("CHILD", "ADULT")
    ]
    records = pd.DataFrame(lines).reindex(columns=list(RECORD_TEXTS), fill_value="")
    records = records.assign(status="YES", consented_on="2020-01-01").astype("str")
    with transaction() as connection:
        consents.record(
            connection, records, tenant_code="aaa-ssl", source="test", actor="ann", now=clock.now()
        )


@pytest.fixture
def clinic(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Exchange]:
    """A registry partner; the parents of every other patient have consented."""
    tenants = tmp_path / "tenants"
    tenants.mkdir()
    (tenants / "aaa-ssl.yaml").write_text(YAML)
    _use(tmp_path, monkeypatch)
    found = Exchange(tmp_path)
    found.inbox("aaa-ssl").mkdir(parents=True)
    with clock.frozen(NOW):
        _consent(found, range(0, 50, 2))
        yield found


@pytest.mark.service
def test_X04_damaged_batches_reconcile_through_all_steps(clinic: Exchange) -> None:
    """Four files about the same patients, so that doses meet what earlier files stored and held."""
    for number in range(1, 5):
        content = a_file(random.Random(1000 + number), MESSAGES)
        name = file_name(TODAY, number=number)
        clinic.drop(content, name, "aaa-ssl")
        (submission,) = clinic.run("aaa-ssl")

        counts = submission.part_counts
        assert submission.state is State.DONE, (number, submission.failure_code)
        assert submission.rows_total == (submission.rows_accepted or 0) + (submission.rows_rejected or 0)
        assert counts["doses_total"] == sum(counts[f"doses_{each}"] for each in (*DOSE_OUTCOMES, "rejected"))
        with transaction() as connection:
            outcomes = messages.outcomes(connection, submission.submission_id)
        assert len(outcomes) == submission.rows_accepted
        assert all(outcomes[f"doses_{each}"].sum() == counts[f"doses_{each}"] for each in DOSE_OUTCOMES), (
            number
        )

        home, stem = clinic.home_dir("aaa-ssl"), name.removesuffix(".hl7")
        assert (home / "Accepted" / name).read_bytes() == content
        verdicts = _verdicts((home / "DQA-Report" / f"{stem}.ack.hl7").read_bytes())
        assert len(verdicts) == submission.rows_total
        told = (home / "Receive" / f"{stem}.cnf.csv").read_text(encoding="utf-8")
        assert "Fam" in told
    assert clinic.rows("select count(*) > 0 from store.dose") == [(True,)]

    _consent(clinic, range(1, 50, 2))
    with transaction() as connection:
        before = consents.held(connection, "aaa-ssl")
        moved = consents.release(connection, clinic.tenant("aaa-ssl"), now=NOW)
        after = consents.held(connection, "aaa-ssl")
        assert before.doses - after.doses == moved.released > 0
        again = consents.release(connection, clinic.tenant("aaa-ssl"), now=NOW)
        assert (again.released, again.taken_out) == (0, 0)
