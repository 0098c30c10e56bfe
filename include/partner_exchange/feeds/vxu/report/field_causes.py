"""What fields cost that are not filled rightly, and how that is told where no finding speaks of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from partner_exchange.feeds.vxu.report.document import Cause, FieldLine, Section
from partner_exchange.feeds.vxu.report.wording import many, number
from partner_exchange.feeds.vxu.report.words import in_words

_WHAT_IS_WRONG: Mapping[str, tuple[str, str]] = {
    "missing": ("{label} is not always filled", "Fill {place} wherever your system knows it."),
    "invalid": ("{label} is not usable", "Send only values in {place} that the implementation guide allows."),
    "unrecognized": ("{label} has unknown codes", "Map {place} to the code set that the guide names."),
    "deprecated": ("{label} has retired codes", "Replace retired codes in {place} by those in use today."),
}


@dataclass(frozen=True)
class Loss:
    """What one bad state of one field costs."""

    field: FieldLine
    counted: str
    """``messages`` or ``doses``."""
    state: str
    """``missing``, ``invalid``, ``unrecognized`` or ``deprecated``."""
    count: int
    points: float

    @property
    def whole_field(self) -> str:
        """Return the place without the component."""
        return self.field.place.partition(".")[0]


def losses(sections: Iterable[Section]) -> Iterator[Loss]:
    """Return what each bad state of each field costs, in proportion to its count."""
    for section in sections:
        for field in section.fields:
            counts = {
                "missing": field.expected - field.present,
                "invalid": field.invalid,
                "unrecognized": field.unrecognized,
                "deprecated": field.deprecated,
            }
            total = sum(counts.values())
            for state, count in counts.items():
                if count and field.points:
                    yield Loss(field, section.counted, state, count, field.points * count / total)


def field_causes(of_fields: Iterable[Loss]) -> list[Cause]:
    """Return the causes; components that are bad just as often, such as those of an address, are one."""
    together: dict[tuple[str, str, int], list[Loss]] = {}
    for loss in of_fields:
        together.setdefault((loss.whole_field, loss.state, loss.count), []).append(loss)
    return [_cause(same) for same in together.values()]


def _cause(same: Sequence[Loss]) -> Cause:
    first = same[0]
    place = first.field.place if len(same) == 1 else first.whole_field
    label = in_words(place)
    title, next_step = _WHAT_IS_WRONG[first.state]
    return Cause(
        kind="field",
        title=title.format(label=label),
        code="",
        severity="",
        place=place,
        label=label,
        affected=f"{number(first.count)} of {many(first.field.expected, first.counted[:-1])}",
        share=min(1.0, first.count / first.field.expected),
        points=sum(loss.points for loss in same),
        next_step=next_step.format(place=place),
    )
