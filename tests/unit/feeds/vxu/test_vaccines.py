"""Which vaccine a code, an alternate code and their systems come to (T64)."""

from __future__ import annotations

import pytest

from partner_exchange.feeds.vxu.code_sets import State
from partner_exchange.feeds.vxu.vaccines import Resolved, resolve

MMR_NDC = "00006-4681-01"


@pytest.mark.parametrize(
    ("sent", "cvx", "ndc"),
    [
        (("94", "CVX", "", ""), "94", ""),
        (("094", "CVX", "", ""), "94", ""),
        (("3", "", "", ""), "03", ""),
        (("03", "HL70292", "", ""), "03", ""),
        (("", "", "03", "CVX"), "03", ""),
        (("90707", "C4", "03", "CVX"), "03", ""),
        ((MMR_NDC, "NDC", "", ""), "03", MMR_NDC),
        (("00006468101", "NDC", "", ""), "03", MMR_NDC),
        ((MMR_NDC, "", "", ""), "03", MMR_NDC),
        (("03", "CVX", MMR_NDC, "NDC"), "03", MMR_NDC),
        (("03", "cvx", "", ""), "03", ""),
    ],
)
def test_T64_a_vaccine_is_found_by_cvx_or_ndc(sent: tuple[str, str, str, str], cvx: str, ndc: str) -> None:
    found = resolve(*sent)
    assert (found.cvx, found.ndc, found.state) == (cvx, ndc, State.VALID)
    assert (found.is_cvx_unknown, found.is_ndc_unknown, found.is_differing) == (False, False, False)


@pytest.mark.parametrize(
    "sent",
    [
        ("", "", "", ""),
        ("90707", "C4", "", ""),
        ("5000", "CVX", "", ""),
        ("MMR", "", "", ""),
        ("²", "CVX", "", ""),
    ],
)
def test_T64_what_is_no_vaccine_has_no_state(sent: tuple[str, str, str, str]) -> None:
    found = resolve(*sent)
    assert (found.cvx, found.state, found.vaccine) == ("", None, None)


def test_T64_an_ndc_goes_before_a_cvx_of_another_vaccine() -> None:
    found = resolve(MMR_NDC, "NDC", "94", "CVX")
    assert found.is_differing
    assert (found.cvx, found.mvx) == ("03", "MSD")


def test_T64_an_unknown_code_beside_a_known_one_is_told() -> None:
    assert resolve("99999-9999-99", "NDC", "03", "CVX") == Resolved(
        cvx="03", state=State.VALID, is_ndc_unknown=True
    )
    assert resolve("5000", "CVX", MMR_NDC, "NDC").is_cvx_unknown


def test_T64_a_code_that_was_never_in_use_is_invalid() -> None:
    assert resolve("23", "CVX", "", "").state is State.INVALID
