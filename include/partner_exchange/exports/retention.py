"""What a tenant's retention lets go of that went out (T39, K10): looked up, not touched.

``exports.purge`` removes exactly what ``find`` returns; the command line lists it. What came in is the matter
of ``submissions.retention``.

A file in the home is known by its content and its name, never by its time: partners may put files of their
own into a folder, and a newer delivery may have got the name of an older one. The last delivery of a name or
a content takes its file along.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from partner_exchange import clock
from partner_exchange.exports.answers.reading import MOST_BYTES
from partner_exchange.exports.delivery import upload
from partner_exchange.exports.nhsn.sending import REPORT as NHSN_SET
from partner_exchange.ledger import delivery_retention as ledger
from partner_exchange.ledger import retention
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.deliveries import Delivery, open_ones
from partner_exchange.ledger.delivery_retention import PutAway
from partner_exchange.ledger.tombstones import OF_DELIVERY, Kind, Removal
from partner_exchange.settings import get_settings
from partner_exchange.storage import paths
from partner_exchange.storage.archive import Archive
from partner_exchange.storage.folders import Entry, Home, sha256_of
from partner_exchange.storage.names import ORIGINALS_FOLDER, StampedName, shortened, utc_stamp
from partner_exchange.storage.own_files import is_hidden
from partner_exchange.submissions.retention import folders as folders_of_submissions
from partner_exchange.tenants.model import Tenant

NEVER = (NHSN_SET,)
"""Reports whose files stay: the builder of sets for NHSN compares with what it kept."""


@dataclass(frozen=True)
class Due:
    """What a purge of what went out removes now."""

    days: int
    """The retention of the tenant."""
    before: datetime
    """What ended before this instant is due."""
    deliveries: tuple[Delivery, ...]
    removals: tuple[Removal, ...]
    """Everything to remove, by delivery in the order of their ends; answers and left-overs come last."""
    waiting: int
    """How many more deliveries are due, but left for the next purge."""

    def of(self, delivery_id: str) -> list[Removal]:
        """Return what there is to remove of one delivery."""
        return [one for one in self.removals if one.delivery_id == delivery_id and one.kind in OF_DELIVERY]

    @property
    def loose(self) -> list[Removal]:
        """Return the answers and left-overs to remove."""
        return [one for one in self.removals if one.kind not in OF_DELIVERY]


def find(home: Home, tenant: Tenant, *, within_days: int = 0, limit: int | None = None) -> Due | None:
    """Return what ``purge`` would remove; None for a tenant whose files stay: for ever, or by a legal hold.

    :param within_days: look that many days ahead, at what will be due by then.
    :param limit: most deliveries, and most answers; unset: as the settings say.
    :raises StoreUnavailable: the ledger cannot be reached.
    :raises OSError: the home cannot be listed.
    """
    days = tenant.retention.days
    if days == "never" or tenant.retention.legal_hold:
        return None
    most = get_settings().purge_limit if limit is None else limit
    before = clock.now() - timedelta(days=days) + timedelta(days=within_days)
    with transaction() as connection:
        due = ledger.expired(connection, tenant.code, before=before, never=NEVER, limit=most)
        waiting = ledger.count_expired(connection, tenant.code, before=before, never=NEVER) - len(due)
    listed = _by_size(home, home_folders(tenant)) if due else {}
    removals: list[Removal] = []
    for delivery in due:
        removals += _at_home(home, delivery, listed)
        removals += _in_archive(delivery)
    removals += islice(_answers(home, tenant, before), most)
    removals += left_overs(home, tenant, before)
    return Due(days, before, tuple(due), tuple(removals), waiting)


def home_folders(tenant: Tenant) -> list[str]:
    """Return the folders of the home in which something that went out may lie."""
    named = {tenant.folder_of(one) for one in tenant.targets().values() if one.kind == "home"}
    with transaction() as connection:
        return sorted(named | ledger.home_folders(connection, tenant.code))


def _by_size(home: Home, folders: Iterable[str]) -> dict[str, dict[int, list[str]]]:
    """Return the names of all files by folder and size."""
    found: dict[str, dict[int, list[str]]] = {}
    for folder in folders:
        sizes = found.setdefault(folder, defaultdict(list))
        for entry in home.entries(folder):
            if entry.is_file:
                sizes[entry.size_bytes].append(entry.name)
    return found


def _at_home(
    home: Home, delivery: Delivery, listed: Mapping[str, Mapping[int, list[str]]]
) -> Iterator[Removal]:
    """Yield the delivered file and what was sent of it a second time."""
    if delivery.size_bytes is None:
        return
    for folder, sizes in listed.items():
        for name in sorted(sizes.get(delivery.size_bytes, ())):
            try:
                is_its = is_its_file(home, delivery, folder, name)
            except OSError:
                # Nobody can read it: the purge says so, since it will not either.
                is_its = (folder, name) == (delivery.home_folder, delivery.delivered_name)
            if is_its:
                path = paths.dropped(folder, name)
                yield _removal(Kind.DELIVERED, path, delivery, delivery.size_bytes, delivery.sha256)


def is_its_file(home: Home, delivery: Delivery, folder: str, name: str) -> bool:
    """Say whether a file in the home is the delivery's own, and no later delivery wants it to stay.

    :raises OSError: it cannot be read.
    """
    is_own_name = (folder, name) == (delivery.home_folder, delivery.delivered_name)
    if not is_own_name and not upload.may_be_called(name, delivery.file_name):
        return False
    with transaction() as connection:
        is_kept = ledger.is_name_kept(connection, delivery, folder, name)
        # A second sending leaves no note of its name.
        is_kept = is_kept or (not is_own_name and ledger.is_content_kept(connection, delivery))
    return not is_kept and sha256_of(home, paths.dropped(folder, name)) == delivery.sha256


def _in_archive(delivery: Delivery) -> Iterator[Removal]:
    """Yield all that lies in the delivery's folder; keys stay while the next file is compared with them."""
    with transaction() as connection:
        keeps_keys = ledger.has_cursor(connection, delivery)
    folder = paths.delivery_folder(delivery.tenant_code, delivery.export_name, delivery.delivery_id)
    for path, size_bytes in sorted(Archive().parts(folder).items()):
        if not (keeps_keys and path == delivery.keys_path):
            sha256 = delivery.sha256 if path == delivery.archive_path else ""
            yield _removal(Kind.OUTBOUND, path, delivery, size_bytes, sha256)


