"""XML, with and without a template: always XML, nothing run, nothing left out without a word."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from datetime import date
from xml.etree import ElementTree

import pytest

from partner_exchange.errors import FileUnwritable, StoreUnavailable
from partner_exchange.exports.columns import FileColumn, Kind, Row
from partner_exchange.exports.formats import write
from partner_exchange.exports.formats.xml import element_names
from partner_exchange.tenants.exports import ExportFormat
from support.outbound_files import CONTRACT, a_column, facts, taken_back, written

ROWS = [
    ("a & b <c> ]]>", "000417", date(2026, 1, 2)),
    ("line\r\nbreak\tand\rreturn", " ", None),
    ("学生 🎓 \u2028", None, None),
]
TEMPLATE = """\
<?xml version="1.0"?>
<students from="{{ tenant }}" made="{{ made_at }}">
{% for row in rows %}
  <student id="{{ row.student_id }}">{{ row.username }}</student>
{% endfor %}
</students>
"""


def with_template(template: str, rows: Sequence[Row], columns: Sequence[FileColumn] = CONTRACT) -> bytes:
    return written(rows, columns, about=facts(template=template), kind="xml", template_file="students.xml")


def test_M73_each_value_is_an_element_named_by_its_header() -> None:
    content = written(ROWS[:1], CONTRACT, kind="xml", root="students", row="student")

    assert content.decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<students>\n'
        "<student><Username>a &amp; b &lt;c&gt; ]]&gt;</Username><StudentId>000417</StudentId>"
        "<VerifyDate>01/02/2026</VerifyDate></student>\n</students>\n"
    )


def test_M49_other_parsers_and_our_reader_find_the_same_texts() -> None:
    content = written(ROWS, CONTRACT, kind="xml")

    found = [[value.text or "" for value in row] for row in ElementTree.fromstring(content)]

    assert found == taken_back(content, CONTRACT, kind="xml")
    assert found[1] == ["line\r\nbreak\tand\rreturn", " ", ""]
    assert found[0] == ["a & b <c> ]]>", "000417", "01/02/2026"]


def test_M73_headers_become_names_that_differ() -> None:
    headers = ["Student Id", "Student/Id", "1st", "XMLid", "-x", "", "Größe", "a:b", "Ok.1-2_3", "学", "_"]
    columns = [a_column(name=f"c{at}", header=header) for at, header in enumerate(headers)]

    names = element_names(columns)

    assert names == [
        "Student_Id", "Student_Id_2", "_1st", "_XMLid", "_-x", "_", "Größe", "a_b", "Ok.1-2_3", "__2", "__3",
    ]  # fmt: skip
    content = written([tuple(headers)], columns, kind="xml")
    assert [value.tag for value in ElementTree.fromstring(content)[0]] == names
    assert taken_back(content, columns, kind="xml") == [headers]


@pytest.mark.parametrize("content", [b"<rows><row><One>a</One></rows>", b"<rows><line/></rows>", b"<all/>"])
def test_M49_changed_file_is_told(content: bytes) -> None:
    with pytest.raises(FileUnwritable) as caught:
        taken_back(content, [a_column()], kind="xml")
    assert caught.value.code == "not-as-written"


def test_M49_entities_are_never_opened() -> None:
    bomb = b'<!DOCTYPE rows [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><rows><row><One>&b;</One></row></rows>'

    with pytest.raises(FileUnwritable, match="declaration"):
        taken_back(bomb, [a_column()], kind="xml")


def test_M73_template_makes_the_layout_of_the_partner() -> None:
    content = with_template(TEMPLATE, ROWS)

    root = ElementTree.fromstring(content)
    assert root.attrib == {"from": "mercy", "made": "2026-11-21T07:47:12Z"}
    assert [(one.get("id"), one.text) for one in root] == [
        ("000417", "a & b <c> ]]>"),
        (" ", "line\r\nbreak\tand\rreturn"),
        ("", "学生 🎓 \u2028"),
    ]


def test_M73_template_is_told_everything_of_the_file_and_can_ask_for_truth() -> None:
    columns = [
        a_column(Kind.BOOLEAN, name="is_on", header="On"),
        a_column(Kind.INTEGER, name="n", header="N"),
    ]
    template = (
        '<a t="{{ tenant_name }}" e="{{ export }}" r="{{ report }}" c="{{ columns[0].header }}">{{ title }}'
        "{% for row in rows %}<b v='{{ row.is_on }}' n='{{ row.n }}'>{% if row.is_on %}yes{% endif %}</b>"
        "{% endfor %}</a>"
    )

    root = ElementTree.fromstring(with_template(template, [(True, 1), (False, None), (None, 3)], columns))

    assert root.text == "Verified students"
    assert root.attrib == {"t": "Mercy College", "e": "verified_students", "r": "verified", "c": "On"}
    assert [(one.get("v"), one.get("n"), one.text) for one in root] == [
        ("1", "1", "yes"), ("0", "", None), ("", "3", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ("row.username", "row.user_name", 4),
        ("row.username", "row.username + 1", 4),
        ("row.username", "row.__class__.__mro__", 4),
        ("row.username", "''.__class__.__base__.__subclasses__()", 4),
        ("row.username", "range(10000000)|list", 4),
        ("endfor", "endfo", 5),
        ("{{ tenant }}", "{{ tenant ", 2),
        ("{{ tenant }}", "{% include 'other' %}", 2),
        ("</students>", "", None),
        ("</student>", "</pupil>", None),
        ("<student ", "<x:student ", None),
        ("{% for row in rows %}", "{% for row in [] %}", None),
    ],
)
def test_M73_broken_template_is_told_with_its_line_and_no_value(
    before: str, after: str, line: int | None
) -> None:
    assert before in TEMPLATE

    with pytest.raises(FileUnwritable) as caught:
        with_template(TEMPLATE.replace(before, after), [("secret@example.edu", "secret", None)])

    assert caught.value.code == "template-broken"
    assert caught.value.fields == {"line": line}
    assert "secret" not in caught.value.message
    assert caught.value.__context__ is None, "an error of the template may quote a value"


def test_M73_fault_of_the_store_is_not_taken_for_one_of_the_template() -> None:
    def batches() -> Iterator[list[Row]]:
        yield [("a", "1", None)]
        raise StoreUnavailable("store-away", "The database cannot be reached.")

    with pytest.raises(StoreUnavailable):
        write(io.BytesIO(), ExportFormat(kind="xml"), CONTRACT, batches(), about=facts(template=TEMPLATE))


def test_M49_layout_of_a_template_cannot_be_read_back() -> None:
    content = with_template(TEMPLATE, ROWS)

    with pytest.raises(FileUnwritable) as caught:
        taken_back(content, CONTRACT, kind="xml", template_file="students.xml")
    assert caught.value.code == "template-not-readable"
