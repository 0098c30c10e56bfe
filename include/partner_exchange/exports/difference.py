"""What is new, changed or gone since the last delivered file, for reports without a log of changes (M75).

The rows of a run are compared with the keys file that the last delivered run left: Parquet, one row for each
row of the report, with its key values as text and a hash of the whole row. Called when a file is written.

Compared are values, not their form: a number with other trailing zeros or an instant in another zone is the
same; nothing and empty text are not. Rows stream; what stays in memory is two hashes for each row of the
last run.

When the definition has changed, all rows go once more. With other columns or another version of the report,
those that were there count as changed, and deltas still add up. With other keys nothing can be compared: each
row counts as new, none as removed, the log says so, and the partner has to begin with an empty table.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from partner_exchange import log
from partner_exchange.errors import ArchiveDamaged, ReportRefused
from partner_exchange.exports.columns import Kind, Row, Value

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Hashes: TypeAlias = npt.NDArray[np.bytes_]
    """Of dtype ``S16``, one element for each row."""

_logger = logging.getLogger(__name__)

NEW, CHANGED, REMOVED = "new", "changed", "removed"

_HASH_BYTES = 16
_HASH_COLUMN = "row hash"
"""No key is called so: names of columns have no space."""
_ABOUT = b"partner_exchange"
_WORDS = ("", NEW, CHANGED)
_READ_ROWS = 10_000


class Column(Protocol):
    """What counts of a report's column."""

    @property
    def name(self) -> str:
        """By which keys name it."""

    @property
    def kind(self) -> Kind:
        """What it holds."""


def compare(
    batches: Iterable[list[Row]],
    columns: Sequence[Column],
    keys: Sequence[str],
    before: Path | None,
    after: Path,
    *,
    version: int = 1,
) -> Iterator[list[Row]]:
    """Yield the rows that are new or changed in their order, then those that are gone.

    Each has one value more at its end: ``new``, ``changed`` or ``removed``. Of a row that is gone only the
    key values are known; the others are None. A batch is never empty. ``after`` is written when all rows were
    taken; whoever stops before leaves none.

    :param batches: rows of this run, in the order of ``columns``.
    :param keys: names of the columns whose values stand for one row only.
    :param before: the keys file of the last delivered run; None at the first one, then each row is new.
    :param after: where the next keys file goes; what is there is replaced.
    :param version: of the report.
    :raises ReportRefused: ``report-keys-not-unique``, two rows of this run have the same key values.
    :raises ArchiveDamaged: ``keys-file-damaged``, ``before`` cannot be read.
    """
    layout = _Layout(tuple(columns), tuple(keys), version)
    known = _known(before, layout)
    partial = after.with_name(f".{after.name}.partial")
    try:
        with _KeysFile(partial, layout) as keys_file:
            for batch in batches:
                if batch and (found := _changes(batch, layout, known, keys_file)):
                    yield found
            keys_file.require_unique()
            if known is not None:
                yield from known.removed(layout)
        partial.replace(after)
    finally:
        partial.unlink(missing_ok=True)


def _changes(batch: list[Row], layout: _Layout, known: _Known | None, keys_file: _KeysFile) -> list[Row]:
    texts = layout.texts(batch)
    key_texts = [texts[place] for place in layout.key_places]
    key_hashes, row_hashes = _hashes(key_texts), _hashes(texts)
    keys_file.add(key_texts, key_hashes, row_hashes)
    if known is None:
        return [(*row, NEW) for row in batch]
    states = known.states(key_hashes, row_hashes)
    return [(*row, _WORDS[state]) for row, state in zip(batch, states, strict=True) if state]


