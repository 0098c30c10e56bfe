"""The reference of tenant files, written from the model itself, so that it cannot say anything else.

``make docs`` calls it (``python -m partner_exchange.tenants.docs``), and it writes the page of status types
(``catalogue_docs``) too; a test fails when the files are old.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import yaml

from partner_exchange.settings import PROJECT_DIR
from partner_exchange.tenants import catalogue_docs
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
- [status-types.md](status-types.md) shows the ready status types, and how own ones and formulas are written.
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
    """Return the mapping that an option, or each entry of its list or mapping, is or may be; else None."""
    for choice in option.get("anyOf", [option]):
        target = _resolve(schema, choice.get("items", _entry(choice)))
        if "properties" in target:
            return target
    return None


def _entry(option: dict[str, Any]) -> dict[str, Any]:
    """Return what each entry of a mapping of names is; the option itself where it is none."""
    of_names = list(option.get("patternProperties", {}).values())
    found: Any = of_names[0] if of_names else option.get("additionalProperties")
    return found if isinstance(found, dict) else option


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
    if option.get("default") in (None, [], {}, ""):
        return "–" if "default" in option else "unset"
    return f"`{json.dumps(_plain(option['default']), ensure_ascii=False)}`"


def _value(schema: dict[str, Any], option: dict[str, Any], path: tuple[str, ...]) -> str:
    """Return in words what may be written for the option."""
    given = option
    option = _resolve(schema, option)
    if "properties" in option:
        anchor = "".join(path)
        return f"[options](#{anchor})"
    if "anyOf" in option:
        return _choices(schema, given, path)
    if "enum" in option:
        return ", ".join(f"`{choice}`" for choice in option["enum"])
    if "const" in option:
        return f"`{option['const']}`"
    if "prefixItems" in option:
        count, first = len(option["prefixItems"]), option["prefixItems"][0]
        return f"list of {count}, each {_value(schema, first, path)}"
    if option["type"] == "array":
        return f"list of {_value(schema, option['items'], path)}"
    if option["type"] == "object":
        return f"mapping of names to {_value(schema, _entry(option), path)}"
    return _SIMPLE_TYPES[option["type"]] + _limits(option)


def _choices(schema: dict[str, Any], option: dict[str, Any], path: tuple[str, ...]) -> str:
    """Return the choices; null is one only where leaving the option out means something else."""
    has_default = option.get("default") is not None
    return " or ".join(
        "`null`" if choice.get("type") == "null" else _value(schema, choice, path)
        for choice in option["anyOf"]
        if has_default or choice.get("type") != "null"
    )


def _limits(option: dict[str, Any]) -> str:
    low, high = option.get("minimum"), option.get("maximum", option.get("maxLength"))
    unit = " characters" if "maxLength" in option else ""
    if low is not None and high is not None:
        return f" from {_plain(low)} to {_plain(high)}"
    if low is not None:
        return f", at least {_plain(low)}"
    if "exclusiveMinimum" in option:
        return f", more than {_plain(option['exclusiveMinimum'])}"
    if high is not None:
        return f", {_plain(high)}{unit} at the most"
    return f" like `{option['pattern']}`" if "pattern" in option else ""


def _plain(value: Any) -> Any:
    """Return a whole float as the integer that people write."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


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


def write() -> None:
    """Write all three files."""
    REFERENCE_PATH.write_text(reference(), encoding="utf-8")
    SCHEMA_PATH.write_text(schema_text(), encoding="utf-8")
    catalogue_docs.PAGE_PATH.write_text(catalogue_docs.page(), encoding="utf-8")


if __name__ == "__main__":
    write()
