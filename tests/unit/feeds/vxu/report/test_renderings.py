"""Text, page, JSON and CSV are made from the document alone (T58, K16)."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pandas as pd
import pytest

from partner_exchange.feeds.vxu import report
from partner_exchange.feeds.vxu.report import Document
from partner_exchange.feeds.vxu.report.chart import chart
from partner_exchange.feeds.vxu.report.document import Trend, TrendPoint
from partner_exchange.feeds.vxu.report.issues_csv import COLUMNS
from partner_exchange.feeds.vxu.tables import ISSUE_COLUMNS, empty
from partner_exchange.ledger.states import State
from support.quality import TYPICAL, Case, Found, a_refused, a_report, earlier, the_clinic, the_submission

_VOID = {"meta", "br", "line", "rect"}
_DOCUMENTS = {
    "typical": lambda: a_report(TYPICAL, earlier=earlier(71.2, 80, 82.2)),
    "clean": a_report,
    "test": lambda: a_report(tenant=the_clinic(mode="test")),
    "untimed": lambda: a_report(Case(lags={}, doses=0)),
    "nothing": lambda: a_report(Case(messages=0, doses=0, lags={})),
    "refused": a_refused,
}


@pytest.fixture(params=_DOCUMENTS)
def document(request: pytest.FixtureRequest) -> Document:
    return _DOCUMENTS[request.param]()


class Page(HTMLParser):
    """Checks nesting, and keeps tags, ids and links."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(content.decode())
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all(self, name: str) -> list[str]:
        return [value for _, attrs in self.tags if (value := attrs.get(name)) is not None]


def issues(*lines: dict[str, Any]) -> pd.DataFrame:
    plain = {"row": 1, "dose": 0, "line": 2, "segment": "PID", "sequence": 1, "field": 0, "repetition": 0}
    plain |= {"component": 0, "code": "required-missing", "is_warning": False}
    if not lines:
        return empty(ISSUE_COLUMNS)
    return pd.DataFrame([{**plain, **line} for line in lines]).astype(dict(ISSUE_COLUMNS))


def read(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(), newline=""), strict=True))


def test_T58_the_kept_json_gives_the_same_renderings(document: Document) -> None:
    kept = json.loads(json.dumps(document.as_json(), sort_keys=True))

    again = Document.of(kept)

    assert again == document
    for render in (report.html, report.text, report.json_bytes):
        assert render(again) == render(document)
    assert json.loads(report.json_bytes(document)) == kept


def test_T58_the_page_is_one_sound_file_that_fetches_and_runs_nothing(document: Document) -> None:
    content = report.html(document)

    page = Page(content)
    tags = {tag for tag, _ in page.tags}
    assert {"header", "main", "footer", "h1"} <= tags
    assert not tags & {"script", "link", "img", "iframe", "object", "form"}
    assert not page.all("src")
    assert all(link.startswith("#") for link in page.all("href"))
    assert b"url(" not in content
    assert b"@import" not in content
    assert not re.search(rb"https?:", content)


def test_T69_the_page_has_a_language_headings_captions_and_scopes(document: Document) -> None:
    page = Page(report.html(document))

    tags = [tag for tag, _ in page.tags]
    assert ("html", {"lang": "en"}) in page.tags
    assert tags.count("h1") == 1
    assert tags.count("caption") == tags.count("table")
    assert all(attrs.get("scope") for tag, attrs in page.tags if tag == "th")
    ids = page.all("id")
    assert len(ids) == len(set(ids))
    assert {link[1:] for link in page.all("href")} <= set(ids)
    assert set(page.all("aria-labelledby")) <= set(ids)


def test_T58_what_a_partner_has_written_is_only_text_on_the_page() -> None:
    submission = the_submission(Case(), file_name='<b onclick="x">&.hl7')

    content = report.html(a_report(submission=submission))

    assert b"<b onclick" not in content
    assert b"&lt;b onclick=&#34;x&#34;&gt;&amp;.hl7" in content


@pytest.mark.parametrize("name", ["typical", "clean"])
def test_T58_text_and_page_say_the_same_score_and_causes(name: str) -> None:
    document = _DOCUMENTS[name]()
    text, page = report.text(document).decode(), report.html(document).decode()

    assert f"SCORE {document.score} of 100" in text
    assert f">{document.score}<" in page
    for cause in document.causes[:12]:
        assert cause.title in text
        assert cause.next_step.split(".")[0] in " ".join(text.split())


def test_K7_the_mode_is_plain_to_see() -> None:
    test = a_report(tenant=the_clinic(mode="test"))

    assert re.search(rb"^Mode +TEST$", report.text(test), re.M)
    assert b'<p class="mode test">test: nothing is stored</p>' in report.html(test)
    assert b'<p class="mode production">production</p>' in report.html(a_report())