@dataclass(frozen=True)
class _Layout:
    """The columns of a run, and which of them are its keys."""

    columns: tuple[Column, ...]
    keys: tuple[str, ...]
    version: int

    @property
    def key_places(self) -> list[int]:
        names = [column.name for column in self.columns]
        return [names.index(key) for key in self.keys]

    @property
    def key_kinds(self) -> list[Kind]:
        return [self.columns[place].kind for place in self.key_places]

    def about(self) -> dict[str, Any]:
        """Return what a keys file says of itself; all of it equal: rows can be compared by their hashes."""
        return {
            "form": 1,
            "version": self.version,
            "columns": [[column.name, str(column.kind)] for column in self.columns],
            "keys": [list(one) for one in zip(self.keys, map(str, self.key_kinds), strict=True)],
        }

    def texts(self, batch: list[Row]) -> list[list[str | None]]:
        """Return the values of a batch as text, a list for each column."""
        values = zip(*batch, strict=True)
        return [
            [None if value is None else text(value) for value in column]
            for column, text in zip(values, (_TEXT[one.kind] for one in self.columns), strict=True)
        ]

    def removed_row(self, key_texts: Iterable[str | None]) -> Row:
        row: list[Value] = [None] * len(self.columns)
        for place, kind, text in zip(self.key_places, self.key_kinds, key_texts, strict=True):
            row[place] = None if text is None else _VALUE[kind](text)
        return (*row, REMOVED)


@dataclass
class _Known:
    """The rows of the last delivered run, by the hash of their key values."""

    path: Path
    key_hashes: Hashes
    """In rising order."""
    row_hashes: Hashes | None
    """In the order of the former; None: of another layout, so that each row counts as changed."""
    places: npt.NDArray[np.int64]
    """Where in the file each of them stands."""
    is_there: npt.NDArray[np.bool_]
    """By the place in the file: whether this run has the row too."""

    def states(self, key_hashes: Hashes, row_hashes: Hashes) -> list[int]:
        """Return 0 for each row that is as it was, 1 for a new one, 2 for a changed one."""
        import numpy as np

        if not len(self.key_hashes):
            return [1] * len(key_hashes)
        found = np.searchsorted(self.key_hashes, key_hashes)
        found[found == len(self.key_hashes)] = 0
        is_known = self.key_hashes[found] == key_hashes
        self.is_there[self.places[found[is_known]]] = True
        differs = np.ones_like(is_known) if self.row_hashes is None else self.row_hashes[found] != row_hashes
        states: list[int] = np.where(is_known, np.where(differs, 2, 0), 1).tolist()
        return states

    def removed(self, layout: _Layout) -> Iterator[list[Row]]:
        """Yield the rows that this run does not have, in the order of the last one."""
        begin = 0
        for batch in _open(self.path).iter_batches(_READ_ROWS, columns=list(layout.keys)):
            end = begin + batch.num_rows
            places = (~self.is_there[begin:end]).nonzero()[0]
            begin = end
            if len(places):
                gone = batch.take(places)
                yield [layout.removed_row(texts) for texts in zip(*gone.to_pydict().values(), strict=True)]


def _known(before: Path | None, layout: _Layout) -> _Known | None:
    """Return the rows of the last run, None when there are none to compare with."""
    import numpy as np

    if before is None:
        return None
    file = _open(before)
    there, here = _about(file.schema_arrow), layout.about()
    if there["keys"] != here["keys"]:
        log.event(_logger, "export.compare_anew", keys=",".join(layout.keys))
        return None
    key_parts: list[Hashes] = []
    row_parts: list[Hashes] = []
    for batch in file.iter_batches(_READ_ROWS):
        key_parts.append(_hashes([batch.column(name).to_pylist() for name in layout.keys]))
        row_parts.append(np.array(_of_arrow(batch.column(_HASH_COLUMN))))
    key_hashes, row_hashes = _joined(key_parts), _joined(row_parts)
    order = np.argsort(key_hashes, kind="stable")
    return _Known(
        path=before,
        key_hashes=key_hashes[order],
        row_hashes=row_hashes[order] if there == here else None,
        places=order,
        is_there=np.zeros(len(order), dtype=bool),
    )


