"""What a look at an inbox shows, when it is worth a ring, when a file is complete: rules without Airflow.

Called by the trigger (in the triggerer) and by the sensor (in a worker), so both judge by the same facts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from partner_exchange.storage.answer_names import is_answer
from partner_exchange.storage.folders import Entry
from partner_exchange.storage.names import SUSPENDED_NOTICE, is_claimable


@dataclass(frozen=True)
class Fact:
    """Name, size and time of a claimable file: two looks agree on a file when they show the same fact."""

    name: str
    size_bytes: int
    modified_at_s: int

    @property
    def fingerprint(self) -> str:
        """Return the fact as 16 hex digits, which may travel where a file name may not (XCom, events)."""
        return _digest([self.name, self.size_bytes, self.modified_at_s])


@dataclass(frozen=True)
class Look:
    """The claimable files of one inbox at one moment."""

    facts: frozenset[Fact] = frozenset()
    is_suspended: bool = False

    @property
    def digest(self) -> str:
        """Return one fingerprint of all facts together."""
        return _digest(sorted(fact.fingerprint for fact in self.facts))

    def without_answers(self, answers: Collection[str]) -> Look:
        """Return the look without a partner's answers to delivered files, which no claim takes (X11).

        :param answers: ``inbox_answers`` of the tenant.
        """
        if not answers:
            return self
        facts = frozenset(fact for fact in self.facts if not is_answer(fact.name, answers))
        return Look(facts, self.is_suspended)


EMPTY = Look()


def look_at(entries: Iterable[Entry]) -> Look:
    """Return what the entries show; folders, temporary names and our own names do not count (X01, M15)."""
    entries = list(entries)
    facts = frozenset(
        Fact(entry.name, entry.size_bytes, int(entry.modified_at_s))
        for entry in entries
        if entry.is_file and is_claimable(entry.name)
    )
    return Look(facts, is_suspended=any(entry.name == SUSPENDED_NOTICE for entry in entries))


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16]


class Bell:
    """Decides which looks at one inbox ring (design.md section 6).

    A ring is a doorbell: whoever answers lists the inbox itself. A new name rings at once. Any other change
    (a file that grew or was replaced, a claim that left files behind) rings when two looks in a row agree,
    so neither a long upload nor a claim at work rings at every look. What is still there rings again every
    ``ring_again_s``.
    """

    def __init__(self, ring_again_s: float) -> None:
        self._ring_again_s = ring_again_s
        self._before: Look = EMPTY
        self._rung: frozenset[Fact] = frozenset()
        self._rung_at_s = 0.0

    def rings(self, look: Look, now_s: float) -> bool:
        """Say whether this look rings.

        :param now_s: monotonic seconds.
        """
        is_steady = look == self._before
        self._before = look
        if look.is_suspended or not look.facts:
            self._rung = frozenset()
            return False
        has_new_name = not {fact.name for fact in look.facts} <= {fact.name for fact in self._rung}
        has_changed = is_steady and look.facts != self._rung
        if not (has_new_name or has_changed or now_s - self._rung_at_s >= self._ring_again_s):
            return False
        self._rung, self._rung_at_s = look.facts, now_s
        return True


class Settling:
    """Tells complete files from growing ones: complete is what looks ``settle_s`` apart agree on (X01).

    The file's own time is compared, never trusted: partners' programs set it as they like.
    """

    def __init__(self, settle_s: float) -> None:
        self._settle_s = settle_s
        self._seen_since: dict[Fact, float] = {}

    def settled(self, look: Look, at_s: float) -> frozenset[Fact]:
        """Return the files of this look that have not changed for ``settle_s``.

        :param at_s: when the look was taken, in seconds on one clock for all looks.
        """
        self._seen_since = {fact: self._seen_since.get(fact, at_s) for fact in look.facts}
        # To the millisecond: floats hold no more beside epoch seconds, and 0.3 must not turn into 0.29999995.
        return frozenset(
            fact for fact, since_s in self._seen_since.items() if round(at_s - since_s, 3) >= self._settle_s
        )
