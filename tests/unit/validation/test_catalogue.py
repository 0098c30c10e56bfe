"""The catalogue is complete, says something, and its documentation is current."""

from __future__ import annotations

import re
import string

import pytest

from partner_exchange.validation.catalogue import CATALOGUE, Entry, Scope
from partner_exchange.validation.docs import DOCUMENT, document, main


def test_M34_the_documentation_of_findings_is_current(tmp_path) -> None:  # type: ignore[no-untyped-def]
    main(tmp_path / "findings.md")

    assert (tmp_path / "findings.md").read_text() == document()
    assert DOCUMENT.read_text() == document(), "run: python -m partner_exchange.validation.docs"


@pytest.mark.parametrize("entry", CATALOGUE.values(), ids=list(CATALOGUE))
def test_M34_every_code_says_what_and_what_next(entry: Entry) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", entry.code)
    assert entry.message.endswith(".")
    assert entry.next_step.endswith(".")
    assert not [name for _, name, _, _ in string.Formatter().parse(entry.general) if name]
    assert entry.scope is not Scope.REFUSAL or entry.severity == "error"
    assert "value of the cell" not in entry.message


def test_M34_no_code_stands_twice() -> None:
    from partner_exchange.validation import catalogue

    assert sum(len(module.ENTRIES) for module in catalogue._MODULES) == len(CATALOGUE)
