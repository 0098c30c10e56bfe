"""Whether what keeps a file from being delivered is ours to mend (X10).

Called by what queues mails, which then go to us alone, and by ``notify``, which says whose turn it is.
"""

from __future__ import annotations

from partner_exchange.exports.delivery.faults import Fault
from partner_exchange.exports.delivery.probe import EXPIRED

_OURS_AT_A_SERVER = frozenset(
    {Fault.CONNECTION_MISSING, Fault.CONNECTION_INVALID, Fault.CONNECTION_UNTOLD, Fault.HOST_KEY_UNKNOWN}
)
_THEIRS_AT_A_SERVER = frozenset[str](Fault) - _OURS_AT_A_SERVER | {EXPIRED}


def is_ours(fault_code: str, *, is_home: bool) -> bool:
    """Say whether the next move is ours; so it is with every code that is no fault of a target.

    :param is_home: whether it is the partner's folder here, where nearly all is ours to mend.
    """
    if is_home:
        return fault_code != Fault.NAME_TAKEN
    return fault_code not in _THEIRS_AT_A_SERVER
