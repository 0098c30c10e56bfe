"""What a tenant's retention lets go of (T39, K10): looked up, not touched.

``submissions.purge`` removes exactly what ``find`` returns; the command line lists it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from partner_exchange import clock
from partner_exchange.feeds.base import AnswerKind
from partner_exchange.feeds.expected import REPORT_ENDINGS
from partner_exchange.ledger import retention as ledger
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.deliveries import open_ones
from partner_exchange.ledger.submissions import Submission
from partner_exchange.ledger.tombstones import Kind, Removal
from partner_exchange.settings import get_settings
from partner_exchange.storage import paths
from partner_exchange.storage.archive import Archive
from partner_exchange.storage.folders import Entry, Home
from partner_exchange.storage.names import StampedName, is_temporary
from partner_exchange.storage.own_files import is_hidden
from partner_exchange.submissions.claim import NOT_ARCHIVED
from partner_exchange.tenants.model import GATEWAY, Inbox, Tenant

_ANSWERS: dict[AnswerKind, tuple[Kind, tuple[str, ...]]] = {
    AnswerKind.FIX_IT: (Kind.FIX_IT, ("csv", "xlsx")),
    AnswerKind.ANNOTATED: (Kind.ANNOTATED, ("xlsx",)),
    AnswerKind.REPORT: (Kind.REPORT, REPORT_ENDINGS),
    AnswerKind.ACKNOWLEDGEMENTS: (Kind.ACKNOWLEDGEMENTS, ("hl7",)),
    AnswerKind.CONSENTS: (Kind.CONSENTS, ("csv",)),
}
"""Every form in which an answer of each kind may lie in a home."""


@dataclass(frozen=True)
class Due:
    """What a purge removes now."""

    days: int
    """The retention of the tenant."""
    before: datetime
    """What ended before this instant is due."""
    submissions: tuple[Submission, ...]
    removals: tuple[Removal, ...]
    """Everything to remove, by submission in the order of claims; what belongs to none comes last."""
    waiting: int
    """How many more submissions are due, but left for the next purge."""

    def of(self, submission_id: str | None) -> list[Removal]:
        """Return what there is to remove of one submission; of None what belongs to none."""
        return [one for one in self.removals if one.submission_id == submission_id]


def find(home: Home, tenant: Tenant, *, within_days: int = 0, limit: int | None = None) -> Due | None:
    """Return what ``purge`` would remove; None for a tenant whose files stay: for ever, or by a legal hold.

    :param within_days: look that many days ahead, at what will be due by then.
    :param limit: most submissions; unset: as the settings say.
    :raises StoreUnavailable: the ledger cannot be reached.
    :raises OSError: the home cannot be listed.
    """
    days = tenant.retention.days
    if days == "never" or tenant.retention.legal_hold:
        return None
    before = clock.now() - timedelta(days=days) + timedelta(days=within_days)
    with transaction() as connection:
        due = ledger.expired(
            connection,
            tenant.code,
            before=before,
            limit=get_settings().purge_limit if limit is None else limit,
        )
        waiting = ledger.count_expired(connection, tenant.code, before=before) - len(due)
        in_archive = _archived(connection, due)
        ids = [one.submission_id for one in due]
        kept = ledger.kept_names(connection, tenant.code, besides=ids) if due else []
    layouts, found = _layouts(tenant.inbox), _files(home, tenant.inbox)
    # A partner may drop a file under the very name that we gave to another one.
    stays = {path for name in kept for path in _places(layouts, name)}
    removals: list[Removal] = []
    for submission in due:
        places = {path: kind for path, kind in _places(layouts, submission.name).items() if path not in stays}
        removals += _of_home(submission, places, found)
        removals += in_archive[submission.submission_id]
    removals += _forgotten(tenant, found, before)
    return Due(days, before, tuple(due), tuple(removals), waiting)


def _layouts(inbox: Inbox) -> list[Inbox]:
    """Return the inbox in every form that it may have had: a tenant may change where answers go."""
    kinds = ("registry",) if inbox.is_registry else ("beside", "outbox")
    return [inbox.model_copy(update={"answers": kind}) for kind in kinds]


def folders(inbox: Inbox) -> tuple[str, ...]:
    """Return the folders of a home in which something of a submission may lie."""
    places = _places(_layouts(inbox), StampedName("a.csv", "20000101T000000Z"))
    return tuple(dict.fromkeys((*inbox.folders, *(place.rpartition("/")[0] for place in places))))


def _files(home: Home, inbox: Inbox) -> dict[str, Entry]:
    """Return all files in the folders where something of a submission may lie, by path."""
    listed = ((folder, entry) for folder in folders(inbox) for entry in home.entries(folder))
    return {paths.dropped(folder, entry.name): entry for folder, entry in listed if entry.is_file}


def _places(layouts: Iterable[Inbox], name: StampedName) -> dict[str, Kind]:
    """Return every place where something of a submission may lie."""
    found: dict[str, Kind] = {}
    for inbox in layouts:
        found[paths.processing(inbox.folder, name)] = Kind.IN_HAND
        found[paths.completed(inbox.folder, name)] = Kind.RESULT
        found[paths.original(inbox, name)] = Kind.ORIGINAL
        copy = paths.result_copy(inbox, name)
        if copy is not None:
            found[copy] = Kind.RESULT
        for answer, (kind, endings) in _ANSWERS.items():
            found |= {paths.answer_file(inbox, name, answer, ending): kind for ending in endings}
    return found


def _of_home(
    submission: Submission, places: Mapping[str, Kind], found: Mapping[str, Entry]
) -> Iterator[Removal]:
    for path, kind in sorted(places.items()):
        if path in found:
            # The original is byte-exact (K15), so its checksum is known; the others are read when they go.
            sha256 = submission.sha256 if kind is Kind.ORIGINAL else ""
            yield Removal(kind, path, found[path].size_bytes, submission.submission_id, sha256)


def _archived(connection: Connection, due: Iterable[Submission]) -> dict[str, list[Removal]]:
    """Return what lies in archive and work area, by submission.

    The same content is archived once: it goes with the last submission that has it.
    """
    archive, found, ids = Archive(), dict[str, list[Removal]](), list[str]()
    for submission in due:
        submission_id, sha256 = submission.submission_id, submission.sha256
        removals = found.setdefault(submission_id, [])
        work_bytes = archive.work_bytes(submission_id)
        if work_bytes is not None:
            removals.append(Removal(Kind.WORK, paths.work_folder(submission_id), work_bytes, submission_id))
        place = paths.archived(submission.tenant_code, sha256)
        size_bytes = archive.size_bytes(place) if sha256 != NOT_ARCHIVED else None
        if size_bytes is not None and not ledger.is_original_needed(connection, submission, besides=ids):
            removals.append(Removal(Kind.ARCHIVE, place, size_bytes, submission_id, sha256))
        ids.append(submission_id)
    return found


def forgotten(home: Home, tenant: Tenant, before: datetime) -> set[Removal]:
    """Return what is due and belongs to no submission, as it lies there now.

    :raises OSError: the home cannot be listed.
    """
    return set(_forgotten(tenant, _files(home, tenant.inbox), before))


def _forgotten(tenant: Tenant, found: Mapping[str, Entry], before: datetime) -> Iterator[Removal]:
    """Yield cut uploads and half-written files: nobody takes them, so nobody would ever remove them.

    A file that waits under a name of its own is never among them: it is yet to be taken (M39). Nor is what an
    open delivery has uploaded: that it is gone would mean that it has got its name.
    """
    with transaction() as connection:
        in_flight = {one.temporary_name for one in open_ones(connection, tenant.code)}
    for path, entry in sorted(found.items()):
        is_old = entry.modified_at_s < before.timestamp()
        if is_old and entry.name not in in_flight and _is_forgotten(tenant, path):
            yield Removal(Kind.FORGOTTEN, path, entry.size_bytes)
    for one in Archive().half_kept(tenant.code):
        if one.begun_at < before:
            yield Removal(Kind.ARRIVING, one.path, one.size_bytes)


def _is_forgotten(tenant: Tenant, path: str) -> bool:
    folder, _, name = path.rpartition("/")
    # Another server may keep files of its own under hidden names.
    is_cut_upload = folder == tenant.inbox.folder and is_temporary(name)
    return is_hidden(name) or (is_cut_upload and tenant.inbox.connection == GATEWAY)
