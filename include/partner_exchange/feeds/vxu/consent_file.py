"""Read a file of consents: a CSV with fixed columns; a bad line is told, the others are taken (T62).

Called by ``exchange consent import``. The columns are those of the consent notification file where both have
them, so that one can be made from the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa

from partner_exchange.readers.csv import CsvColumn, ReadPolicy, Sheet, read_csv
from partner_exchange.readers.marks import Mark, Refusal
from partner_exchange.stores.consent_registry import RECORD_TEXTS, STATUSES, TYPES
from partner_exchange.stores.keys import person_name_key
from partner_exchange.validation.findings import Findings
from partner_exchange.validation.wording import refusal_findings, rejected_rows, word

COLUMNS = (
    CsvColumn("identifier", "PatientId"),
    CsvColumn("authority", "AssigningAuthority"),
    CsvColumn("last_name", "LastName"),
    CsvColumn("first_name", "FirstName"),
    CsvColumn("birth_on", "BirthDate"),
    CsvColumn("type", "ConsentType"),
    CsvColumn("status", "ConsentStatus"),
    CsvColumn("consented_on", "ConsentDate"),
)
"""Titles in their order."""

MAX_LINES = 1_000_000
MAX_FINDINGS = 1_000
_MAX_CHARACTERS = 200
_TITLES = {column.key: column.title for column in COLUMNS}
_CODES = ("type", "status")
_DAYS = ("birth_on", "consented_on")


@dataclass(frozen=True)
class ConsentFile:
    """What a file of consents holds."""

    is_refused: bool
    lines: int
    """Records below the header."""
    rejected: int
    records: pd.DataFrame
    """The lines to record, as ``stores.consents.record`` takes them."""
    findings: Findings


def read_consents(content: bytes, *, file_name: str, today: date) -> ConsentFile:
    """Return consents and findings of a file; never raises for what it holds.

    :param today: in the tenant's zone; no consent can be of a later day.
    """
    policy = ReadPolicy(MAX_LINES, takes_blank_surplus=True)
    sheet = read_csv(content, file_name=file_name, columns=COLUMNS, policy=policy)
    if isinstance(sheet, Sheet) and not _is_header(sheet.header):
        sheet = Refusal("consent-header", rows_total=sheet.rows_total)
    if isinstance(sheet, Refusal):
        nothing = pd.DataFrame({name: pd.Series(dtype="str") for name in RECORD_TEXTS})
        return ConsentFile(True, sheet.rows_total, sheet.rows_total, nothing, refusal_findings(sheet))
    return _judged(sheet, today)


def _is_header(header: tuple[str, ...]) -> bool:
    titles = [title.strip().casefold() for title in header]
    return titles[: len(COLUMNS)] == [column.title.casefold() for column in COLUMNS]


def _judged(sheet: Sheet, today: date) -> ConsentFile:
    lines = pd.DataFrame(
        {name: pd.Series(pd.array(sheet.table[name], dtype="str")) for name in sheet.table.column_names}
    )
    days = pd.DataFrame({name: _days(lines[name]) for name in _DAYS})
    for name in _CODES:
        lines[name] = lines[name].str.upper()
    marks = [*sheet.marks, *_marks(lines, days, sheet.rows, today)]
    rejected = rejected_rows(marks)
    is_taken = ~np.isin(sheet.rows, rejected)
    written = {name: days[name].dt.strftime("%Y-%m-%d").fillna("").astype("str") for name in _DAYS}
    taken = lines.assign(row=sheet.rows, **written)[is_taken]
    is_last, is_contradicted = _last_said(taken)
    marks.append(Mark("consent-line-repeated", rows=taken["row"].to_numpy()[is_contradicted]))
    said = [mark for mark in marks if len(mark.rows) or mark.code != "consent-line-repeated"]
    return ConsentFile(
        is_refused=False,
        lines=sheet.rows_total,
        rejected=len(rejected),
        records=taken.loc[is_last, list(RECORD_TEXTS)].reset_index(drop=True),
        findings=word(said, columns=tuple(_TITLES.values()), cap=MAX_FINDINGS),
    )


def _days(texts: pd.Series[str]) -> pd.Series[pd.Timestamp]:
    """Return the days of 20261121 and 2026-11-21, NaT for all else."""
    plain = texts.str.replace(r"^(\d{4})-(\d\d)-(\d\d)$", r"\1\2\3", regex=True)
    written = plain.where(plain.str.fullmatch(r"[0-9]{8}"), None)
    return pd.to_datetime(written, format="%Y%m%d", errors="coerce")


def _marks(
    lines: pd.DataFrame, days: pd.DataFrame, rows: np.ndarray[tuple[int], np.dtype[np.int64]], today: date
) -> Iterator[Mark]:
    names = (lines[["last_name", "first_name", "birth_on"]] != "").all(axis="columns")
    faults = [
        ("consent-person-missing", "", (lines["identifier"] == "") & ~names),
        ("consent-type-unknown", "type", ~lines["type"].isin(TYPES)),
        ("consent-status-unknown", "status", ~lines["status"].isin(STATUSES)),
        ("consent-date", "birth_on", days["birth_on"].isna() & (lines["birth_on"] != "")),
        ("consent-date", "consented_on", days["consented_on"].isna()),
        *(("consent-date-in-future", name, days[name] > pd.Timestamp(today)) for name in _DAYS),
        *(("consent-value-too-long", name, lines[name].str.len() > _MAX_CHARACTERS) for name in _TITLES),
    ]
    for code, name, is_faulty in faults:
        if is_faulty.any():
            yield Mark(code, _TITLES.get(name, ""), rows[is_faulty.to_numpy(dtype=bool)])


def _last_said(
    taken: pd.DataFrame,
) -> tuple[np.ndarray[tuple[int], np.dtype[np.bool_]], np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """Return which lines are the last ones of their consent, and which say something else than the last."""
    keys = taken[["authority", "identifier", "birth_on", "type", "consented_on"]].assign(
        **{name: _as_series(person_name_key(taken[name]), taken) for name in ("last_name", "first_name")}
    )
    is_last = ~keys.duplicated(keep="last").to_numpy()
    last = taken["status"].groupby([keys[name] for name in keys], sort=False).transform("last")
    return is_last, (taken["status"] != last).to_numpy() & ~is_last


def _as_series(keys: pa.Array, like: pd.DataFrame) -> pd.Series[str]:
    return pd.Series(pd.array(keys, dtype="str"), like.index)
