"""What costs points, the dearest first, and what to change (T59).

A field that lacks its value usually shows twice: as a field that is not filled, and as a finding. Both are
one cause here, under the finding, which says what to do. What remains are fields without a finding, such as
those that may be empty, and late doses. With what the rejections cost, the causes make up all lost points.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from partner_exchange.feeds.vxu.profile import CVX, ELIGIBILITY
from partner_exchange.feeds.vxu.report.document import Cause, FieldLine, FindingLine, Section, Timeliness
from partner_exchange.feeds.vxu.report.quality import CONSEQUENCES
from partner_exchange.feeds.vxu.report.timeliness import CREDITS
from partner_exchange.feeds.vxu.report.wording import many, number

_LEAST_POINTS = 1e-9

_STATE_OF_CODE: Mapping[str, str] = {
    "required-missing": "missing",
    "required-segment-missing": "missing",
    "code-unknown": "unrecognized",
    "ndc-unknown": "unrecognized",
    "code-deprecated": "deprecated",
}
"""Which bad state of a field a finding is about; any other finding is about ``invalid`` ones."""

_PLACES_OF_FINDINGS: Mapping[str, str] = {CVX: "RXA-5", ELIGIBILITY: "OBX-5"}
"""Where findings about what is no field of the message are."""

_ELIGIBILITY_MISSING = "observation-missing"
"""Code that is about one field, wherever it is placed."""

_GENERAL_STARTS = ("A required ", "The value ", "The code ", "The date ", "There is no such ", "A segment ")
"""Beginnings of titles that do not say what they are about."""

_WHAT_IS_WRONG: Mapping[str, tuple[str, str]] = {
    "missing": ("{label} is not always filled", "Fill {place} wherever your system knows it."),
    "invalid": ("{label} is not usable", "Send only values in {place} that the implementation guide allows."),
    "unrecognized": ("{label} has unknown codes", "Map {place} to the code set that the guide names."),
    "deprecated": ("{label} has retired codes", "Replace retired codes in {place} by those in use today."),
}


def causes(
    findings: Sequence[FindingLine],
    sections: Sequence[Section],
    timeliness: Timeliness,
    *,
    timeliness_points: float,
) -> tuple[Cause, ...]:
    """Return every cause that costs points.

    :param timeliness_points: what the doses that were not on time cost of the 100 points.
    """
    of_findings = {
        (line.code, line.place, line.severity): _of_finding(line)
        for line in findings
        if line.code not in CONSEQUENCES
    }
    of_fields = []
    for section in sections:
        for line in section.fields:
            for state, points in _losses(line).items():
                key = _finding_for(findings, line.place, state)
                if key is None:
                    of_fields.append(_of_field(line, section.counted, state, points))
                else:
                    of_findings[key] = replace(of_findings[key], points=of_findings[key].points + points)
    of_time = [_of_time(timeliness, timeliness_points)] if timeliness.doses else []
    found = [*of_findings.values(), *of_fields, *of_time]
    costly = [cause for cause in found if cause.points > _LEAST_POINTS]
    return tuple(sorted(costly, key=lambda one: (-round(one.points, 6), one.place, one.code, one.title)))


def rejection_points(findings: Iterable[FindingLine]) -> float:
    """Return what rejected messages and doses cost beside the findings that led to it."""
    return sum(line.points for line in findings if line.code in CONSEQUENCES)


def _of_finding(line: FindingLine) -> Cause:
    whole = "doses" if line.is_of_doses else "messages"
    counted = line.count if line.is_of_doses or line.messages is None else line.messages
    return Cause(
        kind="finding",
        title=_title(line),
        code=line.code,
        severity=line.severity,
        place=line.place,
        label=line.label,
        affected=many(counted, whole[:-1]),
        share=line.share,
        points=line.points,
        next_step=line.next_step,
    )


def _title(line: FindingLine) -> str:
    if not line.title.startswith(_GENERAL_STARTS):
        return line.title
    return f"{line.label}: {line.title[0].lower()}{line.title[1:]}"


def _losses(line: FieldLine) -> dict[str, float]:
    """Return what each bad state costs of what the field costs, in proportion to its count."""
    counts = {
        "missing": max(line.missing, line.expected - line.present),
        "invalid": line.invalid,
        "unrecognized": line.unrecognized,
        "deprecated": line.deprecated,
    }
    total = sum(counts.values())
    return {state: line.points * count / total for state, count in counts.items() if count and line.points}


def _finding_for(findings: Sequence[FindingLine], place: str, state: str) -> tuple[str, str, str] | None:
    """Return the dearest finding about a bad state of a field."""
    about = [line for line in findings if line.points and _is_about(line, place, state)]
    if not about:
        return None
    dearest = max(about, key=lambda line: line.points)
    return dearest.code, dearest.place, dearest.severity


def _is_about(line: FindingLine, place: str, state: str) -> bool:
    if line.code == _ELIGIBILITY_MISSING:
        return (place, state) == (ELIGIBILITY, "missing")
    if line.code in CONSEQUENCES or _STATE_OF_CODE.get(line.code, "invalid") != state:
        return False
    return line.place in (place, place.partition(".")[0], _PLACES_OF_FINDINGS.get(place))


def _of_field(line: FieldLine, counted: str, state: str, points: float) -> Cause:
    title, next_step = _WHAT_IS_WRONG[state]
    count = line.expected - line.present if state == "missing" else getattr(line, state)
    return Cause(
        kind="field",
        title=title.format(label=line.label),
        code="",
        severity="",
        place=line.place,
        label=line.label,
        affected=f"{number(count)} of {many(line.expected, counted[:-1])}",
        share=min(1.0, count / line.expected),
        points=points,
        next_step=next_step.format(place=line.place),
    )


def _of_time(found: Timeliness, points: float) -> Cause:
    on_time = next(band for band in found.bands if band.name == CREDITS[0][0])
    late = found.doses - on_time.doses
    return Cause(
        kind="timeliness",
        title="Doses are reported late",
        code="",
        severity="",
        place="",
        label="Days from dose to report",
        affected=f"{number(late)} of {many(found.doses, 'dose')} given now",
        share=late / found.doses,
        points=points,
        next_step=f"Send a batch often enough that each dose is here within {on_time.limit}.",
    )
