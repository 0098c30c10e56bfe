"""Write ``docs/reports.md`` from the catalogue: ``python -m partner_exchange.exports.reports.docs``.

A test holds the file to what this module makes, so the documentation cannot fall behind.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator

from partner_exchange.exports.reports.catalogue import REPORTS
from partner_exchange.exports.reports.recipes import RECIPES
from partner_exchange.exports.reports.report import EVERY_FEED, Parameter, Report, ReportColumn
from partner_exchange.exports.reports.settling import limits
from partner_exchange.settings import PROJECT_DIR

PAGE_PATH = PROJECT_DIR / "docs" / "reports.md"

_FEEDS = {
    "roster": "Reports on students",
    "status": "Reports on statuses",
    "vxu": "Reports on immunizations",
    "": "Reports for every tenant",
}

_INTRODUCTION = """\
# Reports

A report is a named query over what a partner sent and what we decided about it. Any of them goes out by
file, in any form, on a schedule or by hand: a tenant file lists its exports under
[`exports`](tenants.md#exports), and `exchange export run` makes one at once. `exchange tenants check`
says beforehand what does not hold.

- Without `columns` in the tenant file the columns marked **yes** go out, and nothing else, in the order that
  the report says; any other column goes only where the tenant file names it.
- `content: delta` of a report that reads the verification log holds what changed since the last delivered
  file, each change exactly once. Of any other report it is found by comparison: each row says in a column
  Change whether it is new, changed or removed, and rows are told apart by the keys of the report. One
  that looks back some days says removed of what grew too old.
- Who is verified is told by `exchange students verify`; see
  [who is verified](exports.md#who-is-verified).
- Rows come in the order of a key, so the same data gives the same file.
- Days and instants are UTC; the form of each can be set in the tenant file.
- A report has a version. It is raised when a column gets another meaning or goes; a new column is no new
  version, and never goes out by itself.
- A report holds rows of its own tenant alone. If one is missing, ask for it: it is one module in
  `include/partner_exchange/exports/reports/`.

This page is written by `make docs` from that folder; change it there.
"""

_RECIPES = """\
## Recipes

Each is a part of a tenant file, as it can be copied.
"""


def page() -> str:
    """Return the Markdown page with every report, its columns and its parameters, and the recipes."""
    parts = [_INTRODUCTION, _contents()]
    for feed, heading in _FEEDS.items():
        parts += [f"## {heading}\n", *(_section(one) for one in _of(feed))]
    parts.append(_RECIPES)
    parts += [f"### {one.title}\n\n{_wrapped(one.about)}\n\n```yaml\n{one.yaml}```\n" for one in RECIPES]
    return "\n".join(parts)


def _of(feed: str) -> list[Report]:
    """Return the reports for one feed alone; "" for those of every feed."""
    feeds = frozenset({feed}) if feed else EVERY_FEED
    return [one for one in REPORTS.values() if one.feeds == feeds]


def _contents() -> str:
    lines = ["| report | what it is | for the feed |", "| --- | --- | --- |"]
    for feed in _FEEDS:
        for one in _of(feed):
            lines.append(f"| [`{one.name}`](#{one.name}) | {one.title} | {feed or 'each'} |")
    return "\n".join(lines) + "\n"


def _section(report: Report) -> str:
    return "\n".join([f"### `{report.name}`", "", _wrapped(report.about), "", *_facts(report)])


def _facts(report: Report) -> Iterator[str]:
    log = " A delta comes from the verification log." if report.reads_changes else ""
    yield f"{report.title}, version {report.version}. Rows are told apart by {_names(report.keys)}.{log}"
    yield ""
    yield "| column | header | kind | by default | what it holds |"
    yield "| --- | --- | --- | --- | --- |"
    for one in report.columns:
        by_default = "**yes**" if one.name in report.default_columns else "–"
        yield f"| `{one.name}` | {one.header} | {_kind(one)} | {by_default} | {_cell(one.about)} |"
    yield ""
    if not _is_in_order(report):
        yield f"By default they go in the order {_names(report.default_columns)}."
        yield ""
    if report.parameters:
        yield "| parameter | value | default | what it does |"
        yield "| --- | --- | --- | --- |"
        for parameter in report.parameters:
            default = _default(parameter)
            yield f"| `{parameter.name}` | {limits(parameter)} | {default} | {_cell(parameter.about)} |"
        yield ""


def _is_in_order(report: Report) -> bool:
    names = [one.name for one in report.columns]
    places = [names.index(name) for name in report.default_columns]
    return places == sorted(places)


def _kind(column: ReportColumn) -> str:
    return f"{column.kind}, {column.form}" if column.form else str(column.kind)


def _default(parameter: Parameter) -> str:
    return "–" if parameter.default is None else f"`{json.dumps(parameter.default)}`"


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _wrapped(text: str) -> str:
    return "\n".join(textwrap.wrap(text, width=118, break_long_words=False, break_on_hyphens=False))


def write() -> None:
    """Write the page."""
    PAGE_PATH.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    write()
