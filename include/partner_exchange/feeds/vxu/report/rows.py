"""Words and lists that text and page have in common: what is shown of a report, and in which order."""

from __future__ import annotations

from collections.abc import Sequence

from partner_exchange.feeds.vxu.report.document import (
    Cause,
    CodeLine,
    CodeSetLines,
    Counts,
    Document,
    FindingLine,
    Head,
    Instant,
    Score,
    Timeliness,
    Trend,
    TrendPoint,
)
from partner_exchange.feeds.vxu.report.quality import COSTS, FACTOR, REJECTION_COST
from partner_exchange.feeds.vxu.report.score import LETTERS, LOWEST
from partner_exchange.feeds.vxu.report.timeliness import CREDITS
from partner_exchange.feeds.vxu.report.wording import many, number, percent, plain, points, size, was
from partner_exchange.validation.findings import Severity

NOT_READ = "not read"
CAUSES_SHOWN = 12
CODES_SHOWN = 12

ABOUT = (
    "The CSV lists every finding by message, dose, place and line; the JSON holds this report for programs. "
    "This report names no patient: it holds counts, codes, places and numbers of messages only."
)


def facts(head: Head) -> list[tuple[str, str]]:
    """Return what identifies the file, by label."""
    period = head.first_message_on
    if head.last_message_on != head.first_message_on:
        period = f"{head.first_message_on} to {head.last_message_on}"
    told = [
        ("Partner", head.tenant_name),
        ("Import code", head.import_code),
        ("Mode", head.mode.upper()),
        ("Received", _times(head.received)),
        ("Checked", _times(head.checked) if head.checked else ""),
        ("Message days", period),
        ("Batches", _declared(head.batches_found, head.batches_declared)),
        ("Messages", _declared(head.messages_found, head.messages_declared) or NOT_READ),
        ("Size", size(head.size_bytes)),
        ("SHA-256", head.sha256),
        ("Submission", head.submission_id),
        ("Rules", head.rule_version),
        ("Code sets", head.code_sets_version),
    ]
    return [(label, value) for label, value in told if value]


def _times(instant: Instant) -> str:
    return f"{instant.utc} ({instant.local})" if instant.local else instant.utc


def _declared(found: int | None, declared: int | None) -> str:
    if found is None:
        return ""
    return f"{number(found)} found, {'none' if declared is None else number(declared)} declared"


def counts(counted: Counts) -> list[tuple[str, str]]:
    """Return the counts by label; what makes up a sum is indented by two spaces."""
    told = [
        ("Messages", counted.messages),
        ("  accepted", counted.messages_accepted),
        ("    patient new", counted.messages_created),
        ("    patient or dose changed", counted.messages_updated),
        ("    nothing new", counted.messages_unchanged),
        ("  rejected", counted.messages_rejected),
        ("  repeated control IDs", counted.duplicate_control_ids),
        ("Patients", counted.patients),
        ("Doses", counted.doses),
        ("  stored", counted.doses_stored),
        ("  held until there is consent", counted.doses_held),
        ("  unchanged", counted.doses_unchanged),
        ("  deleted", counted.doses_deleted),
        ("  kept as refusals", counted.doses_refused),
        ("  rejected", counted.doses_rejected),
        ("Given now", counted.doses_given),
        ("Historical", counted.doses_historical),
        ("Deletions asked for", counted.deletions),
        ("Errors", counted.errors),
        ("Warnings", counted.warnings),
        ("Notes", counted.infos),
    ]
    return [(label, number(count)) for label, count in told]


def shown_causes(document: Document) -> tuple[Sequence[Cause], Sequence[Cause]]:
    """Return the dearest causes and the rest."""
    return document.causes[:CAUSES_SHOWN], document.causes[CAUSES_SHOWN:]


