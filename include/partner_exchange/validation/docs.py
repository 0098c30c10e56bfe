"""Write ``docs/findings.md`` from the catalogue: ``python -m partner_exchange.validation.docs [file]``.

A test holds the file to what this module makes, so the documentation cannot fall behind.
"""

from __future__ import annotations

import sys
from pathlib import Path

from partner_exchange.settings import PROJECT_DIR
from partner_exchange.validation.catalogue import CATALOGUE, Entry, Scope

DOCUMENT = PROJECT_DIR / "docs" / "findings.md"
_HEAD = """# Findings

Generated from `validation/codes/` by `python -m partner_exchange.validation.docs`; do not edit.

An **error** rejects its row, or the whole file where it says so. A **warning** and an **info** reject
nothing. Codes are stable: scripts may rely on them. A finding never holds a value of the file; words in
braces stand for counts, positions and words that were agreed with the partner.
"""
_HEADINGS = {
    Scope.REFUSAL: "Files that are refused as a whole",
    Scope.FILE: "About the file, which is taken all the same",
    Scope.ROW: "About a row",
    Scope.CELL: "About a value",
}


def document() -> str:
    """Return the text of ``docs/findings.md``."""
    parts = [_HEAD]
    for scope, heading in _HEADINGS.items():
        entries = [entry for entry in CATALOGUE.values() if entry.scope is scope]
        parts += [f"## {heading}\n", *map(_section, entries)]
    return "\n".join(parts)


def _section(entry: Entry) -> str:
    severity = (
        f"{entry.severity}, or a warning where the policy does not require it"
        if entry.may_be_lowered
        else entry.severity
    )
    return (
        f"### `{entry.code}`\n\n"
        f"{entry.title}.\n\n"
        f"- severity: {severity}\n"
        f"- says: {entry.detail or entry.message}\n"
        f"- next step: {entry.next_step}\n"
        f"- whose turn: {entry.turn}\n"
    )


def main(target: Path = DOCUMENT) -> None:
    """Write the document to ``target``."""
    target.write_text(document(), encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
