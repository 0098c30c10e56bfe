"""Which codes of which set were sent how often; a code that no set knows is counted, never shown (T60)."""

from __future__ import annotations

from collections.abc import Mapping

from partner_exchange.feeds.vxu import code_sets
from partner_exchange.feeds.vxu.code_sets import State
from partner_exchange.feeds.vxu.report.document import CodeLine, CodeSetLines
from partner_exchange.feeds.vxu.report.tallies import Tally

_LABELS = {
    "vaccine": "Vaccine (CVX)",
    "manufacturer": "Manufacturer (MVX)",
    "vis-document": "VIS document",
    "vis-vaccine": "VIS vaccine",
    "processing-id": "Processing ID",
    "yes-no": "Yes or no",
}
_WORST_FIRST = (State.INVALID, State.DEPRECATED, State.IGNORED, State.VALID)


def code_lines(tally: Tally) -> tuple[CodeSetLines, ...]:
    """Return the sets that were used, by name; in each what should not be sent first, then by count."""
    counts: dict[str, dict[str, int]] = {}
    for set_name, code, count in tally.lines("code"):
        counts.setdefault(set_name, {})[code] = count
    return tuple(_set(name, of_set) for name, of_set in counts.items())


def _set(name: str, counts: Mapping[str, int]) -> CodeSetLines:
    known = {code: count for code, count in counts.items() if code and _known(name, code) is not None}
    lines = [CodeLine(code, *(_known(name, code) or ("", "")), count) for code, count in known.items()]
    lines.sort(key=lambda line: (_WORST_FIRST.index(State(line.state)), -line.count, line.code))
    total = sum(counts.values())
    return CodeSetLines(
        name=name,
        label=_LABELS.get(name) or name.replace("-", " ").capitalize(),
        count=total,
        # Whatever the tally says, what no set of ours knows is somebody's own text.
        unknown=total - sum(known.values()),
        lines=tuple(lines),
    )


def _known(set_name: str, code: str) -> tuple[str, str] | None:
    """Return label and state of a code, None when its set does not have it."""
    found = code_sets.codes(set_name).get(code) if _has(set_name) else None
    return (found.label, str(found.state)) if found else None


def _has(set_name: str) -> bool:
    return set_name in code_sets.set_names()
