"""The score of a file beside those of the tenant's earlier files (T58)."""

from __future__ import annotations

from collections.abc import Sequence

from partner_exchange.feeds.vxu.report.document import Head, Trend, TrendPoint
from partner_exchange.feeds.vxu.report.wording import many, points
from partner_exchange.ledger.messages import QualityReport

FILES_SHOWN = 12
"""Earlier files that are shown."""

_SAME = 0.05


def trend(head: Head, total: float, earlier: Sequence[QualityReport]) -> Trend:
    """Return the scores, oldest first, this file's last.

    :param earlier: scored reports, oldest first; what their documents do not tell stays "".
    """
    before = [_point(report) for report in earlier if report.score is not None][-FILES_SHOWN:]
    own = TrendPoint(head.file_name, head.received.utc[:10], head.mode, total)
    return Trend((*before, own), _sentence([point.score for point in before], total))


def _point(report: QualityReport) -> TrendPoint:
    head = report.document.get("head", {})
    return TrendPoint(
        str(head.get("file_name", "")),
        str(head.get("received", {}).get("utc", ""))[:10],
        str(head.get("mode", "")),
        float(report.score or 0),
    )


def _sentence(before: Sequence[float], total: float) -> str:
    if not before:
        return "This is the first file with a score; the next report compares itself with this one."
    difference = total - before[-1]
    if abs(difference) < _SAME:
        told = "The same score as the file before"
    else:
        better = "better" if difference > 0 else "worse"
        told = f"{points(abs(difference))} points {better} than the file before ({points(before[-1])})"
    if len(before) == 1:
        return f"{told}."
    mean = sum(before) / len(before)
    return f"{told}; the mean of the {many(len(before), 'earlier file')} shown is {points(mean)}."
