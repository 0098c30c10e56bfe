"""The status feed: hospitals update their statuses by CSV, XLS and XLSX, after three templates (E01-E24).

One inbox takes all templates; the header decides. Values are judged one by one: a bad one does not keep the
others of its row from loading (K23).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pandas as pd
from sqlalchemy import Connection

from partner_exchange.feeds.base import (
    AnswerFile,
    AnswerMaterial,
    Examination,
    ExamineContext,
    LoadOutcome,
    MappedColumn,
    Tables,
)
from partner_exchange.feeds.refusal import refusal
from partner_exchange.feeds.status.answers import answer_files
from partner_exchange.feeds.status.load import load_values
from partner_exchange.feeds.status.observations import (
    Judged,
    apply_rules,
    column_outcomes,
    is_row_rejected,
    observations,
    rejected_cells,
    to_mend,
)
from partner_exchange.feeds.status.personal import found_facts, personal_data, without_personal_titles
from partner_exchange.feeds.status.recognise import Recognised, Role, knows, recognise
from partner_exchange.feeds.status.reporting import Arrival
from partner_exchange.feeds.status.rows import judge_rows
from partner_exchange.feeds.status.values import judge_values
from partner_exchange.readers.grid import Grid, column_title
from partner_exchange.readers.marks import Mark, Refusal
from partner_exchange.readers.table import TablePolicy, read_table
from partner_exchange.tenants.model import Tenant
from partner_exchange.validation.wording import word


class StatusFeed:
    """Implements ``feeds.base.Feed`` for statuses; stateless."""

    name = "status"
    rule_version = "status-1.0"

    def examine(self, content: bytes, context: ExamineContext) -> Examination:
        """Return findings and values of the file; never raises for what the file holds."""
        policy = context.tenant.status
        catalogue = policy.catalogue
        grid = read_table(
            content,
            file_name=context.file_name,
            policy=TablePolicy(max_rows=policy.max_rows),
            knows=knows(catalogue),
        )
        if isinstance(grid, Refusal):
            return refusal(grid.code, rows_total=grid.rows_total, **grid.facts)
        grid, personal = without_personal_titles(grid, catalogue, arrived_at=context.arrived_at)
        recognised = recognise(grid, catalogue)
        if isinstance(recognised, Recognised):
            personal += personal_data(grid, recognised, arrived_at=context.arrived_at)
        if personal and policy.personal_data == "refuse":
            return refusal("personal-data", rows_total=grid.rows_total, **found_facts(personal))
        if isinstance(recognised, Refusal):
            return refusal(recognised.code, rows_total=grid.rows_total, **recognised.facts)
        arrival = Arrival(context.arrived_at, context.first_arrived_at)
        rows = judge_rows(grid, recognised, tenant=context.tenant, arrival=arrival)
        values = judge_values(grid, recognised, policy=policy)
        rules = apply_rules(grid, recognised, rows, values, tenant=context.tenant)
        judged = Judged(grid, recognised, rows, values, rules)
        marks = [*grid.marks, *recognised.marks, *personal, *rows.marks, *values.marks, *rules.marks]
        return _examination(judged, marks, cap=policy.max_findings_listed)

    def load(
        self,
        connection: Connection,
        accepted: pd.DataFrame,
        *,
        tables: Tables,
        tenant: Tenant,
        submission_id: str,
        now: datetime,
    ) -> LoadOutcome:
        """Merge the values inside the caller's transaction.

        :raises CountsDoNotReconcile: a row came to no outcome, or to two.
        """
        return load_values(connection, accepted, tenant=tenant, submission_id=submission_id, now=now)

    def answer_files(self, material: AnswerMaterial) -> Sequence[AnswerFile]:
        """Return the fix-it file with the values to mend, and for an XLSX a copy with marked cells."""
        return answer_files(material)


def _examination(judged: Judged, marks: Sequence[Mark], *, cap: int) -> Examination:
    grid = judged.grid
    lines, superseded = observations(judged)
    cells = rejected_cells(judged)
    rejected_count = int(is_row_rejected(judged, lines, cells).sum()) + len(grid.faulty_rows)
    titles = [column_title(header, at) for at, header in enumerate(grid.header)]
    # A reader also speaks of columns beyond the header: data that stands under none.
    titles += sorted({mark.column for mark in marks} - {"", *titles})
    return Examination(
        is_refused=False,
        rows_total=grid.rows_total,
        rows_accepted=grid.rows_total - rejected_count,
        rows_rejected=rejected_count,
        findings=word([*marks, *superseded], columns=titles, cap=cap),
        accepted=lines,
        rejected=to_mend(judged, cells),
        template=judged.recognised.template.name,
        columns=column_outcomes(judged, lines, cells),
        mapping=_mapping(grid, judged.recognised),
    )


def _mapping(grid: Grid, recognised: Recognised) -> tuple[MappedColumn, ...]:
    target = {at: key.value.replace("_", " ") for key, at in recognised.keys.items()}
    for one in recognised.elements:
        role = "" if one.role is Role.VALUE else f", {one.role.value.replace('_', ' ')}"
        target[one.position] = f"{one.status_type.header}{role}"
    return tuple(
        MappedColumn(column_title(header, at), target.get(at, "")) for at, header in enumerate(grid.header)
    )