class _KeysFile:
    """The keys file of this run while it is written."""

    def __init__(self, path: Path, layout: _Layout) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        fields = [pa.field(key, pa.string()) for key in layout.keys]
        hashed = pa.field(_HASH_COLUMN, pa.binary(_HASH_BYTES), nullable=False)
        about = {_ABOUT: json.dumps(layout.about()).encode()}
        self._schema = pa.schema([*fields, hashed], metadata=about)
        self._keys = layout.keys
        self._seen: list[Hashes] = []
        # Hashes do not shrink, and no key stands twice: no dictionaries.
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd", use_dictionary=False)

    def __enter__(self) -> _KeysFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    def add(self, key_texts: list[list[str | None]], key_hashes: Hashes, row_hashes: Hashes) -> None:
        import pyarrow as pa

        self._seen.append(key_hashes)
        size = len(row_hashes)
        hashed = pa.Array.from_buffers(pa.binary(_HASH_BYTES), size, [None, pa.py_buffer(row_hashes)])
        arrays = [*(pa.array(texts, pa.string()) for texts in key_texts), hashed]
        self._writer.write_batch(pa.record_batch(arrays, schema=self._schema))

    def require_unique(self) -> None:
        """Refuse rows that share their key values: partners could not tell them apart."""
        import numpy as np

        seen = _joined(self._seen)
        twice = len(seen) - len(np.unique(seen))
        if twice:
            message = (
                f"{twice} rows of the report have the same {', '.join(self._keys)} as another one, so that "
                "no delta can be made by comparison. Write `content: full` until the report is mended."
            )
            raise ReportRefused("report-keys-not-unique", message, keys=list(self._keys), rows=twice)


def _open(path: Path) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        if _ABOUT in (file.schema_arrow.metadata or {}):
            return file
    except pa.ArrowInvalid:
        pass
    message = (
        f"The keys file {path.name} of the last delivered run is not one of ours or is damaged, so nothing "
        "can be compared with it. Fetch it from a backup of the archive, or begin anew with a full file."
    )
    raise ArchiveDamaged("keys-file-damaged", message, file=path.name)


def _about(schema: pa.Schema) -> dict[str, Any]:
    about: dict[str, Any] = json.loads(schema.metadata[_ABOUT])
    return about


# ---- values and hashes ------------------------------------------------------------------------------------


def _decimal_text(value: Any) -> str:
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


_TEXT: dict[Kind, Callable[[Any], str]] = {
    Kind.TEXT: str,
    Kind.INTEGER: str,
    Kind.DECIMAL: _decimal_text,
    Kind.BOOLEAN: lambda value: "1" if value else "0",
    Kind.DATE: date.isoformat,
    Kind.INSTANT: lambda value: value.astimezone(UTC).isoformat(),
}
_VALUE: dict[Kind, Callable[[str], Value]] = {
    Kind.TEXT: str,
    Kind.INTEGER: int,
    Kind.DECIMAL: Decimal,
    Kind.BOOLEAN: lambda text: text == "1",
    Kind.DATE: date.fromisoformat,
    Kind.INSTANT: datetime.fromisoformat,
}


def _hashes(columns: list[list[str | None]]) -> Hashes:
    """Return a hash of the texts of each row; the same ones on every machine and in every run."""
    import numpy as np

    # With its length in front no text runs into the next one: ("ab", "c") is not ("a", "bc").
    parts = [["-" if text is None else f"{len(text)}:{text}" for text in column] for column in columns]
    digests = (
        blake2b("".join(row).encode(), digest_size=_HASH_BYTES).digest() for row in zip(*parts, strict=True)
    )
    return np.frombuffer(b"".join(digests), dtype=f"S{_HASH_BYTES}")


def _of_arrow(column: Any) -> Hashes:
    import numpy as np

    whole = np.frombuffer(column.buffers()[1], dtype=f"S{_HASH_BYTES}")
    return whole[column.offset : column.offset + len(column)]


def _joined(parts: list[Hashes]) -> Hashes:
    import numpy as np

    return np.concatenate(parts) if parts else np.empty(0, dtype=f"S{_HASH_BYTES}")
