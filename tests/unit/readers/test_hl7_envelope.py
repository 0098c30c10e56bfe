"""FHS, BHS, BTS and FTS around messages, and what of them may be missing or wrong (T63)."""

from __future__ import annotations

import pytest

from partner_exchange.readers.hl7 import Stream, read_stream
from partner_exchange.readers.hl7_envelope import open_envelope

SAMPLE = {"F": "FHS|^~\\&|A", "B": "BHS|^~\\&|A", "M": "MSH|^~\\&|A\rPID|1"}


def read(*lines: str) -> Stream:
    """Read lines, of which F, B and M stand for FHS, BHS and a message of two lines; b and f for trailers."""
    content = "\r".join(SAMPLE.get(line, line) for line in lines)
    result = read_stream(content.encode(), max_messages=100)
    assert isinstance(result, Stream)
    return result


def said(*lines: str) -> list[tuple[str, dict[str, str | int]]]:
    return [(mark.code, dict(mark.facts)) for mark in read(*lines).marks]


def codes(*lines: str) -> list[str]:
    return [code for code, _ in said(*lines)]


@pytest.mark.parametrize(
    "lines",
    [
        ("M",),
        ("M", "M"),
        ("B", "M", "BTS|1"),
        ("B", "M", "BTS"),
        ("B", "M", "BTS|"),
        ("B", "M", 'BTS|""|all of them'),
        ("B", "M", "BTS| 1 "),
        ("B", "M", "BTS|01"),
        ("B", "BTS|0", "B", "M", "M", "BTS|2"),
        ("F", "B", "M", "BTS|1", "FTS|1"),
        ("F", "B", "M", "BTS|1", "B", "M", "BTS|1", "FTS|2"),
        ("F", "M", "M", "FTS"),
        ("F", "M", "M", "FTS|1"),
        ("F", "M", "M", "FTS|0"),
        ("F", "B", "M", "BTS", "M", "FTS|1"),
        ("F", "B", "M", "BTS#1", "FTS#1"),
        ("", "F", "", "B", "", "M", "", "BTS|1", "", "FTS|1", ""),
    ],
)
def test_T63_a_right_envelope_says_nothing(lines: tuple[str, ...]) -> None:
    assert said(*lines) == []


def test_T63_counts_of_the_trailers_are_kept_beside_what_is_found() -> None:
    whole = read("F", "B", "M", "M", "BTS|2", "B", "M", "BTS|1", "FTS|2")
    assert (whole.rows_total, whole.declared_messages, whole.declared_batches, whole.found_batches) == (
        3,
        3,
        2,
        2,
    )
    partly = read("F", "B", "M", "M", "BTS|2", "B", "M", "BTS", "FTS")
    assert (partly.declared_messages, partly.declared_batches, partly.found_batches) == (None, None, 2)
    bare = read("M", "M")
    assert (bare.declared_messages, bare.declared_batches, bare.found_batches) == (None, None, 0)


def test_T63_a_wrong_count_is_told_with_both_numbers() -> None:
    lines = ("F", "B", "M", "BTS|3", "B", "M", "M", "BTS|1", "B", "BTS|0", "FTS|7")
    assert said(*lines) == [
        ("batch-count-differs", {"declared": 3, "found": 1, "line": 5, "count": 2}),
        ("file-count-differs", {"declared": 7, "found": 3, "line": 14, "count": 1}),
    ]
    assert read(*lines).declared_messages == 4


@pytest.mark.parametrize("count", ["one", "-1", "1.0", "1^2", "1~2", "9" * 8, "9" * 5000, "١", "\xe9"])
def test_T63_a_count_that_is_none_is_told_without_it(count: str) -> None:
    assert said("F", "B", "M", f"BTS|{count}", f"FTS|{count}") == [
        ("batch-count-unreadable", {"line": 5, "count": 1}),
        ("file-count-unreadable", {"line": 6, "count": 1}),
    ]


def test_T63_missing_trailers_are_told_and_the_messages_taken() -> None:
    assert said("F", "B", "M") == [
        ("batch-trailer-missing", {"line": 2, "count": 1}),
        ("file-trailer-missing", {"line": 1, "count": 1}),
    ]
    assert said("F", "B", "M", "FTS|1") == [("batch-trailer-missing", {"line": 2, "count": 1})]
    assert said("F", "B", "M", "BTS|1") == [("file-trailer-missing", {"line": 1, "count": 1})]
    assert said("B", "M", "B", "M", "B", "M") == [("batch-trailer-missing", {"line": 1, "count": 3})]
    assert read("B", "M", "B", "M").found_batches == 2


@pytest.mark.parametrize(
    ("lines", "segment", "line"),
    [
        (("M", "BTS|1"), "BTS", 3),
        (("B", "M", "BTS|1", "BTS|0"), "BTS", 5),
        (("M", "FTS|1"), "FTS", 3),
        (("B", "M", "BTS|1", "FTS|1"), "FTS", 5),
        (("M", "F", "FTS"), "FHS", 3),
        (("F", "M", "FTS", "M"), "MSH", 5),
        (("F", "M", "FTS", "B", "M", "BTS"), "BHS", 5),
        (("F", "M", "FTS", "F", "M", "FTS"), "FHS", 5),
    ],
)
def test_T63_an_envelope_out_of_order_is_told(lines: tuple[str, ...], segment: str, line: int) -> None:
    code, facts = said(*lines)[0]
    assert (code, facts["segment"], facts["line"]) == ("envelope-out-of-order", segment, line)
    assert read(*lines).rows_total == lines.count("M")


def test_T63_files_joined_to_one_count_their_own_batches() -> None:
    whole = ("F", "B", "M", "BTS|1", "FTS|1")
    assert codes(*whole, *whole, *whole) == ["envelope-out-of-order"]
    assert read(*whole, *whole).declared_batches == 2


def test_T63_other_separators_of_the_envelope_are_told() -> None:
    assert said("FHS#^~\\&#A", "BHS|*~\\&|A", "M", "BTS|1", "FTS#1") == [
        ("envelope-separators", {"segment": "FHS", "line": 1, "count": 2})
    ]
    assert codes("FHS", "M", "FTS") == ["envelope-separators"]


def test_T63_text_outside_of_messages_is_told_and_left_out() -> None:
    lines = ("Dear all,", "", "please load:", "F", "NTE|1", "B", "M", "BTS|1", "PID|2", "  ", "FTS|1", "bye")
    assert said(*lines) == [("text-outside-messages", {"line": 1, "count": 5})]
    (message,) = read(*lines).messages
    assert [segment.name for segment in message.segments] == ["MSH", "PID"]
    assert said("", "", "lost", "M") == [("text-outside-messages", {"line": 3, "count": 1})]


def test_T63_words_that_begin_like_an_envelope_are_text_of_their_message() -> None:
    (message,) = read("M", "BTSX|1", "FHSQ").messages
    assert [segment.name for segment in message.segments] == ["MSH", "PID", "", ""]


def test_T63_an_envelope_of_any_size_costs_one_mark_per_code() -> None:
    envelope = open_envelope(b"BHS|x\rtext\rMSH\r" * 50_000)
    assert len(envelope.starts) == 50_000
    assert {mark.code: mark.facts["count"] for mark in envelope.marks} == {
        "envelope-separators": 50_000,
        "batch-trailer-missing": 50_000,
        "text-outside-messages": 50_000,
    }
