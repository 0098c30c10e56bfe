"""The rules between columns of the CDC templates, against a table written by hand from the format pages."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from partner_exchange.feeds.status.observations import apply_rules
from partner_exchange.feeds.status.recognise import Recognised, knows, recognise
from partner_exchange.feeds.status.rows import JudgedRows
from partner_exchange.feeds.status.rules import RuleVerdict, judge_rules
from partner_exchange.feeds.status.template import Template, templates
from partner_exchange.feeds.status.values import judge_values
from partner_exchange.readers.cells import as_cells
from partner_exchange.readers.grid import Grid
from partner_exchange.readers.table import TablePolicy, read_table
from partner_exchange.tenants.catalogue import CatalogueName, ready
from partner_exchange.tenants.status_policy import StatusPolicy
from partner_exchange.validation.catalogue import CATALOGUE
from partner_exchange.validation.wording import word
from support.nhsn import a_hospital_group

# One rule a line: level, code, left column, relation, right columns; "?" marks a part that is 0 when blank.
HRD = """
E cdc-total-below-parts             numInPtBeds >= numInPtBedsAdult + numInPtBedsPed
E cdc-total-below-parts             numInPtBeds >= numInPtBedsPed
E cdc-total-below-parts             numInPtBeds >= numICUBeds
E cdc-total-below-parts             numInPtBedsAdult >= numICUBedsAdult
E cdc-total-below-parts             numInPtBedsPed >= numICUBedsPed
E cdc-total-below-parts             numICUBeds >= numICUBedsAdult + numICUBedsPed
E cdc-total-below-parts             numInPtBedsOcc >= numInPtBedsOccAdult + numInPtBedsOccPed
E cdc-total-below-parts             numInPtBedsOcc >= numInPtBedsOccPed
E cdc-total-below-parts             numInPtBedsOcc >= numICUBedsOcc
E cdc-total-below-parts             numInPtBedsOccAdult >= numICUBedsOccAdult
E cdc-total-below-parts             numInPtBedsOccPed >= numICUBedsOccPed
E cdc-total-below-parts             numICUBedsOcc >= numICUBedsOccAdult + numICUBedsOccPed
W cdc-occupied-above-staffed        numInPtBedsOcc <= numInPtBeds
W cdc-occupied-above-staffed        numInPtBedsOccAdult <= numInPtBedsAdult
W cdc-occupied-above-staffed        numInPtBedsOccPed <= numInPtBedsPed
W cdc-occupied-above-staffed        numICUBedsOcc <= numICUBeds
W cdc-occupied-above-staffed        numICUBedsOccAdult <= numICUBedsAdult
W cdc-occupied-above-staffed        numICUBedsOccPed <= numICUBedsPed
W cdc-patients-above-occupied       numConfC19HospPatsAdult <= numInPtBedsOccAdult
W cdc-patients-above-occupied       numConfC19HospPatsPed <= numInPtBedsOccPed
W cdc-icu-patients-above-inpatients numConfC19ICUPatsAdult <= numConfC19HospPatsAdult
W cdc-icu-patients-above-inpatients numConfC19ICUPatsPed <= numConfC19HospPatsPed
W cdc-patients-above-occupied       numConfC19ICUPatsAdult <= numICUBedsOccAdult
W cdc-patients-above-occupied       numConfC19ICUPatsPed <= numICUBedsOccPed
W cdc-patients-above-occupied       numConfFluHospPatsAdult <= numInPtBedsOccAdult
W cdc-patients-above-occupied       numConfFluHospPatsPed <= numInPtBedsOccPed
W cdc-icu-patients-above-inpatients numConfFluICUPatsAdult <= numConfFluHospPatsAdult
W cdc-icu-patients-above-inpatients numConfFluICUPatsPed <= numConfFluHospPatsPed
W cdc-patients-above-occupied       numConfFluICUPatsAdult <= numICUBedsOccAdult
W cdc-patients-above-occupied       numConfFluICUPatsPed <= numICUBedsOccPed
W cdc-patients-above-occupied       numConfRSVHospPatsAdult <= numInPtBedsOccAdult
W cdc-patients-above-occupied       numConfRSVHospPatsPed <= numInPtBedsOccPed
W cdc-icu-patients-above-inpatients numConfRSVICUPatsAdult <= numConfRSVHospPatsAdult
W cdc-icu-patients-above-inpatients numConfRSVICUPatsPed <= numConfRSVHospPatsPed
W cdc-patients-above-occupied       numConfRSVICUPatsAdult <= numICUBedsOccAdult
W cdc-patients-above-occupied       numConfRSVICUPatsPed <= numICUBedsOccPed
"""
BED_CAPACITY = """
W cdc-sum-differs      AllBedsOccupied = AdultTotalOccupied + PedsTotalOccupied + SpecialtyTotalOccupied
W cdc-sum-differs      AllBedsUnoccupied = AdultTotalUnoccupied + PedsTotalUnoccupied + SpecialtyTotalUnoccupied
W cdc-sum-differs      AdultTotalOccupied = AdultICUOccupied + AdultNonICUOccupied
W cdc-sum-differs      AdultTotalUnoccupied = AdultICUUnoccupied + AdultNonICUUnoccupied
W cdc-sum-differs      AdultNonICUOccupied = AdultPCUOccupied? + AdultMTMSOccupied + AdultObsOccupied
W cdc-sum-differs      AdultNonICUUnoccupied = AdultPCUUnoccupied? + AdultMTMSUnoccupied + AdultObsUnoccupied
W cdc-sum-differs      PedsTotalOccupied = PedsICUOccupied + PedsNonICUOccupied
W cdc-sum-differs      PedsTotalUnoccupied = PedsICUUnoccupied + PedsNonICUUnoccupied
W cdc-sum-differs      PedsNonICUOccupied = PedsPCUOccupied? + PedsMTMSOccupied + PedsObsOccupied
W cdc-sum-differs      PedsNonICUUnoccupied = PedsPCUUnoccupied? + PedsMTMSUnoccupied + PedsObsUnoccupied
W cdc-sum-differs      SpecialtyTotalOccupied = SpecialtyNonCribOccupied + NICUTotalOccupied + NurseryOccupied
W cdc-sum-differs      SpecialtyTotalUnoccupied = SpecialtyNonCribUnoccupied + NICUTotalUnoccupied + NurseryUnoccupied
W cdc-sum-differs      SpecialtyNonCribOccupied = OBOccupied + AdultPsychOccupied + PedsPsychOccupied + RehabOccupied
W cdc-sum-differs      SpecialtyNonCribUnoccupied = OBUnoccupied + AdultPsychUnoccupied + PedsPsychUnoccupied + RehabUnoccupied
W cdc-sum-differs      NICUTotalOccupied = NICU1Occupied + NICU2Occupied + NICU3Occupied + NICU3PlusOccupied + NICU4Occupied
W cdc-sum-differs      NICUTotalUnoccupied = NICU1Unoccupied + NICU2Unoccupied + NICU3Unoccupied + NICU3PlusUnoccupied + NICU4Unoccupied
W cdc-sum-differs      SurgeActiveTotalOccupied = SurgeActiveICUOccupied + SurgeActiveNonICUOccupied
W cdc-sum-differs      SurgeActiveTotalUnoccupied = SurgeActiveICUUnoccupied + SurgeActiveNonICUUnoccupied
W cdc-sum-differs      SurgeInactiveTotalUnoccupied = SurgeInactiveICUUnoccupied + SurgeInactiveNonICUUnoccupied
W cdc-sum-differs      TotalEDCensus = AdultEDCensus + PedsEDTotalCensus
E cdc-part-above-whole AdultICULOCOccupied <= AdultICUOccupied
E cdc-part-above-whole PedsICULOCOccupied <= PedsICUOccupied
E cdc-part-above-whole AdultEDAdmittedCensus <= AdultEDCensus
E cdc-part-above-whole PedsEDAdmittedCensus <= PedsEDTotalCensus
E cdc-part-above-whole TotalEDAdmittedCensus <= TotalEDCensus
"""  # noqa: E501 - as the format page has it: one rule a line
_SIGN = {"at_least": ">=", "at_most": "<=", "equal": "="}
_LEVEL = {"error": "E", "warning": "W"}


@dataclass(frozen=True)
class Line:
    """A rule of the format page."""

    template: str
    level: str
    code: str
    left: str
    sign: str
    right: tuple[str, ...]
    optional: tuple[str, ...]

    @property
    def id(self) -> str:
        return f"{self.left}{self.sign}{'+'.join(self.right)}"

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.left, *self.right)


def _lines(template: str, text: str) -> list[Line]:
    lines = []
    for line in text.strip().splitlines():
        level, code, left, sign, right = line.split(maxsplit=4)
        parts = right.split(" + ")
        optional = tuple(part[:-1] for part in parts if part.endswith("?"))
        lines.append(
            Line(template, level, code, left, sign, tuple(part.rstrip("?") for part in parts), optional)
        )
    return lines


LINES = _lines("cdc_respiratory", HRD) + _lines("cdc_bed_capacity", BED_CAPACITY)
TEMPLATES = {template.name: template for template in reversed(templates())}
IDS = {
    one.name: one.id
    for name in (CatalogueName.CDC_HRD, CatalogueName.CDC_BED_CAPACITY)
    for one in ready(name)
}
every_rule = pytest.mark.parametrize("line", LINES, ids=lambda line: line.id)
with_an_optional_part = pytest.mark.parametrize(
    "line", [line for line in LINES if line.optional], ids=lambda line: line.id
)


def _judge(
    template: Template, rows: list[dict[str, float]], rejected: pd.DataFrame | None = None
) -> RuleVerdict:
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = pd.DataFrame(rows, columns=names, dtype="float64").rename(columns=IDS)
    titles = {IDS[name]: name for name in names}
    return judge_rules(template, table, rows=np.arange(2, len(rows) + 2), titles=titles, rejected=rejected)


def _rows_of(line: Line, verdict: RuleVerdict) -> list[int]:
    """Return the rows of which the verdict says that they break this very rule."""
    found = [
        mark.rows.tolist()
        for mark in verdict.marks
        if (mark.code, mark.column, mark.facts["left"]) == (line.code, line.left, line.left)
        and set(str(mark.facts["right"]).split(" + ")) | {*line.optional} == {*line.right}
    ]
    assert len(found) <= 1
    return found[0] if found else []


def _row(line: Line, above: float, **changed: float) -> dict[str, float]:
    """Return a row with 3 in each right column, and in the left one their sum and ``above``."""
    row = dict.fromkeys(line.right, 3.0)
    return {line.left: sum(row.values()) + above, **row, **changed}


def _meets(line: Line) -> list[float]:
    return {">=": [0.0, 1.0], "<=": [0.0, -1.0], "=": [0.0]}[line.sign]


def _breaks(line: Line) -> list[float]:
    return {">=": [-1.0], "<=": [1.0], "=": [-1.0, 1.0]}[line.sign]


def _shown(
    template: Template, *, code: str
) -> set[tuple[str, str, str, str, frozenset[str], frozenset[str]]]:
    names = {number: name for name, number in IDS.items()}
    return {
        (
            _LEVEL[CATALOGUE[rule.code].severity],
            rule.code,
            names[rule.left],
            _SIGN[rule.relation],
            frozenset(names[part] for part in rule.right),
            frozenset(names[part] for part in rule.blank_is_zero),
        )
        for rule in template.rules
        if rule.code == code
    }


@pytest.mark.parametrize("code", sorted({line.code for line in LINES}))
def test_E16_E17_the_rules_of_a_template_are_those_of_its_format_page(code: str) -> None:
    for name in ("cdc_respiratory", "cdc_bed_capacity"):
        wanted = {
            (line.level, line.code, line.left, line.sign, frozenset(line.right), frozenset(line.optional))
            for line in LINES
            if line.template == name and line.code == code
        }
        assert _shown(TEMPLATES[name], code=code) == wanted
    assert sum(len(template.rules) for template in TEMPLATES.values()) == len(LINES)


@every_rule
def test_E16_E17_a_rule_that_holds_is_silent(line: Line) -> None:
    verdict = _judge(TEMPLATES[line.template], [_row(line, above) for above in _meets(line)])

    assert _rows_of(line, verdict) == []


@every_rule
def test_E16_E17_a_broken_rule_is_found_in_its_row_and_names_its_columns(line: Line) -> None:
    good = _row(line, 0.0)
    rows = [good, *(_row(line, above) for above in _breaks(line)), good]

    verdict = _judge(TEMPLATES[line.template], rows)

    assert _rows_of(line, verdict) == list(range(3, len(rows) + 1))


@every_rule
def test_K23_a_broken_error_rejects_all_its_values_and_a_broken_warning_none(line: Line) -> None:
    verdict = _judge(TEMPLATES[line.template], [_row(line, 0.0), _row(line, _breaks(line)[0])])

    wanted = {(1, IDS[name]) for name in line.columns} if line.level == "E" else set()
    assert set(verdict.rejected.itertuples(index=False, name=None)) == wanted
    assert verdict.rejected.dtypes.astype(str).to_dict() == {"at": "int64", "status_type_id": "int32"}


@every_rule
def test_E22_E23_a_rule_with_a_blank_or_not_applicable_part_is_skipped(line: Line) -> None:
    # By the time the rules are judged, blank and 9999 are the same: no number.
    rows = [
        _row(line, _breaks(line)[0] * 50, **{name: np.nan})
        for name in line.columns
        if name not in line.optional
    ]

    verdict = _judge(TEMPLATES[line.template], rows)

    assert _rows_of(line, verdict) == []


@every_rule
def test_E21_a_rule_whose_column_the_file_leaves_out_is_not_judged(line: Line) -> None:
    for name in line.columns:
        if name not in line.optional:
            row = _row(line, _breaks(line)[0] * 50)
            del row[name]
            assert _rows_of(line, _judge(TEMPLATES[line.template], [row])) == []


@with_an_optional_part
def test_E17_a_blank_or_absent_pcu_counts_as_0(line: Line) -> None:
    (pcu,) = line.optional
    without = _row(line, -3.0, **{pcu: np.nan})
    wrong = _row(line, 0.0, **{pcu: np.nan})

    assert _rows_of(line, _judge(TEMPLATES[line.template], [without, wrong])) == [3]

    for row in (without, wrong):
        del row[pcu]
    verdict = _judge(TEMPLATES[line.template], [without, wrong])
    assert _rows_of(line, verdict) == [3]
    assert pcu not in {part for mark in verdict.marks for part in str(mark.facts["right"]).split(" + ")}


@with_an_optional_part
def test_E17_a_pcu_that_was_not_taken_is_no_blank(line: Line) -> None:
    (pcu,) = line.optional
    rows = [_row(line, 0.0, **{pcu: np.nan})] * 2 + [_row(line, 0.0)]
    # In the last row it is not the number that was rejected, but what stands beside it.
    rejected = pd.DataFrame({"at": [0, 2], "status_type_id": [IDS[pcu]] * 2})

    assert _rows_of(line, _judge(TEMPLATES[line.template], rows, rejected)) == [3]


@every_rule
def test_E23_a_9999_in_a_file_is_no_number_for_a_rule(line: Line) -> None:
    policy = StatusPolicy(catalogues=(CatalogueName.CDC_HRD, CatalogueName.CDC_BED_CAPACITY))
    broken = {name: f"{number:.0f}" for name, number in _row(line, _breaks(line)[-1]).items()}
    rows = [broken, *({**broken, name: "9999"} for name in line.columns if name not in line.optional)]
    header = ["orgID", "reportingContext", "collectionDate", *line.columns]
    lines = [header, *(["10234", "HOSP", "2026-11-20", *row.values()] for row in rows)]

    grid = read_table(
        "\r\n".join(map(",".join, lines)).encode(),
        file_name="a.csv",
        policy=TablePolicy(max_rows=100),
        knows=knows(policy.catalogue),
    )
    assert isinstance(grid, Grid)
    recognised = recognise(grid, policy.catalogue)
    assert isinstance(recognised, Recognised)
    flags = np.zeros(len(rows), dtype=np.bool_)
    times = np.full(len(rows), np.datetime64("2026-11-20", "us"))
    judged = JudgedRows(as_cells(["10001"] * len(rows)), times, flags, flags, ())
    values = judge_values(grid, recognised, policy=policy)
    verdict = apply_rules(grid, recognised, judged, values, tenant=a_hospital_group())

    assert _rows_of(line, verdict) == [2]


def test_E16_several_rules_with_one_left_column_are_told_apart() -> None:
    row = {"numInPtBeds": 10.0, "numInPtBedsAdult": 2.0, "numInPtBedsPed": 11.0, "numICUBeds": 12.0}

    verdict = _judge(TEMPLATES["cdc_respiratory"], [row])

    assert [(mark.column, mark.facts["right"]) for mark in verdict.marks] == [
        ("numInPtBeds", "numInPtBedsAdult + numInPtBedsPed"),
        ("numInPtBeds", "numInPtBedsPed"),
        ("numInPtBeds", "numICUBeds"),
    ]
    assert len(verdict.rejected) == 4, "a value of several broken rules is rejected once"


def test_E16_more_patients_than_staffed_beds_is_doubted_and_taken() -> None:
    """A real state's file has 4 occupied of 3 staffed ICU beds."""
    verdict = _judge(TEMPLATES["cdc_respiratory"], [{"numICUBedsAdult": 3.0, "numICUBedsOccAdult": 4.0}])

    assert [mark.code for mark in verdict.marks] == ["cdc-occupied-above-staffed"]
    assert verdict.rejected.empty


