"""The immunization feed: HL7 2.5.1 VXU batches, a message at a time (T43, T47-T50, T57-T64).

A bad value, segment, dose or message does not keep the rest of the file from loading: the error cascade of
HL7 decides how far an error reaches (K23).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import pandas as pd
from sqlalchemy import Connection

from partner_exchange.feeds.base import (
    AnswerFile,
    AnswerMaterial,
    Examination,
    ExamineContext,
    LoadOutcome,
    Tables,
)
from partner_exchange.feeds.refusal import refusal
from partner_exchange.feeds.vxu import code_sets
from partner_exchange.feeds.vxu.answers import answer_files
from partner_exchange.feeds.vxu.examine import examine_stream
from partner_exchange.feeds.vxu.load import load_messages
from partner_exchange.readers.hl7 import read_stream
from partner_exchange.readers.marks import Mark, Refusal
from partner_exchange.storage.hl7_names import Hl7Name, NameFault
from partner_exchange.tenants.model import Tenant


class VxuFeed:
    """Implements ``feeds.base.Feed`` for immunizations; stateless. A row is a message."""

    name = "vxu"

    @property
    def rule_version(self) -> str:
        """Return the version of the rules and of the code sets that they go by."""
        return f"vxu-1.0+{code_sets.version()[:12]}"

    def examine(self, content: bytes, context: ExamineContext) -> Examination:
        """Return findings and messages of the file; never raises for what the file holds."""
        arrived_on = context.arrived_at.astimezone(ZoneInfo(context.tenant.time_zone)).date()
        name = Hl7Name.parse(
            context.file_name, import_code=context.tenant.import_code, today_local=arrived_on
        )
        if isinstance(name, NameFault):
            return refusal(name.code, rows_total=0, **name.facts)
        stream = read_stream(content, max_messages=context.tenant.vxu.max_messages)
        if isinstance(stream, Refusal):
            return refusal(stream.code, rows_total=stream.rows_total, **stream.facts)
        marks = [Mark("hl7-name-old")] if name.is_old(arrived_on) else []
        return examine_stream(stream, context, [*marks, *stream.marks])

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
        """Merge doses and patients inside the caller's transaction; in test mode nothing stays (K7).

        :raises CountsDoNotReconcile: a dose came to no outcome, or to two.
        """
        return load_messages(
            connection, accepted, tables=tables, tenant=tenant, submission_id=submission_id, now=now
        )

    def answer_files(self, material: AnswerMaterial) -> Sequence[AnswerFile]:
        """Return the report in its four forms, the acknowledgements, and the consents of what was loaded."""
        return answer_files(material)
