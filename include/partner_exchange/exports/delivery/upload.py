"""One file from this machine to its place at a target: temporary name, check, rename (M67).

The name is committed to the ledger between check and rename. So a try after a crash knows: while the
temporary name is there, the rename has not happened; once it is gone, it has, whether the file is still there
or the partner has taken it away already.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from partner_exchange.errors import NameTaken, PathMissing, RemoteBusy, TargetChanged
from partner_exchange.exports.delivery.carrier import Carrier
from partner_exchange.exports.delivery.faults import Fault
from partner_exchange.ledger.deliveries import Delivery, DeliveryState
from partner_exchange.storage.folders import CHUNK_BYTES
from partner_exchange.tenants.exports import Target

_MOST_NUMBERS = 10_000


class Notes(Protocol):
    """Where a try keeps, committed, how far the file has come."""

    def about_to_name(self, name: str) -> None:
        """Keep that the whole file is there and is about to get this name.

        :raises StateConflict: another worker has kept something since; nothing may be named now.
        """
        ...

    def begins_anew(self) -> None:
        """Keep that what was there whole is so no more, and has not got its name."""
        ...


def put_in_place(carrier: Carrier, target: Target, delivery: Delivery, local: Path, *, notes: Notes) -> str:
    """Bring the file to the target and return its name there.

    :raises DeliveryError: it is not there; nothing that looks like it is.
    :raises TargetChanged: it may be where the export went before.
    :raises StateConflict: another worker is at it as well, and further.
    """
    temporary = delivery.temporary_name
    is_uploaded = delivery.state is DeliveryState.UPLOADED
    if is_uploaded:
        _require_same_place(carrier, delivery)
        if not carrier.exists(temporary):
            # Not so when the whole folder is gone, which this tells.
            carrier.entries()
            return delivery.delivered_name
    if is_uploaded and not _is_whole(carrier, target, delivery):
        notes.begins_anew()
        is_uploaded = False
    if not is_uploaded:
        carrier.put(temporary, _chunks(local), size_bytes=delivery.size_bytes)
        if not _is_whole(carrier, target, delivery):
            carrier.remove(temporary)
            raise carrier.error(Fault.KEPT_LESS, delivery=delivery.delivery_id)
    name = _name(carrier, target, delivery, notes)
    if carrier.exists(temporary):
        # A server may say yes to a rename and not do it.
        raise carrier.error(Fault.BUSY, delivery=delivery.delivery_id)
    return name


def _require_same_place(carrier: Carrier, delivery: Delivery) -> None:
    if carrier.whereabouts == delivery.place:
        return
    message = (
        f"Delivery {delivery.delivery_id} was uploaded whole to another place than the export "
        f"{delivery.export_name} goes to now, and may have got the name {delivery.delivered_name} there. "
        f"Look there, then run `exchange export settle {delivery.delivery_id}` with --delivered or "
        "--not-delivered."
    )
    raise TargetChanged("target-changed", message, delivery=delivery.delivery_id)


def _name(carrier: Carrier, target: Target, delivery: Delivery, notes: Notes) -> str:
    if target.name_taken == "replace":
        notes.about_to_name(delivery.file_name)
        _take_name(carrier, carrier.replace, delivery.temporary_name, delivery.file_name)
        return delivery.file_name
    most = 1 if target.name_taken == "refuse" else _MOST_NUMBERS
    for number in range(1, most + 1):
        name = _numbered(delivery.file_name, number)
        if carrier.exists(name):
            continue
        notes.about_to_name(name)
        if _take_name(carrier, carrier.rename, delivery.temporary_name, name):
            return name
    why = f"a file of the name {delivery.file_name} is there, and the target says to deliver nothing then"
    raise carrier.error(Fault.NAME_TAKEN, why=why, delivery=delivery.delivery_id)


def _take_name(carrier: Carrier, rename: Callable[[str, str], None], old: str, new: str) -> bool:
    """Rename; False when somebody was quicker to take the name than our look at it.

    Nobody else knows the old name: where it is gone, the rename was done, whatever the server answered.
    """
    try:
        rename(old, new)
    except (NameTaken, PathMissing, RemoteBusy) as error:
        if not carrier.exists(old):
            carrier.entries()
            return True
        if isinstance(error, NameTaken):
            return False
        raise
    return True


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
