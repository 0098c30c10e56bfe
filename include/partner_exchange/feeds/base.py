"""What every feed offers to the steps of a submission; the steps know nothing else about a format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

import pandas as pd
from sqlalchemy import Connection

from partner_exchange import clock
from partner_exchange.ledger.columns import ColumnOutcome
from partner_exchange.storage.names import CONSENTS, FIX_IT
from partner_exchange.tenants.model import Tenant
from partner_exchange.validation.findings import Findings


@dataclass(frozen=True)
class ExamineContext:
    """What a feed may know besides the bytes, so the same bytes give the same findings anywhere (N02)."""

    tenant: Tenant
    file_name: str
    today: date
    arrived_at: datetime = field(default_factory=clock.now)
    """When the file was claimed; a file without a time of its own reports for this instant."""
    first_arrived_at: datetime | None = None
    """When this content was claimed first; of a fix-it file, what it mends. None: not known."""


@dataclass(frozen=True)
class MappedColumn:
    """Which column of a file goes where (E34)."""

    column: str
    """Title of the column in the file."""
    target: str
    """What it fills in the words of the tenant's catalogue; "" when it is ignored."""


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
    """What is to be loaded, in the feed's own form with ``row`` int64; ``load`` takes it."""
    rejected: pd.DataFrame = field(default_factory=pd.DataFrame)
    """What is to be mended, in the feed's own form with ``row`` int64; ``answer_files`` takes it."""
    template: str = ""
    """Which of the feed's templates the file follows; "" for a feed with one form only."""
    columns: tuple[ColumnOutcome, ...] = ()
    """Values skipped and rejected by column, for feeds that judge values one by one (E21)."""
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    """What else ``load`` and ``answer_files`` need, by names of the feed's own."""
    part_counts: Mapping[str, int] = field(default_factory=dict)
    """Counts of what is smaller than a row, by names of the feed's own."""
    mapping: tuple[MappedColumn, ...] = ()


@dataclass(frozen=True)
class LoadOutcome:
    """What became of the accepted rows in the store; ``rejected`` is shaped as ``Examination.rejected``."""

    created: int
    updated: int
    unchanged: int
    rejected: pd.DataFrame
    findings: Findings
    columns: tuple[ColumnOutcome, ...] = ()
    """Values set, unchanged and late by column; added to those of the examination."""
    part_counts: Mapping[str, int] = field(default_factory=dict)
    """What became of parts of rows; joins the counts of the examination."""


class AnswerKind(StrEnum):
    """Files that a partner finds besides the result file, or with a registry in its place."""

    FIX_IT = FIX_IT
    ANNOTATED = "annotated"
    REPORT = "dqa"
    ACKNOWLEDGEMENTS = "ack"
    CONSENTS = CONSENTS


Tables = Callable[[str], pd.DataFrame]
"""Gives one of ``Examination.tables`` by its name."""


def _no_tables(name: str) -> pd.DataFrame:
    raise KeyError(name)


@dataclass(frozen=True)
class AnswerFile:
    """One such file; ``ending`` is that of its name, without the dot."""

    kind: AnswerKind
    ending: str
    content: bytes


@dataclass(frozen=True)
class AnswerMaterial:
    """What answers are made from."""

    tenant: Tenant
    file_name: str
    original: Callable[[], bytes]
    """Reads the byte-exact original from the archive."""
    rejected: pd.DataFrame
    findings: Findings
    submission_id: str = ""
    """For feeds that ask the ledger for more; "" where there is no ledger."""
    tables: Tables = _no_tables


class Feed(Protocol):
    """A kind of inbound data. Implementations are stateless; one instance serves all tenants."""

    name: str

    @property
    def rule_version(self) -> str:
        """Return what the ledger keeps about by which rules a file was judged."""
        ...

    def examine(self, content: bytes, context: ExamineContext) -> Examination:
        """Return findings and rows of the file; never raises for what the file holds."""
        ...

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
        """Merge the rows inside the caller's transaction.

        ``created + updated + unchanged + len(rejected) == rows accepted as counted by examine``.
        """
        ...

    def answer_files(self, material: AnswerMaterial) -> Sequence[AnswerFile]:
        """Return the files that go with the result file of a submission; none when nothing is to mend.

        A fix-it file may be dropped again as it is: what is left unmended is rejected again, what was only
        too much is taken (N01). Of a refused or failed submission there are no rows and no tables; a feed
        that writes reports in place of the result file answers it all the same.
        """
        ...
