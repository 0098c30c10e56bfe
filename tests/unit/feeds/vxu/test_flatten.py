"""Messages as flat tables: order groups, segments out of order, places of values (T43, T63)."""

from __future__ import annotations

import pandas as pd
import pytest

from partner_exchange.feeds.vxu.flatten import flatten
from partner_exchange.feeds.vxu.tables import (
    DOSE_TEXTS,
    IDENTIFIER_TEXTS,
    ISSUE_COLUMNS,
    MESSAGE_TEXTS,
    OBSERVATION_TEXTS,
    PATIENT_TEXTS,
    RELATIVE_TEXTS,
    Flat,
)
from partner_exchange.readers.hl7 import Stream, read_stream
from partner_exchange.validation.catalogue import CATALOGUE

MSH = (
    "MSH|^~\\&|APP|FAC|TO|TOFAC|20261121101500-0600||VXU^V04^VXU_V04|C1|P|2.5.1|||ER|AL|||||Z22^CDCPHINVS"
    "|RO1|RO2"
)
PID = "PID|1||7^^^AAA^MR||Doe^Jane"


def flat(*lines: str) -> Flat:
    stream = read_stream("\r".join(lines).encode(), max_messages=10_000)
    assert isinstance(stream, Stream)
    return flatten(stream.messages)


def issues(*lines: str) -> list[tuple[object, ...]]:
    """Return row, dose, line, place and code of each issue."""
    found = flat(*lines).issues
    field = ("^" + found["field"].astype("str")).where(found["field"] > 0, "")
    found["place"] = found["segment"] + "^" + found["sequence"].astype("str") + field
    return table(found, "row", "dose", "line", "place", "code")


def table(frame: pd.DataFrame, *columns: str) -> list[tuple[object, ...]]:
    return list(frame[list(columns)].itertuples(index=False, name=None))


FIXED = {
    "messages": ((), MESSAGE_TEXTS),
    "patients": (("relatives", "pd1_line"), PATIENT_TEXTS),
    "identifiers": (("repetition",), IDENTIFIER_TEXTS),
    "relatives": (("sequence",), RELATIVE_TEXTS),
    "doses": (("dose", "orc", "rxa", "rxr"), DOSE_TEXTS),
    "observations": (("dose", "sequence"), OBSERVATION_TEXTS),
}


@pytest.mark.parametrize("lines", [(MSH,), (MSH, PID, "NK1|1", "ORC|RE", "RXA|0", "RXR|C1", "OBX|1", "junk")])
def test_T43_tables_have_their_columns_and_types_also_without_lines(lines: tuple[str, ...]) -> None:
    found = flat(*lines)
    for name, (counts, texts) in FIXED.items():
        frame = getattr(found, name)
        numbers = ("row", "line", *counts)
        assert tuple(frame.columns) == (*numbers, *texts)
        assert {frame[column].dtype for column in numbers} == {pd.Series([1], dtype="int64").dtype}
        assert {str(frame[column].dtype) for column in texts} == {"str"}
        assert not frame.isna().any().any()
    assert {name: str(dtype) for name, dtype in found.issues.dtypes.items()} == dict(ISSUE_COLUMNS)


def test_T43_nothing_gives_empty_tables() -> None:
    found = flatten([])
    assert [len(getattr(found, name)) for name in FIXED] == [0] * 6
    assert tuple(found.doses.columns)[6:] == DOSE_TEXTS


def test_T43_header_values_stand_at_their_places() -> None:
    (values,) = table(flat(MSH).messages, *MESSAGE_TEXTS)
    assert values == (
        "APP", "FAC", "TO", "TOFAC", "20261121101500-0600", "VXU", "V04", "VXU_V04", "C1", "P", "2.5.1",
        "ER", "AL", "", "Z22", "RO1", "RO2",
    )  # fmt: skip


