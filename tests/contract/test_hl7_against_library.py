"""Our tokenizer against python-hl7: same segments, fields, components and texts (decision 0015, T43).

Where the two differ on purpose, the test says why:

- python-hl7 takes a line for a segment whatever it begins with; ours keeps a line without name apart. Both
  keep its text.
- python-hl7 writes highlighting as ``_``, line breaks as CR and what it does not know as nothing. Ours takes
  highlighting away, writes LF, and leaves what is no escape sequence as it stands: ``C:\\dir\\x``.
- python-hl7 reads ``\\X..\\`` byte by byte as Latin-1; ours takes UTF-8 where the bytes are UTF-8.
- python-hl7 counts no MSH-3 in ``MSH|^~\\&|``; ours counts it and finds it empty.
- python-hl7 takes fewer than four signs in MSH-2; to ours they are unusable, and the usual ones are taken.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import hl7
import pytest
from hypothesis import given
from hypothesis import strategies as st

from partner_exchange.readers.hl7 import Message, Stream, read_stream
from partner_exchange.readers.hl7_syntax import USUAL, Separators, component, repetitions, unescape

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "samples" / "hl7"
FILES = sorted(SAMPLES.glob("*.hl7"))
SIGNS = "#*!%$@+;:,/'()=<>?[]{}_-.|^~\\&"
SEPARATORS = st.permutations(SIGNS).map(lambda signs: Separators(*signs[:5]))
NAMES = st.sampled_from(["PID", "PD1", "NK1", "ORC", "RXA", "RXR", "OBX", "NTE", "ZAB", "PV1"])
# No blanks, since ours trims those at the ends of a line, the library does not; no CR or LF, which end one.
LETTERS = st.characters(codec="utf-8", exclude_categories=["C", "Z"])


@st.composite
def messages(draw: st.DrawFn) -> tuple[Separators, str]:
    """Return a message with any usable separators; values may hold any of its separators."""
    separators = draw(st.one_of(st.just(USUAL), SEPARATORS))
    text = st.text(st.one_of(LETTERS, st.sampled_from("".join(separators))), max_size=12)
    lines = [f"MSH{''.join(separators)}{separators.field}x{draw(text)}"]
    for name in draw(st.lists(NAMES, max_size=6)):
        lines.append(f"{name}{separators.field}{draw(text)}{separators.field}{draw(text)}")
    return separators, "\r".join(lines)


def ours(text: str) -> list[Message]:
    stream = read_stream(text.encode(), max_messages=1_000)
    assert isinstance(stream, Stream)
    return list(stream.messages)


def theirs(text: str) -> list[Any]:
    return [hl7.parse(each) for each in hl7.split_file(text)]


def _agree(ours: Message, theirs: Any) -> None:
    assert len(ours.segments) == len(theirs)
    for segment, other in zip(ours.segments, theirs, strict=True):
        assert segment.fields[0] == str(other[0])
        assert segment.fields == [str(field) for field in other]
        is_header = segment.name == "MSH"
        for at, (field, other_field) in enumerate(zip(segment.fields, other, strict=True)):
            if not (is_header and at < 3):
                _agree_below(field, other_field, ours.separators)


def _agree_below(field: str, other: Any, separators: Separators) -> None:
    parts = repetitions(field, separators)
    assert parts == [str(each) for each in other] or field == ""
    for part in parts:
        others = str(part).split(separators.component)
        assert [component(part, n, separators) for n in range(1, len(others) + 2)] == [*others, ""]
    if field:
        first = other[0]
        first_component = str(first[0]) if isinstance(first, hl7.Repetition) else str(first)
        assert component(field, 1, separators) == first_component


@pytest.mark.skipif(not FILES, reason="samples are not here")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_T43_real_messages_are_taken_apart_as_the_library_does(path: Path) -> None:
    text = path.read_bytes().decode().replace("\r\n", "\r").replace("\n", "\r")
    found = ours(text)
    for message, other in zip(found, theirs(text), strict=True):
        _agree(message, other)
        for segment in message.segments[1:]:
            for field in segment.fields:
                assert unescape(field, message.separators) == other.unescape(field)


@given(messages())
def test_T43_made_messages_are_taken_apart_as_the_library_does(made: tuple[Separators, str]) -> None:
    separators, text = made
    (message,) = ours(text)
    (other,) = theirs(text)
    assert message.separators == separators
    _agree(message, other)


ESCAPES = st.sampled_from(["F", "S", "T", "R", "E", ".fi", ".nf", "X41", "X4A4b", "X7e"])


@given(
    separators=SEPARATORS,
    parts=st.lists(
        st.one_of(ESCAPES.map(lambda code: (code, True)), st.text(LETTERS).map(lambda text: (text, False)))
    ),
)
def test_T43_texts_are_unescaped_as_the_library_does(
    separators: Separators, parts: list[tuple[str, bool]]
) -> None:
    sign = separators.escape
    sent = [(text, is_code) for text, is_code in parts if sign not in text]
    escaped = "".join(f"{sign}{text}{sign}" if is_code else text for text, is_code in sent)
    other = hl7.parse(f"MSH{''.join(separators)}{separators.field}x")
    assert unescape(escaped, separators) == other.unescape(escaped)


@pytest.mark.parametrize(
    ("escaped", "text", "other_text"),
    [
        (r"\H\a\N\ ", "a ", "_a_ "),
        (r"a\.br\b", "a\nb", "a\rb"),
        (r"C:\dir\x", r"C:\dir\x", "C:x"),
        (r"a\b", r"a\b", "a"),
        (r"\XC3A9\ ", "é ", "Ã© "),
        (r"\Zab\ ", " ", " "),
        (r"\C2842\ ", " ", " "),
    ],
)
def test_T43_where_texts_differ_from_the_library_it_is_on_purpose(
    escaped: str, text: str, other_text: str
) -> None:
    assert unescape(escaped, USUAL) == text
    assert hl7.parse(r"MSH|^~\&|x").unescape(escaped) == other_text


def test_T63_a_broken_line_is_kept_apart_where_the_library_makes_a_segment_of_it() -> None:
    text = "MSH|^~\\&|x\rOBX|1|a\rbroken|b"
    (message,), (other,) = ours(text), theirs(text)
    assert (message.segments[2].name, message.segments[2].fields) == ("", ["broken|b"])
    assert str(other[2]) == "broken|b"


def test_T63_files_are_split_into_the_messages_of_the_library() -> None:
    text = "FHS|^~\\&|x\rBHS|^~\\&|x\rMSH|^~\\&|a\rPID|1\rMSH|^~\\&|b\rPID|2\rBTS|2\rFTS|1\r"
    parsed = hl7.parse_file(text)
    in_batches = [message for batch in parsed for message in batch]
    for message, other in zip(ours(text), in_batches, strict=True):
        _agree(message, other)
