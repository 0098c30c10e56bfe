"""Bring the code sets up to date from files of CDC and from rows in our own form.

CDC wins on what its files say for certain: codes, their labels, and what kind of entry a code is. Dates,
ages, vaccine groups and products are not in those files and stay; nothing is ever removed, because old doses
keep their codes. A row in our own form wins over everything. Called by ``exchange code-sets update``.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from partner_exchange.errors import ConfigError
from partner_exchange.feeds.vxu.code_set_files import FILES, Row, key_of, parse, problems, read, render

Tables = dict[str, list[Row]]
Merge = Callable[[Mapping[str, Row], str], Iterator[Row]]

_KIND_OF_STATUS = {"never active": "never-active", "pending": "pending", "non-us": "foreign"}
_STATUSES = {"active", "inactive", *_KIND_OF_STATUS}
_CVX_FIELDS, _MVX_FIELDS = 7, 5


@dataclass(frozen=True)
class Change:
    """One cell that an update sets; ``old`` is "" and ``is_new`` true for a code that was not there."""

    file: str
    key: str
    column: str
    old: str
    new: str
    is_new: bool


def load(folder: Path) -> Tables:
    """Return the rows of all files of a folder."""
    return {name: read(name, folder) for name in FILES}


def merge_cvx(tables: Tables, content: bytes, file_name: str) -> None:
    """Take over CDC's flat file of CVX codes.

    Its fields: code, short description, full name, notes, status, whether it is no vaccine, date of change.

    :raises ConfigError: ``code-set-file-unreadable``.
    """
    _merge(tables, "vaccines", _cvx_rows, _decoded(content), file_name)


def merge_mvx(tables: Tables, content: bytes, file_name: str) -> None:
    """Take over CDC's flat file of MVX codes.

    Its fields: code, name, notes, status, date of change.

    :raises ConfigError: ``code-set-file-unreadable``.
    """
    _merge(tables, "manufacturers", _mvx_rows, _decoded(content), file_name)


def merge_own(tables: Tables, content: bytes, file_name: str) -> None:
    """Take over rows in the form of one of our own files; the header tells which.

    :raises ConfigError: ``code-set-file-unreadable``.
    """
    rows = parse(_decoded(content))
    columns = tuple(rows[0]) if rows else ()
    name = next((name for name, one in FILES.items() if one.columns == columns), None)
    if name is None or any(tuple(row) != columns for row in rows):
        raise _unreadable(file_name, "The header must be that of one of our own files")
    _put(tables, name, rows)


def changes(old: Mapping[str, Sequence[Row]], new: Mapping[str, Sequence[Row]]) -> list[Change]:
    """Return what differs, cell by cell."""
    found = []
    for name in FILES:
        before = {key_of(name, row): row for row in old[name]}
        for row in new[name]:
            key = key_of(name, row)
            was = before.get(key)
            found += [
                Change(f"{name}.csv", key, column, was[column] if was else "", row[column], was is None)
                for column in FILES[name].columns
                if column not in FILES[name].key and row[column] != (was[column] if was else "")
            ]
    return found


def write(tables: Tables, folder: Path) -> None:
    """Write the files whose text has changed, each at once; running processes know them after a restart.

    :raises ConfigError: ``code-sets-not-sound``, something does not hold; nothing was written.
    """
    wrong = problems(tables)
    if wrong:
        message = (
            f"Nothing was written, for the outcome would not hold: {wrong[0]} Correct the file you gave."
        )
        raise ConfigError("code-sets-not-sound", message, problems=wrong)
    for name, rows in tables.items():
        path = folder / f"{name}.csv"
        text = render(name, rows)
        if path.read_text(encoding="utf-8") != text:
            arriving = path.with_suffix(".arriving")
            arriving.write_text(text, encoding="utf-8", newline="")
            arriving.replace(path)


def _decoded(content: bytes) -> str:
    # CDC has published the same file in UTF-16 and, at other times, in Latin letters of Windows.
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _lines(text: str, fields: int, status: int) -> Iterator[list[str]]:
    """Yield the lines of a flat file of CDC; none where one is not of its form."""
    lines = [[cell.strip() for cell in line.split("|")] for line in text.splitlines() if line.strip()]
    if lines and "code" in lines[0][0].lower():
        del lines[0]
    if all(len(cells) >= fields and cells[0] and cells[status].lower() in _STATUSES for cells in lines):
        yield from lines


def _cvx_rows(known: Mapping[str, Row], text: str) -> Iterator[Row]:
    for code, label, _, _, status, non_vaccine, *_ in _lines(text, _CVX_FIELDS, 4):
        cvx = code.lstrip("0").zfill(2)
        old = known.get(cvx) or dict.fromkeys(FILES["vaccines"].columns, "")
        kind = _kind(old["kind"], status.lower(), label, is_vaccine=non_vaccine.lower() != "true")
        yield {**old, "cvx": cvx, "label": _one_line(label), "kind": kind}


def _kind(old: str, status: str, label: str, *, is_vaccine: bool) -> str:
    """Return the kind of a CVX code; what only our own file tells stays."""
    if status in _KIND_OF_STATUS:
        return _KIND_OF_STATUS[status]
    if old == "unspecified" or (status == "inactive" and old in {"foreign", "never-active"}):
        return old
    if not is_vaccine:
        return "non-vaccine"
    return "unspecified" if not old and "unspecified" in label.lower() else "vaccine"


def _mvx_rows(known: Mapping[str, Row], text: str) -> Iterator[Row]:
    for mvx, label, _, status, *_ in _lines(text, _MVX_FIELDS, 3):
        old = known.get(mvx) or dict.fromkeys(FILES["manufacturers"].columns, "")
        used_until = "" if status.lower() == "active" else old["used_until"]
        yield {**old, "mvx": mvx, "label": _one_line(label), "used_until": used_until}


def _merge(tables: Tables, name: str, merge: Merge, text: str, file_name: str) -> None:
    rows = list(merge({key_of(name, row): row for row in tables[name]}, text))
    if not rows:
        raise _unreadable(file_name, "It must be the flat text file of CDC, with bars between its fields")
    _put(tables, name, rows)


def _put(tables: Tables, name: str, rows: Iterable[Row]) -> None:
    by_key = {key_of(name, row): row for row in tables[name]}
    by_key.update({key_of(name, row): row for row in rows})
    tables[name] = sorted(by_key.values(), key=FILES[name].order)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _unreadable(file_name: str, expected: str) -> ConfigError:
    message = f"{file_name} cannot be taken over. {expected}; docs/code-sets.md shows both forms."
    return ConfigError("code-set-file-unreadable", message, file=file_name)
