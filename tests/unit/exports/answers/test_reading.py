"""What an answer file says, whatever a partner writes (X11)."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partner_exchange.exports.answers.reading import (
    COMMENT_CHARACTERS,
    Reading,
    one_line,
    read_answer,
    table_of,
)
from partner_exchange.ledger.delivery_answers import Verdict

ACCEPTED, REFUSED, UNREADABLE = Verdict.ACCEPTED, Verdict.REFUSED, Verdict.UNREADABLE


@pytest.mark.parametrize("content", [b"", b" \r\n\t", b"\xef\xbb\xbf", b"\xff\xfe"])
@pytest.mark.parametrize("is_accepted", [True, False])
def test_X11_an_empty_answer_says_what_its_name_says(content: bytes, is_accepted: bool) -> None:
    assert read_answer(content, is_accepted=is_accepted) == Reading(ACCEPTED if is_accepted else REFUSED)


@pytest.mark.parametrize(
    ("content", "verdict", "comment"),
    [
        ('{"status": "accepted"}', ACCEPTED, "accepted"),
        ('{"Status": "OK", "Message": "all 12 rows"}', ACCEPTED, "all 12 rows"),
        ('{"outcome": "rejected", "comment": "wrong layout"}', REFUSED, "wrong layout"),
        ('{"status": "Not accepted"}', REFUSED, "Not accepted"),
        ('{"status": "error", "message": null}', REFUSED, "error"),
        ('{"message": "thanks"}', ACCEPTED, "thanks"),
        ("{}", ACCEPTED, ""),
        ('{"status": "maybe"}', UNREADABLE, "maybe"),
        ('{"status": true}', UNREADABLE, "True"),
        ('{"status": ["accepted"]', UNREADABLE, "It begins like JSON, but is none."),
        ("{" * 100_000, UNREADABLE, "It begins like JSON, but is none."),
        ("status,message\r\naccepted,thanks\r\n", ACCEPTED, "thanks"),
        ("row;Status;Comment\n1;ok;fine\n2;Rejected;no such student\n", REFUSED, "no such student"),
        ("Status|Message\nwhatever|x\n", UNREADABLE, "x"),
        ("status,message\n", ACCEPTED, "status,message"),
        ("REJECTED: column 3", REFUSED, "REJECTED: column 3"),
        ("Status: failed\nsecond line", REFUSED, "Status: failed second line"),
        ("ok", ACCEPTED, "ok"),
        ("No errors.", ACCEPTED, "No errors."),
        ("Thank you!", ACCEPTED, "Thank you!"),
        ("12 rows", ACCEPTED, "12 rows"),
    ],
)
def test_X11_a_confirmation_with_words(content: str, verdict: Verdict, comment: str) -> None:
    assert read_answer(content.encode(), is_accepted=True) == Reading(verdict, comment)


@pytest.mark.parametrize("content", ["", "ok", '{"status": "accepted"}', "Status,Message\nok,fine", "why?"])
def test_X11_refused_wins_where_the_name_says_it(content: str) -> None:
    assert read_answer(content.encode(), is_accepted=False).verdict is REFUSED


@pytest.mark.parametrize("content", ['{"status": "maybe"}', "{", "\x00"])
def test_X11_what_nobody_can_read_is_no_refusal_either(content: str) -> None:
    assert read_answer(content.encode(), is_accepted=False).verdict is UNREADABLE


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_X11_answers_come_in_the_encodings_of_partners_programs(encoding: str) -> None:
    reading = read_answer("Rejected: Müller".encode(encoding), is_accepted=True)
    assert reading == Reading(REFUSED, "Rejected: Müller")


def test_X11_a_comment_is_one_short_printable_line() -> None:
    assert one_line("a\r\n\tb\u202ec\u200b\x7f\ud800 d") == "a bc d"
    long = one_line("x" * 501)
    assert (len(long), long[-1]) == (COMMENT_CHARACTERS, "…")
    assert one_line("x" * 500) == "x" * 500


def test_X11_a_csv_is_read_by_the_delimiter_of_its_header() -> None:
    assert table_of('Org ID;Status;Message\n1;"a;b";c,d\n\n2\n') == [
        {"orgid": "1", "status": "a;b", "message": "c,d"},
        {"orgid": "2"},
    ]
    assert table_of("") is None
    assert table_of('a,b\n"' + "x" * 200_000) is None


@given(st.binary(), st.booleans())
def test_X11_no_bytes_break_the_reader(content: bytes, is_accepted: bool) -> None:
    _require_sound(read_answer(content, is_accepted=is_accepted))


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(
    st.dictionaries(st.sampled_from(["status", "outcome", "message", "comment", "x"]), _JSON), st.booleans()
)
def test_X11_no_json_breaks_the_reader(facts: dict[str, object], is_accepted: bool) -> None:
    _require_sound(read_answer(json.dumps(facts).encode(), is_accepted=is_accepted))


@given(st.lists(st.text()), st.sampled_from(",;\t|"))
def test_X11_no_table_breaks_the_reader(cells: list[str], delimiter: str) -> None:
    text = f"status{delimiter}message\n{delimiter.join(cells)}"
    _require_sound(read_answer(text.encode(errors="surrogatepass"), is_accepted=True))


def _require_sound(reading: Reading) -> None:
    assert reading.verdict in Verdict
    assert len(reading.comment) <= COMMENT_CHARACTERS
    assert reading.comment == "" or reading.comment.isprintable()
    # PostgreSQL takes it.
    reading.comment.encode()