@pytest.mark.parametrize("scores", [(), (80.0,), (71.2, 80.0)])
def test_T58_text_and_page_show_the_trend_of_the_same_files(scores: tuple[float, ...]) -> None:
    document = a_report(earlier=earlier(*scores))

    bars = sum(tag == "rect" for tag, _ in Page(report.html(document)).tags)
    lines = re.findall(rb"^2026-\d\d-\d\d  AAA", report.text(document), re.M)
    assert bars == len(lines) == (len(scores) + 1 if scores else 0)


def test_T58_the_trend_tells_files_of_one_day_apart_and_marks_test_files() -> None:
    points = [
        TrendPoint("AAA-SSL26318.hl7", "2026-11-14", "test", 80),
        TrendPoint("AAA-SSL26325.hl7", "2026-11-21", "test", 85),
        TrendPoint("AAA-SSL26325-2.hl7", "2026-11-21", "production", 90),
    ]

    drawn = chart(points)

    assert [(bar.day, bar.number, bar.is_test) for bar in drawn.bars] == [
        ("11-14", "", True),
        ("11-21", "", True),
        ("11-21", "-2", False),
    ]
    page = report.html(replace(a_report(), trend=Trend(tuple(points), "Better."))).decode()
    assert [attrs["class"] for tag, attrs in Page(page.encode()).tags if tag == "rect"] == [
        "test",
        "test",
        "own real",
    ]
    assert "dashed and hollow: test files" in page
    assert "test files" not in report.html(a_report(earlier=earlier(80))).decode()


def test_T58_nobody_is_sent_to_pages_that_a_partner_does_not_have(document: Document) -> None:
    for content in (report.html(document), report.text(document)):
        assert b"docs/" not in content


@pytest.mark.parametrize("name", ["typical", "refused"])
def test_T58_without_a_contact_the_report_has_none(name: str) -> None:
    document = replace(_DOCUMENTS[name](), contact="")

    for content in (report.html(document), report.text(document)):
        assert b"Questions" not in content


def test_T58_text_lines_have_no_space_at_their_ends(document: Document) -> None:
    lines = report.text(document).decode().split("\n")

    assert [line for line in lines if line != line.rstrip()] == []
    assert lines[-1] == ""
    assert lines[-2]


def test_T58_a_failed_submission_asks_nothing_of_the_partner() -> None:
    submission = the_submission(Case(), state=State.FAILED, failure_code="x", failure_message="secret path")

    text = report.failure_text(submission, tenant=the_clinic()).decode()

    assert "that is our fault; nothing is asked of you" in text
    assert "do not send it again" in text
    assert "support@exchange.example" in text
    assert "secret" not in text


def test_T58_the_csv_lists_each_finding_with_place_line_and_hl7_codes() -> None:
    table = issues(
        {"row": 2, "line": 9, "segment": "RXA", "sequence": 2, "field": 5, "repetition": 1, "component": 1}
        | {"dose": 2, "code": "code-unknown"},
        {"row": 1, "field": 7},
        {"row": 1, "field": 8, "is_warning": True},
    )

    lines = read(report.issues_csv(a_report(), table, "lf"))

    assert lines[0] == list(COLUMNS)
    assert [line[:8] for line in lines[1:]] == [
        ["1", "", "PID^1^7", "2", "error", "required-missing", "101", "7"],
        ["1", "", "PID^1^8", "2", "warning", "required-missing", "101", "7"],
        ["2", "2", "RXA^2^5^1^1", "9", "error", "code-unknown", "103", "5"],
    ]
    assert lines[1][8] == "A value that is required here is blank. Fill it in."


def test_T58_the_csv_begins_with_what_is_about_the_whole_file() -> None:
    found = [Found("file-count-differs", "", 1, facts={"line": 9, "declared": 2, "found": 1})]

    lines = read(report.issues_csv(a_report(Case(found=found)), issues(), "crlf"))

    assert [line[:8] for line in lines[1:]] == [["", "", "", "", "warning", "file-count-differs", "0", ""]]
    assert lines[1][8].startswith("FTS-1 in line 9 says 2 batches, but the file has 1;")


def test_T58_the_csv_of_a_refused_file_says_why() -> None:
    lines = read(report.issues_csv(a_refused(), issues(), "crlf"))

    assert [line[4:6] for line in lines[1:]] == [["error", "hl7-name-in-future"]]


@pytest.mark.parametrize(("newline", "end"), [("crlf", b"\r\n"), ("lf", b"\n")])
def test_K16_line_ends_of_the_csv_are_those_of_the_policy(newline: str, end: bytes) -> None:
    content = report.issues_csv(a_report(TYPICAL), issues({}, {"row": 2}), newline)

    assert content.endswith(end)
    assert content.count(b"\r") == (content.count(b"\n") if newline == "crlf" else 0)


def test_T58_the_same_input_gives_the_same_bytes() -> None:
    first, second = (a_report(TYPICAL, earlier=earlier(80)) for _ in range(2))

    assert report.html(first) == report.html(second)
    assert report.json_bytes(first) == report.json_bytes(second)
