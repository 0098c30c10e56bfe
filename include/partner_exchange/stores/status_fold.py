"""The history of one status when something is said of the past: what was in force, and what that changes.

Pure: no database. Reports of one status may come in any order, and the history they make is that of their
own times (N07). The history keeps changes; what a report said again is kept as a *confirmation*, a time at
which the status of the history was stated. Both together are all that was ever said, so that a late report
can be put between them: what was said again after it is then written out as a change.

Called by ``status_late``. ``status_newest`` does the same as one statement where nothing is late.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime


@dataclass(frozen=True, slots=True)
class State:
    """A status as it is in force; two are equal when a change from one to the other is nothing to tell."""

    value: str
    is_not_applicable: bool
    is_computed: bool
    reason: str
    comment: str
    number: float | None = field(default=None, compare=False)
    colour: str = field(default="", compare=False)
    level: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Report:
    """What was said at one time; a reason or comment that is not given is kept while the value is."""

    state: State
    is_reason_given: bool
    is_comment_given: bool

    def after(self, before: State | None) -> State:
        """Return the status in force once this is said: a new value without a comment has none."""
        told = self.state
        is_same = before is not None and (told.value, told.is_not_applicable, told.is_computed) == (
            before.value,
            before.is_not_applicable,
            before.is_computed,
        )
        if before is None or not is_same:
            return replace(
                told,
                reason=told.reason if self.is_reason_given else "",
                comment=told.comment if self.is_comment_given else "",
            )
        return replace(
            before,
            reason=told.reason if self.is_reason_given else before.reason,
            comment=told.comment if self.is_comment_given else before.comment,
        )


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The status of the history was said again; which of its reason and comment the report gave itself."""

    is_reason_given: bool
    is_comment_given: bool


@dataclass(frozen=True)
class Folded:
    """What has to be added so that the history tells the new reports too."""

    changes: Mapping[datetime, Report]
    """States that come into force, by time."""
    confirmations: Mapping[datetime, Confirmation]
    changed_by: frozenset[datetime]
    """Times of new reports that changed the status as it was before them."""
    final: State
    """The status at the end of the history."""


def fold(
    base: State | None,
    known: Mapping[datetime, Report | Confirmation],
    reports: Mapping[datetime, Report],
) -> Folded:
    """Put reports into the history of one status.

    :param base: the status in force before the first of ``reports``; None when there was none.
    :param known: the history from the first of ``reports`` on: of each time what was said last.
    :param reports: new ones by time; not empty.
    """
    now = stored = base
    changes: dict[datetime, Report] = {}
    confirmations: dict[datetime, Confirmation] = {}
    changed_by: set[datetime] = set()
    for at in sorted({*known, *reports}):
        element, shown = known.get(at), now
        given: Report | Confirmation
        if element is None:
            given = reports[at]
            after = given.after(now)
            if after != now:
                changed_by.add(at)
        else:
            if isinstance(element, Report):
                stored = shown = element.state
            given, after = element, _told(element, stored).after(now)
            if at in reports and (corrected := reports[at].after(after)) != after:
                # The later report for one time stands, with what it kept from the other.
                given, after = Confirmation(True, True), corrected
                changed_by.add(at)
        if after != shown:
            changes[at] = Report(after, given.is_reason_given, given.is_comment_given)
        elif element is None:
            confirmations[at] = Confirmation(given.is_reason_given, given.is_comment_given)
        now = after
    if now is None:
        raise ValueError("no report to put into the history")
    return Folded(changes, confirmations, frozenset(changed_by), now)


def _told(element: Report | Confirmation, stored: State | None) -> Report:
    """Return what was said at a time of the history: a confirmation repeats the state of the history then."""
    if isinstance(element, Report):
        return element
    if stored is None:
        raise ValueError("a confirmation has nothing to confirm")
    return Report(stored, element.is_reason_given, element.is_comment_given)
