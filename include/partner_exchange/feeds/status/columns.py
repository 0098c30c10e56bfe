"""What one header of a file names: a status type, or what goes beside its value (E15).

In the bulk template a comment, a reason and the seven inputs of NEDOCS stand in columns of their own, headed
by the name of the status type and one of these words: ``ED Status Comment``, ``12001 Comment``, ``ED Status
(12001) Comment``. Called by ``recognise.py``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from partner_exchange.feeds.status.nedocs import NedocsInput
from partner_exchange.feeds.status.template import Template
from partner_exchange.tenants.catalogue import Catalogue, header_key
from partner_exchange.tenants.status_types import StatusKind, StatusType

_WITH_NUMBER = re.compile(r"(.+)\(\s*[0-9]{1,18}\s*\)\s*", re.DOTALL)


class Role(StrEnum):
    """What the cells of a column are for a status type."""

    VALUE = "value"
    COMMENT = "comment"
    REASON = "reason"
    NEDOCS_INPUT = "nedocs_input"


@dataclass(frozen=True)
class Named:
    """What a header names."""

    status_type: StatusType
    role: Role = Role.VALUE
    nedocs_input: NedocsInput | None = None

    @property
    def may_set(self) -> bool:
        """Say whether its cells alone can set a status."""
        return self.role in (Role.VALUE, Role.NEDOCS_INPUT) and self.status_type.is_settable


_ENDINGS: tuple[tuple[str, Role, NedocsInput | None], ...] = (
    (" comment", Role.COMMENT, None),
    (" reason", Role.REASON, None),
    *((f" {header_key(one.label)}", Role.NEDOCS_INPUT, one) for one in NedocsInput),
)
_KIND = {Role.REASON: StatusKind.MULTI, Role.NEDOCS_INPUT: StatusKind.NEDOCS}
"""Kind that a status type must have to take part in such a role."""


def named(header: str, template: Template, catalogue: Catalogue) -> Named | None:
    """Return what the header names in this template, or None; key columns are the template's business."""
    if not template.takes_whole_catalogue:
        found = template.element_of(header, catalogue)
        return Named(found) if found else None
    numbered = _WITH_NUMBER.fullmatch(header)
    found = template.element_of(header, catalogue)
    if numbered and found:
        # "ED Status Comment (12001)": the number alone would make it a value of ED Status.
        beside = _beside(numbered[1], catalogue)
        if beside and beside.status_type is found and catalogue.find(numbered[1]) is None:
            return beside
    return Named(found) if found else _beside(header, catalogue)


def _beside(header: str, catalogue: Catalogue) -> Named | None:
    key = header_key(header)
    for ending, role, nedocs_input in _ENDINGS:
        if key.endswith(ending):
            found = catalogue.find(key.removesuffix(ending))
            if found and found.kind is _KIND.get(role, found.kind):
                return Named(found, role, nedocs_input)
    return None
