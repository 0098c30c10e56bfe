"""Acknowledgements: one ACK of profile Z23 per message, and every finding in it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import hl7
import numpy as np
import pandas as pd
import pytest

from partner_exchange.feeds.vxu.acknowledge import (
    HL70357,
    HL70533,
    LONGEST_TEXT,
    acknowledgements,
    escaped,
    user_text,
)
from partner_exchange.readers.hl7 import Stream, read_stream
from partner_exchange.readers.hl7_syntax import unescape
from partner_exchange.readers.marks import Mark
from partner_exchange.validation.catalogue import CATALOGUE
from partner_exchange.validation.codes import vxu, vxu_file, vxu_store
from partner_exchange.validation.entry import Entry, Scope
from partner_exchange.validation.findings import Severity
from partner_exchange.validation.wording import severity_of
from support.vxu_answers import a_clinic, a_loaded_submission, headers, issues

CODES = [
    entry.code
    for entry in (*vxu_file.ENTRIES, *vxu.ENTRIES, *vxu_store.ENTRIES)
    if entry.scope in (Scope.ROW, Scope.CELL)
]
"""Codes about messages; those of the file are left out."""
MISSING = {"segment": "PID", "field": 5, "repetition": 1, "component": 1, "code": "required-missing"}


def lines(messages: pd.DataFrame, found: pd.DataFrame | None = None) -> list[str]:
    """The segments of the batch."""
    content = acknowledgements(
        messages,
        issues() if found is None else found,
        tenant=a_clinic(),
        submission=a_loaded_submission(),
    )
    return content.decode().removesuffix("\r").split("\r")


def answers(messages: pd.DataFrame, found: pd.DataFrame) -> list[tuple[str, str, list[list[str]]]]:
    """Of each ACK its MSA-1, its MSA-2 and the fields of its ERR segments."""
    told: list[tuple[str, str, list[list[str]]]] = []
    for line in lines(messages, found)[2:-2]:
        name, *fields = line.split("|")
        if name == "MSA":
            told.append((fields[0], fields[1], []))
        elif name == "ERR":
            told[-1][2].append(["ERR", *fields])
    return told


def test_T50_a_message_without_findings_is_accepted_in_an_envelope() -> None:
    assert lines(headers({})) == [
        r"FHS|^~\&||PARTNER-EXCHANGE||AAA-SSL|20261121014712-0600||AAA-SSL26325.ack.hl7"
        "||01KAJ4X7M0Z8V3T9QH2RC5WNYE|AAA-SSL26325.hl7",
        r"BHS|^~\&||PARTNER-EXCHANGE||AAA-SSL|20261121014712-0600||AAA-SSL26325.ack.hl7"
        "||01KAJ4X7M0Z8V3T9QH2RC5WNYE|AAA-SSL26325.hl7",
        r"MSH|^~\&|REG|STATE|EHR|CLINIC|20261121014712-0600||ACK^V04^ACK|01KAJ4X7M0Z8V3T9QH2RC5WNYE-1|P|2.5.1"
        "|||NE|NE|||||Z23^CDCPHINVS",
        "MSA|AA|C-1",
        "BTS|1",
        "FTS|1",
    ]


def test_T50_a_finding_tells_place_codes_severity_and_what_to_do() -> None:
    found = issues({**MISSING, "line": 2})

    ((code, control_id, (error,)),) = answers(headers({"is_rejected": True}), found)

    entry = CATALOGUE["required-missing"]
    assert (code, control_id) == ("AE", "C-1")
    assert error == [
        "ERR",
        "",
        "PID^1^5^1^1",
        "101^Required field missing^HL70357",
        "E",
        "7^Required data missing^HL70533",
        "",
        "",
        escaped(f"{entry.message} {entry.next_step}"),
    ]


def test_T50_a_lowered_error_is_a_warning_and_the_message_accepted() -> None:
    found = issues({"segment": "PID", "field": 8, "code": "required-missing", "is_warning": True})

    ((code, _, (error,)),) = answers(headers({}), found)

    assert (code, error[4]) == ("AA", "W")


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (["message-type-unsupported"], "AR"),
        (["query-not-answered"], "AR"),
        (["event-unsupported"], "AR"),
        (["processing-id-unsupported"], "AR"),
        (["processing-id-not-production"], "AR"),
        (["version-unsupported"], "AR"),
        (["required-missing", "version-unsupported", "message-rejected"], "AR"),
        (["control-id-repeated"], "AE"),
        (["control-id-missing", "message-rejected"], "AE"),
        (["dose-rejected"], "AE"),
        (["message-structure"], "AA"),
        (["looks-historical"], "AA"),
    ],
)
def test_T43_only_what_could_never_be_read_is_a_reject(codes: list[str], expected: str) -> None:
    lowered = {"message-structure"}
    found = issues(*({"code": code, "is_warning": code in lowered} for code in codes))

    ((code, _, errors),) = answers(headers({"is_rejected": expected == "AR"}), found)

    assert (code, len(errors)) == (expected, len(set(codes) - {"message-rejected"}))


@pytest.mark.parametrize(
    ("place", "code", "told"),
    [
        ({"segment": "MSH"}, "message-rejected", []),
        ({"segment": "PID"}, "message-rejected", ["PID^1"]),
        ({"segment": "RXA"}, "message-rejected", ["RXA^1"]),
        ({"segment": "RXA", "sequence": 2}, "dose-rejected", ["RXA^2"]),
    ],
)
def test_T50_what_follows_is_told_at_its_segment_and_not_beside_a_fault_of_the_header(
    place: dict[str, Any], code: str, told: list[str]
) -> None:
    found = issues({**place, "code": code, "field": 0})

    ((verdict, _, errors),) = answers(headers({"is_rejected": True}), found)

    assert verdict == "AE"
    assert [error[2] for error in errors] == told
    assert [error[3] for error in errors] == ["100^Segment sequence error^HL70357"] * len(told)


def test_T50_messages_keep_their_order_and_their_findings() -> None:
    found = issues(
        {"row": 3, "code": "dose-rejected", "segment": "RXA"},
        {"row": 1, "code": "looks-historical", "segment": "RXA"},
        {"row": 99, "code": "required-missing"},
    )

    told = answers(headers({}, {}, {}), found)

    assert [(code, control_id, len(errors)) for code, control_id, errors in told] == [
        ("AA", "C-1", 1),
        ("AA", "C-2", 0),
        ("AE", "C-3", 1),
    ]
    assert lines(headers({}, {}, {}), found)[-2:] == ["BTS|3", "FTS|1"]


def test_T50_causes_come_before_consequences_and_the_store_last() -> None:
    found = issues(
        {"line": 0, "segment": "RXA", "sequence": 1, "code": "update-of-unknown-dose"},
        {"line": 6, "segment": "RXA", "sequence": 2, "code": "dose-rejected"},
        {"line": 6, "segment": "RXA", "sequence": 2, "field": 5, "code": "code-unknown"},
        {"line": 6, "segment": "RXA", "sequence": 2, "field": 3, "code": "required-missing"},
        {"line": 2, "segment": "PID", "field": 11, "repetition": 1, "component": 4, "code": "code-unknown"},
    )

    ((_, _, errors),) = answers(headers({}), found)

    assert [error[2] for error in errors] == ["PID^1^11^1^4", "RXA^2^3", "RXA^2^5", "RXA^2", "RXA^1"]


def test_T50_a_segment_that_is_not_there_has_no_number() -> None:
    found = issues({"line": 0, "segment": "PID", "sequence": 0, "code": "required-segment-missing"})

    ((_, _, (error,)),) = answers(headers({"is_rejected": True}), found)

    assert error[2] == "PID"


def test_T50_a_rejected_message_is_never_accepted() -> None:
    ((code, _, errors),) = answers(headers({"is_rejected": True}), issues())

    assert (code, errors) == ("AE", [])


def test_T50_who_is_not_named_in_the_message_is_named_by_us() -> None:
    blank = {"MSH-3": "", "MSH-4": "", "MSH-5": "", "MSH-6": "", "MSH-11": ""}

    head = lines(headers(blank))[2].split("|")

    assert head[2:6] == ["", "PARTNER-EXCHANGE", "", "AAA-SSL"]
    assert head[10] == "P"


@pytest.mark.parametrize(("sent", "answered"), [("P", "P"), ("D", "D"), ("T", "T"), ("X", "P"), ("p", "P")])
def test_T50_the_processing_id_comes_back_when_it_is_one(sent: str, answered: str) -> None:
    assert lines(headers({"MSH-11": sent}))[2].split("|")[10] == answered


@pytest.mark.parametrize(
    "control_id",
    [
        r"A|B^C&D~E\F",
        "line\rbreak\nand \x01 \x0b\x85\u2028",
        "Zoë-Ø",
        r"\.br\X0D\E",
        "x" * 199,
        "",
    ],
)
def test_T50_the_control_id_comes_back_whole_to_any_reader(control_id: str) -> None:
    content = acknowledgements(
        headers({"MSH-10": control_id, "MSH-4": control_id}),
        issues(),
        tenant=a_clinic(),
        submission=a_loaded_submission(),
    )

    (theirs,) = hl7.parse_batch("\r".join(content.decode().split("\r")[1:-2]))
    stream = read_stream(content, max_messages=10)
    assert isinstance(stream, Stream)
    (ours,) = stream.messages
    msh, msa = ours.segments
    assert (stream.marks, stream.declared_messages, stream.declared_batches) == ((), 1, 1)
    assert [str(segment[0]) for segment in theirs] == [msh.name, msa.name] == ["MSH", "MSA"]
    assert str(theirs.segment("MSA")[2]) == msa.fields[2]
    assert unescape(msa.fields[2], ours.separators) == control_id
    assert unescape(msh.fields[6], ours.separators) == control_id or not control_id


def test_T50_other_letters_than_ascii_are_announced() -> None:
    plain, umlaut = lines(headers({}, {"MSH-10": "Zoë"}))[2:6:2]

    assert (plain.split("|")[17], umlaut.split("|")[17]) == ("", "UNICODE UTF-8")


def test_X03_the_same_input_gives_the_same_bytes_in_any_order_of_findings() -> None:
    found = issues(*({**MISSING, "line": line, "field": 9 - line} for line in range(1, 9)))
    shuffled = found.sample(frac=1, random_state=3)

    assert lines(headers({}), found) == lines(headers({}), shuffled)


def test_T50_a_used_name_does_not_take_the_name_of_the_first_answer() -> None:
    content = acknowledgements(
        headers({}),
        issues(),
        tenant=a_clinic(),
        submission=replace(a_loaded_submission(), is_first_of_name=False),
    )

    assert b"|AAA-SSL26325.20261121T074712Z.ack.hl7|" in content


@pytest.mark.parametrize("seed", range(20))
def test_T50_accepted_means_no_error_and_every_finding_is_told(seed: int) -> None:
    """Random findings from the whole catalogue of the feed, lowered or not."""
    random = np.random.default_rng(seed)
    count = int(random.integers(0, 60))
    found = issues(
        *(
            {
                "row": int(random.integers(1, 11)),
                "line": int(random.integers(0, 40)),
                "segment": str(random.choice(["MSH", "PID", "RXA", "OBX"])),
                "field": int(random.integers(0, 9)),
                "code": str(random.choice(CODES)),
                "is_warning": bool(random.integers(0, 2)),
            }
            for _ in range(count)
        )
    )

    told = answers(headers(*[{}] * 10), found)

    for row, (code, control_id, errors) in enumerate(told, 1):
        own = found[found["row"] == row]
        severities = [_severity(one) for one in own.to_dict("records")]
        is_told = (own["code"] != "message-rejected") | (own["segment"] != "MSH")
        told_severities = [_severity(one) for one in own[is_told].to_dict("records")]
        assert control_id == f"C-{row}"
        assert (code == "AA") == (Severity.ERROR not in severities)
        assert sorted(error[4] for error in errors) == sorted(str(one)[0].upper() for one in told_severities)
        assert all(len(error) == 9 and len(error[8]) <= LONGEST_TEXT for error in errors)


def _severity(issue: dict[str, Any]) -> Severity:
    return severity_of(Mark(issue["code"], is_warning=issue["is_warning"]))


@pytest.mark.parametrize("code", CODES)
def test_T50_each_code_of_the_feed_can_be_acknowledged(code: str) -> None:
    entry = CATALOGUE[code]

    assert entry.hl7_error in ("", *HL70357)
    assert entry.hl7_application_error in ("", *HL70533)
    assert entry.hl7_error or entry.severity is not Severity.ERROR, "an error of a message has an HL7 code"
    assert not set("{}") & set(entry.general), "ERR-8 knows no facts"
    assert not user_text(entry).endswith("..."), "what to do comes last and must not be cut"


def test_T50_a_long_text_is_cut_at_a_word() -> None:
    entry = Entry("x", Scope.CELL, Severity.INFO, "Title", "This & that.", "word " * 80)

    text = user_text(entry)

    assert LONGEST_TEXT - 10 < len(text) <= LONGEST_TEXT
    assert text.startswith(r"This \T\ that. word")
    assert text.endswith(" word ...")
