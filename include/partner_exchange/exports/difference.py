"""What is new, changed or gone since the last delivered file, for reports without a log of changes (M75).

The rows of a run are compared with the keys file that the last delivered run left. Called when a file is
written. Rows stream; what stays in memory is two hashes for each row of the last run.

When the definition has changed, all rows go once more. With other columns or another version of the report,
those that were there count as changed, and deltas still add up. With other keys nothing can be compared: each
row counts as new, none as removed, the log says so, and the partner has to begin with an empty table.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from partner_exchange import log
from partner_exchange.exports.columns import Row
from partner_exchange.exports.keys_file import Column, KeysBefore, KeysFile, Layout
from partner_exchange.exports.row_hashes import hashes

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from partner_exchange.exports.row_hashes import Hashes

_logger = logging.getLogger(__name__)

NEW, CHANGED, REMOVED = "new", "changed", "removed"

_WORDS = ("", NEW, CHANGED)


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
    layout = Layout(tuple(columns), tuple(keys), version)
    known = _known(before, layout)
    partial = after.with_name(f".{after.name}.partial")
    try:
        with KeysFile(partial, layout) as keys_file:
            for batch in batches:
                if batch and (found := _changes(batch, layout, known, keys_file)):
                    yield found
            keys_file.require_unique()
            if known is not None:
                yield from known.removed(layout)
        partial.replace(after)
    finally:
        partial.unlink(missing_ok=True)


def _changes(batch: list[Row], layout: Layout, known: _Known | None, keys_file: KeysFile) -> list[Row]:
    texts = layout.texts(batch)
    key_texts = [texts[place] for place in layout.key_places]
    key_hashes, row_hashes = hashes(key_texts), hashes(texts)
    keys_file.add(key_texts, key_hashes, row_hashes)
    if known is None:
        return [(*row, NEW) for row in batch]
    states = known.states(key_hashes, row_hashes)
    return [(*row, _WORDS[state]) for row, state in zip(batch, states, strict=True) if state]


@dataclass
class _Known:
    """The rows of the last delivered run, by the hash of their key values."""

    before: KeysBefore
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

    def removed(self, layout: Layout) -> Iterator[list[Row]]:
        """Yield the rows that this run does not have, in the order of the last one."""
        begin = 0
        for batch in self.before.batches(layout.keys):
            end = begin + batch.num_rows
            places = (~self.is_there[begin:end]).nonzero()[0]
            begin = end
            if len(places):
                gone = batch.take(places)
                keys = zip(*gone.to_pydict().values(), strict=True)
                yield [(*layout.row_of_keys(texts), REMOVED) for texts in keys]


def _known(before: Path | None, layout: Layout) -> _Known | None:
    """Return the rows of the last run, None when there are none to compare with."""
    import numpy as np

    if before is None:
        return None
    file = KeysBefore(before)
    if not file.has_keys_of(layout):
        log.event(_logger, "export.compare_anew", keys=",".join(layout.keys))
        return None
    key_hashes, row_hashes = file.hashes(layout.keys)
    order = np.argsort(key_hashes, kind="stable")
    return _Known(
        before=file,
        key_hashes=key_hashes[order],
        row_hashes=row_hashes[order] if file.has_rows_of(layout) else None,
        places=order,
        is_there=np.zeros(len(order), dtype=bool),
    )
