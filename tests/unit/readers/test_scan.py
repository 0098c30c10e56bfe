"""The scan is linear, and says the same as the csv module about sound files."""

from __future__ import annotations

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from partner_exchange.readers.scan import count_records, scan

CELL = st.text(st.sampled_from('a,"\n\r é='), max_size=6)


def _rows(content: bytes) -> list[int]:
    found = scan(content, 0, first_row=1, width=3)
    spans = zip(found.span_rows, found.span_counts, strict=True)
    sound = [row + at for row, count in spans for at in range(count)]
    return sorted([*sound, *found.fault_rows, *found.blank_rows])


@given(st.lists(st.lists(CELL, min_size=3, max_size=3), max_size=8), st.sampled_from(["\n", "\r\n"]))
def test_M07_every_sound_record_is_kept_whatever_its_cells(rows: list[list[str]], newline: str) -> None:
    out = io.StringIO()
    csv.writer(out, lineterminator=newline, quoting=csv.QUOTE_ALL).writerows(rows)
    content = out.getvalue().encode()

    found = scan(content, 0, first_row=1, width=3)

    assert not found.blank_rows
    assert found.sound_count == len(rows)
    assert count_records(content, 0, len(content)) == len(rows)


@given(st.text(st.sampled_from('a,"\n\r '), max_size=60))
def test_M07_any_text_is_accounted_for_byte_by_byte(content: str) -> None:
    data = content.encode()
    found = scan(data, 0, first_row=1, width=3)

    taken = [
        *zip(found.span_starts, found.span_ends, strict=True),
        *zip(found.fault_starts, found.fault_ends, strict=True),
    ]
    left = bytearray(data)
    for start, end in taken:
        left[start:end] = b"\n" * (end - start)
    assert not left.strip(b" \r\n\t"), "only line ends and blank lines may be in no record"
    rows = _rows(data)
    assert rows == list(range(1, len(rows) + 1)), "row numbers have no gap and no repetition"


def test_M07_no_quoting_makes_the_scan_slow() -> None:
    """Each of these has quotes that look ahead; were one quadratic, this test would run into its limit."""
    count = 50_000
    for line in (
        '"a\n',
        'a"\n',
        '"""a\n',
        '"",""\n',
        '""","""\n',
        '"a,b\n"c"d\n',
        '"\n',
        '""x\n',
        ',",\n',
        '" ""\n',
    ):
        content = line.encode() * count
        found = scan(content, 0, first_row=1, width=9)
        assert found.record_count > 0
