"""Accepted messages into the immunization store, and what the store says of doses and patients back into
findings.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import pandas as pd
from sqlalchemy import Connection

from partner_exchange.errors import CountsDoNotReconcile
from partner_exchange.feeds.base import LoadOutcome, Tables
from partner_exchange.feeds.vxu.places import as_marks, columns_of
from partner_exchange.ledger import messages
from partner_exchange.ledger import submissions as ledger
from partner_exchange.ledger.states import DOSE_OUTCOMES
from partner_exchange.stores import immunizations
from partner_exchange.stores.immunizations import Accepted
from partner_exchange.tenants.model import Tenant
from partner_exchange.validation.wording import word


def load_messages(
    connection: Connection,
    accepted: pd.DataFrame,
    *,
    tables: Tables,
    tenant: Tenant,
    submission_id: str,
    now: datetime,
) -> LoadOutcome:
    """Merge the doses of all accepted messages.

    :param accepted: one line per accepted message, its patient.
    :raises CountsDoNotReconcile: a dose came to no outcome, or to two.
    """
    merged = immunizations.merge(
        connection,
        Accepted(
            patients=accepted,
            identifiers=tables("identifiers"),
            doses=tables("doses"),
            observations=tables("observations"),
        ),
        tenant=tenant,
        submission_id=submission_id,
        now=now,
    )
    messages.record_outcomes(connection, submission_id, merged.messages)
    counts = {f"doses_{name}": int(merged.messages[f"doses_{name}"].sum()) for name in DOSE_OUTCOMES}
    _reconcile(ledger.get(connection, submission_id).part_counts, counts, submission_id)
    outcomes = merged.messages["outcome"].value_counts()
    issues = pd.concat(
        [_about_patients(merged.findings, accepted), _about_doses(merged.doses, tables("doses"))],
        ignore_index=True,
    )
    return LoadOutcome(
        created=int(outcomes.get("created", 0)),
        updated=int(outcomes.get("updated", 0)),
        unchanged=int(outcomes.get("unchanged", 0)),
        rejected=pd.DataFrame(),
        # All of them: acknowledgements and report speak of each, and find them in the ledger alone.
        findings=word(as_marks(issues), columns=columns_of(issues), cap=max(1, len(issues))),
        part_counts=counts,
    )


def _reconcile(checked: Mapping[str, int], loaded: Mapping[str, int], submission_id: str) -> None:
    """Return when every dose of the file has one outcome (X04)."""
    doses = checked.get("doses_total", 0)
    outcomes = {"doses_rejected": checked.get("doses_rejected", 0), **loaded}
    if doses != sum(outcomes.values()):
        told = " + ".join(f"{name} {count}" for name, count in outcomes.items())
        message = f"Submission {submission_id} has {doses} doses, but {told}; nothing was committed."
        raise CountsDoNotReconcile(
            "counts-do-not-reconcile", message, submission_id=submission_id, doses_total=doses, **outcomes
        )


def _about_patients(findings: pd.DataFrame, accepted: pd.DataFrame) -> pd.DataFrame:
    """Return what the store says of patients as an issue table, placed at their identifiers."""
    found = findings.merge(accepted[["row", "line"]], on="row", how="left")
    return found.assign(
        dose=0, segment="PID", sequence=1, field=3, repetition=0, component=0, is_warning=False
    )


def _about_doses(outcomes: pd.DataFrame, doses: pd.DataFrame) -> pd.DataFrame:
    """Return what the store says of doses as an issue table, placed at their RXA."""
    said = outcomes.loc[outcomes["code"] != "", ["row", "dose", "code"]]
    found = said.merge(doses[["row", "dose", "line", "rxa"]], on=["row", "dose"], how="left")
    found = found.rename(columns={"rxa": "sequence"})
    return found.assign(segment="RXA", field=0, repetition=0, component=0, is_warning=False)