def _removal(kind: Kind, path: str, delivery: Delivery, size_bytes: int, sha256: str) -> Removal:
    return Removal(kind, path, size_bytes, sha256=sha256, delivery_id=delivery.delivery_id)


def _answers(home: Home, tenant: Tenant, before: datetime) -> Iterator[Removal]:
    """Yield the answers that were read before, where they were put away."""
    with transaction() as connection:
        places = ledger.answer_places(connection, tenant.code)
        # A submission's original lies under a name of the same form.
        submitted = {one.original for one in retention.kept_names(connection, tenant.code, besides=())}
    for place in sorted(places):
        with transaction() as connection:
            by_name = _by_name(ledger.answers(connection, tenant.code, place))
        for entry in sorted(home.entries(f"{place}/{ORIGINALS_FOLDER}"), key=lambda one: one.name):
            named = StampedName.parse_original(entry.name)
            known = by_name.get(named.file_name, []) if named and entry.is_file else []
            if named is None or entry.name in submitted or not any(_is_before(known, before)):
                continue
            path = paths.put_away(place, entry.name)
            sha256 = sha256_of(home, path) if entry.size_bytes <= MOST_BYTES else ""
            answer = _of_file(named.stamp, [one for one in known if one.sha256 == sha256])
            if answer is not None and answer.received_at < before:
                yield Removal(
                    Kind.ANSWER, path, entry.size_bytes, sha256=sha256, delivery_id=answer.delivery_id
                )


def _is_before(answers: Iterable[PutAway], before: datetime) -> Iterator[bool]:
    return (one.received_at < before for one in answers)


def _by_name(answers: Iterable[PutAway]) -> dict[str, list[PutAway]]:
    found: dict[str, list[PutAway]] = defaultdict(list)
    for one in answers:
        found[shortened(one.file_name)].append(one)
    return found


def _of_file(stamp: str, known: list[PutAway]) -> PutAway | None:
    """Return the answer that was put away then: the last one recorded until then, else the first one.

    :param known: those of this name and content, newest first.
    """
    return next((one for one in known if utc_stamp(one.received_at) <= stamp), known[-1] if known else None)


def left_overs(home: Home, tenant: Tenant, before: datetime) -> list[Removal]:
    """Return what deliveries left under hidden names, by the time of its last change.

    Only of folders that are not those of submissions: there ``submissions.retention`` sees to it.

    :raises OSError: the home cannot be listed.
    """
    with transaction() as connection:
        in_flight = {one.temporary_name for one in open_ones(connection, tenant.code)}
    asked = [one for one in home_folders(tenant) if one not in folders_of_submissions(tenant.inbox)]
    return [
        Removal(Kind.LEFT_OVER, paths.dropped(folder, entry.name), entry.size_bytes)
        for folder in asked
        for entry in sorted(home.entries(folder), key=lambda one: one.name)
        if _is_left_over(entry, before) and entry.name not in in_flight
    ]


def _is_left_over(entry: Entry, before: datetime) -> bool:
    return entry.is_file and is_hidden(entry.name) and entry.modified_at_s < before.timestamp()
