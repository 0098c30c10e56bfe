"""Which names are a partner's answers to delivered files, and where they lie (X11).

In a home the answers lie in the inbox, among the drops. The claim, the looks at an inbox and the collector of
answers all judge by this module, so a file is either a submission or an answer, never both and never neither.

A pattern such as ``{file_name}.ack`` takes any name with that ending: an answer to a file that we never sent
is worth seeing. One whose names end like a drop (``ok-{file_name}`` gives ``ok-verified.csv``) takes only
names that the export itself gives its files, so that it never swallows what the partner sends us.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from partner_exchange.storage.names import ENDINGS, HL7_ENDING, NHSN_FILE_NAME, is_claimable
from partner_exchange.tenants.exports import AnswerFiles, Target
from partner_exchange.tenants.model import Tenant

_FILE_NAME = "{file_name}"
_DROPS = (*(f".{ending}" for ending in ENDINGS), HL7_ENDING)
_SERVER_SETTLE_S = 2.0


@dataclass(frozen=True)
class NamedAnswer:
    """What the name of a file says, were it an answer to that export."""

    export_name: str
    is_accepted: bool
    file_name: str
    """Of the delivered file."""


@dataclass(frozen=True)
class AnswerName:
    """One pattern of one export."""

    export_name: str
    is_accepted: bool
    pattern: str
    """Regular expression of the whole name; plain text, so that it may travel in a trigger's arguments."""

    def parse(self, name: str) -> NamedAnswer | None:
        """Return what the name says, None when it does not fit."""
        match = re.fullmatch(self.pattern, name)
        return NamedAnswer(self.export_name, self.is_accepted, match["file"]) if match else None


@dataclass(frozen=True)
class AnswerPlace:
    """A folder in which answers lie, of all exports of the tenant that look there."""

    place: str
    """What the ledger calls it: the folder of a home, or connection and folder of a partner's server."""
    target: Target
    """Opens that folder."""
    settle_s: float
    """Pause between the two looks that show whether a file is still growing (X01)."""
    names: tuple[AnswerName, ...]

    @property
    def is_home(self) -> bool:
        """Return whether it is a folder of the partner's home here, from which we put answers away."""
        return self.target.kind == "home"

    @cached_property
    def exports(self) -> frozenset[str]:
        """Return the exports whose answers lie here."""
        return frozenset(name.export_name for name in self.names)

    def parse(self, name: str) -> list[NamedAnswer]:
        """Return all that the name may say; nothing for one that is no answer."""
        if not is_claimable(name):
            return []
        return [found for one in self.names if (found := one.parse(name)) is not None]


def answered_targets(tenant: Tenant) -> dict[str, Target]:
    """Return the target of each export whose files the partner answers, sets for NHSN included."""
    return {name: target for name, target in tenant.targets().items() if target.answers is not None}


def answer_places(tenant: Tenant) -> list[AnswerPlace]:
    """Return the folders in which answers to the tenant's exports lie, each once."""
    found: dict[str, AnswerPlace] = {}
    for export_name, target in answered_targets(tenant).items():
        folder = _folder(tenant, target)
        place = folder if target.kind == "home" else f"{target.connection}:{folder}"
        before = found.get(place)
        found[place] = AnswerPlace(
            place=place,
            target=target.model_copy(update={"folder": folder}),
            settle_s=tenant.inbox.settle_s if target.kind == "home" else _SERVER_SETTLE_S,
            names=(*(before.names if before else ()), *_names(tenant, export_name, target)),
        )
    return list(found.values())


def answer_target(tenant: Tenant, export_name: str) -> Target | None:
    """Return what opens the folder in which answers to an export lie; None when it asks for none."""
    places = answer_places(tenant)
    return next((place.target for place in places if export_name in place.exports), None)


def inbox_answers(tenant: Tenant) -> tuple[str, ...]:
    """Return the patterns of names in the tenant's inbox that are answers, and so are no submissions."""
    patterns = [
        name.pattern
        for place in answer_places(tenant)
        if _is_inbox(tenant, place.target)
        for name in place.names
    ]
    return tuple(dict.fromkeys(patterns))


def is_answer(name: str, patterns: Iterable[str]) -> bool:
    """Say whether a name in an inbox is an answer by one of the patterns of ``inbox_answers``."""
    return any(re.fullmatch(pattern, name) for pattern in patterns)


def _folder(tenant: Tenant, target: Target) -> str:
    named = target.answers.folder if target.answers else ""
    if target.kind == "home":
        return named.strip("/") or tenant.inbox.folder
    return named or target.folder


def _is_inbox(tenant: Tenant, target: Target) -> bool:
    if target.kind == "home":
        return target.folder == tenant.inbox.folder
    # A partner's own server may hold inbox and outbox alike.
    inbox = f"{tenant.home.rstrip('/')}/{tenant.inbox.folder}"
    return target.connection == tenant.inbox.connection and target.folder.rstrip("/") == inbox


def _names(tenant: Tenant, export_name: str, target: Target) -> list[AnswerName]:
    answers = target.answers or AnswerFiles()
    sent = _sent_names(tenant, export_name)
    return [
        AnswerName(export_name, is_accepted, _pattern(text, sent))
        for is_accepted, text in ((True, answers.accepted), (False, answers.refused))
    ]


def _pattern(text: str, sent: str) -> str:
    """Return the regular expression of an answer's name.

    :param sent: that of the names of the export's own files.
    """
    _, _, tail = text.rpartition(_FILE_NAME)
    ends_like_a_drop = not tail or tail.casefold().endswith(_DROPS)
    first, *others = text.split(_FILE_NAME)
    whole = f"{re.escape(first)}(?P<file>{sent if ends_like_a_drop else '.+'})"
    return f"(?is){whole}{'(?P=file)'.join(re.escape(other) for other in others)}"


def _sent_names(tenant: Tenant, export_name: str) -> str:
    """Return the regular expression of the names of an export's delivered files, -2, -3 ... included."""
    export = tenant.exports.get(export_name)
    name = export.file_name if export is not None else NHSN_FILE_NAME
    fields = {
        "tenant": re.escape(tenant.code),
        "export": re.escape(export_name),
        "report": re.escape(export.report if export is not None else ""),
        "frequency": "[a-z]+",
        "utc": r"\d{8}T\d{6}Z",
        "date": r"\d{8}",
        "time": r"\d{6}",
        "number": r"\d+",
        "ending": "[a-z]+",
    }
    stem, dot, ending = name.rpartition(".")
    parts = (f"{stem}{{again}}{dot}{ending}" if stem else f"{name}{{again}}").split("{")
    regular = re.escape(parts[0])
    for part in parts[1:]:
        field, _, rest = part.partition("}")
        regular += (r"(?:-\d+)?" if field == "again" else fields[field]) + re.escape(rest)
    return regular
