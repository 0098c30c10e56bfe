"""The keys file that a run leaves for the next one to compare with (M75): Parquet, a row for each row.

It holds the key values as text and a hash of the whole row, and says of itself by which columns and which
version of the report it was made.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from partner_exchange.errors import ArchiveDamaged, ReportRefused
from partner_exchange.exports import row_hashes
from partner_exchange.exports.columns import Kind, Row, Value
from partner_exchange.exports.row_hashes import HASH_BYTES

if TYPE_CHECKING:
    from partner_exchange.exports.row_hashes import Hashes

_HASH_COLUMN = "row hash"
"""No key is called so: names of columns have no space."""
_ABOUT = b"partner_exchange"
_READ_ROWS = 10_000


class Column(Protocol):
    """What counts of a report's column."""

    @property
    def name(self) -> str:
        """By which keys name it."""

    @property
    def kind(self) -> Kind:
        """What it holds."""


@dataclass(frozen=True)
class Layout:
    """The columns of a run, and which of them are its keys."""

    columns: tuple[Column, ...]
    keys: tuple[str, ...]
    version: int

    @property
    def key_places(self) -> list[int]:
        """Return where in a row the keys are."""
        names = [column.name for column in self.columns]
        return [names.index(key) for key in self.keys]

    @property
    def key_kinds(self) -> list[Kind]:
        """Return what the keys hold."""
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
        return [row_hashes.texts(column, one.kind) for column, one in zip(values, self.columns, strict=True)]

    def row_of_keys(self, key_texts: Iterable[str | None]) -> Row:
        """Return a row of which only the key values are known, with None for the others."""
        row: list[Value] = [None] * len(self.columns)
        for place, kind, text in zip(self.key_places, self.key_kinds, key_texts, strict=True):
            row[place] = row_hashes.value(text, kind)
        return tuple(row)


class KeysFile:
    """The keys file of a run while it is written."""

    def __init__(self, path: Path, layout: Layout) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        fields = [pa.field(key, pa.string()) for key in layout.keys]
        hashed = pa.field(_HASH_COLUMN, pa.binary(HASH_BYTES), nullable=False)
        about = {_ABOUT: json.dumps(layout.about()).encode()}
        self._schema = pa.schema([*fields, hashed], metadata=about)
        self._keys = layout.keys
        self._seen: list[Hashes] = []
        # Hashes do not shrink, and no key stands twice: no dictionaries.
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd", use_dictionary=False)

    def __enter__(self) -> KeysFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    def add(self, key_texts: list[list[str | None]], key_hashes: Hashes, whole_hashes: Hashes) -> None:
        """Write a batch: its key values, hashes of these, and hashes of its rows."""
        import pyarrow as pa

        self._seen.append(key_hashes)
        size = len(whole_hashes)
        hashed = pa.Array.from_buffers(pa.binary(HASH_BYTES), size, [None, pa.py_buffer(whole_hashes)])
        arrays = [*(pa.array(texts, pa.string()) for texts in key_texts), hashed]
        self._writer.write_batch(pa.record_batch(arrays, schema=self._schema))

    def require_unique(self) -> None:
        """Return when no two rows share their key values: partners could not tell them apart.

        :raises ReportRefused: ``report-keys-not-unique``.
        """
        import numpy as np

        seen = row_hashes.joined(self._seen)
        twice = len(seen) - len(np.unique(seen))
        if twice:
            problem = (
                f"{twice} rows of the report have the same {', '.join(self._keys)} as another one, so that "
                "no delta can be made by comparison."
            )
            remedy = "Write `content: full` until the report is mended."
            raise ReportRefused.of(
                "report-keys-not-unique", problem, remedy, keys=list(self._keys), rows=twice
            )


class KeysBefore:
    """The keys file of an earlier run.

    :raises ArchiveDamaged: ``keys-file-damaged``, it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._file = _open(path)
        about: dict[str, Any] = json.loads(self._file.schema_arrow.metadata[_ABOUT])
        self._about = about

    def has_keys_of(self, layout: Layout) -> bool:
        """Say whether rows of this layout can be told apart by it."""
        return bool(self._about["keys"] == layout.about()["keys"])

    def has_rows_of(self, layout: Layout) -> bool:
        """Say whether its hashes of rows are of the same columns and version, too."""
        return self._about == layout.about()

    def hashes(self, keys: Sequence[str]) -> tuple[Hashes, Hashes]:
        """Return the hashes of the key values and those of the rows, in the order of the file."""
        import numpy as np

        key_parts: list[Hashes] = []
        row_parts: list[Hashes] = []
        for batch in self._file.iter_batches(_READ_ROWS):
            key_parts.append(row_hashes.hashes([batch.column(name).to_pylist() for name in keys]))
            row_parts.append(np.array(_of_arrow(batch.column(_HASH_COLUMN))))
        return row_hashes.joined(key_parts), row_hashes.joined(row_parts)

    def batches(self, keys: Sequence[str]) -> Iterator[Any]:
        """Yield the key values as Arrow batches of text, in the order of the file."""
        yield from self._file.iter_batches(_READ_ROWS, columns=list(keys))


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


def _of_arrow(column: Any) -> Hashes:
    import numpy as np

    whole = np.frombuffer(column.buffers()[1], dtype=f"S{HASH_BYTES}")
    return whole[column.offset : column.offset + len(column)]
