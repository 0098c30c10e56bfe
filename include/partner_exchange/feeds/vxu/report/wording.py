"""How a data quality report writes numbers; shared by its sentences and its renderings."""

from __future__ import annotations

from math import floor

MESSAGES_NAMED = 3
_LEAST_PERCENT = 0.1
_LEAST_POINTS = 0.01


def number(count: int) -> str:
    """Return ``12,345``."""
    return f"{count:,}"


def many(count: int, one: str, more: str = "") -> str:
    """Return ``1 message`` or ``12,345 messages``."""
    return f"{number(count)} {one if count == 1 else more or f'{one}s'}"


def was(count: int) -> str:
    """Return the verb that goes with ``many``."""
    return "was" if count == 1 else "were"


def percent(share: float) -> str:
    """Return ``98.9%`` for 0.9899: cut, not rounded, so that nothing looks complete that is not."""
    value = floor(round(share * 1000, 6)) / 10
    if share > 0 and value < _LEAST_PERCENT:
        return f"<{_LEAST_PERCENT}%"
    return f"{value:.1f}%"


def points(value: float) -> str:
    """Return ``3.2``, ``0.04`` where one decimal would say nothing, and ``<0.01`` for still less."""
    if round(value, 1) > 0 or value <= 0:
        return f"{value:.1f}"
    return f"{value:.2f}" if value >= _LEAST_POINTS else f"<{_LEAST_POINTS}"


def plain(value: float) -> str:
    """Return a number of the policy without needless decimals: ``50``, ``12.5``."""
    return f"{value:g}"


def size(size_bytes: int) -> str:
    """Return a size such as ``4.1 MB (4,123,456 bytes)``."""
    exact = many(size_bytes, "byte")
    for unit, factor in (("MB", 1_000_000), ("kB", 1_000)):
        if size_bytes >= factor:
            return f"{size_bytes / factor:.1f} {unit} ({exact})"
    return exact


def part_of(part: int, whole: int) -> float:
    """Return a share, 0 of nothing, 1 at the most."""
    return min(1.0, part / whole) if whole > 0 else 0.0


def first_messages(row_ranges: str, affected: int | None) -> str:
    """Return ``3, 17, 25, and 9 more`` for the messages of a finding, "" where it has none.

    :param row_ranges: as ``FindingGroup`` has them, perhaps cut.
    :param affected: how many messages there are, for ranges that are cut; None where that is not known.
    """
    *ranges, last = row_ranges.split(", ") if row_ranges else [""]
    is_cut = last == "..."
    named: list[int] = []
    told = 0
    for one in ranges if is_cut else [*ranges, last]:
        first, _, end = one.partition("-")
        if not first:
            return ""
        of_range = range(int(first), int(end or first) + 1)
        named += of_range[: MESSAGES_NAMED - len(named)]
        told += len(of_range)
    text = ", ".join(map(str, named))
    if is_cut and affected is None:
        return f"{text}, and more"
    rest = (affected if is_cut and affected is not None else told) - len(named)
    return f"{text}, and {number(rest)} more" if rest > 0 else text
