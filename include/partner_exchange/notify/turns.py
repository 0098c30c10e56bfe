"""Whose turn it is when a file could not be delivered, by the code of the fault (X10).

Called by the mails about deliveries; docs/exports.md has the same codes for people.
"""

from __future__ import annotations

from collections.abc import Mapping

from partner_exchange.exports.delivery.faults import Fault
from partner_exchange.exports.delivery.probe import EXPIRED
from partner_exchange.exports.delivery.whose_turn import is_ours

_LOOK = "Your turn: please look why your server did not answer us, and tell us when we may send again."
_OURS = "Our turn: this is for us to mend. Nothing is asked of you."
_OURS_TO_US = "Our turn. Nothing is asked of the partner."

_AT_A_SERVER: Mapping[str, str] = {
    Fault.UNREACHABLE: _LOOK,
    Fault.CUT_OFF: _LOOK,
    Fault.SILENT: _LOOK,
    Fault.BUSY: _LOOK,
    Fault.KEPT_LESS: _LOOK,
    Fault.LOGIN_REFUSED: (
        "Your turn: please let our user log in again, or tell us what has changed. Never send a password by "
        "mail."
    ),
    EXPIRED: "Your turn: please give us a new login. Never send a password or a private key by mail.",
    Fault.NO_SFTP: "Your turn: please allow SFTP for our user.",
    Fault.NO_COMMON_CIPHER: "Your turn: please bring your server's SSH up to date.",
    Fault.HOST_KEY_CHANGED: (
        "Your turn: please confirm by phone that your server has a new host key, and its fingerprint. Until "
        "then we send nothing, since it may be another server. Then we set `host_key` of the connection."
    ),
    Fault.HOST_KEY_UNKNOWN: (
        "Our turn: we have to pin your server's host key. Please have its fingerprint at hand when we ask."
    ),
    Fault.PATH_MISSING: "Your turn: please make the folder, or tell us which one to use.",
    Fault.FILE_MISSING: "Your turn: please look what takes files away from the folder while we write them.",
    Fault.NOT_WRITABLE: "Your turn: please let our user read, write, rename and delete in the folder.",
    Fault.FULL: "Your turn: please make room in the folder.",
    Fault.NAME_TAKEN: "Your turn: please take the file of this name away.",
}


def turn(fault_code: str, *, is_home: bool, is_to_us: bool = False) -> str:
    """Return in a sentence or two what is asked of whom.

    :param is_home: whether it is the partner's folder here, where nearly all is ours to mend.
    :param is_to_us: whether those who run the exchange read it.
    """
    if not is_ours(fault_code, is_home=is_home):
        return _AT_A_SERVER[fault_code]
    if is_to_us:
        return _OURS_TO_US
    return _OURS if is_home else _AT_A_SERVER.get(fault_code, _OURS)
