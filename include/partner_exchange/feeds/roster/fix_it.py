"""The rows to mend as a roster of their own, ready to be dropped again (N01).

Rows with nine fields come as cells, white space already removed. A record that could not be taken apart comes
as it was sent, so that it stays what it is until somebody mends it: to split and quote it anew could turn it
into a row that loads something nobody meant.
"""

from __future__ import annotations

import pandas as pd
import pyarrow.compute as pc

from partner_exchange.feeds.roster.contract import AS_SENT, KEYS, TITLES
from partner_exchange.readers.cells import Cells, as_cells, csv_records, joined, neutral_records

_PIECE_ROWS = 50_000


def fix_it_file(rejected: pd.DataFrame, *, newline: str) -> bytes:
    """Return header and rows as RFC 4180 text, every cell neutral; only the header when nothing was rejected.

    :param newline: ``crlf`` or ``lf`` (K16).
    """
    end = "\r\n" if newline == "crlf" else "\n"
    header = ",".join(TITLES) + end
    if rejected.empty:
        return header.encode()
    # In pieces, because each of the steps below makes a copy of what it works on.
    pieces = (rejected.iloc[start : start + _PIECE_ROWS] for start in range(0, len(rejected), _PIECE_ROWS))
    return header.encode() + b"".join(joined(_records(piece), newline=end) for piece in pieces)


def _records(rejected: pd.DataFrame) -> Cells:
    as_sent = as_cells(rejected[AS_SENT])
    has_cells = pc.equal(pc.binary_length(as_sent), 0)
    records = csv_records([as_cells(rejected[key]) for key in KEYS])
    return pc.if_else(has_cells, records, neutral_records(as_sent))
