"""What was found, told as an issue table: row, dose, line and place in the message (ERR-2)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from partner_exchange.feeds.vxu.cells import Places
from partner_exchange.feeds.vxu.found import Found
from partner_exchange.feeds.vxu.piece import Piece, table_of
from partner_exchange.feeds.vxu.tables import ISSUE_COLUMNS, empty

_MESSAGE_REJECTED, _DOSE_REJECTED = "message-rejected", "dose-rejected"


def issue_table(piece: Piece, found: Sequence[Found]) -> pd.DataFrame:
    """Return the issues of a piece in the order of its messages, with those of its structure among them.

    What follows from others, a rejected dose or message, comes behind them.
    """
    tables = [_told(piece, each) for each in found if len(each.lines)]
    if not len(piece.flat.issues) and not tables:
        return empty(ISSUE_COLUMNS)
    issues = pd.concat([piece.flat.issues, *tables], ignore_index=True)
    # A message falls with all its doses, not with the one it is told at.
    issues.loc[issues["code"] == _MESSAGE_REJECTED, "dose"] = 0
    keys = ["component", "repetition", "field", "line"]
    order = np.lexsort(
        (
            *(issues[key].to_numpy() for key in keys[:-1]),
            (issues["code"] == _DOSE_REJECTED).to_numpy(),
            issues["line"].to_numpy(),
            (issues["code"] == _MESSAGE_REJECTED).to_numpy(),
            issues["row"].to_numpy(),
        )
    )
    return issues.take(order).reset_index(drop=True)


def _told(piece: Piece, found: Found) -> pd.DataFrame:
    segment, _, path = found.place.partition("-")
    field, _, component = path.partition(".")
    name = table_of(found.place)
    frame, lines = piece.tables[name].frame, found.lines
    nothing = np.zeros(len(lines), dtype=np.int64)

    def column(of: str) -> Places:
        return frame[of].to_numpy()[lines] if of in frame.columns else nothing

    return pd.DataFrame(
        {
            "row": column("row"),
            "dose": column("dose"),
            "line": _line(piece, name, segment, lines),
            "segment": segment,
            "sequence": _sequence(piece, name, segment, lines),
            "field": nothing + int(field or 0),
            # What has a component is told of the first repetition, where the table does not have them all.
            "repetition": np.maximum(column("repetition"), int(bool(component))),
            "component": nothing + int(component or 0),
            "code": found.code,
            "is_warning": found.is_warning,
        }
    ).astype({"segment": "str", "code": "str"})


def _line(piece: Piece, table: str, segment: str, lines: Places) -> Places:
    frame = piece.tables[table].frame
    line = frame["pd1_line" if segment == "PD1" else "line"].to_numpy()[lines]
    if table != "patients":
        return line
    return np.where(line > 0, line, piece.flat.messages["line"].to_numpy()[lines])


def _sequence(piece: Piece, table: str, segment: str, lines: Places) -> Places:
    """Return the how-manieth of its kind the segment is; 0 where it is missing."""
    frame = piece.tables[table].frame
    if table == "doses":
        return frame[segment.lower()].to_numpy()[lines]
    if table in ("relatives", "observations"):
        return frame["sequence"].to_numpy()[lines]
    if table == "messages":
        return np.ones(len(lines), dtype=np.int64)
    line = piece.patients.frame["pd1_line" if segment == "PD1" else "line"].to_numpy()
    there = line[piece.tables[table].message[lines]] > 0
    return there.astype(np.int64)
