"""The rules of a status value as Great Expectations over long frames, one suite per kind (E21-E23, K23).

The modules that judge a kind make the frame, with what is asked of a cell beside the cell; what stands there
comes from the tenant's catalogue. The column of a finding is not known here: a mark is split by column after.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from partner_exchange.validation.moments import MomentFault
from partner_exchange.validation.numbers import NUMBER_PATTERN
from partner_exchange.validation.runner import Stated, quiet

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation


def number_suite(asked: Sequence[str]) -> list[Expectation]:
    """Return the expectations about cells of numbers.

    The frame holds ``text`` as sent, ``number`` (NaN for what is none, and for a 9999 that is no count),
    ``decimals``, ``digits``, and beside them the limits, NaN where there is none: ``most_digits``,
    ``most_decimals``, ``minimum``, ``maximum``, ``doubtful``; ``nines`` and ``zero_beds``, which the number
    ``written`` must not be.

    :param asked: the limits that some cell of the frame has; the others are not looked at.
    """
    quiet()
    from partner_exchange.validation import value_expectations as own
    from partner_exchange.validation.expectations import ExpectCellsToMatch

    in_order = (
        ("number-too-long", "digits", "most_digits"),
        ("number-too-precise", "decimals", "most_decimals"),
        ("number-below-minimum", "minimum", "number"),
        ("number-above-maximum", "number", "maximum"),
        ("count-doubtful", "number", "doubtful"),
    )
    different = (
        ("nines-in-bulk", "written", "nines"),
        ("nedocs-zero-beds", "written", "zero_beds"),
    )
    is_number = ExpectCellsToMatch(
        column="text", pattern=NUMBER_PATTERN, meta=Stated("number-not-a-number", "text").meta
    )
    return [
        is_number,
        *(
            own.ExpectFirstNotAboveSecond(column_A=first, column_B=second, meta=Stated(code, first).meta)
            for code, first, second in in_order
            if {first, second} & set(asked)
        ),
        *(
            own.ExpectFirstNotToBeSecond(column_A=first, column_B=second, meta=Stated(code, first).meta)
            for code, first, second in different
            if second in asked
        ),
    ]


def choice_suite(known: Sequence[str], active: Sequence[str]) -> list[Expectation]:
    """Return the expectations about cells of Multi types.

    The frame holds ``status``, which must be one of ``known`` (blank where several are named),
    ``known_status``, which must be one of ``active`` (blank where it is not known), and ``named``, how many
    statuses a cell names, beside ``one``.
    """
    quiet()
    from partner_exchange.validation import expectations as cells
    from partner_exchange.validation import value_expectations as own

    return [
        cells.ExpectCellsToBeKnown(
            column="status", known=list(known), meta=Stated("status-unknown", "status").meta
        ),
        cells.ExpectCellsToBeKnown(
            column="known_status", known=list(active), meta=Stated("status-inactive", "known_status").meta
        ),
        own.ExpectFirstNotAboveSecond(
            column_A="named", column_B="one", meta=Stated("status-two-values", "named").meta
        ),
    ]


def text_suite() -> list[Expectation]:
    """Return the expectations about cells of Text types: ``characters`` within ``limit``."""
    quiet()
    from partner_exchange.validation import value_expectations as own

    return [
        own.ExpectFirstNotAboveSecond(
            column_A="characters", column_B="limit", meta=Stated("text-too-long", "characters").meta
        )
    ]


def words_suite() -> list[Expectation]:
    """Return the expectations about words of any role, in which a formula can hide: ``text`` is harmless."""
    quiet()
    from partner_exchange.validation.expectations import ExpectCellsToBeHarmless

    return [ExpectCellsToBeHarmless(column="text", meta=Stated("formula-cell", "text").meta)]


def date_suite() -> list[Expectation]:
    """Return the expectations about cells of Date types, in ``text``."""
    quiet()
    from partner_exchange.validation.value_expectations import ExpectDaysWithout

    codes = {"date-format": MomentFault.DATE_FORMAT, "date-no-such-day": MomentFault.NO_SUCH_DAY}
    return [
        ExpectDaysWithout(column="text", fault=int(fault), meta=Stated(code, "text").meta)
        for code, fault in codes.items()
    ]


def nedocs_suite() -> list[Expectation]:
    """Return the expectations about the inputs of NEDOCS: ``needed`` of them ``filled``, and a finished score
    not off by more (``difference``) than is ``tolerated``.
    """
    quiet()
    from partner_exchange.validation import value_expectations as own

    return [
        own.ExpectFirstNotAboveSecond(column_A=first, column_B=second, meta=Stated(code, first).meta)
        for code, first, second in (
            ("nedocs-inputs-incomplete", "needed", "filled"),
            ("nedocs-score-differs", "difference", "tolerated"),
        )
    ]


def companion_suite(reasons: Sequence[str]) -> list[Expectation]:
    """Return the expectations about what goes with a value.

    The frame holds the lengths ``comment`` and ``reason``, what they must at least or at most be
    (``least_comment``, ``most_comment``, ``least_reason``; NaN where anything goes), and ``listed_reason``,
    which must be one of ``reasons`` (blank where there is no list).
    """
    quiet()
    from partner_exchange.validation import value_expectations as own
    from partner_exchange.validation.expectations import ExpectCellsToBeKnown

    in_order = (
        ("comment-missing", "least_comment", "comment"),
        ("comment-not-taken", "comment", "most_comment"),
        ("reason-missing", "least_reason", "reason"),
    )
    return [
        *(
            own.ExpectFirstNotAboveSecond(column_A=first, column_B=second, meta=Stated(code, first).meta)
            for code, first, second in in_order
        ),
        ExpectCellsToBeKnown(
            column="listed_reason", known=list(reasons), meta=Stated("reason-unknown", "listed_reason").meta
        ),
    ]


def orphan_suite() -> list[Expectation]:
    """Return the expectation about comments and reasons: as many ``values`` as ``needed`` in their row."""
    quiet()
    from partner_exchange.validation import value_expectations as own

    return [
        own.ExpectFirstNotAboveSecond(
            column_A="needed", column_B="values", meta=Stated("companion-without-value", "needed").meta
        )
    ]
