"""The report as plain text, for people and for terminals; ASCII but for names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import shorten, wrap

from partner_exchange.feeds.vxu.report import rows
from partner_exchange.feeds.vxu.report.document import Document
from partner_exchange.feeds.vxu.report.wording import many, percent, plain, points
from partner_exchange.ledger.submissions import Submission
from partner_exchange.tenants.model import Tenant

_WIDTH = 100
_BAR_WIDTH = 20
_GAP = "  "


def text(document: Document) -> bytes:
    """Return the report as UTF-8 text; sentences are wrapped at 100 characters, tables may be wider."""
    blocks = (_head, _reason, _score, _causes, _readiness, _counts, _fields, _findings, _timeliness)
    parts = [*blocks, _coverage, _codes, _trend, _foot]
    lines: list[str] = []
    for part in parts:
        block = list(part(document))
        if block:
            lines += [*block, ""]
    return ("\n".join(line.rstrip() for line in lines).rstrip() + "\n").encode()


def failure_text(submission: Submission, *, tenant: Tenant) -> bytes:
    """Return what the partner of a submission that we could not bring to its end reads: nothing is asked."""
    lines = [
        *_title(f"Data quality report: {submission.file_name}", "="),
        "",
        *_paragraph("The file could not be processed, and that is our fault; nothing is asked of you."),
        *_paragraph(
            "We have kept the file and will process it when the cause is mended; do not send it again. "
            "The report follows then."
        ),
        "",
        f"Submission: {submission.submission_id}",
    ]
    if tenant.contacts.support:
        lines += ["", *_contact(tenant.contacts.support)]
    return ("\n".join(lines) + "\n").encode()


def _head(document: Document) -> Iterator[str]:
    yield from _title(f"Data quality report: {document.head.file_name}", "=")
    yield ""
    if document.result is not None:
        yield f"SCORE {points(document.result.total)} of 100, band {document.result.band}"
        yield ""
    yield from _paragraph(document.verdict.sentence)
    yield from _paragraph(document.verdict.turn)
    yield ""
    yield from _table([[label, value] for label, value in rows.facts(document.head)])


def _reason(document: Document) -> Iterator[str]:
    if document.reason is None:
        return
    yield from _title(f"Why the file was refused: {document.reason.title}", "-")
    yield from _paragraph(document.reason.text)
    yield f"Code: {document.reason.code}"


def _score(document: Document) -> Iterator[str]:
    if document.counts is None:
        return
    yield from _title("Score", "-")
    if document.result is None:
        yield "Not scored: nothing in the file could be judged."
        return
    for part in document.result.parts:
        bar = _bar((part.percent or 0) / 100)
        reached = (
            f"{points(part.points):>5} of {plain(round(part.worth, 1)):>4}" if part.worth else "not judged"
        )
        yield f"{part.name.capitalize():<13}{_GAP}{bar}{_GAP}{reached}"
        yield from _indented(part.sentence)
    yield ""
    yield from _paragraph(rows.bands_sentence(document.result))


def _causes(document: Document) -> Iterator[str]:
    if document.result is None:
        return
    yield from _title("What costs points, and what to change", "-")
    shown, rest = rows.shown_causes(document)
    for cause in shown:
        yield f"{'-' + points(cause.points):>6}{_GAP}{cause.title}"
        yield from _indented(f"{rows.where(cause)}: {cause.affected}{rows.in_messages(cause)}.", 8)
        yield from _indented(cause.next_step, 8)
    yield from (line for sentence in rows.other_losses(document, rest) for line in _paragraph(sentence))


def _readiness(document: Document) -> Iterator[str]:
    if document.readiness is None:
        return
    yield from _title("Readiness for production", "-")
    yield from _paragraph(document.readiness.sentence)
    for check in document.readiness.checks:
        mark = "yes" if check.is_met else "NO"
        yield from _indented(f"{mark:<5}{check.label}: {check.sentence}", 2)


def _counts(document: Document) -> Iterator[str]:
    if document.counts is None:
        return
    yield from _title("Counts", "-")
    yield from _table([[label, value] for label, value in rows.counts(document.counts)], right=(1,))


def _fields(document: Document) -> Iterator[str]:
    for section in document.sections:
        share = percent(section.scored / section.potential) if section.potential else "not scored"
        yield from _title(f"Fields: {section.name}, {share} (of {section.counted})", "-")
        head = ["Field", "Place", "Level", "", "Good", "Expected", "Missing", "Invalid", "Unknown", "Retired"]
        lines = [
            [
                line.label,
                line.place,
                line.level,
                _bar(line.good, 10),
                percent(line.good),
                *(str(n) for n in (line.expected, line.expected - line.present, line.invalid)),
                *(str(n) for n in (line.unrecognized, line.deprecated)),
                points(line.points),
            ]
            for line in section.fields
        ]
        yield from _table([[*head, "Points lost"], *lines], right=range(4, 11))
        yield ""


def _findings(document: Document) -> Iterator[str]:
    if document.counts is None:
        return
    yield from _title("Findings", "-")
    if not document.findings:
        yield "None."
        return
    lines = [
        [
            line.severity,
            line.code,
            line.place or "file",
            str(line.count),
            *rows.spread(line),
            points(line.points),
            line.first_messages,
        ]
        for line in document.findings
    ]
    yield from _table(
        [["Severity", "Code", "Place", "Count", "Messages", "Share", "Points lost", "In messages"], *lines],
        right=range(3, 7),
    )
    yield ""
    yield "What the codes mean"
    for code, meaning in rows.glossary(document):
        yield from wrap(f"{code}: {meaning}", _WIDTH, initial_indent="  ", subsequent_indent="    ")


def _timeliness(document: Document) -> Iterator[str]:
    if document.timeliness is None:
        return
    yield from _title("Timeliness of doses given now", "-")
    yield from _paragraph(rows.lag_sentence(document.timeliness))
    if document.timeliness.doses:
        yield from _table(
            [
                [band.name, band.days, _bar(band.share), str(band.doses), percent(band.share)]
                for band in document.timeliness.bands
            ],
            right=(3, 4),
        )


def _coverage(document: Document) -> Iterator[str]:
    if document.coverage is None or not document.coverage.lines:
        return
    yield from _title("Vaccine groups by age", "-")
    for at, band in enumerate(document.coverage.bands):
        if not band.doses:
            continue
        yield f"{band.label} ({band.ages}): {many(band.doses, 'dose')}"
        cells = [(line.label, line.cells[at]) for line in document.coverage.lines]
        lines = [
            [_GAP + label, str(cell.doses), percent(cell.share) if cell.doses else "", cell.verdict]
            for label, cell in cells
            if cell.verdict
        ]
        yield from _table(lines, right=(1, 2))


def _codes(document: Document) -> Iterator[str]:
    if not document.codes:
        return
    yield from _title("Codes", "-")
    for code_set in document.codes:
        unknown = f", {code_set.unknown} of them not in the set" if code_set.unknown else ""
        yield f"{code_set.label}: {many(code_set.count, 'code')}{unknown}"
        shown, sentence = rows.shown_codes(code_set)
        yield from _table(
            [
                [_GAP + line.code, shorten(line.label, 64, placeholder=" ..."), line.state, str(line.count)]
                for line in shown
            ],
            right=(3,),
        )
        if sentence:
            yield _GAP + sentence


def _trend(document: Document) -> Iterator[str]:
    if document.trend is None:
        return
    yield from _title("Trend", "-")
    yield from _paragraph(document.trend.sentence)
    yield from _table(
        [
            [point.received_on, point.file_name, point.mode, _bar(point.score / 100), points(point.score)]
            for point in rows.shown_trend(document.trend)
        ],
        right=(4,),
    )


def _foot(document: Document) -> Iterator[str]:
    if document.result is not None:
        yield from _title("How the score is made", "-")
        for sentence in rows.how_it_is_made(document.result):
            yield from _paragraph(sentence)
        yield ""
    yield from _paragraph(rows.ABOUT)
    if document.contact:
        yield ""
        yield from _contact(document.contact)


def _contact(support: str) -> list[str]:
    return ["Questions:", *(f"  {line.strip()}" for line in support.strip().splitlines())]


def _title(title: str, rule: str) -> list[str]:
    return [title, rule * min(len(title), _WIDTH)]


def _paragraph(sentence: str) -> list[str]:
    return wrap(sentence, _WIDTH)


def _indented(sentence: str, by: int = 4) -> list[str]:
    return wrap(sentence, _WIDTH, initial_indent=" " * by, subsequent_indent=" " * by)


def _bar(share: float, width: int = _BAR_WIDTH) -> str:
    filled = int(max(0.0, min(1.0, share)) * width)
    return f"[{'#' * filled}{'.' * (width - filled)}]"


def _table(lines: Sequence[Sequence[str]], right: Sequence[int] | range = ()) -> Iterator[str]:
    """Return the lines with their cells below each other; ``right`` are columns of numbers."""
    if not lines:
        return
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        yield _GAP.join(
            cell.rjust(width) if at in right else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
