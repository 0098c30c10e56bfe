"""Which tests show which requirement, read from their names; ``make docs`` runs this file to write it down.

The table in docs/requirements.md has three columns: people write the first two, this file the third one.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TESTS_DIR = Path(__file__).resolve().parents[1]
PAGE = TESTS_DIR.parent / "docs" / "requirements.md"
SHOWN_AT_MOST = 3

_TEST_NAME = re.compile(r"^test_(?P<id>[EMTXKN]\d+)_\w+$")
_ROW = re.compile(r"^\| (?P<id>[EMTXKN]\d+) \| (?P<what>.*?) \| (?P<shown>.*?) \|$", re.M)
_LINK = re.compile(r"\[`(?P<test>\w+)`\]\((?P<file>[^)]+)\)")
_HEAD = "| id | what holds | shown by |\n| --- | --- | --- |\n"


@dataclass(frozen=True, order=True)
class Test:
    """One test function and its file, relative to the repository."""

    file: str
    name: str

    # Not a class of tests, whatever its name says.
    __test__ = False


@dataclass(frozen=True)
class Row:
    """One row of the table."""

    id: str
    what: str
    shown: str

    @property
    def tests(self) -> list[Test]:
        """Return the tests that the row names."""
        return [
            Test(match["file"].removeprefix("../"), match["test"]) for match in _LINK.finditer(self.shown)
        ]


def order(requirement: str) -> tuple[int, int]:
    """Return the key that sorts ids as the catalogue does."""
    return "EMTXNK".index(requirement[0]), int(requirement[1:])


@cache
def collect() -> dict[str, list[Test]]:
    """Return all tests that carry a requirement id in their name, by that id."""
    found: dict[str, list[Test]] = {}
    for path in sorted(TESTS_DIR.rglob("test_*.py")):
        file = f"tests/{path.relative_to(TESTS_DIR).as_posix()}"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                match = _TEST_NAME.match(node.name)
                if match:
                    found.setdefault(match["id"], []).append(Test(file, node.name))
    return {requirement: sorted(found[requirement]) for requirement in sorted(found, key=order)}


def rows(page: str) -> list[Row]:
    """Return the rows of the table."""
    return [Row(match["id"], match["what"].strip(), match["shown"]) for match in _ROW.finditer(page)]


def shown_by(tests: list[Test]) -> str:
    """Return the third column: the first tests with links, and how many more there are."""
    links = ", ".join(f"[`{test.name}`](../{test.file})" for test in tests[:SHOWN_AT_MOST])
    more = len(tests) - SHOWN_AT_MOST
    return f"{links} and {more} more" if more > 0 else links


def updated(page: str, found: dict[str, list[Test]]) -> str:
    """Return the page with the third column anew, and an empty second one for each id that was not listed."""
    what = {row.id: row.what for row in rows(page)}
    start = page.index(_HEAD) + len(_HEAD)
    end = max((match.end() for match in _ROW.finditer(page)), default=start - 1) + 1
    lines = [
        f"| {requirement} | {what.get(requirement, '')} | {shown_by(found.get(requirement, []))} |\n"
        for requirement in sorted(what.keys() | found.keys(), key=order)
    ]
    return page[:start] + "".join(lines) + page[end:]


if __name__ == "__main__":
    PAGE.write_text(updated(PAGE.read_text(encoding="utf-8"), collect()), encoding="utf-8")
