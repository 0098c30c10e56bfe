"""The way out of the guards: what they find wrong with a file, ``read_table`` hands back as a refusal."""

from __future__ import annotations

from typing import NoReturn

from partner_exchange.readers.marks import Fact, Refusal

NO_TABLE = "file-not-a-table"


class Refused(Exception):
    """The file cannot be taken. Never leaves the room of readers; a partner's mistake is data."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


def refuse(code: str, **facts: Fact) -> NoReturn:
    """Give up reading with ``code``.

    :raises Refused: always.
    """
    raise Refused(Refusal(code, facts))


def refuse_kind(kind: str) -> NoReturn:
    """Give up on a file that is neither CSV nor XLS nor XLSX but ``kind`` (E05).

    :raises Refused: always.
    """
    refuse(NO_TABLE, kind=kind)


def refuse_damaged() -> NoReturn:
    """Give up on a workbook that breaks the rules of its own format.

    :raises Refused: always.
    """
    refuse("workbook-damaged")