def other_losses(document: Document, rest: Sequence[Cause]) -> list[str]:
    """Return sentences about all that costs points and is not among the shown causes."""
    told = []
    if rest:
        told.append(
            f"{many(len(rest), 'more cause')} together: {points(sum(one.points for one in rest))} points."
        )
    result, counted = document.result, document.counts
    if result is not None and counted is not None and result.rejection_points > 0:
        parts = [
            many(count, name)
            for count, name in ((counted.messages_rejected, "message"), (counted.doses_rejected, "dose"))
            if count
        ]
        told.append(
            f"A further {points(result.rejection_points)} points are lost because {' and '.join(parts)} "
            f"{was(2 if len(parts) > 1 else counted.messages_rejected + counted.doses_rejected)} rejected; "
            "they come back when the errors above are mended."
        )
    if not document.causes and not told:
        told.append("Nothing: every point was reached.")
    return told


def where(cause: Cause) -> str:
    """Return the place of a cause in words, then as HL7 names it, then its code."""
    place = f"{cause.label} ({cause.place})" if cause.place else cause.label
    return f"{place}, {cause.severity} {cause.code}" if cause.code else place


def spread(line: FindingLine) -> tuple[str, str]:
    """Return how many messages have a finding and the share; both "" where that means nothing."""
    if not line.place:
        return "", ""
    share = f"{percent(line.share)} of {'doses' if line.is_of_doses else 'messages'}"
    return ("" if line.messages is None else number(line.messages)), share


def in_messages(cause: Cause) -> str:
    """Return the first messages of a cause, as they follow how many there are; "" where none is known."""
    if not cause.first_messages:
        return ""
    if cause.affected.rpartition(" ")[2] in ("message", "messages"):
        return f": {cause.first_messages}"
    return f" in message{'' if cause.first_messages.isdigit() else 's'} {cause.first_messages}"


def glossary(document: Document) -> list[tuple[str, str]]:
    """Return what each code of the findings means and what to do about it, by code."""
    told: dict[str, str] = {}
    for line in document.findings:
        told.setdefault(line.code, f"{line.text} {line.next_step}".strip())
    return list(told.items())


def shown_trend(trend: Trend) -> Sequence[TrendPoint]:
    """Return the points worth showing: a file alone is none."""
    return trend.points if len(trend.points) > 1 else ()


def shown_codes(code_set: CodeSetLines) -> tuple[Sequence[CodeLine], str]:
    """Return the codes that are worth a line, and a sentence about the rest."""
    shown, rest = code_set.lines[:CODES_SHOWN], code_set.lines[CODES_SHOWN:]
    if not rest:
        return shown, ""
    return shown, f"and {many(len(rest), 'more code')}, sent {many(sum(one.count for one in rest), 'time')}"


def lag_sentence(found: Timeliness) -> str:
    """Return what the days from dose to report come to."""
    if not found.doses or found.median_days is None or found.worst_days is None:
        return "No dose given now was accepted, so there is nothing to judge."
    worst = f"{found.worst_days} days or more" if found.is_worst_capped else many(found.worst_days, "day")
    half = "on the same day"
    if found.median_days:
        half = f"within {plain(found.median_days)} day{'' if found.median_days == 1 else 's'}"
    return f"Half of the doses came {half}; the slowest took {worst}."


def bands_sentence(result: Score) -> str:
    """Return from which score on which band is reached."""
    told = ", ".join(
        f"{letter} from {plain(least)}" for letter, least in zip(LETTERS, result.bands, strict=True)
    )
    return f"Bands: {told}, else {LOWEST}."


def how_it_is_made(result: Score) -> list[str]:
    """Return how the score comes about, in sentences."""
    weights = ", ".join(f"{part.name} {plain(part.weight)}" for part in result.parts)
    credit = ", ".join(f"{name} {value}" for name, value in CREDITS)
    error, warning = (plain(FACTOR * COSTS[severity]) for severity in (Severity.ERROR, Severity.WARNING))
    return [
        f"The score is the sum of three parts, by weight: {weights}. A part that cannot be judged leaves its "
        "weight to the others.",
        "Completeness: each field counts its weight times the share of messages (or of doses) that should "
        "have it and have it, neither invalid nor unknown nor retired.",
        f"Quality starts at 100. Every finding code at every place takes off {error} x the share of messages "
        f"(or of doses) that have it for an error, {warning} for a warning, nothing for a note; rejected "
        f"messages and rejected doses take off {plain(FACTOR * REJECTION_COST)} x their share once more. It "
        "never falls below 0.",
        f"Timeliness: each dose given now counts by the days from dose to message: {credit} of 100.",
    ]
