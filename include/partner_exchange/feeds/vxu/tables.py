"""The flat tables of a piece of an HL7 file: what the rules judge (T43, T63).

``flatten`` makes them, ``check`` judges and cleans them, ``accept`` shapes what is left for the store. Every
text column is named by the place of its value: ``PID-7`` is a simple field or the first component of one,
``PID-5.2`` a component. Texts are unescaped and trimmed, of the first repetition unless said otherwise; what
is not there, and the two quotes that HL7 writes for "nothing", are "".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

MESSAGE_TEXTS = (
    "MSH-3",
    "MSH-4",
    "MSH-5",
    "MSH-6",
    "MSH-7",
    "MSH-9.1",
    "MSH-9.2",
    "MSH-9.3",
    "MSH-10",
    "MSH-11",
    "MSH-12",
    "MSH-15",
    "MSH-16",
    "MSH-18",
    "MSH-21",
    "MSH-22",
    "MSH-23",
)
PATIENT_TEXTS = (
    "PID-1",
    "PID-5.1",
    "PID-5.2",
    "PID-5.3",
    "PID-5.4",
    "PID-5.7",
    "PID-6.1",
    "PID-6.2",
    "PID-7",
    "PID-8",
    "PID-10",
    "PID-11.1",
    "PID-11.3",
    "PID-11.4",
    "PID-11.5",
    "PID-11.6",
    "PID-11.9",
    "PID-13",
    "PID-13.4",
    "PID-22",
    "PID-24",
    "PID-25",
    "PID-29",
    "PID-30",
    "PD1-11",
    "PD1-12",
    "PD1-13",
    "PD1-16",
    "PD1-17",
    "PD1-18",
)
"""PID-13 is the first telephone number, the digits of area code and number; PID-13.4 the first e-mail
address.
"""

IDENTIFIER_TEXTS = ("PID-3.1", "PID-3.4", "PID-3.5")
RELATIVE_TEXTS = ("NK1-1", "NK1-2.1", "NK1-2.2", "NK1-3", "NK1-4.1", "NK1-5")
"""NK1-5 is a telephone number as PID-13 is."""
DOSE_TEXTS = (
    "ORC-1",
    "ORC-2",
    "ORC-3",
    "ORC-3.2",
    "ORC-9",
    "ORC-10",
    "ORC-12",
    "ORC-17",
    "RXA-1",
    "RXA-2",
    "RXA-3",
    "RXA-4",
    "RXA-5",
    "RXA-5.3",
    "RXA-5.4",
    "RXA-5.6",
    "RXA-6",
    "RXA-7",
    "RXA-9",
    "RXA-9.3",
    "RXA-10",
    "RXA-11.4",
    "RXA-15",
    "RXA-16",
    "RXA-17",
    "RXA-18",
    "RXA-20",
    "RXA-21",
    "RXA-22",
    "RXR-1",
    "RXR-1.4",
    "RXR-2",
)
OBSERVATION_TEXTS = (
    "OBX-1",
    "OBX-2",
    "OBX-3",
    "OBX-4",
    "OBX-5",
    "OBX-5.3",
    "OBX-6",
    "OBX-11",
    "OBX-14",
    "OBX-17",
)


@dataclass(frozen=True)
class Flat:
    """The tables of a piece; each has ``row`` int64 (number of the message in the file, from 1) and ``line``
    int64 (number of the line in the file, from 1) beside its texts (dtype str).
    """

    messages: pd.DataFrame
    """One line per message: ``MESSAGE_TEXTS``."""
    patients: pd.DataFrame
    """One line per message, in the same order; line 0 where there is no PID: ``PATIENT_TEXTS``, and int64
    ``relatives`` (how many NK1) and ``pd1_line`` (0 without PD1).
    """
    identifiers: pd.DataFrame
    """One line per repetition of PID-3: ``repetition`` int64 from 1, ``IDENTIFIER_TEXTS``."""
    relatives: pd.DataFrame
    """One line per NK1: ``sequence`` int64 from 1, ``RELATIVE_TEXTS``."""
    doses: pd.DataFrame
    """One line per order group: ``dose`` int64 from 1 in its message; ``line`` that of RXA, else of ORC;
    ``orc``, ``rxa``, ``rxr`` int64: the how-manieth segment of its kind in the message, 0 for none;
    ``DOSE_TEXTS``.
    """
    observations: pd.DataFrame
    """One line per OBX: ``dose`` int64 (0 before the first), ``sequence`` int64 from 1 in the message,
    ``OBSERVATION_TEXTS``.
    """
    issues: pd.DataFrame
    """What the structure of the messages gives (a segment out of order ...): ``ISSUE_COLUMNS``."""


ISSUE_COLUMNS: Mapping[str, str] = {
    "row": "int64",
    "dose": "int64",
    "line": "int64",
    "segment": "str",
    "sequence": "int64",
    "field": "int64",
    "repetition": "int64",
    "component": "int64",
    "code": "str",
    "is_warning": "bool",
}
"""Columns of an issue table with their dtypes. ``dose`` 0: of no dose; ``field`` 0: the whole segment;
``repetition`` and ``component`` 0: the whole field; ``is_warning``: an error of the catalogue, lowered.
"""


def empty(columns: Mapping[str, str]) -> pd.DataFrame:
    """Return a table of these columns and dtypes without lines."""
    return pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in columns.items()})


TALLY_COLUMNS: Mapping[str, str] = {"what": "str", "name": "str", "detail": "str", "count": "int64"}
"""Columns of a tally: numbers about a piece that add up over the pieces of a file, without any value that
could tell who a patient is (T60). ``tally.py`` says which there are.
"""
