"""Which vaccine RXA-5 stands for: a CVX code as such, or the one that belongs to an NDC (T64).

RXA-5 may name the vaccine twice, as code and as alternate code, each CVX or NDC. What an NDC says goes before
a CVX code beside it: it was read off the package.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd

from partner_exchange.feeds.vxu.cells import Flags, Places, Table
from partner_exchange.feeds.vxu.code_sets import (
    State,
    Vaccine,
    VaccineKind,
    normalised_cvx,
    normalised_ndc,
    products,
    vaccines,
)
from partner_exchange.feeds.vxu.dates import Numbers

COLUMNS = ("RXA-5", "RXA-5.3", "RXA-5.4", "RXA-5.6")
NO_VACCINE = "998"
_CVX_SYSTEMS = {"CVX", "HL70292"}
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Resolved:
    """What the four parts of RXA-5 come to."""

    cvx: str = ""
    ndc: str = ""
    """As five, four and two digits with hyphens."""
    mvx: str = ""
    """Manufacturer of the NDC."""
    state: State | None = None
    """None where no vaccine was found."""
    is_ndc_unknown: bool = False
    is_cvx_unknown: bool = False
    is_differing: bool = False
    """NDC and CVX are those of different vaccines."""

    @property
    def vaccine(self) -> Vaccine | None:
        """Return what the code sets say of the vaccine."""
        return vaccines().get(self.cvx) if self.cvx else None


def resolve(code: str, system: str, other: str, other_system: str) -> Resolved:
    """Return what code and alternate code, each with its system, come to together."""
    sent = [_named(code, system), _named(other, other_system)]
    cvx = next((text for kind, text in sent if kind == "CVX" and text in vaccines()), "")
    cvx = normalised_cvx(cvx)
    product = next((products()[text] for kind, text in sent if kind == "NDC" and text in products()), None)
    found = Resolved(
        is_ndc_unknown=any(kind == "NDC" and text not in products() for kind, text in sent),
        is_cvx_unknown=any(kind == "CVX" and text not in vaccines() for kind, text in sent),
    )
    if product is None:
        return replace(found, cvx=cvx, state=vaccines()[cvx].state) if cvx else found
    is_same = not cvx or cvx in product.cvx_codes
    counts = cvx if cvx and is_same else product.cvx
    return replace(
        found,
        cvx=counts,
        ndc=product.ndc,
        mvx=product.mvx,
        state=vaccines()[counts].state,
        is_differing=not is_same,
    )


def _named(code: str, system: str) -> tuple[str, str]:
    """Return CVX or NDC and the code in its usual form; "" for another system, or where nothing is sent.

    A code without a system is taken for what it can be, so that a missing system alone loses no dose.
    """
    if not code:
        return "", ""
    known = system.upper()
    if known in _CVX_SYSTEMS or (not known and code in vaccines()):
        return "CVX", code
    if known == "NDC" or (not known and normalised_ndc(code)):
        return "NDC", normalised_ndc(code)
    return ("", "") if known else ("CVX", code)


class Vaccines:
    """The vaccine of each dose, by its distinct forms; windows and ages as numbers that can be compared."""

    def __init__(self, doses: Table) -> None:
        self._at, self._found = _distinct(doses)

    def flags(self, name: str) -> Flags:
        """Return a yes or no of ``Resolved`` for each dose."""
        return self._spread([bool(getattr(one, name)) for one in self._found], np.bool_)

    def in_state(self, state: State | None) -> Flags:
        """Return the doses whose vaccine has this state; None: without a vaccine."""
        return self._spread([one.state is state for one in self._found], np.bool_)

    def of_kind(self, *kinds: VaccineKind) -> Flags:
        """Return the doses whose vaccine is of one of the kinds."""
        return self._spread(
            [bool(one.vaccine and one.vaccine.kind in kinds) for one in self._found], np.bool_
        )

    def of(self, cvx: frozenset[str]) -> Flags:
        """Return the doses of these vaccines."""
        return self._spread([one.cvx in cvx for one in self._found], np.bool_)

    def days(self, name: str) -> Numbers:
        """Return a date of ``Vaccine`` as days since 1970-01-01; NaN for none."""
        return self._spread([_days(getattr(one.vaccine, name, None)) for one in self._found], np.float64)

    def months(self, name: str) -> Numbers:
        """Return an age of ``Vaccine``; NaN for none."""
        ages = [getattr(one.vaccine, name, None) for one in self._found]
        return self._spread([np.nan if age is None else age for age in ages], np.float64)

    def text(self, name: str) -> pd.Series[str]:
        """Return a text of ``Resolved`` for each dose."""
        values = pd.Series([getattr(one, name) for one in self._found], dtype="str")
        return values.take(self._at).reset_index(drop=True)

    def _spread(self, values: list[float] | list[bool], dtype: type[np.generic]) -> np.ndarray:
        return np.array(values, dtype=dtype)[self._at]


def _distinct(doses: Table) -> tuple[Places, list[Resolved]]:
    """Return which of the distinct vaccines each dose has, and these."""
    parts = [doses.coded(column) for column in COLUMNS]
    together = np.zeros(len(doses), dtype=np.int64)
    for part in parts:
        _, together = np.unique(together * max(1, len(part.values)) + part.at, return_inverse=True)
    _, first, at = np.unique(together, return_index=True, return_inverse=True)
    texts = [part.values.take(part.at[first]).to_pylist() for part in parts]
    return at, [resolve(*sent) for sent in zip(*texts, strict=True)]


def _days(day: date | None) -> float:
    return np.nan if day is None else float((day - _EPOCH).days)
