"""Which feeds there are. A new file format is one package beside this module and one line in it."""

from __future__ import annotations

from partner_exchange.errors import UnknownFeed
from partner_exchange.feeds.base import Feed


def get_feed(name: str) -> Feed:
    """Return the feed of that name.

    :raises UnknownFeed: there is none.
    """
    from partner_exchange.feeds.roster.feed import RosterFeed

    feeds: dict[str, Feed] = {feed.name: feed for feed in (RosterFeed(),)}
    try:
        return feeds[name]
    except KeyError:
        known = ", ".join(sorted(feeds))
        message = f"Unknown feed {name!r}: the exchange has {known}. Correct `feed` in the tenant's file."
        raise UnknownFeed("unknown-feed", message, feed=name) from None
