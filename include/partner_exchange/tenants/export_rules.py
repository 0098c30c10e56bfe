"""What must hold between the exports of a tenant, and between them and the partner's inbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import combinations

from partner_exchange.tenants.base import Mistake
from partner_exchange.tenants.exports import Export, Target


def mistakes_in_exports(
    exports: Mapping[str, Export], inbox: str, folder_of: Callable[[Target], str]
) -> list[Mistake]:
    """Return what does not hold.

    :param inbox: folder in which the partner drops files: what we put there would be taken as a drop.
    :param folder_of: folder of a target, with what the tenant file leaves open.
    """
    return [
        *_in_inbox(exports, inbox, folder_of),
        *_over_each_other(exports, folder_of),
    ]


def _in_inbox(
    exports: Mapping[str, Export], inbox: str, folder_of: Callable[[Target], str]
) -> Iterator[Mistake]:
    for name, export in exports.items():
        if export.target.kind != "home":
            continue
        parts = folder_of(export.target).casefold().split("/")
        if parts[0] == inbox.casefold() or any(part.startswith(".") for part in parts):
            yield Mistake(
                ("exports", name, "target", "folder"),
                "a folder of the partner's own drops, or a hidden one",
                "Leave it out: files then go into the outbox.",
            )


def _over_each_other(exports: Mapping[str, Export], folder_of: Callable[[Target], str]) -> Iterator[Mistake]:
    for (one, first), (other, second) in combinations(exports.items(), 2):
        replaces = "replace" in (first.target.name_taken, second.target.name_taken)
        if replaces and _way(first, folder_of) == _way(second, folder_of):
            yield Mistake(
                ("exports", other, "file_name"),
                f"the same name in the same folder as the export {one}, and one would replace the other's",
                "Put {export} into the name.",
            )


def _way(export: Export, folder_of: Callable[[Target], str]) -> tuple[str, ...]:
    """Return what tells files of exports apart where the name does not hold that of the export."""
    name = export.file_name.replace("{report}", export.report)
    own = str(id(export)) if "{export}" in name else ""
    target = export.target
    form = export.format.kind if "{ending}" in name else ""
    return target.kind, target.connection, folder_of(target), name, form, own
