"""The rules of a roster row as Great Expectations, made from the tenant's policy (M20-M32, K1).

Two suites: one over the cells of each row, and one over the keys of the whole file, where rows meet each
other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from partner_exchange.feeds.roster.contract import (
    COLUMNS,
    EMAIL_PATTERN,
    MAX_USERNAME_CHARACTERS,
    ON_CAMPUS_PATTERN,
    STUDENT_ID_PATTERN,
    TELEPHONE_PATTERN,
)
from partner_exchange.tenants.model import Required, RosterPolicy
from partner_exchange.validation.dates import DateFault
from partner_exchange.validation.runner import Stated

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation

_DATE_CODES = {
    DateFault.FORMAT: "dob-format",
    DateFault.TWO_DIGIT_YEAR: "dob-two-digit-year",
    DateFault.MONTH: "dob-month-out-of-range",
    DateFault.DAY: "dob-no-such-day",
    DateFault.TOO_EARLY: "dob-before-1900",
    DateFault.FUTURE: "dob-in-future",
}
_TEXT_KEYS = ("username", "student_id", "last_name", "first_name", "telephone", "requirement_group", "term")
"""Columns in which a formula can hide; Dob and OnCampus take nothing that looks like one."""


def row_suite(policy: RosterPolicy, today: date) -> list[Expectation]:
    """Return the expectations about single rows."""
    from partner_exchange.validation.runner import quiet

    quiet()
    return [
        *_username(policy),
        *_student_id(policy),
        *_dob(today),
        *_enrollment(policy),
        *_on_campus(policy),
        *_formulas(),
    ]


def _username(policy: RosterPolicy) -> Iterator[Expectation]:
    from partner_exchange.validation import expectations as own

    limit = MAX_USERNAME_CHARACTERS
    yield own.ExpectCellsToBeFilled(column="username", meta=Stated("username-missing", "Username").meta)
    too_long = Stated("username-too-long", "Username", facts=(("limit", limit),))
    yield own.ExpectCellsWithin(column="username", characters=limit, meta=too_long.meta)
    if policy.username_pattern is not None:
        agreed = Stated("username-pattern", "Username")
        yield own.ExpectCellsToMatchPolicy(
            column="username", pattern=policy.username_pattern, meta=agreed.meta
        )
    if policy.username_domains:
        domains = ", ".join(policy.username_domains)
        agreed = Stated("username-domain", "Username", facts=(("domains", domains),))
        pattern = r"(?is).+@(?:" + "|".join(map(re.escape, policy.username_domains)) + ")"
        yield own.ExpectCellsToMatch(column="username", pattern=pattern, meta=agreed.meta)
    is_required = Required.EMAIL in policy.required
    if is_required or policy.username_pattern is None:
        # A tenant with a pattern of its own has settled that the login is no mail address, unless it asks for
        # one (M21).
        email = Stated("username-not-email", "Username", is_warning=not is_required)
        yield own.ExpectCellsToMatch(column="username", pattern=EMAIL_PATTERN, meta=email.meta)


def _student_id(policy: RosterPolicy) -> Iterator[Expectation]:
    from partner_exchange.validation import expectations as own

    is_optional = Required.STUDENT_ID not in policy.required
    missing = Stated("student-id-missing", "StudentId", is_warning=is_optional)
    yield own.ExpectCellsToBeFilled(column="student_id", meta=missing.meta)
    wrong = Stated("student-id-not-alphanumeric", "StudentId")
    yield own.ExpectCellsToMatch(column="student_id", pattern=STUDENT_ID_PATTERN, meta=wrong.meta)


def _dob(today: date) -> Iterator[Expectation]:
    from partner_exchange.validation import expectations as own

    for fault, code in _DATE_CODES.items():
        meta = Stated(code, "Dob").meta
        yield own.ExpectDatesWithout(column="dob", today=today.isoformat(), fault=int(fault), meta=meta)


def _enrollment(policy: RosterPolicy) -> Iterator[Expectation]:
    from partner_exchange.validation import expectations as own

    group_key, term_key = "requirement_group", "term"
    yield own.ExpectPairToBeWhole(
        column_A=group_key, column_B=term_key, meta=Stated("pair-incomplete", "RequirementGroup").meta
    )
    if not policy.requirement_terms:
        return
    pairs = [[known.requirement_group, known.term] for known in policy.requirement_terms]
    groups, terms = (sorted({known[side] for known in pairs}) for side in (0, 1))
    group = Stated("requirement-group-unknown", "RequirementGroup")
    yield own.ExpectCellsToBeKnown(column=group_key, known=groups, meta=group.meta)
    term = Stated("term-unknown", "Term")
    yield own.ExpectCellsToBeKnown(column=term_key, known=terms, meta=term.meta)
    yield own.ExpectPairToBeKnown(
        column_A=group_key, column_B=term_key, pairs=pairs, meta=Stated("pair-unknown", "Term").meta
    )


def _on_campus(policy: RosterPolicy) -> Iterator[Expectation]:
    from partner_exchange.validation import expectations as own

    is_optional = Required.ON_CAMPUS not in policy.required
    missing = Stated("on-campus-missing", "OnCampus", is_warning=is_optional)
    yield own.ExpectCellsToBeFilled(column="on_campus", meta=missing.meta)
    wrong = Stated("on-campus-not-0-or-1", "OnCampus")
    yield own.ExpectCellsToMatch(column="on_campus", pattern=ON_CAMPUS_PATTERN, meta=wrong.meta)


def _formulas() -> Iterator[Expectation]:
    from partner_exchange.validation import expectations as own

    for column in COLUMNS:
        if column.key in _TEXT_KEYS:
            but_for = TELEPHONE_PATTERN if column.key == "telephone" else ""
            meta = Stated("formula-cell", column.title).meta
            yield own.ExpectCellsToBeHarmless(column=column.key, but_for=but_for, meta=meta)


def file_suite() -> list[Expectation]:
    """Return the expectations about rows that meet in one file; they run over the keys of ``keys.py``."""
    from partner_exchange.validation import expectations as own

    return [
        own.ExpectKeysToAgree(
            column_list=["username", "whole_row"],
            ignore_row_if="never",
            meta=Stated("username-conflict", "Username").meta,
        ),
        own.ExpectKeysToAgree(
            column_list=["student_id", "username_or_blank"],
            ignore_row_if="never",
            meta=Stated("student-id-duplicate", "StudentId").meta,
        ),
        own.ExpectRowsToBeFirst(column="whole_row", meta=Stated("row-repeated").meta),
    ]
