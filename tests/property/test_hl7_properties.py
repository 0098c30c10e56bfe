"""No bytes make the HL7 reader raise, each MSH is a message, what was escaped comes back (T43, T63, X15)."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partner_exchange.feeds.vxu.flatten import flatten
from partner_exchange.feeds.vxu.tables import Flat
from partner_exchange.readers.hl7 import Stream, read_stream
from partner_exchange.readers.hl7_syntax import USUAL, Separators, unescape
from partner_exchange.readers.marks import Refusal
from partner_exchange.validation.catalogue import CATALOGUE

pytestmark = pytest.mark.slow

_SEGMENTS = [
    b"MSH|^~\\&|A|B", b"MSH#*!%$#A", b"MSH", b"MSH|", b"MSH^^^^^", b"FHS|^~\\&|", b"BHS|^~\\&|", b"BHS",
    b"BTS|1", b"BTS|x", b"FTS|1", b"FTS", b"PID|1||7^^^A^MR~8||Doe^Jane", b"PD1|", b"NK1|1|Doe^M|MTH",
    b"ORC|RE||1", b"RXA|0|1|20260101||21^V^CVX", b"RXR|A", b"OBX|1|CE|x^y|1|z", b"NTE|1", b"ZAB|1", b"text",
    b"PID",
]  # fmt: skip
_ENDS = [b"\r", b"\n", b"\r\n", b"\r", b"\r", b"\n"]
_FRAMING = [b"\x0b", b"\x1c", b"\x0c", b"\0", b"\x1a", b"\xef\xbb\xbf"]
_SIGNS = [
    b"\xe9", b"\xff\xfe", "é".encode(), b"\\F\\", b"\\X00\\", b"\\", b"|", b"^", b"~", b"&", b'""',
    b" ", b"\t",
]  # fmt: skip
PIECES = st.sampled_from([*_SEGMENTS, *_ENDS, *_FRAMING, *_SIGNS])
PLAIN_PIECES = st.sampled_from([*_SEGMENTS, *_ENDS, b"|", b"^", b" ", b"\t"])
MADE = st.lists(PIECES, max_size=60).map(b"".join)
STARTS = re.compile(rb"(?:\A|[\r\n])[ \t]*MSH")


def _read(content: bytes) -> Stream | None:
    result = read_stream(content, max_messages=50)
    if isinstance(result, Refusal):
        CATALOGUE[result.code].sentence(result.facts)
        return None
    for mark in result.marks:
        CATALOGUE[mark.code].sentence(mark.facts)
    return result


def _judge(stream: Stream) -> Flat:
    """Look whether all segments of a stream are in its tables or its issues, once."""
    messages = [message for piece in stream.pieces(7) for message in piece]
    assert [message.number for message in messages] == list(range(1, stream.rows_total + 1))
    flat = flatten(messages)
    assert len(flat.messages) == len(flat.patients) == stream.rows_total
    told = flat.issues["code"].isin(["patient-repeated", "segment-repeated", "segment-out-of-order"])
    for name, taken in _taken(flat).items():
        there = sum(segment.name == name for message in messages for segment in message.segments)
        assert there == taken + int((told & (flat.issues["segment"] == name)).sum())
    strays = sum(not segment.name for message in messages for segment in message.segments)
    assert strays == int((flat.issues["code"] == "line-not-a-segment").sum())
    for frame in (flat.messages, flat.patients, flat.doses, flat.observations, flat.identifiers):
        assert not frame.isna().any().any()
    assert set(flat.issues["code"]) <= set(CATALOGUE)
    return flat


def _taken(flat: Flat) -> dict[str, int]:
    doses = flat.doses
    return {
        "PID": int((flat.patients["line"] > 0).sum()),
        "NK1": len(flat.relatives),
        "ORC": int((doses["orc"] > 0).sum()),
        "RXA": int((doses["rxa"] > 0).sum()),
        "OBX": len(flat.observations),
    }


@given(st.binary(max_size=2_000))
def test_X15_no_bytes_make_the_reader_raise(content: bytes) -> None:
    stream = _read(content)
    assert stream is None or _judge(stream)


@given(MADE)
def test_X15_no_pieces_of_messages_make_reader_or_tables_raise(content: bytes) -> None:
    stream = _read(content)
    assert stream is None or _judge(stream)


@given(st.lists(PLAIN_PIECES, max_size=60))
def test_T63_every_line_that_begins_with_msh_is_a_message(pieces: list[bytes]) -> None:
    content = b"MSH|^~\\&|first\r" + b"".join(pieces)
    result = read_stream(content, max_messages=1_000)
    assert isinstance(result, Stream)
    assert result.rows_total == len(STARTS.findall(content))


@pytest.mark.parametrize("seed", range(20))
def test_X15_mutated_messages_are_read_and_accounted_for(seed: int) -> None:
    rng = random.Random(seed)
    whole = b"\r".join(
        [
            b"FHS|^~\\&|A", b"BHS|^~\\&|A",
            *(b"MSH|^~\\&|A|B|||20260101||VXU^V04^VXU_V04|%d|P|2.5.1\rPID|1||%d^^^A^MR||Doe^J\rPD1|||||||||||02\r"
              b"NK1|1|Doe^M|MTH\rORC|RE||%d\rRXA|0|1|20260101||21^V^CVX\rRXR|IM|LA\rOBX|1|CE|64994-7|1|V02"
              % (at, at, at) for at in range(20)),
            b"BTS|20", b"FTS|1", b"",
        ]
    )  # fmt: skip
    for _ in range(25):
        content = bytearray(whole)
        for _ in range(rng.randint(1, 8)):
            start = rng.randrange(len(content))
            end = min(len(content), start + rng.randint(1, 400))
            mutation = rng.randrange(4)
            if mutation == 0:
                del content[start:end]
            elif mutation == 1:
                content[start:start] = content[start:end]
            elif mutation == 2:
                content[start:end] = content[start:end][::-1]
            else:
                content[start] = rng.randrange(256)
        stream = _read(bytes(content))
        assert stream is None or _judge(stream)


def _escaped(text: str, separators: Separators) -> str:
    codes: dict[str, Any] = dict(zip(separators, "FSRET", strict=True))
    codes |= {"\r": "X0D", "\n": "X0A", "\0": "X00"}
    sign = separators.escape
    return "".join(f"{sign}{codes[each]}{sign}" if each in codes else each for each in text)


@given(
    st.text(),
    st.sampled_from([USUAL, Separators("#", "*", "!", "%", "$"), Separators("^", "|", "\\", "~", "&")]),
)
def test_T63_what_was_escaped_comes_back(text: str, separators: Separators) -> None:
    escaped = _escaped(text, separators)
    assert not set(escaped) & {separators.field, separators.component, separators.repetition, "\r", "\n"}
    assert unescape(escaped, separators) == text.replace("\0", "")


@given(st.text(st.sampled_from("\\FSX0AZH.br^|1 "), max_size=30))
def test_T63_what_is_no_escape_sequence_loses_nothing(text: str) -> None:
    if not re.search(r"\\(?:[FSTREHN]|X(?:[0-9A-F]{2})+|\.\w+|[ZCM][^\\]*)\\", text):
        assert unescape(text, USUAL) == text
