"""A tenant with an export, for the tests of mails about what goes out."""

from support.outbound import outbound

__all__ = ["outbound"]
