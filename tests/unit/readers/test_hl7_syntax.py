"""What stands between the separators of a message (T43)."""

from __future__ import annotations

import pytest

from partner_exchange.readers.hl7_syntax import (
    USUAL,
    Separators,
    component,
    declared_separators,
    fields,
    repetitions,
    unescape,
)

OTHERS = Separators("#", "*", "!", "%", "$")


@pytest.mark.parametrize(
    ("header", "separators"),
    [
        (r"MSH|^~\&|A", USUAL),
        (r"MSH|^~\&", USUAL),
        (r"MSH|^~\&#|A", USUAL),
        ("MSH#*!%$#A", OTHERS),
        ("FHS#*!%$#A", OTHERS),
        ("MSH|^~\\&|" + "x" * 100_000, USUAL),
        ("MSH¦^~\\&¦A", Separators("¦", "^", "~", "\\", "&")),
    ],
)
def test_T63_separators_are_what_the_header_declares(header: str, separators: Separators) -> None:
    assert declared_separators(header) == separators


@pytest.mark.parametrize(
    "header",
    [
        "MSH",
        "MSH|",
        "MSH||A",
        r"MSH|^~\|A",
        r"MSH|^~\&#+|A",
        r"MSH|^^\&|A",
        r"MSH|^|\&|A",
        r"MSHA^~\&AA",
        r"MSH1^~\&1A",
        r"MSH ^~\& A",
        "MSH|^~\\\t|A",
        "MSH|^~\\\x01|A",
        'MSH|^~\\"|A',
        "MSH|" + "^" * 100_000,
        "MSH|abcd|A",
    ],
)
def test_T63_separators_that_cannot_separate_are_none(header: str) -> None:
    assert declared_separators(header) is None


def test_T63_fields_count_as_in_hl7() -> None:
    header = fields(r"MSH|^~\&|APP|FAC", "|")
    assert (header[0], header[1], header[2], header[3], header[4]) == ("MSH", "|", r"^~\&", "APP", "FAC")
    assert fields(r"BHS|^~\&|APP", "|")[3] == "APP"
    assert fields("PID|1||2", "|") == ["PID", "1", "", "2"]
    assert fields("PID", "|") == ["PID"]
    assert fields("MSH", "|") == ["MSH", "", ""]


def test_T63_component_is_of_the_first_repetition() -> None:
    text = "a^b&c~d^e^f"
    assert repetitions(text, USUAL) == ["a^b&c", "d^e^f"]
    assert [component(text, n, USUAL) for n in (1, 2, 3)] == ["a", "b&c", ""]
    assert component("d^e^f", 3, USUAL) == "f"
    assert component("", 1, USUAL) == ""
    assert component("a*b!c", 2, OTHERS) == "b"


@pytest.mark.parametrize(
    ("escaped", "text"),
    [
        (r"Smith \T\ Sons", "Smith & Sons"),
        (r"\F\\S\\T\\R\\E\ ", "|^&~\\ "),
        (r"a\.br\b", "a\nb"),
        (r"a\.sp\b\.sp3\c\.sp+2\d\.ce\e", "a\nb\nc\nd\ne"),
        (r"\X41\\X4a4B\\X0D0A\ ", "AJK\r\n "),
        (r"Jos\XC3A9\ and Jos\XE9\ ", "José and José "),
        (r"a\X00\b", "ab"),
        (r"\H\bold\N\ \.in4\in\.ti-2\\.fi\\.nf\\.sk3\ ", "bold in "),
        (r"\C2842\\M244E6A\\M2442\\Zab\x", "x"),
        (r"\E\F\E\ ", r"\F\ "),
        # Nothing of HL7: stays.
        (r"C:\dir\name", r"C:\dir\name"),
        (r"C:\dir\F\x", r"C:\dir|x"),
        (r"\X4\\XG1\\X\\f\\.brr\\C28\ ", r"\X4\\XG1\\X\\f\\.brr\\C28\ "),
        (r"a\ b", r"a\ b"),
        (r"a\F", r"a\F"),
        (r"a\Zab", r"a\Zab"),
        ("a\\", "a\\"),
        ("", ""),
    ],
)
def test_T63_escape_sequences_are_resolved_and_others_stay(escaped: str, text: str) -> None:
    assert unescape(escaped, USUAL) == text


def test_T63_escape_sequences_stand_for_the_signs_of_their_message() -> None:
    assert unescape(r"%F%%S%%T%%R%%E%%X41% \F\ ", OTHERS) == r"#*$!%A \F\ "


def test_T63_a_sign_that_means_something_in_patterns_escapes() -> None:
    for sign in "]^-+*.?$":
        separators = USUAL._replace(escape=sign, component="/")
        assert unescape(f"a{sign}F{sign}{sign}Zx{sign}b", separators) == "a|b"
