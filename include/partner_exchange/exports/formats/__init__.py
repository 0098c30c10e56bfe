"""Outbound files in every form that may be asked for, and the readers that take them back (M49, M64, M73).

``write`` and ``read`` are the same for all kinds; a module per kind or family does the work, and is imported
only by who uses it, because the libraries behind some are heavy.
"""

from partner_exchange.exports.formats.api import ending, read, reads_back, write
from partner_exchange.exports.formats.facts import FileFacts

__all__ = ["FileFacts", "ending", "read", "reads_back", "write"]
