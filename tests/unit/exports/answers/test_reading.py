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
)
from partner_exchange.exports.answers.table import Table, TableBroken, table_of
from partner_exchange.ledger.delivery_answers import Verdict

ACCEPTED, REFUSED, UNREADABLE = Verdict.ACCEPTED, Verdict.REFUSED, Verdict.UNREADABLE


_BROKEN_TABLE = "It begins like a table, but cannot be read as one."


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
        # A short row hides no column, a line before the header no header, a mark of quotation no row.
        ("Org ID,Status\n12345\n12346,Error\n", REFUSED, "Error"),
        ("Org ID,Status\n12345\n12346,ok\n", UNREADABLE, "A row has no status."),
        ("Result of loading\n\nOrg ID,Status\n12345,Error\n", REFUSED, "Error"),
        ("Rejected: 1 of 2\nrow,status\n1,ok\n", REFUSED, "Rejected: 1 of 2"),
        ('status,message\nok,"\nerror,x\n', UNREADABLE, _BROKEN_TABLE),
        ("status,message\nerror," + "x" * 140_000, UNREADABLE, _BROKEN_TABLE),
        ("status,status\nerror,ok\n", UNREADABLE, _BROKEN_TABLE),
        # JSON, from outside in.
        ('[{"status": "ok"}, {"status": "error"}]', REFUSED, "error"),
        ('[{"status": "ok"}, {"result": {"Status": "ok"}}]', ACCEPTED, "ok"),
        ('[{"status": "ok"}, {"row": 2}]', UNREADABLE, "A part of the list has no status."),
        ('["ok", "error"]', UNREADABLE, "A part of the list has no status."),
        ("[]", UNREADABLE, "A part of the list has no status."),
        ('[{"status": "ok"}', UNREADABLE, "It begins like JSON, but is none."),
        ('{"result": [{"status": "error"}]}', REFUSED, "error"),
        ('{"message": "thanks", "job": {"status": "archived"}}', ACCEPTED, "thanks"),
        ('{"accepted": false}', REFUSED, "accepted: false"),
        ('{"Accepted": "No", "message": "late"}', REFUSED, "late"),
        ('{"rejected": true}', REFUSED, "rejected: true"),
        ('{"valid": false, "received": true}', REFUSED, "valid: false"),
        ('{"accepted": true, "error": false}', ACCEPTED, "accepted: true"),
        # Words of refusal that do not come first.
        ("10 rows rejected", REFUSED, "10 rows rejected"),
        ("0 rows accepted, 10 rejected", REFUSED, "0 rows accepted, 10 rejected"),
        ("Loading failed", REFUSED, "Loading failed"),
        ("[2026-11-20] Loading failed", REFUSED, "[2026-11-20] Loading failed"),
        ("Your file could not be loaded", REFUSED, "Your file could not be loaded"),
        ("accepted: false", REFUSED, "accepted: false"),
        ("12 rows, 0 rejected", ACCEPTED, "12 rows, 0 rejected"),
        ("Thanks. Do not reply to this message.", ACCEPTED, "Thanks. Do not reply to this message."),
        ("Loaded without error", ACCEPTED, "Loaded without error"),
        ("Thanks.\n3 rows were not new", ACCEPTED, "Thanks. 3 rows were not new"),
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
    assert table_of('Of, 21 November\nOrg ID;Status;Message\n1;"a;b";c,d;e\n\n2\n') == Table(
        front="Of, 21 November",
        columns=("orgid", "status", "message"),
        rows=[
            {"orgid": "1", "status": "a;b", "message": "c,d"},
            {"orgid": "2", "status": "", "message": ""},
        ],
    )
    assert table_of("") is None
    assert table_of('a,b\n"' + "x" * 200_000) is None
    assert table_of("\n" * 10 + "status\nok") is None
    with pytest.raises(TableBroken):
        table_of('status\n"' + "x" * 200_000)


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
