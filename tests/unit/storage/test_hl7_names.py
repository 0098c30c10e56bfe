"""ImportCodeYYDDD.hl7 and its second and third of a day (T47, K20)."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partner_exchange.storage.hl7_names import Hl7Name, NameFault
from partner_exchange.validation.catalogue import CATALOGUE

TODAY = date(2026, 11, 21)
CODES = st.from_regex(r"[A-Z0-9][A-Z0-9-]{0,9}", fullmatch=True)


def parse(name: str, import_code: str = "AAA-SSL", today: date = TODAY) -> Hl7Name | NameFault:
    return Hl7Name.parse(name, import_code=import_code, today_local=today)


def fault(name: str, import_code: str = "AAA-SSL", today: date = TODAY) -> str:
    result = parse(name, import_code, today)
    assert isinstance(result, NameFault)
    return result.code


@pytest.mark.parametrize(
    ("name", "day", "number"),
    [
        ("AAA-SSL26325.hl7", TODAY, 1),
        ("aaa-ssl26325.HL7", TODAY, 1),
        ("Aaa-Ssl26001.Hl7", date(2026, 1, 1), 1),
        ("AAA-SSL24366.hl7", date(2024, 12, 31), 1),
        ("AAA-SSL00366.hl7", date(2000, 12, 31), 1),
    ],
)
def test_T47_a_name_says_its_day(name: str, day: date, number: int) -> None:
    assert parse(name) == Hl7Name("AAA-SSL", day, number)


@pytest.mark.parametrize(("name", "number"), [("-2", 2), ("-3", 3), ("-10", 10), ("-300", 300)])
def test_K20_a_second_file_of_the_day_has_a_number(name: str, number: int) -> None:
    assert parse(f"AAA-SSL26325{name}.hl7") == Hl7Name("AAA-SSL", TODAY, number)


@pytest.mark.parametrize(
    "name",
    [
        "AAA-SSL26325-1.hl7",
        "AAA-SSL26325-0.hl7",
        "AAA-SSL26325-02.hl7",
        "AAA-SSL26325-.hl7",
        "AAA-SSL26325--2.hl7",
        "AAA-SSL26325 (2).hl7",
        "AAA-SSL26325-12345.hl7",
    ],
)
def test_K20_another_way_to_number_is_refused(name: str) -> None:
    assert fault(name) == "hl7-name-wrong"


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".hl7",
        "AAA-SSL.hl7",
        "AAA-SSL2632.hl7",
        "AAA-SSL263251.hl7",
        "AAA-SSL26325.txt",
        "AAA-SSL26325.hl7.txt",
        "AAA-SSL26325",
        " AAA-SSL26325.hl7",
        "AAA-SSL-26325.hl7",
        "AAA-SSL2632A.hl7",
        "AAA-SSL٢٦٣٢٥.hl7",
        "vaccines.hl7",
        "AAA-SSL26325.hl7\n",
    ],
)
def test_T47_a_name_of_another_form_is_refused(name: str) -> None:
    assert fault(name) in ("hl7-name-wrong", "hl7-name-import-code")


@pytest.mark.parametrize(
    "name", ["BBB-SSL26325.hl7", "AAASSL26325.hl7", "26325.hl7", "AAA-SS26325-2.hl7", "X26325.hl7"]
)
def test_T47_the_name_of_another_account_is_refused(name: str) -> None:
    assert fault(name) == ("hl7-name-wrong" if name == "26325.hl7" else "hl7-name-import-code")


def test_T47_an_account_may_begin_like_another() -> None:
    assert fault("AAA-SSL26325.hl7", "AAA") == "hl7-name-wrong"
    assert parse("AAA26325.hl7", "AAA") == Hl7Name("AAA", TODAY, 1)


def test_T47_an_import_code_may_end_in_digits() -> None:
    assert parse("AB123426325.hl7", "AB1234") == Hl7Name("AB1234", TODAY, 1)
    assert parse("26325-26325-2.hl7", "26325-") == Hl7Name("26325-", TODAY, 2)


@pytest.mark.parametrize("day", ["26000", "26366", "26367", "26999", "25366", "24367"])
def test_T47_a_day_that_does_not_exist_is_refused(day: str) -> None:
    assert fault(f"AAA-SSL{day}.hl7") == "hl7-name-no-such-day"


def test_T47_a_day_in_the_future_is_refused_by_the_tenants_calendar() -> None:
    assert fault("AAA-SSL26326.hl7") == "hl7-name-in-future"
    assert parse("AAA-SSL26326.hl7", today=date(2026, 11, 22)) == Hl7Name("AAA-SSL", date(2026, 11, 22), 1)
    assert fault("AAA-SSL27001.hl7", today=date(2026, 12, 31)) == "hl7-name-in-future"


def test_T47_a_day_long_ago_is_old() -> None:
    assert not Hl7Name("A", date(2026, 10, 21), 1).is_old(TODAY)
    assert Hl7Name("A", date(2026, 10, 20), 1).is_old(TODAY)


def test_T47_a_refusal_shows_the_name_of_today_and_never_what_was_sent() -> None:
    result = parse("MARY-DOE26325.hl7")
    assert result == NameFault("hl7-name-import-code", {"example": "AAA-SSL26325.hl7"})
    assert "AAA-SSL26325.hl7" in CATALOGUE[result.code].sentence(result.facts)
    assert "DOE" not in CATALOGUE[result.code].sentence(result.facts)


@given(CODES, st.dates(date(2000, 1, 1), date(2099, 12, 31)), st.integers(1, 9_999))
def test_T47_what_is_formatted_is_parsed(import_code: str, day: date, number: int) -> None:
    name = Hl7Name(import_code, day, number)
    assert parse(name.format(), import_code, day) == name
    assert parse(name.format().swapcase(), import_code, day) == name


@given(st.text(max_size=40), CODES)
def test_T47_any_name_gets_an_answer_of_the_catalogue(name: str, import_code: str) -> None:
    result = parse(name, import_code)
    assert isinstance(result, Hl7Name) or result.code in CATALOGUE
