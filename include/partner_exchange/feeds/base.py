"""What every feed offers to the steps of a submission; the steps know nothing else about a format."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

import pandas as pd
from sqlalchemy import Connection

from partner_exchange.tenants.model import Tenant
from partner_exchange.validation.findings import Findings


@dataclass(frozen=True)
class ExamineContext:
    """What a feed may know besides the bytes, so the same bytes give the same findings anywhere (N02)."""

    tenant: Tenant
    file_name: str
    today: date


@dataclass(frozen=True)
class Examination:
    """What reader and suite found in one file.

    ``rows_total == rows_accepted + rows_rejected`` always holds; a refused file accepts none.
    """

    is_refused: bool
    rows_total: int
    rows_accepted: int
    rows_rejected: int
    findings: Findings
    accepted: pd.DataFrame = field(default_factory=pd.DataFrame)
    """Rows to load: ``row`` int64 and the feed's columns as text, blank as ``""``; ``load`` takes it."""
    rejected: pd.DataFrame = field(default_factory=pd.DataFrame)
    """Rows to mend: ``row`` int64, its columns, ``as_sent`` for what has no columns; for ``fix_it``."""


@dataclass(frozen=True)
class LoadOutcome:
    """What became of the accepted rows in the store; ``rejected`` is shaped as ``Examination.rejected``."""

    created: int
    updated: int
    unchanged: int
    rejected: pd.DataFrame
    findings: Findings


class Feed(Protocol):
    """A kind of inbound data. Implementations are stateless; one instance serves all tenants."""

    name: str
    rule_version: str

    def examine(self, content: bytes, context: ExamineContext) -> Examination:
        """Return findings and rows of the file; never raises for what the file holds."""
        ...

    def load(
        self,
        connection: Connection,
        accepted: pd.DataFrame,
        *,
        tenant: Tenant,
        submission_id: str,
        now: datetime,
    ) -> LoadOutcome:
        """Merge the rows inside the caller's transaction.

        ``created + updated + unchanged + len(rejected) == len of the accepted rows as counted by examine``.
        """
        ...

    def fix_it(self, rejected: pd.DataFrame, *, tenant: Tenant) -> bytes:
        """Return the rows to mend as a file that may be dropped again (N01).

        A row with a fault that is left as it is, is rejected again; rows that were only too many are taken.
        """
        ...
