"""A mistake in a tenant file in words: which file, where in it, what is wrong, and how it is mended."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from partner_exchange.tenants.base import MISTAKE
from partner_exchange.tenants.exports import NAME, NAME_IN_WORDS
from partner_exchange.tenants.model import Tenant

Loc = tuple[int | str, ...]

_REFERENCE = "docs/tenants.md lists the options."
_QUOTED = re.compile(r"'([^']*)'")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NO_LETTER = re.compile(r"[^a-z0-9]+")

_ALSO_CALLED = {"psv": "pipe", "json": "jsonl", "ndjson": "jsonl", "excel": "xlsx", "xls": "xlsx"}
"""What people call a form of files that has another name here."""

_WANTED = {
    "tuple_type": "a list is wanted here",
    "list_type": "a list is wanted here",
    "model_type": "options are wanted here",
    "dict_type": "options are wanted here",
    "string_type": "a text is wanted here",
    "int_type": "a whole number is wanted here",
    "int_parsing": "a whole number is wanted here",
    "int_from_float": "a whole number is wanted here",
    "bool_type": "`true` or `false` is wanted here",
    "bool_parsing": "`true` or `false` is wanted here",
}
"""What each type of pydantic's errors says in words."""

_LONGEST_SHOWN = 60


@dataclass(frozen=True)
class Problem:
    """One mistake in one tenant file, or in a list that it names."""

    file: str
    path: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        where = f"{self.file}: {self.path}" if self.path else self.file
        return f"{where}: {self.problem.removesuffix('.')}. {self.remedy}"


def problem_in(path: Path, where: str, problem: str, remedy: str) -> Problem:
    """Return a mistake in the file of that path."""
    return Problem(path.name, where, problem, remedy)


def explain(details: ErrorDetails, document: dict[str, Any]) -> tuple[str, str]:
    """Return what is wrong and the remedy for one error that the model found in the document."""
    named = _entry_name(document, details["loc"])
    problem, remedy = _said(details)
    return (f"{problem} (in {named!r})" if named else problem), remedy


def _said(details: ErrorDetails) -> tuple[str, str]:
    kind, loc = details["type"], details["loc"]
    if kind == MISTAKE:
        return details["ctx"]["problem"], details["ctx"]["remedy"]
    if kind == "extra_forbidden":
        near = get_close_matches(str(loc[-1]), _options_at(loc[:-1]), n=1)
        return "unknown option", f"Did you mean {near[0]!r}?" if near else f"Remove it; {_REFERENCE}"
    if kind == "missing":
        return "required, but not there", f"Add it; {_REFERENCE}"
    if kind == "string_pattern_mismatch" and details["ctx"]["pattern"] == NAME:
        return NAME_IN_WORDS, _name_remedy(str(details["input"]))
    if kind in _WANTED:
        return _WANTED[kind], _form_remedy(kind, loc, details["input"])
    message = details["msg"].removeprefix("Value error, ")
    return message[0].lower() + message[1:], _remedy(details)


def _name_remedy(written: str) -> str:
    name = _NO_LETTER.sub("_", _HUMP.sub("_", written).lower()).strip("_")
    return f"Did you mean {name!r}?" if re.fullmatch(NAME, name) else "Write such a name."


def _form_remedy(kind: str, loc: Loc, value: object) -> str:
    """Return how a value of the wrong form is written."""
    option = next((part for part in reversed(loc) if isinstance(part, str)), "option")
    is_shown = isinstance(value, str) and value.isprintable() and 0 < len(value) <= _LONGEST_SHOWN
    if kind in ("tuple_type", "list_type"):
        return f"Put it in brackets: `{option}: [{value}]`." if is_shown else _list_remedy(option)
    if kind in ("model_type", "dict_type"):
        kinds = _kinds_at(loc)
        word = _ALSO_CALLED.get(value, value) if isinstance(value, str) else ""
        if word in kinds:
            return f"Write `{option}: {{ kind: {word} }}`."
        return f"Write `{option}: {{ name: value }}`; {_REFERENCE}"
    if kind == "string_type" and isinstance(value, bool):
        return f"Write it in quotes: YAML takes Yes, No, On and Off for true and false; {_REFERENCE}"
    if kind == "string_type" and isinstance(value, int | float | date):
        return f"Write it in quotes; {_REFERENCE}"
    return f"Correct the value; {_REFERENCE}"


def _list_remedy(option: str) -> str:
    return f"Put what belongs there in brackets: `{option}: [one, another]`."


def _kinds_at(loc: Loc) -> tuple[str, ...]:
    """Return what ``kind`` may be among the options of a place; none where there is no such option."""
    field = _model_at(loc).model_fields.get("kind")
    return get_args(field.annotation) if field else ()


def _remedy(details: ErrorDetails) -> str:
    value = details["input"]
    if details["type"] in ("enum", "literal_error"):
        known = {one.casefold(): one for one in _QUOTED.findall(details["ctx"]["expected"])}
        written = str(value).casefold()
        also = _ALSO_CALLED.get(written, "")
        near = [also] if also in known else get_close_matches(written, known, n=1)
        if near:
            return f"Did you mean {known[near[0]]!r}? {_REFERENCE}"
    return f"Correct the value; {_REFERENCE}"


def _entry_name(document: Any, loc: Sequence[int | str]) -> str:
    """Return the name of the innermost list entry on the way to the place: nobody counts to the 37th."""
    found = ""
    for part in loc:
        try:
            document = document[part]
        except (KeyError, IndexError, TypeError):
            break
        if isinstance(part, int) and isinstance(document, dict) and isinstance(document.get("name"), str):
            found = document["name"]
    return found


def _options_at(loc: Loc) -> list[str]:
    model = _model_at(loc)
    return [*model.model_fields, "preset"] if model is Tenant else list(model.model_fields)


def _model_at(loc: Loc) -> type[BaseModel]:
    model: type[BaseModel] = Tenant
    for part in loc:
        if isinstance(part, str) and part in model.model_fields:
            model = _model_in(model.model_fields[part].annotation) or model
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the model of an option that is one, a list of them, or one or nothing."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for argument in get_args(annotation) if (model := _model_in(argument))), None)
