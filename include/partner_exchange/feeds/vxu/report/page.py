"""The report as one HTML page that needs nothing else: no script, no picture, no address to fetch (T58)."""

from __future__ import annotations

from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from partner_exchange.feeds.vxu.report import rows, wording
from partner_exchange.feeds.vxu.report.chart import Chart, chart
from partner_exchange.feeds.vxu.report.document import Document


def html(document: Document) -> bytes:
    """Return the page as UTF-8; semantic, for screens of any width, for print, in light and dark."""
    shown_causes, rest = rows.shown_causes(document)
    content = (
        _environment()
        .get_template("report.html.j2")
        .render(
            document=document,
            shown_causes=shown_causes,
            other_losses=rows.other_losses(document, rest),
            trend_chart=_chart(document),
        )
    )
    return (content.rstrip() + "\n").encode()


def _chart(document: Document) -> Chart | None:
    points = rows.shown_trend(document.trend) if document.trend is not None else ()
    return chart(points) if points else None


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("partner_exchange.feeds.vxu.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": wording.number,
        "percent": wording.percent,
        "points": wording.points,
        "plain": wording.plain,
    }
    environment.globals |= {"rows": rows, "many": wording.many}
    return environment
