"""Which feeds there are. A new file format is one package beside this module and one entry in it."""

from __future__ import annotations

from collections.abc import Callable

from partner_exchange.errors import UnknownFeed
from partner_exchange.feeds.base import Feed

# Only the wanted feed is imported: each brings readers and libraries of its own.


def _roster() -> Feed:
    from partner_exchange.feeds.roster.feed import RosterFeed

    return RosterFeed()


def _status() -> Feed:
    from partner_exchange.feeds.status.feed import StatusFeed

    return StatusFeed()


def _vxu() -> Feed:
    from partner_exchange.feeds.vxu.feed import VxuFeed

    return VxuFeed()


_FEEDS: dict[str, Callable[[], Feed]] = {"roster": _roster, "status": _status, "vxu": _vxu}


def get_feed(name: str) -> Feed:
    """Return the feed of that name.

    :raises UnknownFeed: there is none.
    """
    make = _FEEDS.get(name)
    if make is None:
        known = ", ".join(sorted(_FEEDS))
        message = f"Unknown feed {name!r}: the exchange has {known}. Correct `feed` in the tenant's file."
        raise UnknownFeed("unknown-feed", message, feed=name)
    return make()
