"""What of an export does not hold, told apart from what to do about it (M47)."""

from __future__ import annotations

import pickle

import pytest

from partner_exchange.errors import ReportRefused
from partner_exchange.exports import plan
from partner_exchange.exports.reports import catalogue
from support.builders import a_tenant


@pytest.mark.parametrize(
    ("export", "problem", "remedy"),
    [
        (
            {"report": "verified_studens"},
            "There is no report 'verified_studens'",
            "Did you mean 'verified_students'?",
        ),
        # The sentence ends at its end, not at the first full stop of a name.
        (
            {"report": "student_roster", "format": {"kind": "xml", "template_file": "by. hall.j2"}},
            "The template 'by. hall.j2' is not a file of 1 MiB at most in the tenants folder",
            "Put it there.",
        ),
        (
            {"report": "new_students", "parameters": {"days": "many"}},
            "Parameter days of report new_students must be a whole number",
            "See docs/reports.md.",
        ),
        (
            {"report": "student_roster", "columns": ["username", "username"]},
            "The column 'username' stands twice in the export one",
            "Leave one out.",
        ),
    ],
)
def test_M47_a_mistake_is_told_apart_from_its_remedy(
    export: dict[str, object], problem: str, remedy: str
) -> None:
    (found,) = plan.problems(a_tenant(exports={"one": export}))
    assert (found.path, found.problem, found.remedy) == ("exports.one", problem, remedy)


def test_M50_each_column_that_the_report_lacks_is_named_at_its_place() -> None:
    export = {"report": "verified_students", "columns": ["usernam", "student_id", "verify_dat"]}
    found = plan.problems(a_tenant(exports={"one": export}))
    assert [(one.path, one.remedy) for one in found] == [
        ("exports.one.columns.0", "Did you mean 'username'?"),
        ("exports.one.columns.2", "Did you mean 'verify_date'?"),
    ]


def test_M64_a_column_is_as_wide_as_its_header_unless_the_file_says_how_wide() -> None:
    def widths(**over: object) -> list[int]:
        columns = [{"column": "username"}, {"column": "term", **over}]
        tenant = a_tenant(exports={"one": {"report": "student_roster", "columns": columns}})
        return [one.width for one in plan.resolve(tenant, "one").file_columns]

    header = "Term that goes with the group"
    assert widths() == [50, 15]
    assert widths(header=header) == [50, len(header)]
    assert widths(header=header, width=12) == [50, 12]


def test_M47_both_sentences_are_the_message_wherever_the_error_goes() -> None:
    with pytest.raises(ReportRefused) as refused:
        catalogue.get("verified_students", "status")
    error = pickle.loads(pickle.dumps(refused.value))
    assert error.message == f"{error.problem}. {error.remedy}"
    assert error.remedy == "docs/reports.md says which reports there are for it."
