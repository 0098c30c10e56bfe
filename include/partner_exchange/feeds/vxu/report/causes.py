"""What costs points, the dearest first, and what to change (T59).

A field that lacks its value usually shows twice: as a field that is not filled, and as a finding. Both are
one cause here, under the finding, which says what to do. What remains are fields without a finding, such as
those that may be empty, and late doses. With what the rejections cost, the causes make up all lost points.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from partner_exchange.feeds.vxu.profile import CVX, ELIGIBILITY, Level
from partner_exchange.feeds.vxu.report.document import Cause, FindingLine, Section, Timeliness
from partner_exchange.feeds.vxu.report.field_causes import Loss, field_causes, losses
from partner_exchange.feeds.vxu.report.quality import CONSEQUENCES
from partner_exchange.feeds.vxu.report.wording import many, number
from partner_exchange.feeds.vxu.tally import STATES

_LEAST_POINTS = 1e-9
_MISSING = ("required-missing", "required-segment-missing")
_ELIGIBILITY_MISSING = "observation-missing"
"""Code that is about one field, wherever it is placed."""

_PLACES_OF_FINDINGS: Mapping[str, str] = {CVX: "RXA-5", ELIGIBILITY: "OBX-5"}
"""Where findings about what is no field of the message are."""

_GENERAL_STARTS = ("A required ", "The value ", "The code ", "The date ", "There is no such ", "A segment ")
"""Beginnings of titles that do not say what they are about."""

_Key = tuple[str, str, str]


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
    of_findings = {_key(line): _of_finding(line) for line in findings if line.code not in CONSEQUENCES}
    of_fields = []
    for loss in losses(sections):
        key = _finding_about(loss, findings)
        if key is None:
            of_fields.append(loss)
        else:
            of_findings[key] = replace(of_findings[key], points=of_findings[key].points + loss.points)
    of_time = [_of_time(timeliness, timeliness_points)] if timeliness.doses else []
    found = [*of_findings.values(), *field_causes(of_fields), *of_time]
    costly = [cause for cause in found if cause.points > _LEAST_POINTS]
    return tuple(sorted(costly, key=lambda one: (-round(one.points, 6), one.place, one.code, one.title)))


def rejection_points(findings: Iterable[FindingLine]) -> float:
    """Return what rejected messages and doses cost beside the findings that led to it."""
    return sum(line.points for line in findings if line.code in CONSEQUENCES)


def _key(line: FindingLine) -> _Key:
    return line.code, line.place, line.severity


def _of_finding(line: FindingLine) -> Cause:
    counted = line.count if line.is_of_doses or line.messages is None else line.messages
    return Cause(
        kind="finding",
        title=_title(line),
        code=line.code,
        severity=line.severity,
        place=line.place,
        label=line.label,
        affected=many(counted, "dose" if line.is_of_doses else "message"),
        share=line.share,
        points=line.points,
        next_step=line.next_step,
        first_messages=line.first_messages,
    )


def _title(line: FindingLine) -> str:
    if not line.title.startswith(_GENERAL_STARTS):
        return line.title
    return f"{line.label}: {line.title[0].lower()}{line.title[1:]}"


def _finding_about(loss: Loss, findings: Sequence[FindingLine]) -> _Key | None:
    """Return the dearest finding about a bad state of a field."""
    about = [line for line in findings if line.points and _is_about(line, loss)]
    return _key(max(about, key=lambda line: line.points)) if about else None


def _is_about(line: FindingLine, loss: Loss) -> bool:
    place = loss.field.place
    if loss.state != "missing":
        places = (place, loss.whole_field, _PLACES_OF_FINDINGS.get(place))
        return STATES.get(line.code) == loss.state and line.place in places
    if line.code == _ELIGIBILITY_MISSING:
        return place == ELIGIBILITY
    # A missing name is a finding, but never a missing middle name.
    is_its_own = line.place == place or (
        line.place == loss.whole_field and loss.field.level == Level.REQUIRED
    )
    return line.code in _MISSING and is_its_own


def _of_time(found: Timeliness, points: float) -> Cause:
    on_time = found.bands[0]
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
