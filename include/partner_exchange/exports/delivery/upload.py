"""One file from this machine to its place at a target: temporary name, check, rename (M67).

The name is committed to the ledger between check and rename. So a try after a crash knows: while the
temporary name is there, the rename has not happened; once it is gone, it has, whether the file is still there
or the partner has taken it away already.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from partner_exchange.errors import NameTaken
from partner_exchange.exports.delivery.carrier import Carrier
from partner_exchange.exports.delivery.faults import Fault
from partner_exchange.ledger.deliveries import Delivery, DeliveryState
from partner_exchange.storage.folders import CHUNK_BYTES
from partner_exchange.tenants.exports import Target

_MOST_NUMBERS = 10_000


class Notes(Protocol):
    """Where a try keeps, committed, how far the file has come."""

    def about_to_name(self, delivery_id: str, name: str) -> None:
        """Keep that the whole file is there and is about to get this name."""
        ...

    def begins_anew(self, delivery_id: str) -> None:
        """Keep that what was there whole is so no more, and has not got its name."""
        ...


def put_in_place(carrier: Carrier, target: Target, delivery: Delivery, local: Path, *, notes: Notes) -> str:
    """Bring the file to the target and return its name there.

    :raises DeliveryError: it is not there; nothing that looks like it is.
    """
    temporary = delivery.temporary_name
    is_uploaded = delivery.state is DeliveryState.UPLOADED
    if is_uploaded and not carrier.exists(temporary):
        return delivery.delivered_name
    if is_uploaded and not _is_whole(carrier, target, delivery):
        notes.begins_anew(delivery.delivery_id)
        is_uploaded = False
    if not is_uploaded:
        carrier.put(temporary, _chunks(local), size_bytes=delivery.size_bytes)
        if not _is_whole(carrier, target, delivery):
            carrier.remove(temporary)
            raise carrier.error(Fault.KEPT_LESS, delivery=delivery.delivery_id)
    return _name(carrier, target, delivery, notes)


def _name(carrier: Carrier, target: Target, delivery: Delivery, notes: Notes) -> str:
    if target.name_taken == "replace":
        notes.about_to_name(delivery.delivery_id, delivery.file_name)
        carrier.replace(delivery.temporary_name, delivery.file_name)
        return delivery.file_name
    most = 1 if target.name_taken == "refuse" else _MOST_NUMBERS
    for number in range(1, most + 1):
        name = _numbered(delivery.file_name, number)
        if carrier.exists(name):
            continue
        notes.about_to_name(delivery.delivery_id, name)
        # Somebody may be quicker than the look: a rename never replaces.
        with contextlib.suppress(NameTaken):
            carrier.rename(delivery.temporary_name, name)
            return name
    why = f"a file of the name {delivery.file_name} is there, and the target says to deliver nothing then"
    raise carrier.error(Fault.NAME_TAKEN, why=why, delivery=delivery.delivery_id)


def _numbered(name: str, number: int) -> str:
    if number == 1:
        return name
    stem, dot, ending = name.rpartition(".")
    return f"{stem}-{number}{dot}{ending}" if stem else f"{name}-{number}"


def may_be_called(name: str, file_name: str) -> bool:
    """Say whether a file that is called ``file_name`` may have got this name at its target."""
    stem, dot, ending = file_name.rpartition(".")
    front, back = (stem, f"{dot}{ending}") if stem else (file_name, "")
    return re.fullmatch(rf"{re.escape(front)}(?:-\d+)?{re.escape(back)}", name) is not None


def _is_whole(carrier: Carrier, target: Target, delivery: Delivery) -> bool:
    if carrier.size_bytes(delivery.temporary_name) != delivery.size_bytes:
        return False
    return target.check != "content" or carrier.sha256(delivery.temporary_name) == delivery.sha256


def _chunks(local: Path) -> Iterator[bytes]:
    with local.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
