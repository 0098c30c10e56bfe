"""The catalogue holds what it promises, and its page says what the catalogue says."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
import yaml

from partner_exchange.errors import ReportRefused
from partner_exchange.exports import plan
from partner_exchange.exports.answers.reading import COMMENT_CHARACTERS
from partner_exchange.exports.columns import Kind
from partner_exchange.exports.reports import catalogue, docs, settling
from partner_exchange.exports.reports.catalogue import REPORTS
from partner_exchange.exports.reports.recipes import RECIPES, Recipe
from partner_exchange.exports.reports.report import EVERY_FEED, Report
from partner_exchange.feeds.vxu.code_sets import vaccines
from partner_exchange.ledger.mails import Event
from partner_exchange.tenants.exports import Export
from partner_exchange.tenants.model import Tenant
from partner_exchange.validation.catalogue import CATALOGUE
from support.reported import tenant_of

LONGEST_STATUS_TYPE = 100
EACH = pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)


def test_M63_there_are_at_least_eighteen_reports_and_some_for_every_feed() -> None:
    assert len(REPORTS) >= 18
    for feed in EVERY_FEED:
        own = [one for one in catalogue.of_feed(feed).values() if one.feeds == {feed}]
        assert len(own) >= 5
        assert len(catalogue.of_feed(feed)) > len(own)


@EACH
def test_M63_a_report_is_described_and_a_tenant_file_can_name_it(report: Report) -> None:
    assert REPORTS[report.name] is report
    assert report.version >= 1
    assert report.title
    assert not report.title.endswith(".")
    assert report.about.endswith(".")
    assert len(report.about) > 40
    assert report.feeds <= EVERY_FEED
    Export.model_validate({"report": report.name, "columns": [one.name for one in report.columns]})


@EACH
def test_M63_each_column_is_described_once_and_fits_a_file_of_fixed_width(report: Report) -> None:
    names = [one.name for one in report.columns]
    headers = [one.header.casefold() for one in report.columns]
    assert len(set(names)) == len(names)
    assert len(set(headers)) == len(headers)
    for one in report.columns:
        assert one.about
        assert re.fullmatch(r"[A-Z][A-Za-z0-9]*", one.header)
        assert one.width >= 1
        assert not one.form or one.kind in (Kind.DATE, Kind.INSTANT)


@pytest.mark.parametrize(
    ("report", "column", "longest"),
    [
        ("mails", "event", max(map(len, Event))),
        ("findings_by_code", "code", max(map(len, CATALOGUE))),
        ("findings_by_code", "title", max(len(one.title) for one in CATALOGUE.values())),
        ("findings_by_code", "next_step", max(len(one.next_step) for one in CATALOGUE.values())),
        ("rejected_rows", "code", max(map(len, CATALOGUE))),
        ("rejected_rows", "message", 2 * max(len(one.message) for one in CATALOGUE.values())),
        ("rejected_rows", "column", LONGEST_STATUS_TYPE),
        ("overdue_statuses", "status_type", LONGEST_STATUS_TYPE),
        ("nhsn_states", "comment", COMMENT_CHARACTERS),
        ("doses_by_vaccine_and_age", "vaccine", max(len(one.label) for one in vaccines().values())),
        ("refusals_by_vaccine", "vaccine", max(len(one.label) for one in vaccines().values())),
    ],
)
def test_M73_a_column_of_our_own_words_holds_the_longest_of_them(
    report: str, column: str, longest: int
) -> None:
    (width,) = [one.width for one in REPORTS[report].columns if one.name == column]
    assert width >= longest


@EACH
def test_M50_M75_default_columns_and_keys_are_columns_of_the_report(report: Report) -> None:
    names = {one.name for one in report.columns}
    assert report.default_columns
    assert len(set(report.default_columns)) == len(report.default_columns)
    assert set(report.default_columns) <= names
    assert set(report.keys) <= names
    assert report.may_be_delta


@EACH
def test_M63_each_parameter_is_described_and_its_default_is_one_that_it_takes(report: Report) -> None:
    names = [one.name for one in report.parameters]
    assert len(set(names)) == len(names)
    assert all(one.about and not one.about.endswith(".") for one in report.parameters)
    assert settling.settle(report, {}) == {one.name: one.default for one in report.parameters}
    given = {one.name: one.default for one in report.parameters if one.default is not None}
    assert settling.settle(report, given) == settling.settle(report, {})


def test_M47_M48_the_default_columns_of_the_verified_students_are_those_of_the_sources() -> None:
    columns = settling.columns(REPORTS["verified_students"])
    assert [one.header for one in columns] == ["Username", "StudentId", "VerifyDate"]
    assert [one.form for one in columns] == ["", "", "MM/DD/YYYY"]


def test_M50_the_reports_of_verification_hold_a_students_name_only_where_it_is_asked_for() -> None:
    for name in ("verified_students", "unverified_students", "verification_changes"):
        columns = REPORTS[name].default_columns
        assert not {"last_name", "first_name", "dob", "telephone"} & set(columns)


def test_M63_a_report_that_is_not_there_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(ReportRefused, match="Did you mean 'verified_students'") as refused:
        catalogue.get("verifed_students")
    assert refused.value.code == "report-unknown"


def test_M63_a_report_of_another_feed_is_refused() -> None:
    assert catalogue.get("bed_totals", "status").name == "bed_totals"
    with pytest.raises(ReportRefused) as refused:
        catalogue.get("bed_totals", "roster")
    assert refused.value.code == "report-of-another-feed"


def test_M63_the_catalogue_is_light_enough_for_where_dags_are_parsed() -> None:
    code = (
        "import sys, partner_exchange.exports.reports.catalogue, partner_exchange.exports.reports.settling\n"
        "print({'pandas', 'pyarrow', 'great_expectations', 'openpyxl'} & set(sys.modules))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "set()"


def test_M61_there_is_a_recipe_for_each_use_that_the_sources_name() -> None:
    assert {"On-going report", "Seasonal dump", "Yearly compliance", "Real-time, every five minutes"} <= {
        one.title for one in RECIPES
    }


def a_tenant_with(recipe: Recipe) -> Tenant:
    base = tenant_of(recipe.feed, "state-university").model_dump()
    return Tenant.model_validate({**base, **yaml.safe_load(recipe.yaml)})


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda one: one.title)
def test_M61_a_recipe_on_the_page_can_be_copied_into_a_tenant_file(recipe: Recipe) -> None:
    assert f"### {recipe.title}\n" in docs.PAGE_PATH.read_text(encoding="utf-8")
    assert f"```yaml\n{recipe.yaml}```" in docs.PAGE_PATH.read_text(encoding="utf-8")
    tenant = a_tenant_with(recipe)
    assert tenant.exports
    assert plan.problems(tenant) == []


def test_M61_the_recipes_run_when_their_use_asks_for_it() -> None:
    crons = {
        one.title: [export.cron for export in a_tenant_with(one).exports.values()] for one in RECIPES[:4]
    }
    assert crons == {
        "On-going report": ["30 7 * * MON-FRI"],
        "Seasonal dump": [""],
        "Yearly compliance": ["0 6 15 10 *"],
        "Real-time, every five minutes": ["*/5 * * * *"] * 2,
    }
