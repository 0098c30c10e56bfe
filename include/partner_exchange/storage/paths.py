"""Every path inside a partner's home, the archive and the work area, as pure functions; nobody else joins
strings.
"""

from __future__ import annotations

from partner_exchange.storage.names import (
    ANNOTATED_FOLDER,
    CONSENTS,
    FIX_IT,
    ORIGINALS_FOLDER,
    REJECTED_FOLDER,
    RESULT,
    SUSPENDED_NOTICE,
    StampedName,
)
from partner_exchange.tenants.model import Inbox


def dropped(inbox: str, file_name: str) -> str:
    """Return where the partner dropped the file."""
    return f"{inbox}/{file_name}"


def processing(inbox: str, name: StampedName) -> str:
    """Return where the file is while it is in hand."""
    return f"{inbox}/{name.processing}"


def completed(inbox: str, name: StampedName) -> str:
    """Return where the result file goes."""
    return f"{inbox}/{name.completed}"


def original(inbox: Inbox, name: StampedName) -> str:
    """Return where the byte-exact original goes."""
    if inbox.is_registry:
        return f"{inbox.accepted}/{name.accepted}"
    return f"{inbox.folder}/{ORIGINALS_FOLDER}/{name.original}"


def answer_file(inbox: Inbox, name: StampedName, kind: str, ending: str) -> str:
    """Return where a file goes that a partner finds besides the result file, or in its place (N01, T29).

    :param kind: ``fix-it``, ``annotated``, or of a registry ``dqa``, ``ack``, ``cnf``.
    :param ending: of the file's name, without the dot.
    """
    if inbox.is_registry:
        return f"{inbox.outbox if kind == CONSENTS else inbox.reports}/{name.report(kind, ending)}"
    if inbox.answers == "outbox":
        return f"{inbox.outbox}/{name.answer(kind, ending)}"
    if kind == FIX_IT:
        return f"{inbox.folder}/{REJECTED_FOLDER}/{name.fix_it(ending)}"
    return f"{inbox.folder}/{ANNOTATED_FOLDER}/{name.answer(kind, ending)}"


def result_copy(inbox: Inbox, name: StampedName) -> str | None:
    """Return where a copy of the result file goes; None for a tenant who finds all answers elsewhere."""
    return f"{inbox.outbox}/{name.answer(RESULT, 'csv')}" if inbox.answers == "outbox" else None


def suspended_notice(inbox: str) -> str:
    """Return where the notice of a suspended intake lies (M39)."""
    return f"{inbox}/{SUSPENDED_NOTICE}"


def archive_folder(tenant_code: str) -> str:
    """Return the folder of a tenant's originals in the archive."""
    return f"archive/{tenant_code}"


def archived(tenant_code: str, sha256: str) -> str:
    """Return the place of an original in the archive, by content."""
    return f"{archive_folder(tenant_code)}/{sha256[:2]}/{sha256}"


def export(tenant_code: str, export_name: str, stamp: str) -> str:
    """Return the place of an outbound file in the archive, by the UTC time code it was due at."""
    return f"exports/{tenant_code}/{export_name}/{stamp}.csv"


def delivery(tenant_code: str, export_name: str, delivery_id: str, part: str) -> str:
    """Return the place in the archive of a part of a delivery: the file, or what it leaves behind."""
    return f"{delivery_folder(tenant_code, export_name, delivery_id)}/{part}"


def delivery_folder(tenant_code: str, export_name: str, delivery_id: str) -> str:
    """Return the folder in the archive of all parts of a delivery."""
    return f"exports/{tenant_code}/{export_name}/{delivery_id}"


def put_away(folder: str, name: str) -> str:
    """Return where a partner's answer goes that was read in a folder of the home."""
    return f"{folder}/{ORIGINALS_FOLDER}/{name}"


def work_folder(submission_id: str) -> str:
    """Return the folder of what the steps of a submission leave for one another."""
    return f"work/{submission_id}"


def work(submission_id: str, part: str) -> str:
    """Return the place of a part (``accepted.parquet`` ...) that one step leaves for the next."""
    return f"{work_folder(submission_id)}/{part}"