def test_T43_patient_values_stand_at_their_places() -> None:
    pid = (
        "PID|1||7^^^AAA&1.2&ISO^MR~123-45^^^^SS||Van Doe&Van&Doe^Jane^Q^Jr^^^L~Alias^X|Maiden&x^Mary^^^^^M"
        "|20200229|F||2106-3^White^CDCREC~2028-9|1 Main St&Main^Apt 2^Town^TX^78701^USA^P^^Travis"
        "||^PRN^PH^^^512^5550100|||||||||2186-5^Not||Y|2||||20260101|Y"
    )
    pd1 = "PD1|||||||||||02^Any|N|20260102|||A|20260103|20260104"
    found = flat(MSH, pid, pd1, "NK1|1|Doe&x^Mary^M|MTH^Mother|1 Main St&y|^PRN^PH", "NK1|2")
    (values,) = table(found.patients, "line", "relatives", "pd1_line", *PATIENT_TEXTS)
    assert values == (
        2, 2, 3,
        "1", "Van Doe", "Jane", "Q", "Jr", "L", "Maiden", "Mary",
        "20200229", "F", "2106-3",
        "1 Main St", "Town", "TX", "78701", "USA", "Travis", "5125550100", "",
        "2186-5", "Y", "2", "20260101", "Y",
        "02", "N", "20260102", "A", "20260103", "20260104",
    )  # fmt: skip
    assert table(found.identifiers, "row", "line", "repetition", *IDENTIFIER_TEXTS) == [
        (1, 2, 1, "7", "AAA", "MR"),
        (1, 2, 2, "123-45", "", "SS"),
    ]
    assert table(found.relatives, "line", "sequence", *RELATIVE_TEXTS) == [
        (4, 1, "1", "Doe", "Mary", "MTH", "1 Main St", ""),
        (5, 2, "2", "", "", "", "", ""),
    ]


def test_T43_dose_values_stand_at_their_places() -> None:
    found = flat(
        MSH,
        PID,
        "ORC|RE|P1^A|F1^B||||||20260101|E1^X||D1^Y|||||ORG^Z",
        "RXA|0|1|20260102|20260103|49281-0560-05^Pentacel^NDC^120^x^CVX|0.5|mL^m^UCUM||00^New^NIP001~01|A1^B"
        "|^^^CLINIC&1&ISO||||LOT1~LOT2|20270101|PMC^S^MVX|00^P^NIP002||CP|A|20260104",
        "RXR|C28161^IM^NCIT^IM^^HL70162|LT^Left",
        "OBX|1|CE|64994-7^E^LN|1|V02^M^HL70064|u^U|||||F|||20260105|||VXC40^x",
    )
    (values,) = table(found.doses, "row", "line", "dose", "orc", "rxa", "rxr", *DOSE_TEXTS)
    assert values == (
        1, 4, 1, 1, 1, 1,
        "RE", "P1", "F1", "B", "20260101", "E1", "D1", "ORG",
        "0", "1", "20260102", "20260103", "49281-0560-05", "NDC", "120", "CVX", "0.5", "mL", "00", "NIP001",
        "A1", "CLINIC", "LOT1", "20270101", "PMC", "00", "CP", "A", "20260104", "C28161", "IM", "LT",
    )  # fmt: skip
    (values,) = table(found.observations, "row", "line", "dose", "sequence", *OBSERVATION_TEXTS)
    assert values == (
        1, 6, 1, 1, "1", "CE", "64994-7", "1", "V02", "HL70064", "u", "F", "20260105", "VXC40",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("  7 ", "7"),
        ("\xa07\u200b", "7"),
        ('""', ""),
        ('""^x', ""),
        (r"a \T\ b", "a & b"),
        (r" \X20\ ", ""),
        ("a & b", "a & b"),
        ("~second", ""),
    ],
)
def test_T43_texts_are_unescaped_trimmed_and_of_the_first_repetition(raw: str, text: str) -> None:
    assert flat(MSH, PID, "ORC|RE", f"RXA||||||||||||||||{raw}").doses["RXA-16"].to_list() == [text]


@pytest.mark.parametrize(
    ("raw", "phone", "email"),
    [
        ("^PRN^PH^^^512^5550100", "5125550100", ""),
        ("^PRN^CP^^1^512^555-0100", "5125550100", ""),
        ("(313)412-8954^^PH~(313)412-8955^^CP", "3134128954", ""),
        ("(313)412-8954", "3134128954", ""),
        ("^^CP^^^512^5550100", "5125550100", ""),
        ("^PRN^^^^512^5550100", "5125550100", ""),
        ("^~^NET^^Jane@x.org", "", "Jane@x.org"),
        ("^NET^Internet^jane@x.org~^PRN^PH^^^512^5550100", "5125550100", "jane@x.org"),
        ("^NET^^~^NET^^b@x.org~^NET^^c@x.org", "", "b@x.org"),
        ("^WPN^FX^^^512^5550100", "", ""),
        ("^PRN^PH^^^^~^PRN^PH^^^512^5550100", "5125550100", ""),
        ("^PRN^PH^none", "", ""),
        ("^NET^PH^^^512^5550100", "", ""),
        ("", "", ""),
    ],
)
def test_T43_telephone_and_address_of_mail_are_the_first_of_their_kind(
    raw: str, phone: str, email: str
) -> None:
    found = flat(MSH, f"PID|1||||||||||||{raw}")
    assert table(found.patients, "PID-13", "PID-13.4") == [(phone, email)]


