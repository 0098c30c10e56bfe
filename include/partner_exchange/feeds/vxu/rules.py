"""What is asked of immunization messages: each rule one line, made from the field table (T43, T64, K23).

``when`` names a condition of ``predicates.py``, ``first`` and ``second`` numbers of ``measures.py``. A rule
holds for lines whose message can be read and whose segment is there. An error takes down what it stands in:
the observation, relative or identifier, the dose, or the message (``cascade.py``); where the rest stands
without the value, the rule is a warning and the value counts as empty.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What all rules have."""

    place: str
    """Where it is found wrong: ``PID-7``; with a component, ``PID-5.2``; a segment alone, ``RXA``."""
    when: str = ""
    """Condition that a line must meet to be judged; "" for none."""
    is_warning: bool = False
    """The code is an error of the catalogue, lowered."""


@dataclass(frozen=True, kw_only=True)
class CodeRule(Rule):
    """The value must be one of a code set."""

    set: str
    is_kept: bool = False
    """An unknown code is said and kept: the set cannot be complete."""


@dataclass(frozen=True, kw_only=True)
class FixedRule(Rule):
    """The value must be one of a few that the guide fixes."""

    values: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class DateRule(Rule):
    """The value must be a date or time."""


@dataclass(frozen=True, kw_only=True)
class NumberRule(Rule):
    """The value must be a number."""

    pattern: str


@dataclass(frozen=True, kw_only=True)
class Comparison(Rule):
    """A rule that two numbers decide."""

    code: str


@dataclass(frozen=True, kw_only=True)
class Required(Comparison):
    """The value must be there."""

    code: str = "required-missing"


@dataclass(frozen=True, kw_only=True)
class Forbidden(Comparison):
    """The value must not be there; it is left out."""

    code: str = "value-not-allowed"


@dataclass(frozen=True, kw_only=True)
class Limit(Comparison):
    """``first`` must not be above ``second``; where one of them is not known, nothing is asked."""

    first: str
    second: str


@dataclass(frozen=True, kw_only=True)
class Never(Comparison):
    """The condition of ``when`` must not be met."""


_NUMBER = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
_AMOUNT = r"[+-]?(?:[0-9]{1,15}(?:\.[0-9]{0,15})?|\.[0-9]{1,15})"
"""What the store can hold."""
_SEQUENCE = r"[0-9]{1,9}"


HEADER: tuple[Comparison, ...] = (
    Never(code="query-not-answered", place="MSH-9", when="is_query"),
    Never(code="message-type-unsupported", place="MSH-9", when="is_other_type"),
    Never(code="event-unsupported", place="MSH-9", when="is_other_event"),
    Never(code="version-unsupported", place="MSH-12", when="is_other_version"),
    Never(code="processing-id-unsupported", place="MSH-11", when="is_other_processing"),
    Never(code="processing-id-not-production", place="MSH-11", when="is_test_in_production"),
)
"""Whether a message can be read at all; one that breaks these is not judged further (T02, T43)."""

