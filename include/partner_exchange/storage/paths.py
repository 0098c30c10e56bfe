"""Every path inside a partner's home, the archive and the work area, as pure functions; nobody else joins
strings.
"""

from __future__ import annotations

from partner_exchange.storage.names import ORIGINALS_FOLDER, REJECTED_FOLDER, SUSPENDED_NOTICE, StampedName


def dropped(inbox: str, file_name: str) -> str:
    """Return where the partner dropped the file."""
    return f"{inbox}/{file_name}"


def processing(inbox: str, name: StampedName) -> str:
    """Return where the file is while it is in hand."""
    return f"{inbox}/{name.processing}"


def completed(inbox: str, name: StampedName) -> str:
    """Return where the result file goes."""
    return f"{inbox}/{name.completed}"


def original(inbox: str, name: StampedName) -> str:
    """Return where the byte-exact original goes."""
    return f"{inbox}/{ORIGINALS_FOLDER}/{name.original}"


def fix_it(inbox: str, name: StampedName) -> str:
    """Return where the rows to mend go (N01)."""
    return f"{inbox}/{REJECTED_FOLDER}/{name.fix_it}"


def suspended_notice(inbox: str) -> str:
    """Return where the notice of a suspended intake lies (M39)."""
    return f"{inbox}/{SUSPENDED_NOTICE}"


def archived(tenant_code: str, sha256: str) -> str:
    """Return the place of an original in the archive, by content."""
    return f"archive/{tenant_code}/{sha256[:2]}/{sha256}"


def work(submission_id: str, part: str) -> str:
    """Return the place of a part (``accepted.parquet`` ...) that one step leaves for the next."""
    return f"work/{submission_id}/{part}"
