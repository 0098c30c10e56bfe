"""Values of a report as text, and a hash of many of them: what rows are compared by (M75).

Compared are values, not their form: a number with other trailing zeros or an instant in another zone is the
same; nothing and empty text are not. The hashes are the same on every machine and in every run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, TypeAlias

from partner_exchange.exports.columns import Kind, Value

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Hashes: TypeAlias = npt.NDArray[np.bytes_]
    """Of dtype ``S16``, one element for each row."""

HASH_BYTES = 16


def texts(values: Sequence[Value], kind: Kind) -> list[str | None]:
    """Return the values of a column as text; None for none."""
    text = _TEXT[kind]
    return [None if value is None else text(value) for value in values]


def value(text: str | None, kind: Kind) -> Value:
    """Return the value that has this text."""
    return None if text is None else _VALUE[kind](text)


def hashes(columns: list[list[str | None]]) -> Hashes:
    """Return a hash of the texts of each row."""
    import numpy as np

    # With its length in front no text runs into the next one: ("ab", "c") is not ("a", "bc").
    parts = [["-" if text is None else f"{len(text)}:{text}" for text in column] for column in columns]
    digests = (
        blake2b("".join(row).encode(), digest_size=HASH_BYTES).digest() for row in zip(*parts, strict=True)
    )
    return np.frombuffer(b"".join(digests), dtype=f"S{HASH_BYTES}")


def joined(parts: list[Hashes]) -> Hashes:
    """Return all hashes in one array."""
    import numpy as np

    return np.concatenate(parts) if parts else np.empty(0, dtype=f"S{HASH_BYTES}")


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