def test_E16_findings_name_the_columns_as_the_file_does_and_no_value() -> None:
    numbers = pd.DataFrame({IDS["numInPtBeds"]: [987651.0], IDS["numICUBeds"]: [987654.0]})
    titles = {IDS["numInPtBeds"]: "NUMINPTBEDS", IDS["numICUBeds"]: "numicubeds"}

    verdict = judge_rules(TEMPLATES["cdc_respiratory"], numbers, rows=np.array([7]), titles=titles)

    findings = word(verdict.marks, columns=list(titles.values()), cap=10)
    (message,) = findings.table["message"].to_list()
    assert message == (
        "NUMINPTBEDS is smaller than numicubeds, which it includes; none of these counts was taken. "
        "Correct whichever count is wrong."
    )
    assert not re.search("98765", message + findings.groups[0].message)


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=lambda template: template.name)
def test_E15_nothing_to_judge_is_no_fault(template: Template) -> None:
    for numbers in (pd.DataFrame(index=range(3)), pd.DataFrame({55001: []}, dtype="float64")):
        verdict = judge_rules(
            template, numbers, rows=np.arange(2, 2 + len(numbers)), titles={55001: "numInPtBeds"}
        )
        assert (verdict.marks, len(verdict.rejected)) == ((), 0)


def test_E17_decimals_add_up_without_rounding_noise() -> None:
    row = {"TotalEDCensus": 0.3, "AdultEDCensus": 0.1, "PedsEDTotalCensus": 0.2}

    assert _judge(TEMPLATES["cdc_bed_capacity"], [row]).marks == ()
