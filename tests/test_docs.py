"""The documentation says what the code does: generated pages are current, links and commands exist."""

from __future__ import annotations

import json
import re
import subprocess
from functools import cache
from pathlib import Path

import jsonschema
import pytest
import yaml

from partner_exchange.exports.reports import docs as report_docs
from partner_exchange.settings import PROJECT_DIR
from partner_exchange.tenants import catalogue_docs, docs
from partner_exchange.tenants.presets import PRESETS

PAGES = sorted([*PROJECT_DIR.glob("*.md"), *(PROJECT_DIR / "docs").rglob("*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
MAKE = re.compile(r"\bmake ([a-z][a-z-]*)\b")
CODE = re.compile(r"```.*?```|`[^`\n]+`", re.S)


@cache
def anchors(page: Path) -> set[str]:
    """Return the heading anchors of a page, as forges make them."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
    headings = re.findall(r"^#+ (.+)$", text, flags=re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (docs.REFERENCE_PATH, docs.reference),
        (docs.SCHEMA_PATH, docs.schema_text),
        (catalogue_docs.PAGE_PATH, catalogue_docs.page),
        (report_docs.PAGE_PATH, report_docs.page),
    ],
    ids=["reference", "schema", "status-types", "reports"],
)
def test_N09_tenant_reference_is_current(path: Path, text: object) -> None:
    assert callable(text)
    assert path.read_text(encoding="utf-8") == text(), "run `make docs` and commit what it writes"


def test_N09_every_option_of_a_tenant_file_is_described() -> None:
    schema = docs.json_schema()
    tables = {"the file": schema, **schema["$defs"]}
    bare = [
        f"{table}: {option}"
        for table, content in tables.items()
        for option, facts in content.get("properties", {}).items()
        if not facts.get("description")
    ]
    assert bare == []


def test_N09_every_preset_is_documented() -> None:
    page = docs.REFERENCE_PATH.read_text(encoding="utf-8")
    assert all(f"### `{name}`" in page for name in PRESETS)


TENANT_FILES = sorted((PROJECT_DIR / "include" / "tenants").glob("*.yaml"))


@pytest.mark.parametrize("path", TENANT_FILES, ids=lambda path: path.name)
def test_N09_editors_schema_takes_every_tenant_file(path: Path) -> None:
    validator = jsonschema.Draft202012Validator(json.loads(docs.SCHEMA_PATH.read_text(encoding="utf-8")))
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    validator.validate(content)
    assert list(validator.iter_errors({**content, "rooster": {}}))
    assert list(validator.iter_errors({**content, "preset": "no-such-preset"}))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT_DIR)))
def test_M60_links_lead_to_files_and_headings_that_exist(page: Path) -> None:
    lost = []
    for target in LINK.findall(re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        if not path.exists() or (anchor and anchor not in anchors(path)):
            lost.append(target)
    assert lost == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT_DIR)))
def test_X20_make_targets_in_the_docs_exist(page: Path) -> None:
    targets = set(
        re.findall(r"^([a-z-]+):", (PROJECT_DIR / "Makefile").read_text(encoding="utf-8"), flags=re.M)
    )
    code = " ".join(CODE.findall(page.read_text(encoding="utf-8")))
    assert set(MAKE.findall(code)) <= targets


def test_X20_make_explains_every_target() -> None:
    makefile = (PROJECT_DIR / "Makefile").read_text(encoding="utf-8")
    shown = subprocess.run(
        ["make", "-C", PROJECT_DIR, "-s"], capture_output=True, text=True, check=True
    ).stdout
    phony = set(re.findall(r"^\.PHONY: ([a-z-]+)$", makefile, flags=re.M))
    assert phony == set(re.findall(r"^  make ([a-z-]+) +\S", shown, flags=re.M))
    assert {"setup", "demo", "test", "test-fast", "lint", "format", "bench", "docs", "up", "down"} <= phony


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt", "requirements-setup.txt"])
def test_X20_every_package_is_locked_with_hashes_and_names_no_registry(name: str) -> None:
    text = (PROJECT_DIR / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index-url" not in text
    entries = re.findall(r"^[A-Za-z0-9].*(?:\n {4}--hash=.*)*", text, flags=re.M)
    assert entries
    assert [
        entry.splitlines()[0] for entry in entries if "==" not in entry or "--hash=sha256:" not in entry
    ] == []
