"""What a report is: its columns, its parameters and where its rows come from (M63).

``catalogue`` lists the reports, ``settling`` makes sure of what is asked for, ``streaming`` gives the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any, TypeAlias

from sqlalchemy import Connection, Select

from partner_exchange.exports.columns import Kind, Row, Value
from partner_exchange.stores.verification_log import Window
from partner_exchange.tenants.model import Tenant

Rows: TypeAlias = Select[*tuple[Any, ...]]
"""A statement that selects rows, of whichever columns."""

ROSTER = frozenset({"roster"})
STATUS = frozenset({"status"})
VXU = frozenset({"vxu"})
EVERY_FEED = ROSTER | STATUS | VXU


@dataclass(frozen=True)
class ReportColumn:
    """One column that a report can give."""

    name: str
    """By which tenant files choose it."""
    header: str
    """Its name in a file where the tenant file gives none."""
    kind: Kind
    about: str
    form: str = ""
    """Of dates and instants where the tenant file says none, such as ``MM/DD/YYYY``; "" is ISO."""
    width: int = 20
    """Characters in a file of fixed width, width in a workbook, where the tenant file says none."""


text = partial(ReportColumn, kind=Kind.TEXT)
integer = partial(ReportColumn, kind=Kind.INTEGER, width=12)
decimal = partial(ReportColumn, kind=Kind.DECIMAL, width=12)
boolean = partial(ReportColumn, kind=Kind.BOOLEAN, width=6)
day = partial(ReportColumn, kind=Kind.DATE, width=12)
instant = partial(ReportColumn, kind=Kind.INSTANT, width=22)


@dataclass(frozen=True)
class Parameter:
    """What can be asked of a report beside its columns."""

    name: str
    kind: Kind
    about: str
    default: str | int | bool | None = None
    """What holds where nothing is given; None: it does not restrict anything."""
    choices: tuple[str, ...] = ()
    """Of a text: the only ones; empty: any."""
    at_least: int | None = None
    at_most: int | None = None


@dataclass(frozen=True)
class Request:
    """What one run of a report is about."""

    tenant: Tenant
    parameters: Mapping[str, Value]
    """All of them, as ``settling.settle`` returns them."""
    as_of: datetime
    """The now of the run, aware: what "the last 30 days" is counted back from."""
    window: Window | None = None
    """Positions of the verification log; only of reports that read it, None: all that holds now."""

    def text(self, name: str) -> str | None:
        """Return a parameter of text, None where it restricts nothing."""
        value = self.parameters[name]
        return None if value is None else str(value)

    def number(self, name: str) -> int:
        """Return a parameter that is a whole number and always has a value."""
        value = self.parameters[name]
        if not isinstance(value, int):
            raise TypeError(f"parameter {name} is no whole number")
        return value

    def day(self, name: str) -> date | None:
        """Return a parameter that is a day, None where it restricts nothing."""
        value = self.parameters[name]
        if not (value is None or isinstance(value, date)):
            raise TypeError(f"parameter {name} is no day")
        return value


@dataclass(frozen=True)
class Query:
    """Rows that one statement selects, to be streamed from a cursor of the server."""

    build: Callable[[Request], Rows]
    """Selects every column of the report under its name, and those of ``order``, of one tenant (X12)."""
    order: tuple[str, ...]
    """Names of selected columns that are unique together, so that the same data gives the same rows in the
    same order."""


@dataclass(frozen=True)
class Computed:
    """Rows that are worked out here; only for reports that have few."""

    rows: Callable[[Connection, Request], Iterable[Row]]
    """Every column in the order of the report, ordered by its keys; of the tenant alone (X12)."""


@dataclass(frozen=True)
class Report:
    """One report of the catalogue."""

    name: str
    version: int
    """Raised when a column gets another meaning or goes; a new column at the end is no new version."""
    title: str
    about: str
    """What one reads in it, in a paragraph."""
    feeds: frozenset[str]
    """For tenants of which feeds it is."""
    columns: tuple[ReportColumn, ...]
    keys: tuple[str, ...]
    """Columns that tell a row from all others of the report."""
    default_columns: tuple[str, ...]
    """What goes out where the tenant file names no columns (M50)."""
    source: Query | Computed
    parameters: tuple[Parameter, ...] = ()
    reads_changes: bool = False
    """Whether it reads the log of verifications, and so can give what changed in a window of it (M46)."""

    @property
    def may_be_delta(self) -> bool:
        """Return whether an export of it can hold only what is new, changed or gone (M75)."""
        return self.reads_changes or bool(self.keys)