@pytest.mark.parametrize(
    ("raw", "phone"),
    [("^PRN^PH^^^512^5550100", "5125550100"), ("(512)555-0100", "5125550100"), ("^NET^Internet^a@x.org", "")],
)
def test_T43_the_telephone_of_a_relative_is_read_as_that_of_the_patient(raw: str, phone: str) -> None:
    found = flat(MSH, PID, f"NK1|1|Doe^Jane|MTH|1 Main St|{raw}")
    assert table(found.relatives, "NK1-5") == [(phone,)]


def test_T63_a_dose_begins_with_orc_or_with_rxa() -> None:
    found = flat(
        MSH, PID,
        "ORC|RE||1", "RXA|0", "RXR|A", "OBX|1", "OBX|2",
        "RXA|0", "OBX|3",
        "ORC|RE||3",
        "ORC|RE||4", "RXA|0",
        MSH, PID,
        "RXA|0", "RXR|B",
    )  # fmt: skip
    assert table(found.doses, "row", "dose", "line", "orc", "rxa", "rxr", "ORC-3", "RXR-1") == [
        (1, 1, 4, 1, 1, 1, "1", "A"),
        (1, 2, 8, 0, 2, 0, "", ""),
        (1, 3, 10, 2, 0, 0, "3", ""),
        (1, 4, 12, 3, 3, 0, "4", ""),
        (2, 1, 15, 0, 1, 1, "", "B"),
    ]
    assert table(found.observations, "row", "dose", "sequence", "OBX-1") == [
        (1, 1, 1, "1"),
        (1, 1, 2, "2"),
        (1, 2, 3, "3"),
    ]
    assert found.issues.empty


def test_T63_segments_without_a_table_are_passed_over() -> None:
    lines = (
        MSH, "SFT|x", "EVN|x", PID, "PD1|", "NK1|1", "PV1|1", "PV2|1", "GT1|1", "IN1|1", "ZAB|1", "NTE|1",
        "ORC|RE", "TQ1|1", "RXA|0", "NTE|1", "RXR|A", "OBX|1", "NTE|1", "ZZZ", "OBX|2",
    )  # fmt: skip
    found = flat(*lines)
    assert found.issues.empty
    assert (len(found.relatives), len(found.doses), len(found.observations)) == (1, 1, 2)


@pytest.mark.parametrize(
    ("lines", "issue"),
    [
        ((PID, "ORC|RE", "RXA|0", "PID|2"), (1, 0, 5, "PID^2", "patient-repeated")),
        ((PID, "PID|2"), (1, 0, 3, "PID^2", "patient-repeated")),
        ((PID, "PD1|", "PD1|"), (1, 0, 4, "PD1^2", "segment-repeated")),
        ((PID, "ORC|RE", "RXA|0", "RXR|A", "RXR|B"), (1, 1, 6, "RXR^2", "segment-repeated")),
        (("ORC|RE", "RXA|0", PID), (1, 0, 4, "PID^1", "segment-out-of-order")),
        (("PD1|", PID), (1, 0, 2, "PD1^1", "segment-out-of-order")),
        (("NK1|1", PID), (1, 0, 2, "NK1^1", "segment-out-of-order")),
        ((PID, "NK1|1", "PD1|"), (1, 0, 4, "PD1^1", "segment-out-of-order")),
        ((PID, "ORC|RE", "RXA|0", "NK1|1"), (1, 0, 5, "NK1^1", "segment-out-of-order")),
        ((PID, "ORC|RE", "RXA|0", "PD1|"), (1, 0, 5, "PD1^1", "segment-out-of-order")),
        ((PID, "ORC|RE", "RXR|A", "RXA|0"), (1, 1, 4, "RXR^1", "segment-out-of-order")),
        ((PID, "ORC|RE", "OBX|1", "RXA|0"), (1, 1, 4, "OBX^1", "segment-out-of-order")),
        ((PID, "ORC|RE", "RXA|0", "OBX|1", "RXR|A"), (1, 1, 6, "RXR^1", "segment-out-of-order")),
        ((PID, "OBX|1", "ORC|RE", "RXA|0"), (1, 0, 3, "OBX^1", "segment-out-of-order")),
        ((PID, "RXR|A"), (1, 0, 3, "RXR^1", "segment-out-of-order")),
        ((PID, "ORC|RE", "RXA|0", "OBX|1|ST|x||a", "b|||"), (1, 1, 6, "OBX^1", "line-not-a-segment")),
        (("?", PID), (1, 0, 2, "MSH^1", "line-not-a-segment")),
        ((PID, "NTE|1", "SMITH"), (1, 0, 4, "PID^1", "line-not-a-segment")),
    ],
)
def test_T63_segments_out_of_place_are_left_out_and_told(
    lines: tuple[str, ...], issue: tuple[int, int, int, str, str]
) -> None:
    assert issues(MSH, *lines) == [issue]
    assert issue[-1] in CATALOGUE


