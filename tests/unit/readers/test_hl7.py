"""Messages of an HL7 file, whole, damaged and too many (T43, T63)."""

from __future__ import annotations

import tracemalloc

import pytest

from partner_exchange.readers.hl7 import Segment, Stream, read_stream
from partner_exchange.readers.hl7_syntax import USUAL, Separators
from partner_exchange.readers.marks import Refusal
from partner_exchange.validation.catalogue import CATALOGUE
from partner_exchange.validation.codes import vxu_file
from partner_exchange.validation.entry import Scope


def stream(text: str) -> Stream:
    result = read_stream(text.encode(), max_messages=1_000_000)
    assert isinstance(result, Stream)
    return result


def test_T43_segments_hold_raw_fields_by_their_number() -> None:
    (message,) = stream("MSH|^~\\&|A\\T\\B|C\rPID|1||7^^^X~8").messages
    assert (message.number, message.line, message.separators, message.faults) == (1, 1, USUAL, ())
    assert message.segments == (
        Segment("MSH", 1, ["MSH", "|", "^~\\&", "A\\T\\B", "C"]),
        Segment("PID", 2, ["PID", "1", "", "7^^^X~8"]),
    )


def test_T43_each_message_has_its_own_separators() -> None:
    first, second, third = stream("MSH#*!%$#A\rPID#1*2\rMSH|^~\\&|B\rPID#1\rMSH|^~\\&#|C\rPID|1").messages
    assert first.separators == Separators("#", "*", "!", "%", "$")
    assert first.faults == ("separators-unusual",)
    assert first.segments[1].fields == ["PID", "1*2"]
    assert (second.separators, second.faults, second.segments[1].name) == (USUAL, (), "")
    assert (third.separators, third.faults) == (USUAL, ())


@pytest.mark.parametrize("header", ["MSH", "MSH|", "MSH|^", "MSH|^^^^|A", "MSHA", "MSH ", "MSHabcdefgh"])
def test_T43_a_header_without_usable_separators_is_a_message_all_the_same(header: str) -> None:
    (message,) = stream(f"{header}\rPID|1|2").messages
    assert (message.separators, message.faults) == (USUAL, ("message-separators",))
    assert message.segments[0].name == "MSH"
    assert message.segments[1] == Segment("PID", 2, ["PID", "1", "2"])


@pytest.mark.parametrize(
    "line", ["continued text", "pid|1", "PI|1", "PIDX|1", "1ID|1", "PÏD|1", "|PID|1", "PID^1", "P"]
)
def test_T63_a_line_that_is_no_segment_is_kept_apart(line: str) -> None:
    (message,) = stream(f"MSH|^~\\&|A\r{line}\rOBX|1").messages
    assert message.segments[1:] == (Segment("", 2, [line]), Segment("OBX", 3, ["OBX", "1"]))


@pytest.mark.parametrize("line", ["PID", "PID|", "ZAB|1", "ZZ1|x", "NTE|1", "TQ1|1", "QPD|x"])
def test_T63_unknown_and_empty_segments_are_segments(line: str) -> None:
    (message,) = stream(f"MSH|^~\\&|A\r{line}").messages
    assert message.segments[1].name == line[:3]


def test_T02_messages_of_other_types_are_handed_over_too() -> None:
    found = stream("MSH|^~\\&|||||||ADT^A04\rMSH|^~\\&|||||||QBP^Q11\rMSH|^~\\&").messages
    assert [message.segments[0].fields[9:] for message in found] == [["ADT^A04"], ["QBP^Q11"], []]


def test_T63_too_many_messages_are_refused_and_counted() -> None:
    content = b"MSH|^~\\&|A\r" * 7
    assert read_stream(content, max_messages=3) == Refusal(
        "hl7-too-many-messages", {"count": 7, "limit": 3, "files": 3}, rows_total=7
    )
    assert isinstance(read_stream(content, max_messages=7), Stream)


def test_T63_pieces_are_all_messages_once_in_order() -> None:
    read = stream("".join(f"MSH|^~\\&|{at}\r" for at in range(10)))
    assert [len(piece) for piece in read.pieces(4)] == [4, 4, 2]
    assert [message.number for piece in read.pieces(4) for message in piece] == list(range(1, 11))
    assert read.rows_total == len(read.messages) == 10
    assert read.messages[-1] == read.messages[9] == list(read.messages)[9]
    assert list(read.messages[3:5]) == [read.messages[3], read.messages[4]]
    assert read.messages[3:5][-1] == read.messages[4]
    with pytest.raises(IndexError):
        read.messages[10]


def test_T63_a_large_file_is_not_kept_as_objects() -> None:
    content = b"MSH|^~\\&|A\r" + b"OBX|1|CE|64994-7^Eligibility^LN|1|V02^Medicaid^HL70064||||||F\r" * 20
    content *= 5_000
    tracemalloc.start()
    read = read_stream(content, max_messages=5_000)
    assert isinstance(read, Stream)
    for _ in read.pieces(100):
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < len(content)


def test_T43_every_code_of_files_says_what_to_do_and_formats() -> None:
    names = ("count", "line", "declared", "found", "segment", "limit", "files", "size", "kind", "example")
    facts: dict[str, str | int] = dict.fromkeys(names, 1)
    for entry in vxu_file.ENTRIES:
        assert CATALOGUE[entry.code] is entry
        assert entry.next_step.endswith(".")
        assert "{" not in entry.sentence(facts) + entry.general
        assert entry.scope is not Scope.REFUSAL or not entry.hl7_error


@pytest.mark.parametrize("fault", ["message-separators", "separators-unusual", "charset-differs"])
def test_T43_faults_of_messages_are_in_the_catalogue(fault: str) -> None:
    assert fault in CATALOGUE
