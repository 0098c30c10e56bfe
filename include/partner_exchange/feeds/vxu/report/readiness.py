"""Whether a file like this one may be sent in production, and what is missing for it (K7, T24)."""

from __future__ import annotations

from collections.abc import Sequence

from partner_exchange.feeds.vxu.profile import Level
from partner_exchange.feeds.vxu.report.document import Check, Counts, FieldLine, Readiness, Section
from partner_exchange.feeds.vxu.report.wording import many, number, percent, plain
from partner_exchange.tenants.vxu_policy import Scoring

_FIELDS_NAMED = 4


def readiness(scoring: Scoring, counts: Counts, sections: Sequence[Section], *, mode: str) -> Readiness:
    """Return the conditions, each with what is missing; ready is a file that meets the first two.

    The third is the registry's own and is about files in a row, so it is only shown. In production only the
    fields are held against their measure: size and freedom from errors are asked of test files.
    """
    fields = _fields(sections, scoring.ready_required_percent)
    if mode == "production":
        meets = "meets" if fields.is_met else "does not meet"
        return Readiness(
            fields.is_met, f"You are in production; this file {meets} the measures for it.", (fields,)
        )
    checks = (_messages(counts.messages, scoring.ready_messages), fields, _errors(counts.errors))
    is_ready = all(check.is_met for check in checks[:2])
    return Readiness(is_ready, _sentence(is_ready, checks[2].is_met), checks)


def _sentence(is_ready: bool, is_error_free: bool) -> str:
    if not is_ready:
        return "Not ready for production yet: see what is missing below."
    if not is_error_free:
        return "Large and complete enough for production; the registry also wants files without errors."
    return "Ready for production: agree on the day with your contact at the exchange."


def _messages(found: int, wanted: int) -> Check:
    is_met = found >= wanted
    missing = "" if is_met else f", {number(wanted - found)} more are needed"
    return Check(
        f"At least {many(wanted, 'message')} in the file", is_met, f"{many(found, 'message')}{missing}"
    )


def _fields(sections: Sequence[Section], wanted: float) -> Check:
    required = [line for section in sections for line in section.fields if line.level == Level.REQUIRED]
    poor = sorted(
        (line for line in required if line.good * 100 < wanted - 1e-9),
        key=lambda line: (line.good, line.place),
    )
    label = f"Every required field right in at least {plain(wanted)}%"
    if not required:
        return Check(label, False, "no message could be read")
    if not poor:
        return Check(label, True, f"all {number(len(required))} required fields")
    named = ", ".join(_named(line) for line in poor[:_FIELDS_NAMED])
    more = f" and {number(len(poor) - _FIELDS_NAMED)} more" if len(poor) > _FIELDS_NAMED else ""
    return Check(label, False, f"{number(len(poor))} of {many(len(required), 'field')} below: {named}{more}")


def _named(line: FieldLine) -> str:
    return f"{line.label} ({line.place}) {percent(line.good)}"


def _errors(found: int) -> Check:
    told = "no errors" if not found else many(found, "error")
    return Check("Asked by the registry: test files without errors", not found, told)