CODES: tuple[CodeRule, ...] = (
    CodeRule(place="MSH-15", set="acknowledgement-type", is_warning=True),
    CodeRule(place="MSH-16", set="acknowledgement-type", is_warning=True),
    CodeRule(place="PID-3.5", set="identifier-type", when="is_other_identifier"),
    CodeRule(place="PID-3.5", set="identifier-type", when="is_last_identifier", is_warning=True),
    CodeRule(place="PID-5.7", set="name-type", is_warning=True),
    CodeRule(place="PID-8", set="sex", is_warning=True),
    CodeRule(place="PID-10", set="race", is_warning=True),
    CodeRule(place="PID-22", set="ethnicity", is_warning=True),
    CodeRule(place="PID-24", set="yes-no", is_warning=True),
    CodeRule(place="PID-30", set="yes-no", is_warning=True),
    CodeRule(place="PD1-11", set="publicity", is_warning=True),
    CodeRule(place="PD1-12", set="protection", is_warning=True),
    CodeRule(place="PD1-16", set="registry-status", is_warning=True),
    CodeRule(place="NK1-3", set="relationship"),
    CodeRule(place="RXA-7", set="unit", when="is_amount_told", is_warning=True),
    CodeRule(place="RXA-9", set="information-source", is_warning=True),
    CodeRule(place="RXA-17", set="manufacturer", is_warning=True),
    CodeRule(place="RXA-18", set="refusal", is_warning=True),
    CodeRule(place="RXA-20", set="completion"),
    CodeRule(place="RXA-21", set="action"),
    CodeRule(place="RXR-1", set="route", is_warning=True),
    CodeRule(place="RXR-2", set="site", is_warning=True),
    CodeRule(place="OBX-2", set="value-type"),
    CodeRule(place="OBX-3", set="observation", is_warning=True, is_kept=True),
    CodeRule(place="OBX-5", set="eligibility", when="is_eligibility", is_warning=True),
    CodeRule(place="OBX-5", set="funding-source", when="is_funding", is_warning=True),
    CodeRule(place="OBX-5", set="vis-document", when="is_vis_document", is_warning=True, is_kept=True),
    CodeRule(place="OBX-5", set="vaccine", when="is_vis_vaccine", is_warning=True),
    CodeRule(place="OBX-5", set="immunity-evidence", when="is_immunity", is_warning=True, is_kept=True),
    CodeRule(place="OBX-17", set="eligibility-method", when="is_eligibility", is_warning=True),
)
"""RXA-5 is judged by what its code and alternate code come to together (``vaccines.py``)."""

FIXED: tuple[FixedRule, ...] = (
    FixedRule(place="MSH-21", values=("Z22",)),
    FixedRule(place="PID-1", values=("1",)),
    FixedRule(place="ORC-1", values=("RE",)),
    FixedRule(place="RXA-1", values=("0",)),
    FixedRule(place="RXA-2", values=("1",)),
    FixedRule(place="RXA-9.3", values=("NIP001",)),
    FixedRule(place="OBX-11", values=("F",), when="is_not_withdrawn"),
)

DATES: tuple[DateRule, ...] = (
    DateRule(place="MSH-7"),
    DateRule(place="PID-7"),
    DateRule(place="PID-29", is_warning=True),
    DateRule(place="PD1-13", is_warning=True),
    DateRule(place="PD1-17", is_warning=True),
    DateRule(place="PD1-18", is_warning=True),
    DateRule(place="ORC-9", is_warning=True),
    DateRule(place="RXA-3"),
    DateRule(place="RXA-4", is_warning=True),
    DateRule(place="RXA-16", is_warning=True),
    DateRule(place="OBX-5", when="is_date_value"),
    DateRule(place="OBX-14", is_warning=True),
)

NUMBERS: tuple[NumberRule, ...] = (
    NumberRule(place="PID-25", pattern=_SEQUENCE, is_warning=True),
    NumberRule(place="NK1-1", pattern=_SEQUENCE, is_warning=True),
    NumberRule(place="RXA-6", pattern=_AMOUNT, is_warning=True),
    NumberRule(place="OBX-1", pattern=_SEQUENCE, is_warning=True),
    NumberRule(place="OBX-5", pattern=_NUMBER, when="is_number_value"),
)

PARTS: tuple[Comparison, ...] = (
    Required(place="PID-3.1", is_warning=True),
    Required(place="PID-3.4", when="is_identifier", is_warning=True),
    Required(place="PID-3.5", when="is_other_identifier"),
    Required(place="PID-3.5", when="is_last_identifier", is_warning=True),
    Required(place="NK1-1", is_warning=True),
    Never(code="required-missing", place="NK1-2", when="is_relative_nameless"),
    Required(place="NK1-3"),
    Required(place="OBX-1", is_warning=True),
    Required(place="OBX-2"),
    Required(place="OBX-3"),
    Required(place="OBX-4", is_warning=True),
    Required(place="OBX-5"),
    Required(place="OBX-6", when="is_number_value", is_warning=True),
    Required(place="OBX-11", is_warning=True),
    Never(code="observation-withdrawn", place="OBX-11", when="is_withdrawn"),
    Required(place="OBX-17", when="is_eligibility", is_warning=True),
    Limit(code="date-in-future", place="OBX-14", first="OBX-14", second="tomorrow", is_warning=True),
)
"""About what can be left out without its dose or its message."""

