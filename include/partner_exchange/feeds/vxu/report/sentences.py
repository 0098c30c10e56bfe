"""One sentence about each part of the score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from partner_exchange.feeds.vxu.report.document import FindingLine, Section, Timeliness
from partner_exchange.feeds.vxu.report.wording import many, part_of, percent
from partner_exchange.validation.findings import Severity

_NOT_JUDGED = "Not judged, because {why}; its weight went to the other parts."


def sentences(
    sections: Sequence[Section],
    findings: Sequence[FindingLine],
    timeliness: Timeliness,
    percents: Mapping[str, float | None],
) -> dict[str, str]:
    """Return the sentences by the name of the part."""
    return {
        "completeness": _NOT_JUDGED.format(why="no message could be read")
        if percents["completeness"] is None
        else _completeness(sections),
        "quality": _NOT_JUDGED.format(why="there are no messages")
        if percents["quality"] is None
        else _quality(findings),
        "timeliness": _NOT_JUDGED.format(why="no dose given now was accepted")
        if percents["timeliness"] is None
        else _timeliness(timeliness),
    }


def _completeness(sections: Sequence[Section]) -> str:
    told = ", ".join(
        f"{section.name} {percent(section.scored / section.potential)}"
        for section in sections
        if section.potential
    )
    return f"Fields that are there and usable, by weight: {told}."


def _quality(findings: Sequence[FindingLine]) -> str:
    parts = []
    for severity in (Severity.ERROR, Severity.WARNING):
        counts = [line.count for line in findings if line.severity == severity]
        if counts:
            parts.append(f"{many(sum(counts), str(severity))} of {many(len(counts), 'kind')}")
    return f"{' and '.join(parts)}." if parts else "No errors and no warnings."


def _timeliness(found: Timeliness) -> str:
    on_time = found.bands[0]
    return (
        f"{percent(part_of(on_time.doses, found.doses))} of {many(found.doses, 'dose')} given now came "
        f"within {on_time.limit}."
    )
