"""From the bytes of an HL7 file to lines of text: framing, line ends, character sets (T43, T63)."""

from __future__ import annotations

import codecs

import pytest

from partner_exchange.readers.hl7 import Stream, read_stream
from partner_exchange.readers.hl7_text import decode, plain_text
from partner_exchange.readers.marks import Refusal

LINES = ("MSH|^~\\&|A", "PID|1||7", "ORC|RE||9")
CR = "\r".join(LINES).encode() + b"\r"


def stream(content: bytes) -> Stream:
    result = read_stream(content, max_messages=100)
    assert isinstance(result, Stream)
    return result


def refused(content: bytes) -> Refusal:
    result = read_stream(content, max_messages=100)
    assert isinstance(result, Refusal)
    return result


def names(content: bytes) -> list[list[str]]:
    return [[segment.name for segment in message.segments] for message in stream(content).messages]


@pytest.mark.parametrize(
    "content",
    [
        CR,
        CR.rstrip(),
        CR.replace(b"\r", b"\n"),
        CR.replace(b"\r", b"\r\n"),
        CR.replace(b"\r", b"\n\n\r\n"),
        CR.replace(b"\r", b"\r  \r\n\t\n"),
        CR.replace(b"\r", b"\r\r\n"),
        b"\r\n\n" + CR,
        codecs.BOM_UTF8 + CR,
        b"\x0b" + CR + b"\x1c\r",
        b"\x0b" + CR.rstrip() + b"\x1c\r",
        b"\x0c" + CR + b"\x0c",
        CR + b"\x1a",
        CR.rstrip() + b"\x1a",
        CR + b"\0" * 500,
        b"\0\0" + CR,
        CR.replace(b"PID", b"  PID").replace(b"MSH", b"\tMSH"),
        CR.replace(b"\rORC", b" \t\rORC"),
        CR.decode().encode("utf-16"),
        CR.decode().encode("utf-16-le"),
        CR.decode().encode("utf-16-be"),
        codecs.BOM_UTF32_LE + CR.decode().encode("utf-32-le"),
        codecs.BOM_UTF32_BE + CR.decode().encode("utf-32-be"),
    ],
)
def test_T63_line_ends_blank_lines_and_framing_do_not_matter(content: bytes) -> None:
    assert names(content) == [["MSH", "PID", "ORC"]]
    assert stream(content).marks == ()
    assert [segment.fields[-1] for segment in stream(content).messages[0].segments] == ["A", "7", "9"]


@pytest.mark.parametrize(
    "between", [b"\x1c\r\x0b", b"\x1c\x0b", b"\x0c", b"\x0b", b"\r\n\xef\xbb\xbf", b"\x1a", b"\r\n\r\n"]
)
def test_T63_messages_joined_by_framing_are_told_apart(between: bytes) -> None:
    assert names(CR.rstrip() + between + CR) == [["MSH", "PID", "ORC"]] * 2


def test_T63_a_sign_of_framing_inside_a_value_is_of_the_value() -> None:
    (message,) = stream(CR.replace(b"|7", b"|7\x0b8")).messages
    assert message.segments[1].fields == ["PID", "1", "", "7\x0b8"]


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_T63_lines_count_as_an_editor_shows_them(end: bytes) -> None:
    lines = [b"", b"FHS|^~\\&|A", b"", b"MSH|^~\\&|B", b"", b"PID|1", b"MSH|^~\\&|C", b"ORC|RE"]
    found = stream(end.join(lines)).messages
    assert [message.line for message in found] == [4, 7]
    assert [[segment.line for segment in message.segments] for message in found] == [[4, 6], [7, 8]]


def test_T63_nul_bytes_inside_are_left_out_and_told() -> None:
    read = stream(CR.replace(b"|7", b"|7\x008\0") + b"NTE|1|enough text\r" * 5)
    assert read.messages[0].segments[1].fields[3] == "78"
    assert [(mark.code, dict(mark.facts)) for mark in read.marks] == [("hl7-nul-bytes", {"count": 2})]


@pytest.mark.parametrize("content", [b"", b" \r\n\t", b"\xef\xbb\xbf\r\n", b"\0\0\0", b"\x0b\x1c\r", b"\x1a"])
def test_T63_an_empty_file_is_refused(content: bytes) -> None:
    assert refused(content) == Refusal("hl7-empty", {"size": len(content)})


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"PK\x03\x04" + CR, "a ZIP archive or an Excel workbook (.xlsx)"),
        (b"%PDF-1.7\n" + CR, "a PDF document"),
        (b"\x1f\x8b\x08" + CR, "a gzip archive"),
        (bytes(range(256)) * 20, "binary data"),
        (CR + bytes(range(32)) * 20, "binary data"),
        (CR.replace(b"A", b"\0" * 100), "binary data"),
        (codecs.BOM_UTF16_LE + b"M\0S\0H\0|", "damaged UTF-16 text"),
        (codecs.BOM_UTF32_LE + b"\xff\xff\xff\xff", "damaged UTF-32 text"),
        ("MSH|^".encode("utf-16-le") + b"\x00\xd8", "damaged UTF-16 text"),
    ],
)
def test_T63_what_is_no_text_is_refused_by_its_kind(content: bytes, kind: str) -> None:
    assert refused(content) == Refusal("hl7-not-text", {"kind": kind})


