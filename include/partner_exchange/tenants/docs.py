"""The reference of tenant files, written from the model itself, so that it cannot say anything else.

``make docs`` calls it (``python -m partner_exchange.tenants.docs``); a test fails when the files are old.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from partner_exchange.settings import PROJECT_DIR
from partner_exchange.tenants.model import Tenant
from partner_exchange.tenants.presets import PRESETS

REFERENCE_PATH = PROJECT_DIR / "docs" / "tenants.md"
SCHEMA_PATH = PROJECT_DIR / "docs" / "tenant.schema.json"

_SIMPLE_TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "`true` or `false`",
}

_INTRODUCTION = """# Tenant files

One partner is one YAML file in `include/tenants/` (or where `EXCHANGE_TENANTS_DIR` points). The file's name
without `.yaml` is the tenant's code: user name, home folder and key everywhere. [partners.md](partners.md)
shows how to add one.

- An option that is not listed here is refused, with the nearest name that is.
- `exchange tenants check` reads all files and names file, option and remedy for each mistake.
- A first line `# yaml-language-server: $schema=../../docs/tenant.schema.json` makes editors complete and
  check options.
- Letters with digits, such as K22, are the ids of [requirements.md](requirements.md).

This page is written by `make docs` from the model in `include/partner_exchange/tenants/`; change it there.
"""


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a tenant file as people write it, before a preset is merged in."""
    schema = Tenant.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "Tenant file of the Partner Exchange"
    preset = {
        "description": "take a named set of options; what the file says itself goes before it",
        "enum": list(PRESETS),
        "title": "Preset",
        "type": "string",
    }
    schema["properties"] = {"preset": preset, **schema["properties"]}
    # The code comes from the file's name, and every preset names a feed.
    given = {"code"} | set.intersection(*(set(options) for options in PRESETS.values()))
    schema["required"] = [name for name in schema["required"] if name not in given]
    missing = sorted(given & set(Tenant.model_json_schema()["required"]) - {"code"})
    schema["anyOf"] = [{"required": ["preset"]}, {"required": missing}]
    return schema


def reference() -> str:
    """Return the Markdown page with every option: type, default and what it does; then the presets."""
    schema = json_schema()
    parts = [_INTRODUCTION]
    for path, table in _tables(schema, schema, ()):
        heading = f"## `{'.'.join(path)}`" if path else "## The file"
        about = "" if not path else f"{_text(table.get('description', ''))}\n\n"
        parts.append(f"{heading}\n\n{about}{_rows(schema, table, path)}")
    parts.append(_presets())
    return "\n".join(parts)


def _tables(
    schema: dict[str, Any], table: dict[str, Any], path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Yield each mapping of the file with its path, outer ones first."""
    yield path, table
    for name, option in table["properties"].items():
        inner = _mapping(schema, option)
        if inner is not None:
            yield from _tables(schema, inner, (*path, name))


def _mapping(schema: dict[str, Any], option: dict[str, Any]) -> dict[str, Any] | None:
    """Return the mapping that an option, or each entry of its list, is; else None."""
    target = _resolve(schema, option.get("items", option))
    return target if "properties" in target else None


def _resolve(schema: dict[str, Any], option: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in option:
        return option
    found: dict[str, Any] = schema["$defs"][option["$ref"].rsplit("/", 1)[1]]
    return found


def _rows(schema: dict[str, Any], table: dict[str, Any], path: tuple[str, ...]) -> str:
    lines = ["| option | value | default | what it does |", "| --- | --- | --- | --- |"]
    for name, option in table["properties"].items():
        value = _value(schema, option, (*path, name))
        default = _default(schema, table, name, option)
        lines.append(f"| `{name}` | {value} | {default} | {_text(option.get('description', ''))} |")
    return "\n".join(lines) + "\n"


def _default(schema: dict[str, Any], table: dict[str, Any], name: str, option: dict[str, Any]) -> str:
    if name in table.get("required", ()):
        return "must be given"
    if name == "code":
        return "the file's name"
    if "properties" in _resolve(schema, option):
        return "see there"
    if option.get("default") in (None, [], ""):
        return "–" if "default" in option else "unset"
    return f"`{json.dumps(option['default'], ensure_ascii=False)}`"


def _value(schema: dict[str, Any], option: dict[str, Any], path: tuple[str, ...]) -> str:
    """Return in words what may be written for the option."""
    option = _resolve(schema, option)
    if "properties" in option:
        anchor = "".join(path)
        return f"[options](#{anchor})"
    if "anyOf" in option:
        return " or ".join(
            _value(schema, choice, path) for choice in option["anyOf"] if choice.get("type") != "null"
        )
    if "enum" in option:
        return ", ".join(f"`{choice}`" for choice in option["enum"])
    if "const" in option:
        return f"`{option['const']}`"
    if option["type"] == "array":
        return f"list of {_value(schema, option['items'], path)}"
    return _SIMPLE_TYPES[option["type"]] + _limits(option)


def _limits(option: dict[str, Any]) -> str:
    low = option.get("minimum", option.get("exclusiveMinimum"))
    high = option.get("maximum")
    if low is not None and high is not None:
        return f" from {low} to {high}"
    if low is not None:
        return f", at least {low}"
    return f" like `{option['pattern']}`" if "pattern" in option else ""


def _presets() -> str:
    lines = [
        "## Presets",
        "",
        "`preset: <name>` takes these options; what the file says itself is laid over them,",
    ]
    lines += ["mapping by mapping."]
    for name, options in PRESETS.items():
        text = yaml.safe_dump(options, sort_keys=False).rstrip()
        lines += ["", f"### `{name}`", "", "```yaml", text, "```"]
    return "\n".join(lines) + "\n"


def _text(description: str) -> str:
    """Return a docstring or description as one line of Markdown that a table cell can hold."""
    return " ".join(description.split()).replace("``", "`").replace("|", "\\|").replace("<", "&lt;")


def schema_text() -> str:
    """Return the JSON Schema as the text of its file."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def write(reference_path: Path = REFERENCE_PATH, schema_path: Path = SCHEMA_PATH) -> None:
    """Write both files."""
    reference_path.write_text(reference(), encoding="utf-8")
    schema_path.write_text(schema_text(), encoding="utf-8")


if __name__ == "__main__":
    write()
