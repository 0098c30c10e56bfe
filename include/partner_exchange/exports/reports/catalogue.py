"""Every report there is, by name (M63); docs/reports.md is written from here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from partner_exchange.errors import ReportRefused
from partner_exchange.exports.reports import (
    consents,
    immunizations,
    nhsn,
    quality,
    received,
    sent,
    statuses,
    students,
    verified,
)
from partner_exchange.exports.reports.report import Report
from partner_exchange.tenants.nearest import nearest

_MODULES = (verified, students, statuses, nhsn, immunizations, consents, quality, received, sent)

REPORTS: Mapping[str, Report] = MappingProxyType(
    {one.name: one for module in _MODULES for one in module.REPORTS}
)
"""All reports in the order of the documentation."""


def get(name: str, feed: str | None = None) -> Report:
    """Return the report of that name.

    :param feed: of the tenant who asks; unset: whichever.
    :raises ReportRefused: ``report-unknown``, or ``report-of-another-feed``.
    """
    found = REPORTS.get(name)
    if found is None:
        near = _nearest(name, of_feed(feed) if feed else REPORTS)
        hint = f"Did you mean {near!r}?" if near else "docs/reports.md lists them."
        raise ReportRefused.of("report-unknown", f"There is no report {name!r}.", hint, report=name)
    if feed is not None and feed not in found.feeds:
        feeds = " and ".join(sorted(found.feeds))
        problem = f"Report {name} is for the feed {feeds}, and the tenant sends {feed}."
        remedy = "docs/reports.md says which reports there are for it."
        raise ReportRefused.of("report-of-another-feed", problem, remedy, report=name, feed=feed)
    return found


def _nearest(name: str, known: Iterable[str]) -> str:
    """Return the name that comes nearest as a whole, else the first one with a word near the last of it."""
    names = list(known)
    if near := nearest(name, names):
        return near
    by_word = {word: one for one in reversed(names) for word in one.split("_")}
    words = [word for word in name.split("_") if word]
    return by_word.get(nearest(words[-1], by_word), "") if words else ""


def of_feed(feed: str) -> Mapping[str, Report]:
    """Return the reports for tenants of a feed, in the order of the documentation."""
    return {name: one for name, one in REPORTS.items() if feed in one.feeds}
