"""Which columns of a file belong to one status type: its value, comment, reason and inputs.

Called by ``values.py`` and the modules beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from partner_exchange.feeds.status.filled import Flags, Places
from partner_exchange.feeds.status.nedocs import NedocsInput
from partner_exchange.feeds.status.recognise import ElementColumn, Role
from partner_exchange.tenants.status_types import StatusKind, StatusType

_INPUTS = tuple(NedocsInput)


@dataclass(frozen=True)
class Layout:
    """The elements of a file by status type; elements are places in ``elements``, -1 where there is none."""

    elements: Sequence[ElementColumn]
    types: tuple[StatusType, ...]
    type_of: Places
    """Place in ``types`` of each element."""
    value: Places
    """Element of the value of each type, as are those of ``comment`` and ``reason``."""
    comment: Places
    reason: Places
    inputs: Places
    """Elements of the NEDOCS inputs: a row per type, a column per ``NedocsInput``."""

    @classmethod
    def of(cls, elements: Sequence[ElementColumn]) -> Layout:
        """Return the layout of a file."""
        types = {one.status_type.id: one.status_type for one in elements}
        place = {each: at for at, each in enumerate(types)}
        by_role = {
            role: np.full(len(types), -1, dtype=np.int64) for role in (Role.VALUE, Role.COMMENT, Role.REASON)
        }
        inputs = np.full((len(types), len(_INPUTS)), -1, dtype=np.int64)
        for at, one in enumerate(elements):
            type_ = place[one.status_type.id]
            if one.nedocs_input:
                inputs[type_, _INPUTS.index(one.nedocs_input)] = at
            else:
                by_role[one.role][type_] = at
        return cls(
            elements,
            tuple(types.values()),
            np.array([place[one.status_type.id] for one in elements], dtype=np.int64),
            by_role[Role.VALUE],
            by_role[Role.COMMENT],
            by_role[Role.REASON],
            inputs,
        )

    @property
    def home(self) -> Places:
        """Return for each type the element where to say what is about its value as a whole."""
        firsts = [next((each for each in row.tolist() if each >= 0), -1) for row in self.inputs]
        return np.where(self.value >= 0, self.value, np.array(firsts, dtype=np.int64))

    @property
    def position(self) -> Places:
        """Return the position in the grid of each element; of -1, the last one, there is none."""
        return np.array([*(one.position for one in self.elements), -1], dtype=np.int64)

    def has_role(self, *roles: Role) -> Flags:
        """Return which elements have one of the roles."""
        return np.array([one.role in roles for one in self.elements], dtype=np.bool_)

    def is_value_of(self, *kinds: StatusKind) -> Flags:
        """Return which elements are values of a type of these kinds."""
        return self.has_role(Role.VALUE) & np.array(
            [one.status_type.kind in kinds for one in self.elements], dtype=np.bool_
        )
