"""A tenant with an export, for the tests of this folder."""

from support.outbound import outbound

__all__ = ["outbound"]
