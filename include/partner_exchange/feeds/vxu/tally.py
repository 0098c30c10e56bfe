"""Count a piece for the data quality report: numbers that add up over the pieces of a file (T58-T60).

No value of a message gets in but codes of the code sets and the instants of messages. What there is:

- ``count``: messages, patients and doses by what became of them;
- ``field``: by place of ``profile.py``, how many were expected, present, missing, and of those present how
  many invalid, unrecognized or deprecated (one of the three at most);
- ``finding`` and ``finding_messages``: by code and place, findings and the messages that have them;
- ``severity``: findings by severity, without those that only say what others led to;
- ``code``: by code set and code, with "" for all that are not known;
- ``vaccine``: by age band and vaccine group, doses taken that were given now or elsewhere, "" for all groups;
- ``lag``: days from a dose given now and taken to its message, 400 for more;
- ``time``: ``first`` and ``last`` message time.

Own readings: fields are counted over messages that could be read and their doses, rejected or not; a deletion
is neither given nor historical, and no fields are asked of it; a vaccine of several groups counts in each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from partner_exchange.feeds.vxu import observations
from partner_exchange.feeds.vxu.cascade import Rejected
from partner_exchange.feeds.vxu.cells import Flags
from partner_exchange.feeds.vxu.code_sets import AGE_BANDS, coverage_groups
from partner_exchange.feeds.vxu.found import Found, severity_of
from partner_exchange.feeds.vxu.measures import age_months, given_to_message, message_at
from partner_exchange.feeds.vxu.piece import Piece, any_flags, any_of, table_of
from partner_exchange.feeds.vxu.places import columns, is_of_a_dose
from partner_exchange.feeds.vxu.predicates import when
from partner_exchange.feeds.vxu.profile import CVX, ELIGIBILITY, FIELDS, ScoredField, Section
from partner_exchange.feeds.vxu.tables import PATIENT_TEXTS, TALLY_COLUMNS
from partner_exchange.feeds.vxu.values import CodeCount
from partner_exchange.validation.catalogue import CATALOGUE

LONGEST_LAG = 400
STATES = {
    "code-unknown": "unrecognized",
    "ndc-unknown": "unrecognized",
    "code-deprecated": "deprecated",
    **dict.fromkeys(
        (
            "code-invalid",
            "code-ignored",
            "value-not-of-type",
            "value-not-precise",
            "no-such-day",
            "value-not-a-number",
            "amount-not-positive",
            "date-in-future",
            "date-too-long-ago",
            "date-after-message",
            "date-before-birth",
            "date-after-death",
            "birth-too-long-ago",
            "dose-outside-licence",
        ),
        "invalid",
    ),
}
"""What a code says of the field it was found at; the others say nothing of the value itself."""
_BAD_STATES = ("invalid", "unrecognized", "deprecated")
_RELATIVE = "NK1"
_Line = tuple[str, str, str, int]


def tally_of(
    piece: Piece,
    found: Sequence[Found],
    issues: pd.DataFrame,
    rejected: Rejected,
    code_counts: Iterable[CodeCount],
) -> pd.DataFrame:
    """Return the tally of a piece: ``TALLY_COLUMNS``, each of what, name and detail once."""
    lines: list[_Line] = [
        *_counts(piece, rejected),
        *_fields(piece, found),
        *_findings(issues),
        *(("code", count.set, count.code, count.count) for count in code_counts),
        *_vaccine_codes(piece),
        *_coverage(piece, rejected),
        *_lags(piece, rejected),
        *_times(piece),
    ]
    told: Counter[tuple[str, str, str]] = Counter()
    for what, name, detail, count in lines:
        told[what, name, detail] += count
    rows = [(*key, count) for key, count in told.items()]
    return pd.DataFrame(rows, columns=list(TALLY_COLUMNS)).astype(dict(TALLY_COLUMNS))


def _counts(piece: Piece, rejected: Rejected) -> Iterator[_Line]:
    is_taken = ~rejected.doses
    patients = piece.patient_keys[~rejected.messages]
    counts = {
        "messages": len(piece.rows),
        "messages_accepted": int((~rejected.messages).sum()),
        "messages_rejected": int(rejected.messages.sum()),
        "patients": piece.context.memory.new_patients(patients),
        "doses": len(piece.doses),
        "doses_accepted": int(is_taken.sum()),
        "doses_rejected": int(rejected.doses.sum()),
        "doses_given": int((is_taken & when(piece, "is_given")).sum()),
        "doses_historical": int((is_taken & when(piece, "is_historical")).sum()),
        "refusals": int((is_taken & when(piece, "is_refused")).sum()),
        "deletions": int((is_taken & when(piece, "is_deletion")).sum()),
        "duplicate_control_ids": int((piece.is_repeated & piece.is_read).sum()),
    }
    for name, count in counts.items():
        yield "count", name, "", count


def _fields(piece: Piece, found: Sequence[Found]) -> Iterator[_Line]:
    for field in FIELDS:
        is_expected = _is_expected(piece, field)
        is_present = _is_present(piece, field.place) & is_expected
        states = dict.fromkeys(_BAD_STATES, 0)
        is_open = is_present.copy()
        for state in _BAD_STATES:
            is_bad = _is_bad(piece, field.place, state, found) & is_open
            is_open &= ~is_bad
            states[state] = int(is_bad.sum())
        expected, present = int(is_expected.sum()), int(is_present.sum())
        numbers = {"expected": expected, "present": present, "missing": expected - present, **states}
        for state, count in numbers.items():
            if count:
                yield "field", field.place, state, count


def _is_expected(piece: Piece, field: ScoredField) -> Flags:
    if field.section is not Section.VACCINATION:
        return piece.is_read
    is_asked = piece.of_doses(piece.is_read) & ~when(piece, "is_deletion")
    if not field.when:
        return is_asked
    return is_asked & when(piece, field.when)


def _is_present(piece: Piece, place: str) -> Flags:
    if place == ELIGIBILITY:
        return observations.has_eligibility(piece)
    if place == CVX:
        return ~piece.vaccines.in_state(None)
    if place == "RXA-5":
        return piece.doses.is_filled("RXA-5") | piece.doses.is_filled("RXA-5.4")
    if place == "PID-3":
        table = piece.tables["identifiers"]
        return any_of(table.message[table.is_filled("PID-3.1")], len(piece.rows))
    if place.startswith(_RELATIVE):
        table = piece.tables["relatives"]
        return any_of(table.message[table.is_filled(place)], len(piece.rows))
    table = piece.table(place)
    parts = [column for column in PATIENT_TEXTS if column.startswith(f"{place}.")]
    whole = [place] if place in table.frame.columns else parts
    return any_flags(table.is_filled(column) for column in whole)


def _is_bad(piece: Piece, place: str, state: str, found: Sequence[Found]) -> Flags:
    """Return the lines whose field is in a state, in the table that the field is counted over."""
    codes = {code for code, of in STATES.items() if of == state}
    flags = np.zeros(len(piece.doses) if is_of_a_dose(place) else len(piece.rows), dtype=np.bool_)
    for each in found:
        if each.code in codes and _is_about(each.place, place):
            flags[_units(piece, each, place)] = True
    return flags


def _is_about(found: str, place: str) -> bool:
    if place == ELIGIBILITY:
        return found == "OBX-5"
    return found == place or (place == "PID-3" and found.startswith("PID-3."))


def _units(piece: Piece, found: Found, place: str) -> np.ndarray:
    """Return the messages or doses that lines belong to."""
    if place == ELIGIBILITY:
        is_eligibility = observations.sent(piece, observations.ELIGIBILITY)
        return piece.dose_of[found.lines[is_eligibility[found.lines]]]
    if is_of_a_dose(place):
        return found.lines
    return piece.tables[table_of(found.place)].message[found.lines]


def _findings(issues: pd.DataFrame) -> Iterator[_Line]:
    if issues.empty:
        return
    told = issues[["row", "code", "is_warning"]].assign(place=columns(issues))
    for place, code, is_warning, count in _sizes(told, "place", "code", "is_warning"):
        yield "finding", code, place, count
        if not CATALOGUE[code].is_consequence:
            yield "severity", severity_of(code, is_warning=is_warning).value, "", count
    messages = told[["row", "code", "place"]].drop_duplicates()
    for place, code, count in _sizes(messages, "place", "code"):
        yield "finding_messages", code, place, count


def _sizes(frame: pd.DataFrame, *by: str) -> Iterator[tuple[Any, ...]]:
    """Yield how many lines there are of each kind, behind what makes the kind."""
    yield from (
        frame.groupby(list(by), as_index=False, observed=True).size().itertuples(index=False, name=None)
    )


def _vaccine_codes(piece: Piece) -> Iterator[_Line]:
    is_sent = piece.is_judged("RXA-5") & _is_present(piece, "RXA-5")
    for cvx, count in piece.vaccines.text("cvx")[is_sent].value_counts().items():
        yield "code", "vaccine", str(cvx), int(count)


def _coverage(piece: Piece, rejected: Rejected) -> Iterator[_Line]:
    is_counted = ~rejected.doses & when(piece, "is_completed")
    years = np.floor(age_months(piece) / 12)
    for band, (start, end) in AGE_BANDS.items():
        is_of_age = is_counted & (years >= start) & (years < end)
        if is_of_age.any():
            yield "vaccine", band, "", int(is_of_age.sum())
        counts = piece.vaccines.text("cvx")[is_of_age].value_counts()
        for group in coverage_groups():
            count = int(counts[counts.index.isin(group.cvx)].sum())
            if count:
                yield "vaccine", band, group.group, count


def _lags(piece: Piece, rejected: Rejected) -> Iterator[_Line]:
    lags = given_to_message(piece)[~rejected.doses & when(piece, "is_given")]
    days, counts = np.unique(
        np.clip(lags[~np.isnan(lags)], 0, LONGEST_LAG).astype(np.int64), return_counts=True
    )
    for day, count in zip(days.tolist(), counts.tolist(), strict=True):
        yield "lag", "", str(day), count


def _times(piece: Piece) -> Iterator[_Line]:
    at = message_at(piece)[piece.is_read]
    at = at[~np.isnan(at)]
    if len(at):
        for name, second in (("first", at.min()), ("last", at.max())):
            yield "time", name, f"{np.datetime64(int(second), 's')}Z", 1
