"""Invented doses for batches of the demo and the bench: order groups (ORC, RXA, RXR, OBX) without a fault.

The products are real ones, so that codes, ages and licences fit together; lots, orders and people are
invented.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from partner_exchange.feeds.vxu.code_sets import vaccines

IN_MUSCLE, UNDER_SKIN, BY_MOUTH = "C28161^Intramuscular", "C38299^Subcutaneous", "C38288^Oral"
_SITES = ("LA^Left Upper Arm", "RA^Right Upper Arm", "LT^Left Thigh", "RT^Right Thigh", "LD^Left Deltoid")
_FUNDING = {
    "V01^Not VFC eligible": "PHC70^Private funds",
    "V02^VFC eligible-Medicaid/Medicaid managed care": "VXC51^Public VFC",
    "V03^VFC eligible-Uninsured": "VXC51^Public VFC",
    "V04^VFC eligible- American Indian/Alaskan Native": "VXC51^Public VFC",
}
_ELIGIBILITIES = tuple(_FUNDING)
_ADULTS_ELIGIBILITY = _ELIGIBILITIES[0]
_SOURCES = (
    "01^Historical information - source unspecified",
    "02^Historical information - from other provider",
    "03^Historical information - from parents written record",
    "05^Historical information - from other registry",
    "07^Historical information - from school record",
)
_REASONS = ("00^Parental decision", "01^Religious exemption", "02^Other", "03^Patient decision")
_STAFF = (
    "7824^Jackson^Lily^Suzanne",
    "7831^Burden^Donna^A",
    "7835^Lemon^Mike^T",
    "7840^Ortega^Irma^Paloma",
)
_PHYSICIANS = ("57422^Radon^Nicholas^John", "57430^Thomas^Wilma^Elizabeth", "57441^Okafor^Chidi^B")
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


@dataclass(frozen=True)
class Product:
    """A vaccine that is given now."""

    cvx: str
    label: str
    ndc: str
    mvx: str
    amount: str
    route: str
    document: str
    """Its vaccine information statement, code and label."""
    from_months: int
    until_months: int
    """Ages it is given at, the first included, the last not."""


_SANOFI, _MERCK, _GSK, _PFIZER = (
    "PMC^Sanofi Pasteur^MVX",
    "MSD^Merck and Co., Inc.^MVX",
    "SKB^GlaxoSmithKline^MVX",
    "PFR^Pfizer, Inc^MVX",
)
_CHILD_VIS = "253088698300026411230724^Multi Pediatric Vaccines VIS"
_TDAP_VIS = "253088698300027111210806^Tdap (Tetanus, Diphtheria, Pertussis) Vaccine VIS"
_HEP_A_VIS = "253088698300004211211015^Hepatitis A Vaccine VIS"
_HEP_B_VIS = "253088698300005911230512^Hepatitis B Vaccine VIS"
_PCV_VIS = "253088698300049311230512^Pneumococcal Conjugate Vaccine VIS"
_FLU_VIS = "253088698300010311210806^Influenza (Flu) Vaccine (Inactivated or Recombinant) VIS"
_MMRV_VIS = "253088698300013411210806^MMRV Vaccine (Measles, Mumps, Rubella, and Varicella) VIS"
_MMR_VIS = "253088698300012711210806^MMR Vaccine (Measles, Mumps, and Rubella) VIS"
_CHICKENPOX_VIS = "253088698300024011210806^Varicella (Chickenpox) Vaccine VIS"
_HPV_VIS = "253088698300029511210806^HPV (Human Papillomavirus) Vaccine VIS"
_MENACWY_VIS = "253088698300014111210806^Meningococcal ACWY Vaccine VIS"
_MENB_VIS = "253088698300030111210806^Meningococcal B Vaccine VIS"
_ZOSTER_VIS = "253088698300032511220204^Recombinant Zoster Vaccine VIS"
_COVID_VIS = "253088698300063911241017^COVID-19 Vaccine VIS"

PRODUCTS: tuple[Product, ...] = (
    Product("08", "Hep B", "58160-0820-43", _GSK, "0.5", IN_MUSCLE, _HEP_B_VIS, 0, 200),
    Product("110", "DTaP-Hep B-IPV", "58160-0811-43", _GSK, "0.5", IN_MUSCLE, _CHILD_VIS, 2, 72),
    Product("120", "DTaP-Hib-IPV", "49281-0560-05", _SANOFI, "0.5", IN_MUSCLE, _CHILD_VIS, 2, 48),
    Product("116", "Rotavirus", "00006-4047-01", _MERCK, "2.0", BY_MOUTH, _CHILD_VIS, 2, 7),
    Product("216", "PCV20", "00005-2000-01", _PFIZER, "0.5", IN_MUSCLE, _PCV_VIS, 2, 60),
    Product("48", "Hib (PRP-T)", "49281-0547-58", _SANOFI, "0.5", IN_MUSCLE, _CHILD_VIS, 2, 60),
    Product("140", "Influenza", "49281-0424-88", _SANOFI, "0.5", IN_MUSCLE, _FLU_VIS, 6, 1200),
    Product("03", "MMR", "00006-4681-01", _MERCK, "0.5", UNDER_SKIN, _MMR_VIS, 12, 720),
    Product("21", "Varicella", "00006-4827-01", _MERCK, "0.5", UNDER_SKIN, _CHICKENPOX_VIS, 12, 480),
    Product("94", "MMRV", "00006-4171-01", _MERCK, "0.5", UNDER_SKIN, _MMRV_VIS, 12, 144),
    Product("83", "Hep A", "58160-0825-43", _GSK, "0.5", IN_MUSCLE, _HEP_A_VIS, 12, 216),
    Product("130", "DTaP-IPV", "49281-0562-58", _SANOFI, "0.5", IN_MUSCLE, _CHILD_VIS, 48, 83),
    Product("115", "Tdap", "58160-0842-01", _GSK, "0.5", IN_MUSCLE, _TDAP_VIS, 121, 1200),
    Product("165", "HPV9", "00006-4119-01", _MERCK, "0.5", IN_MUSCLE, _HPV_VIS, 120, 540),
    Product("203", "MenACWY", "49281-0590-58", _SANOFI, "0.5", IN_MUSCLE, _MENACWY_VIS, 132, 300),
    Product("162", "MenB", "00005-0100-01", _PFIZER, "0.5", IN_MUSCLE, _MENB_VIS, 192, 276),
    Product("43", "Hep B, adult", "58160-0821-43", _GSK, "1.0", IN_MUSCLE, _HEP_B_VIS, 240, 720),
    Product("309", "COVID-19", "00069-2432-01", _PFIZER, "0.3", IN_MUSCLE, _COVID_VIS, 150, 1200),
    Product("187", "Zoster", "58160-0828-01", _GSK, "0.5", IN_MUSCLE, _ZOSTER_VIS, 600, 1200),
)

_PAST: tuple[tuple[str, str, int, int], ...] = (
    ("45", "Hep B, unspecified formulation", 0, 200),
    ("107", "DTaP, unspecified formulation", 2, 72),
    ("122", "Rotavirus, unspecified formulation", 2, 7),
    ("89", "Polio, unspecified formulation", 2, 72),
    ("17", "Hib, unspecified formulation", 2, 48),
    ("88", "Influenza, unspecified formulation", 6, 1000),
    ("03", "MMR", 12, 72),
    ("21", "Varicella", 12, 72),
    ("115", "Tdap", 121, 900),
    ("133", "PCV13", 2, 60),
)
"""What was given elsewhere: CVX, label, and the ages in months at which it was."""


@dataclass(frozen=True)
class Dose:
    """One order group and what a later message needs to name it again."""

    product: Product
    order: str
    on: date
    segments: list[str]


@lru_cache
def products_at(age_months: int) -> tuple[Product, ...]:
    """Return the products that are given at an age."""
    return tuple(one for one in PRODUCTS if one.from_months <= age_months < one.until_months)


def given(
    chance: random.Random,
    product: Product,
    *,
    order: str,
    facility: str,
    on: date,
    is_child: bool,
    action: str = "A",
    with_ndc: bool = True,
) -> Dose:
    """Return a dose given now, with lot, route, eligibility, funding and information statement.

    :param order: order number, without the authority.
    :param with_ndc: whether the vaccine may be named by its NDC, alone or beside the CVX code.
    """
    day = f"{on:%Y%m%d}"
    eligibility = chance.choice(_ELIGIBILITIES) if is_child else _ADULTS_ELIGIBILITY
    vaccine = f"{product.cvx}^{product.label}^CVX"
    if with_ndc:
        by_ndc = f"{product.ndc}^{product.label}^NDC"
        vaccine = chance.choice((vaccine, by_ndc, f"{by_ndc}^{vaccine}"))
    lot = f"{chance.choice(_LETTERS)}{chance.randrange(1000, 9999)}{chance.choice(_LETTERS)}"
    expires = on + timedelta(days=chance.randrange(60, 600))
    staff = f"{chance.choice(_STAFF)}^^^^^{facility}^L"
    site = "" if product.route == BY_MOUTH else f"{chance.choice(_SITES)}^HL70163"
    physician = f"{chance.choice(_PHYSICIANS)}^^^^^{facility}^L"
    segments = [
        f"ORC|RE|{order}P^{facility}|{order}^{facility}|||||||{staff}||{physician}"
        f"|||||{facility}^Lakeside Family \\T\\ Child Clinic^HL70362",
        f"RXA|0|1|{day}||{vaccine}|{product.amount}|mL^milliliter^UCUM||00^New immunization record^NIP001|"
        f"{staff}|^^^{facility}-1||||{lot}|{expires:%Y%m%d}|{product.mvx}|||CP|{action}",
        f"RXR|{product.route}^NCIT|{site}",
        f"OBX|1|CE|64994-7^Vaccine funding program eligibility category^LN|1|{eligibility}^HL70064"
        f"||||||F|||{day}|||VXC40^Eligibility captured at the immunization level^CDCPHINVS",
        f"OBX|2|CE|30963-3^Vaccine funding source^LN|2|{_FUNDING[eligibility]}^CDCPHINVS||||||F|||{day}",
        f"OBX|3|CE|69764-9^Document type^LN|3|{product.document}^cdcgs1vis||||||F|||{day}",
        f"OBX|4|DT|29769-7^Date Vaccine Information Statement Presented^LN|3|{day}||||||F|||{day}",
    ]
    return Dose(product, order, on, segments)


def given_elsewhere(
    chance: random.Random, *, order: str, facility: str, born: date, reported: date
) -> list[str]:
    """Return a dose that somebody else gave; no segments where none fits the age."""
    cvx, label, from_months, until_months = chance.choice(_PAST)
    vaccine = vaccines()[cvx]
    first = max(
        day for day in (_later(born, from_months), vaccine.licensed_from, vaccine.expected_from) if day
    )
    last = min(_later(born, until_months), reported - timedelta(days=60))
    if first >= last:
        return []
    on = first + timedelta(days=chance.randrange((last - first).days))
    return [
        f"ORC|RE||{order}^{facility}|||||||{chance.choice(_STAFF)}^^^^^{facility}^L",
        f"RXA|0|1|{on:%Y%m%d}||{cvx}^{label}^CVX|999|||{chance.choice(_SOURCES)}^NIP001|||||||||||CP|A",
    ]


def refused(chance: random.Random, product: Product, *, facility: str, on: date) -> list[str]:
    """Return a dose that was refused; its order number is the placeholder that means none."""
    return [
        f"ORC|RE||9999^{facility}|||||||{chance.choice(_STAFF)}^^^^^{facility}^L",
        f"RXA|0|1|{on:%Y%m%d}||{product.cvx}^{product.label}^CVX|999||||||||||||"
        f"{chance.choice(_REASONS)}^NIP002||RE|A",
    ]


def age_in_months(born: date, on: date) -> int:
    """Return the whole months of an age."""
    return (on.year - born.year) * 12 + on.month - born.month - (on.day < born.day)


def distinct(chance: random.Random, choices: Sequence[Product], count: int) -> list[Product]:
    """Return up to ``count`` different products."""
    return chance.sample(choices, min(count, len(choices)))


def _later(day: date, months: int) -> date:
    at = day.year * 12 + day.month - 1 + months
    # The 28th is in every month; a few days of an age do not matter here, but too young would.
    if day.day > 28:
        return date(at // 12, at % 12 + 1, 28) + timedelta(days=4)
    return date(at // 12, at % 12 + 1, day.day)