BODY: tuple[Comparison, ...] = (
    # The header of messages that can be read.
    Required(code="control-id-missing", place="MSH-10"),
    Never(code="control-id-too-long", place="MSH-10", when="is_control_id_too_long"),
    Never(code="message-structure", place="MSH-9", when="is_other_structure"),
    Required(place="MSH-7"),
    Limit(code="value-not-precise", place="MSH-7", first="minute", second="precision", is_warning=True),
    Limit(code="date-in-future", place="MSH-7", first="message_at", second="latest_at"),
    Limit(code="date-too-long-ago", place="MSH-7", first="first_message", second="MSH-7"),
    Never(code="time-zone-missing", place="MSH-7", when="is_without_zone"),
    Never(code="time-zone-unusual", place="MSH-7", when="is_zone_unusual"),
    Required(place="MSH-11", is_warning=True),
    Required(place="MSH-15", is_warning=True),
    Required(place="MSH-16", is_warning=True),
    Required(place="MSH-21", is_warning=True),
    # The patient.
    Never(code="required-segment-missing", place="PID", when="is_without_patient"),
    Required(place="PID-1", is_warning=True),
    Never(code="required-missing", place="PID-3", when="is_unidentified"),
    Never(code="required-missing", place="PID-5", when="is_nameless"),
    Never(code="required-missing", place="PID-5.1", when="is_family_name_missing"),
    Never(code="required-missing", place="PID-5.2", when="is_given_name_missing"),
    Never(code="name-not-legal", place="PID-5.7", when="is_name_not_legal"),
    Never(code="name-looks-temporary", place="PID-5", when="is_name_temporary"),
    Required(place="PID-7"),
    Limit(code="date-in-future", place="PID-7", first="PID-7", second="last_birth"),
    Limit(code="birth-too-long-ago", place="PID-7", first="first_birth", second="PID-7"),
    Required(place="PID-8", is_warning=True),
    Limit(code="date-in-future", place="PID-29", first="PID-29", second="tomorrow", is_warning=True),
    Forbidden(place="PID-29", when="is_not_dead"),
    Forbidden(place="PD1-13", when="is_protection_blank"),
    Forbidden(place="PD1-17", when="is_status_blank"),
    Forbidden(place="PD1-18", when="is_publicity_blank"),
    Limit(code="date-in-future", place="PD1-13", first="PD1-13", second="tomorrow", is_warning=True),
    Limit(code="date-in-future", place="PD1-17", first="PD1-17", second="tomorrow", is_warning=True),
    Limit(code="date-in-future", place="PD1-18", first="PD1-18", second="tomorrow", is_warning=True),
    Never(code="protection-claimed", place="PD1-12", when="is_protected"),
    # The order.
    Never(code="required-segment-missing", place="RXA", when="is_without_rxa"),
    Never(code="required-segment-missing", place="ORC", when="is_without_orc"),
    Required(place="ORC-1", is_warning=True),
    Required(place="ORC-3"),
    Never(code="order-number-shared", place="ORC-3", when="is_order_shared"),
    Limit(code="date-in-future", place="ORC-9", first="ORC-9", second="tomorrow", is_warning=True),
    # The dose.
    Required(place="RXA-1", is_warning=True),
    Required(place="RXA-2", is_warning=True),
    Required(place="RXA-3"),
    Limit(code="date-in-future", place="RXA-3", first="dose_here", second="today"),
    Limit(code="date-after-message", place="RXA-3", first="dose_at_message", second="message"),
    Limit(code="date-before-birth", place="RXA-3", first="birth", second="RXA-3"),
    Limit(code="date-after-death", place="RXA-3", first="dose_until_message", second="death"),
    Never(code="end-differs", place="RXA-4", when="is_end_other"),
    Never(code="required-missing", place="RXA-5", when="is_vaccine_missing"),
    Never(code="code-unknown", place="RXA-5", when="is_vaccine_unknown"),
    Never(code="code-unknown", place="RXA-5", when="is_one_cvx_unknown", is_warning=True),
    Never(code="code-invalid", place="RXA-5", when="is_vaccine_invalid"),
    Never(code="ndc-unknown", place="RXA-5", when="is_one_ndc_unknown"),
    Never(code="ndc-cvx-differ", place="RXA-5", when="is_ndc_other"),
    Never(code="vaccine-unspecified", place="RXA-5", when="is_given_unspecified"),
    Limit(
        code="dose-outside-licence", place="RXA-3", when="is_given", first="licensed_from", second="given_on"
    ),
    Limit(
        code="dose-outside-licence", place="RXA-3", when="is_given", first="RXA-3", second="licensed_until"
    ),
    Limit(
        code="dose-outside-licence",
        place="RXA-3",
        when="is_historical",
        first="licensed_from",
        second="given_on",
        is_warning=True,
    ),
    Limit(
        code="dose-outside-licence",
        place="RXA-3",
        when="is_historical",
        first="given_on",
        second="licensed_until",
        is_warning=True,
    ),
    Limit(
        code="dose-outside-usual-dates",
        place="RXA-3",
        when="is_completed",
        first="expected_from",
        second="licensed_dose",
    ),
    Limit(
        code="dose-outside-usual-dates",
        place="RXA-3",
        when="is_completed",
        first="licensed_dose",
        second="expected_until",
    ),
    Limit(
        code="dose-outside-age",
        place="RXA-5",
        when="is_completed",
        first="age_from_months",
        second="age_months",
    ),
    Limit(
        code="dose-outside-age",
        place="RXA-5",
        when="is_completed",
        first="age_months",
        second="age_until_months",
    ),
    Required(place="RXA-6", when="is_added", is_warning=True),
    Never(code="amount-not-positive", place="RXA-6", when="is_amount_not_positive"),
    Required(place="RXA-7", when="is_amount_told", is_warning=True),
    Required(place="RXA-9", when="is_completed", is_warning=True),
    Required(place="RXA-9.3", when="is_source_told", is_warning=True),
    Required(place="RXA-15", when="is_given", is_warning=True),
    Limit(code="expired-lot", place="RXA-3", when="is_given", first="given_on", second="RXA-16"),
    Required(place="RXA-17", when="is_given", is_warning=True),
    Required(place="RXA-18", when="is_refused", is_warning=True),
    Forbidden(code="refusal-inconsistent", place="RXA-18", when="is_not_refused"),
    Never(code="no-vaccine-mismatch", place="RXA-20", when="is_no_vaccine_completed"),
    Never(code="no-vaccine-mismatch", place="RXA-20", when="is_no_vaccine_doubtful", is_warning=True),
    Never(code="action-assumed", place="RXA-21", when="is_action_blank"),
    Required(place="RXR-1", is_warning=True),
    Never(code="looks-historical", place="RXA", when="is_given_in_name_only"),
    Never(code="looks-given", place="RXA", when="is_given_in_fact"),
    # What goes with the dose.
    Never(code="observation-missing", place="RXA", when="is_eligibility_missing"),
    Never(code="eligibility-repeated", place="RXA", when="is_eligibility_repeated"),
    Never(code="vis-missing", place="RXA", when="is_vis_missing"),
    Never(code="set-id-order", place="OBX-1", when="is_out_of_order"),
)
"""About messages, patients and doses, once it is known what counts."""

CONTROL_IDS: tuple[Comparison, ...] = (
    Never(code="control-id-repeated", place="MSH-10", when="is_control_id_repeated"),
)
"""About messages that nothing else rejects."""

REPEATED: tuple[Comparison, ...] = (Never(code="dose-repeated", place="RXA", when="is_dose_repeated"),)
"""About doses that were taken."""
