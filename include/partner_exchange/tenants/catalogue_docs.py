"""The page of status types, written from the ready sets themselves; called by ``docs``."""

from __future__ import annotations

from partner_exchange.settings import PROJECT_DIR
from partner_exchange.tenants.catalogue import CatalogueName, about, ready
from partner_exchange.tenants.status_types import MultiStatus, StatusKind, StatusType

PAGE_PATH = PROJECT_DIR / "docs" / "status-types.md"

_INTRODUCTION = """# Status types

A status type is one thing that resources report: free beds, whether the emergency department takes
patients. A tenant takes ready sets by name (`status.catalogues`), writes own types beside them
(`status.status_types`), and [tenants.md](tenants.md#statusstatus_types) lists every option. The preset
`emresource` takes all four ready sets.

A file's column is found by its header, with any of

- the name: `ED Status`, in any case, with underscores or spaces,
- the number: `12001`,
- both: `ED Status (12001)`, where the number decides. Templates are written so: they outlive a new name,
- a former name.

This page is written by `make docs` from `include/partner_exchange/tenants/catalogues/`; change it there.

## Kinds
"""

_KINDS = {
    StatusKind.NUMBER: (
        "a whole number of 0 or more, unless the options say otherwise",
        "`decimals`, `minimum`, `maximum`, `above_maximum`, `takes_9999`",
    ),
    StatusKind.MULTI: ("one of its statuses, in any case", "`statuses`"),
    StatusKind.TEXT: ("text on one line", "`max_characters`"),
    StatusKind.DATE: ("a day: M/D/YYYY, MM/DD/YYYY, YYYY-MM-DD or a date cell", ""),
    StatusKind.SATURATION_SCORE: ("a score of 0 or more, set by files or computed", "`formula`"),
    StatusKind.NEDOCS: ("the NEDOCS score with its level, finished or from its seven inputs", ""),
    StatusKind.CALCULATED: ("what its formula gives; no file can set it", "`formula`"),
}

EXAMPLE = """catalogues: [starter, cdc-bed-capacity]
status_types:
  # A new type. Its number is for good; under a new name, the old one goes to `former_names`.
  - id: 21001
    name: Divert Hours
    former_names: [Hours on Divert]
    kind: number
    decimals: 2
    maximum: 24
    update_every_h: 24
  - id: 21002
    name: Trauma Level
    kind: multi
    # What goes for every status that does not say it itself.
    comment: unavailable
    statuses:
      - { name: Open, colour: green }
      - name: Limited
        colour: yellow
        comment: mandatory
        reason_required: true
        reasons: [Staffing, Equipment failure]
        update_every_h: 4
      # No longer to be set; what is stored keeps its name and colour.
      - { name: On Request, active: false }
  # With the number of a ready type it replaces that one.
  - { id: 12002, name: Ventilators Free, former_names: [Ventilators Available], kind: number, maximum: 500 }
  - { id: 21003, name: ICU Beds Free, kind: calculated, formula: "st(73006, 0) + st(73019, 0)" }
"""

_OWN = f"""## Own status types

```yaml
{EXAMPLE}```

`exchange tenants check` says what does not hold: a header that would mean two types, an option that the
kind does not have, a formula that takes what is no number. Take numbers that no ready set uses; up to
2147483647 there is room. Overdue is a status that nobody confirmed for `update_every_h` hours, which a
Multi type may say per status.

## Formulas

`st(12238, 0)` is the number of status type 12238, and the second number counts in its place where it
was never reported or is not applicable. Numbers, `+ - * /` and parentheses go with it:

```
(st(73005, 0) + st(73018, 0)) / (st(73005, 0) + st(73006, 0) + st(73018, 0) + st(73019, 0)) * 100
```

- It is computed anew for a resource whenever a part changes. A division by zero gives "not applicable".
- Its parts are set by files: Number, NEDOCS, and Saturation Score without a formula of its own.
- A Saturation Score with a formula is computed unless the file sets it itself.

## Another version, another catalogue

A new element of a ready set is a new entry with a new number in its YAML file. A new spelling is a new
`name`, with the old one under `former_names`; numbers never change and are never used again, since
history names them. An element that is dropped gets `active: false`. A ready set of its own is a file
`catalogues/<name>.yaml` with `about`, `defaults` (options of all its types) and `status_types`, and a
line in `CatalogueName`. Then `make docs`.

How the templates spell headers, version by version, is data of its own: [templates.md](templates.md).
"""


def page() -> str:
    """Return the Markdown page: kinds, own types, formulas, and every ready set as a table."""
    lines = ["| kind | holds | own options |", "| --- | --- | --- |"]
    lines += [f"| `{kind}` | {holds} | {options or '–'} |" for kind, (holds, options) in _KINDS.items()]
    parts = [_INTRODUCTION, "\n".join(lines) + "\n", _OWN, *(_catalogue(name) for name in CatalogueName)]
    return "\n".join(parts)


def _catalogue(name: CatalogueName) -> str:
    status_types = ready(name)
    lines = [
        f"## `{name}`",
        "",
        f"{about(name)} {len(status_types)} status types.",
        "",
        "| number | name | kind | what | standard | statuses |",
        "| --- | --- | --- | --- | --- | --- |",
        *(_row(one) for one in status_types),
    ]
    return "\n".join(lines) + "\n"


def _row(one: StatusType) -> str:
    what = [one.description] if one.description else []
    if one.formula:
        what.append(f"`{one.formula}`")
    if one.read_only:
        what.append("no file can set it")
    if one.update_every_h:
        what.append(f"overdue after {one.update_every_h:g} h")
    statuses = ", ".join(_status(status) for status in one.statuses)
    cells = (str(one.id), one.name, one.kind, "; ".join(what), one.standard, statuses)
    return "| " + " | ".join(cell.replace("|", "\\|").replace("<", "&lt;") for cell in cells) + " |"


def _status(status: MultiStatus) -> str:
    facts = [status.colour] if status.colour else []
    if status.comment == "mandatory":
        facts.append("with a comment")
    if status.reason_required:
        facts.append(f"with a reason: {' / '.join(status.reasons)}" if status.reasons else "with a reason")
    if status.update_every_h:
        facts.append(f"overdue after {status.update_every_h:g} h")
    if not status.active:
        facts.append("no longer set")
    return f"{status.name} ({'; '.join(facts)})" if facts else status.name
