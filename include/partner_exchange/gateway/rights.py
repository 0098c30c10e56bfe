"""Who may do what where: one table for all protocol doors.

A right belongs to an account, a place and a verb. SFTP, FTPS and HTTPS ask the same ``Rights`` object and
none of them decides anything itself. Places are tuples of names below the account's root, as
``homes.parse`` returns them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Protocol

from partner_exchange.errors import RightRefused
from partner_exchange.storage.names import (
    ANNOTATED_FOLDER,
    COMPLETED,
    ORIGINALS_FOLDER,
    PROCESSING,
    REJECTED_FOLDER,
    SUSPENDED_NOTICE,
)
from partner_exchange.storage.own_files import is_reserved
from partner_exchange.tenants.model import Inbox, Tenant

Place = tuple[str, ...]


class Verb(StrEnum):
    """What an account wants to do with the thing at a place."""

    LIST = "list"
    READ = "read"
    WRITE = "write"
    RENAME = "rename"
    DELETE = "delete"
    MKDIR = "mkdir"
    RMDIR = "rmdir"
    LINK = "link"


class Area(StrEnum):
    """The kinds of places in a home."""

    ROOT = "root"
    FOLDER = "folder"
    INBOUND = "inbound"
    KEPT = "kept"
    OUTBOUND = "outbound"
    ELSEWHERE = "elsewhere"


_ALL = frozenset(Verb) - {Verb.LINK}
_KEPT_FOLDERS = (ORIGINALS_FOLDER, REJECTED_FOLDER, ANNOTATED_FOLDER)

PARTNER_RIGHTS: Mapping[Area, frozenset[Verb]] = {
    Area.ROOT: frozenset({Verb.LIST}),
    # The folders of the home themselves: they stay where they are (M05, T27).
    Area.FOLDER: frozenset({Verb.LIST}),
    Area.INBOUND: frozenset({Verb.LIST, Verb.READ, Verb.WRITE, Verb.RENAME, Verb.DELETE}),
    # What we record of the partner's files: originals/, rejected/ and annotated/ in the inbox, the folders
    # Accepted and DQA-Report of a registry (T28, T29), an outbox that is to stay as it is (T31).
    Area.KEPT: frozenset({Verb.LIST, Verb.READ}),
    # Partners' scripts fetch a file and delete it to mark it as taken; we keep what was delivered, so
    # nothing is lost, and it is the partner's own request in the sense of M53.
    Area.OUTBOUND: frozenset({Verb.LIST, Verb.READ, Verb.DELETE}),
    Area.ELSEWHERE: frozenset(),
}

PIPELINE_RIGHTS: Mapping[Area, frozenset[Verb]] = {
    Area.ROOT: frozenset({Verb.LIST}),
    Area.FOLDER: frozenset({Verb.LIST}),
    Area.INBOUND: _ALL,
    Area.KEPT: _ALL,
    Area.OUTBOUND: _ALL,
    Area.ELSEWHERE: _ALL,
}

_REFUSALS = {
    Verb.LIST: "You cannot list this folder.",
    Verb.READ: "You cannot read this file.",
    Verb.WRITE: "You cannot put a file here. Put it directly into your {inbox} folder.",
    Verb.RENAME: "This cannot be renamed. Only your own files directly in {inbox} can be.",
    Verb.DELETE: "This cannot be deleted.",
    Verb.MKDIR: "Folders cannot be created here. Put the file directly into your {inbox} folder.",
    Verb.RMDIR: "Folders cannot be removed here.",
    Verb.LINK: "Links are not allowed here.",
}


class Rights(Protocol):
    """The rights of one account."""

    def check(self, verb: Verb, place: Place) -> None:
        """Return when the account may do it.

        :raises RightRefused: with a sentence for the user of the account.
        """
        ...

    def sees(self, place: Place) -> bool:
        """Say whether the place exists at all as far as this account is concerned."""
        ...


class PartnerRights:
    """What a partner may do in its own home; the root is the home."""

    def __init__(self, tenant: Tenant) -> None:
        self._inbox = tenant.inbox

    def area(self, place: Place) -> Area:
        """Return the area of the thing at ``place``."""
        return _area(place, self._inbox)

    def sees(self, place: Place) -> bool:
        """Say whether the place is the root or in one of the folders of the home."""
        return self.area(place) is not Area.ELSEWHERE

    def check(self, verb: Verb, place: Place) -> None:
        """See ``Rights.check``.

        :raises RightRefused: codes ``right-refused``, ``name-reserved``, ``file-in-hand``.
        """
        area = self.area(place)
        if verb not in PARTNER_RIGHTS[area]:
            raise _refused("right-refused", _REFUSALS[verb].format(inbox=self._inbox.folder), verb, area)
        if area is Area.INBOUND:
            self._check_name(verb, place[-1])

    def _check_name(self, verb: Verb, name: str) -> None:
        lower = name.casefold()
        if verb in (Verb.RENAME, Verb.DELETE) and lower.endswith(PROCESSING):
            message = "This file is being processed. It is put away by itself when it is done; wait for that."
            raise _refused("file-in-hand", message, verb, Area.INBOUND)
        if verb is Verb.DELETE and lower == SUSPENDED_NOTICE.casefold():
            # The intake stays closed while the notice lies there (M39); the release is an operator's act.
            message = "This notice stays until the intake is resumed. Ask your contact at the exchange."
            raise _refused("name-reserved", message, verb, Area.INBOUND)
        if verb in (Verb.WRITE, Verb.RENAME) and is_reserved(name):
            own = f"{PROCESSING}, {COMPLETED}, notices"
            message = f"This name is reserved for the exchange's own files ({own}). Choose another."
            raise _refused("name-reserved", message, verb, Area.INBOUND)


class PipelineRights:
    """What Airflow may do: everything inside the homes, nothing to the homes and their folders as such.

    :param tenants: returns the tenants of now by code, since the account outlives changes of the registry.
    """

    def __init__(self, tenants: Callable[[], Mapping[str, Tenant]]) -> None:
        self._tenants = tenants

    def area(self, place: Place) -> Area:
        """Return the area of the thing at ``place``."""
        if not place:
            return Area.ROOT
        tenant = self._tenants().get(place[0])
        if tenant is None or len(place) == 1:
            return Area.FOLDER
        return _area(place[1:], tenant.inbox)

    def sees(self, place: Place) -> bool:
        """Say whether the place is the root or inside the home of a known tenant."""
        return not place or place[0] in self._tenants()

    def check(self, verb: Verb, place: Place) -> None:
        """See ``Rights.check``.

        :raises RightRefused: code ``right-refused``.
        """
        area = self.area(place)
        if verb not in PIPELINE_RIGHTS[area]:
            raise _refused("right-refused", _REFUSALS[verb].format(inbox="inbound"), verb, area)


def _area(place: Place, inbox: Inbox) -> Area:
    if not place:
        return Area.ROOT
    folder = place[0]
    if folder not in inbox.folders:
        return Area.ELSEWHERE
    if len(place) == 1:
        return Area.FOLDER
    if folder == inbox.outbox:
        return Area.OUTBOUND if inbox.may_delete_answers else Area.KEPT
    if folder != inbox.folder or len(place) > 2:
        return Area.KEPT
    # A registry's inbox holds drops only, so these names are free there.
    is_kept = not inbox.is_registry and place[1].casefold() in _KEPT_FOLDERS
    return Area.KEPT if is_kept else Area.INBOUND


def _refused(code: str, message: str, verb: Verb, area: Area) -> RightRefused:
    return RightRefused(code, message, verb=str(verb), area=str(area))
