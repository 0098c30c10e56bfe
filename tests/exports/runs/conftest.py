"""Runs of exports, from the store to a folder of this machine."""

from support.outbound import outbound

__all__ = ["outbound"]