def test_T63_what_is_told_is_in_no_table() -> None:
    found = flat(
        MSH, "PD1|", "NK1|1", PID, "PID|2||8^^^B^MR", "RXR|X", "OBX|0",
        "ORC|RE", "OBX|9", "RXR|Y", "RXA|0", "RXR|A", "OBX|1", "RXR|B", "NK1|2", "PD1|",
    )  # fmt: skip
    assert table(found.patients, "line", "pd1_line", "relatives", "PID-1") == [(4, 0, 0, "1")]
    assert table(found.identifiers, "PID-3.1") == [("7",)]
    assert len(found.relatives) == 0
    assert table(found.doses, "dose", "rxr", "RXR-1") == [(1, 3, "A")]
    assert table(found.observations, "sequence", "OBX-1") == [(3, "1")]
    assert len(found.issues) == 10


def test_T63_without_the_segment_that_others_wait_for_they_are_not_out_of_order() -> None:
    found = flat(MSH, "PD1|||||||||||02", "NK1|1", "ORC|RE||1", "RXR|A", "OBX|1", "ORC|RE||2", "RXA|0")
    assert found.issues.empty
    assert table(found.patients, "line", "pd1_line", "relatives", "PD1-11") == [(0, 2, 1, "02")]
    assert table(found.doses, "orc", "rxa", "rxr", "RXR-1") == [(1, 0, 1, "A"), (2, 1, 0, "")]
    assert table(found.observations, "dose", "OBX-1") == [(1, "1")]


def test_T63_every_message_has_a_line_of_header_and_patient() -> None:
    found = flat(MSH, PID, MSH, "ORC|RE", MSH)
    assert table(found.messages, "row", "line") == [(1, 1), (2, 3), (3, 5)]
    assert table(found.patients, "row", "line", "PID-5.1") == [(1, 2, "Doe"), (2, 0, ""), (3, 0, "")]


def test_T63_faults_of_header_and_character_set_are_issues() -> None:
    other = "MSH#*!%$#A\rPID#1##7***X*MR##Do%T%e*Jane%S%"
    assert issues(MSH, "MSH|^~", PID, other, MSH) == [
        (2, 0, 2, "MSH^1^2", "message-separators"),
        (3, 0, 4, "MSH^1^2", "separators-unusual"),
    ]
    content = "\r".join([MSH, PID, "MSH|^~\\&", "ORC|José"]).encode("cp1252")
    stream = read_stream(content, max_messages=10)
    assert isinstance(stream, Stream)
    assert table(flatten(stream.messages).issues, "row", "segment", "field", "code") == [
        (2, "MSH", 18, "charset-assumed")
    ]


def test_T63_messages_of_different_separators_stand_in_one_table() -> None:
    other = "MSH#*!%$#A\rPID#1##7***X*MR!8##Do%T%e*Jane%S%"
    found = flat(MSH, PID, other, "MSH|^~", PID, MSH, PID)
    assert table(found.patients, "row", "PID-5.1", "PID-5.2") == [
        (1, "Doe", "Jane"),
        (2, "Do$e", "Jane*"),
        (3, "Doe", "Jane"),
        (4, "Doe", "Jane"),
    ]
    assert table(found.identifiers, "row", "repetition", "PID-3.1") == [
        (1, 1, "7"),
        (2, 1, "7"),
        (2, 2, "8"),
        (3, 1, "7"),
        (4, 1, "7"),
    ]
