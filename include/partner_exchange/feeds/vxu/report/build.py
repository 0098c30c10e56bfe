"""Make the report of one submission out of what the ledger and the checks left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from partner_exchange.feeds.vxu.report import completeness, quality, timeliness, verdict
from partner_exchange.feeds.vxu.report import score as scores
from partner_exchange.feeds.vxu.report.causes import causes, rejection_points
from partner_exchange.feeds.vxu.report.codes import code_lines
from partner_exchange.feeds.vxu.report.counts import counts
from partner_exchange.feeds.vxu.report.coverage import coverage
from partner_exchange.feeds.vxu.report.document import FORMAT, Document
from partner_exchange.feeds.vxu.report.head import head
from partner_exchange.feeds.vxu.report.readiness import readiness
from partner_exchange.feeds.vxu.report.sentences import sentences
from partner_exchange.feeds.vxu.report.tallies import Tally
from partner_exchange.feeds.vxu.report.trend import trend
from partner_exchange.ledger.messages import QualityReport
from partner_exchange.ledger.states import Outcome
from partner_exchange.ledger.submissions import Submission
from partner_exchange.tenants.model import Tenant
from partner_exchange.validation.findings import Findings


def build(
    *,
    submission: Submission,
    tenant: Tenant,
    findings: Findings,
    tally: pd.DataFrame,
    earlier: Sequence[QualityReport],
    patients_held: int = 0,
) -> Document:
    """Return the report; the same input gives the same report at any time (T58).

    :param findings: of the checks and of the store; only their groups are read.
    :param tally: ``TALLY_COLUMNS``, of the whole file; without lines for a refused file.
    :param earlier: scored reports of the tenant's earlier files, oldest first.
    :param patients_held: different patients whose doses are held.
    :raises LookupError: the file was refused, and no finding says why.
    """
    told = Tally.of(tally)
    counted = counts(submission, findings, told, patients_held=patients_held)
    bare = Document(
        format=FORMAT,
        head=head(submission, tenant, told),
        verdict=verdict.verdict(counted, findings, tenant, submission.outcome),
        contact=tenant.contacts.support.strip(),
    )
    if submission.outcome is Outcome.REFUSED:
        refused, reason = verdict.refused(findings)
        return replace(bare, verdict=refused, reason=reason)
    scoring = tenant.vxu.scoring
    sections = completeness.sections(told)
    document = replace(
        bare,
        counts=counted,
        sections=sections,
        findings=quality.finding_lines(findings, told),
        codes=code_lines(told),
        coverage=coverage(told),
        timeliness=timeliness.timeliness(told, scoring.timely_days),
        readiness=readiness(scoring, counted, sections, mode=tenant.mode),
    )
    # By way of its JSON, so that a report that was kept is rendered to the same bytes.
    return Document.of(_scored(document, tenant, earlier).as_json())


def _scored(document: Document, tenant: Tenant, earlier: Sequence[QualityReport]) -> Document:
    """Return the report with its score and what each thing costs; as it is where nothing could be judged."""
    percents = _percents(document)
    worths = scores.worths(tenant.vxu.scoring, percents)
    if worths is None or document.timeliness is None:
        return document
    sections = completeness.priced(document.sections, worths["completeness"])
    lines = quality.priced(document.findings, worths["quality"])
    result = scores.score(
        tenant.vxu.scoring,
        percents,
        worths,
        sentences(sections, lines, document.timeliness, percents),
        rejection_points=rejection_points(lines),
    )
    late_points = worths["timeliness"] * (100 - (percents["timeliness"] or 0)) / 100
    return replace(
        document,
        result=result,
        sections=sections,
        findings=lines,
        causes=causes(lines, sections, document.timeliness, timeliness_points=late_points),
        trend=trend(document.head, result.total, earlier),
    )


def _percents(document: Document) -> Mapping[str, float | None]:
    has_messages = document.counts is not None and document.counts.messages > 0
    return {
        "completeness": completeness.percent(document.sections),
        "quality": quality.percent(document.findings) if has_messages else None,
        "timeliness": timeliness.percent(document.timeliness) if document.timeliness else None,
    }