@pytest.mark.parametrize(
    "content",
    [b"<VXU_V04 xmlns='urn:hl7-org:v2xml'/>", b"a,b\n1,2\n", b"msh|^~\\&|", b"PID|1", b"FHS|^~\\&\rFTS|0"],
)
def test_T63_text_without_a_message_is_refused(content: bytes) -> None:
    assert refused(content) == Refusal("hl7-no-message")


def header(charset: str) -> bytes:
    return b"MSH|^~\\&" + b"|" * 16 + charset.encode() + b"|\rPID|"


@pytest.mark.parametrize(
    ("charset", "codec", "sent", "text", "fault"),
    [
        ("", "utf-8", "José", "José", ""),
        ("", "cp1252", "José", "José", "charset-assumed"),
        ("", "cp1252", "Zoë “q”", "Zoë “q”", "charset-assumed"),
        ("UNICODE UTF-8", "utf-8", "José 李", "José 李", ""),
        ("unicode  utf-8", "utf-8", "José", "José", ""),
        ("UTF-8~8859/1", "utf-8", "José", "José", ""),
        ("UNICODE UTF-16", "utf-8", "José", "José", ""),
        ("UNICODE UTF-8", "cp1252", "José", "José", "charset-differs"),
        ("UNICODE UTF-8", "cp1252", "Zoë “q”", "Zoë “q”", "charset-differs"),
        ("8859/1", "utf-8", "José", "José", "charset-differs"),
        ("8859/15", "utf-8", "Muñoz 李", "Muñoz 李", "charset-differs"),
        ("8859/1", "iso8859-1", "José", "José", ""),
        ("8859/2", "iso8859-2", "Łódź", "Łódź", ""),
        ("8859/15", "iso8859-15", "Œuvre €", "Œuvre €", ""),
        ("GB 18030-2000", "gb18030", "李", "李", ""),
        ("BIG-5", "big5", "功", "功", ""),
        ("KS X 1001", "euc_kr", "김", "김", ""),
        ("ISO IR87", "iso2022_jp", "山田", "山田", ""),
        ("ASCII", "ascii", "Jose", "Jose", ""),
        ("ASCII", "utf-8", "José", "José", "charset-differs"),
        ("ASCII", "cp1252", "José", "José", "charset-differs"),
        ("EBCDIC", "utf-8", "José", "José", "charset-unknown"),
        ("EBCDIC", "cp1252", "José", "José", "charset-unknown"),
        ("EBCDIC", "ascii", "Jose", "Jose", ""),
    ],
)
def test_T43_the_character_set_is_that_of_msh_18(
    charset: str, codec: str, sent: str, text: str, fault: str
) -> None:
    decoded, found = decode(header(charset) + sent.encode(codec), is_utf_8=False)
    assert (decoded.rpartition("|")[2], found) == (text, fault)


@pytest.mark.parametrize(
    ("charset", "sent", "text"),
    [
        ("UNICODE UTF-8", "Muñoz José".encode()[:-1], "Muñoz Jos\ufffd"),
        ("", "Muñoz José".encode()[:-1], "Muñoz Jos\ufffd"),
        ("UNICODE UTF-8", b"Jos\x81", "Jos\ufffd"),
        ("GB 18030-2000", "李".encode("gb18030") + b"\xff", "李\ufffd"),
    ],
)
def test_T43_signs_are_replaced_only_where_no_character_set_fits(
    charset: str, sent: bytes, text: str
) -> None:
    assert decode(header(charset) + sent, is_utf_8=False)[0].rpartition("|")[2] == text


def test_T43_each_message_has_its_own_character_set() -> None:
    sets = ("8859/1", "UNICODE UTF-8", "", "")
    codecs_ = ("iso8859-1", "utf-8", "cp1252", "utf-8")
    content = b"\r".join(
        header(charset) + "José".encode(codec) for charset, codec in zip(sets, codecs_, strict=True)
    )
    found = stream(content).messages
    assert [message.segments[1].fields[1] for message in found] == ["José"] * 4
    assert [message.faults for message in found] == [(), (), ("charset-assumed",), ()]


def test_T43_a_byte_order_mark_says_more_than_msh_18() -> None:
    for content in (
        codecs.BOM_UTF8 + header("8859/1") + "José".encode(),
        codecs.BOM_UTF16_LE + (header("8859/1").decode() + "José").encode("utf-16-le"),
    ):
        (message,) = stream(content).messages
        assert message.segments[1].fields[1] == "José"
        assert message.faults == ()


def test_T43_a_byte_order_mark_before_other_text_is_not_believed() -> None:
    (message,) = stream(codecs.BOM_UTF8 + header("8859/1") + "José".encode("iso8859-1")).messages
    assert message.segments[1].fields[1] == "José"


@pytest.mark.parametrize(
    "content",
    [b"MSH", b"MSH\xff", b"MSH|", b"MSH|\xff", b"MSH|^~\\&|\xff", b"MSH\xff" * 30, b"\xffMSH|" + b"|" * 20],
)
def test_T43_a_damaged_header_has_no_character_set(content: bytes) -> None:
    assert decode(content, is_utf_8=False)[1] in ("", "charset-assumed", "charset-unknown")


def test_T63_plain_text_of_a_clean_file_is_the_file_itself() -> None:
    text = plain_text(CR)
    assert not isinstance(text, Refusal)
    assert text.content is CR
