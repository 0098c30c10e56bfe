"""The code sets of immunizations: whole, sound, and all codes of the samples known."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from partner_exchange.errors import ConfigError
from partner_exchange.feeds.vxu import code_set_update, code_sets
from partner_exchange.feeds.vxu.code_set_files import (
    BANDS,
    EXPECTATIONS,
    FILES,
    FOLDER,
    KINDS,
    STATES,
    Row,
    problems,
    read,
    render,
)
from partner_exchange.feeds.vxu.code_sets import Expectation, State, VaccineKind, codes, products, vaccines
from partner_exchange.settings import PROJECT_DIR

SAMPLES = PROJECT_DIR.parent / "shared" / "samples"
needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the samples are not here")

Tables = dict[str, list[Row]]


@pytest.fixture
def tables() -> Tables:
    return {name: read(name) for name in FILES}


def sample(name: str) -> Iterator[dict[str, str]]:
    with (SAMPLES / "codesets" / name).open(newline="", encoding="utf-8") as lines:
        yield from csv.DictReader(lines)


def test_T64_the_files_hold_and_are_written_as_they_are_read(tables: Tables) -> None:
    assert problems(tables) == []
    for name, rows in tables.items():
        assert (FOLDER / f"{name}.csv").read_text(encoding="utf-8") == render(name, rows)


def test_T64_words_of_the_files_are_those_of_the_code() -> None:
    assert list(STATES) == list(State)
    assert list(KINDS) == list(VaccineKind)
    assert list(EXPECTATIONS) == list(Expectation)
    assert list(BANDS) == list(code_sets.AGE_BANDS)


STATES_THAT_MATTER = [
    ("sex", "F M U", State.VALID),
    ("sex", "O", State.DEPRECATED),
    ("eligibility", "V01 V02 V03 V04 V05 V06 V07 V08 V22 V23 V24 V25", State.VALID),
    ("eligibility", "V00", State.INVALID),
    ("information-source", "00 01 02 03 04 05 06 07 08", State.VALID),
    ("funding-source", "VXC1 VXC2 VXC3 VXC50 VXC51 VXC52 PHC68 PHC70 OTH UNK", State.VALID),
    ("route", "C38238 ID C28161 IM C38276 IV C38284 NS C38288 PO C38299 SC C38305 TD OTH", State.VALID),
    ("route", "C38676", State.VALID),
    ("route", "IN", State.DEPRECATED),
    ("site", "LA RA LD RD LG RG LT RT LVL RVL LLFA RLFA BN LN RN MO", State.VALID),
    ("completion", "CP PA NA RE", State.VALID),
    ("action", "A U D", State.VALID),
    ("refusal", "00 01 02 03", State.VALID),
    ("publicity", "01 02 03 04 05 06 07 08 09 10 11 12", State.VALID),
    ("registry-status", "A I L M P U", State.VALID),
    ("registry-status", "O", State.INVALID),
    ("processing-id", "P D T", State.VALID),
    ("acknowledgement-type", "AL NE ER SU", State.VALID),
    ("value-type", "CE NM ST DT ID TS", State.VALID),
    ("value-type", "TX", State.IGNORED),
    ("eligibility-method", "VXC40 VXC41", State.VALID),
    ("observation", "64994-7 30963-3 69764-9 29769-7 30956-7 29768-9 59784-9", State.VALID),
    ("protection", "Y N", State.VALID),
    ("observation-status", "F", State.VALID),
    ("order-control", "RE", State.VALID),
    ("unit", "mL", State.VALID),
    ("name-type", "L", State.VALID),
    ("identifier-type", "MR PI SS MA", State.VALID),
    ("vaccine", "03 20 110 998", State.VALID),
    ("vaccine", "61 99", State.INVALID),
    ("manufacturer", "PMC MSD SKB", State.VALID),
]


@pytest.mark.parametrize(
    ("set_name", "members", "state"), STATES_THAT_MATTER, ids=lambda value: str(value)[:20]
)
def test_T64_codes_of_the_guide_have_their_state(set_name: str, members: str, state: State) -> None:
    assert {code: codes(set_name)[code].state for code in members.split()} == dict.fromkeys(
        members.split(), state
    )


def test_T64_a_route_of_the_old_table_tells_the_preferred_one() -> None:
    routes = codes("route")
    assert {one.code: one.preferred for one in routes.values() if one.system == "HL70162" and one.preferred}
    assert all(routes[one.preferred].system == "NCIT" for one in routes.values() if one.preferred)
    assert routes["IM"].preferred == "C28161"


def test_T64_unknown_set_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        codes("colour")


def test_T64_a_vaccine_is_found_however_its_code_is_padded() -> None:
    assert vaccines()["3"] is vaccines()["03"] is vaccines()["003"]
    assert vaccines().get("3000") is None
    assert "MMR" not in vaccines()
    assert len(list(vaccines())) == len(vaccines())


def test_T64_dates_of_a_vaccine_enclose_those_of_its_products() -> None:
    torn = [
        product.ndc
        for product in products().values()
        if len(product.cvx_codes) == 1
        for vaccine in [vaccines()[product.cvx]]
        if (product.sold_from and vaccine.licensed_from and product.sold_from < vaccine.licensed_from)
        or (product.sold_until and vaccine.licensed_until and product.sold_until > vaccine.licensed_until)
    ]
    assert torn == []


def test_T64_what_is_no_product_has_no_licence() -> None:
    kinds = {VaccineKind.UNSPECIFIED, VaccineKind.NON_VACCINE, VaccineKind.NEVER_ACTIVE}
    for vaccine in vaccines().values():
        if vaccine.kind in kinds:
            assert (vaccine.licensed_from, vaccine.licensed_until) == (None, None)
    assert vaccines()["45"].kind is VaccineKind.UNSPECIFIED
    assert vaccines()["16"].licensed_until == date(2003, 12, 31)


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("49281-0560-05", "49281056005"),
        ("49281056005", "49281056005"),
        ("0006-4047-20", "00006404720"),
        ("49281-560-05", "49281056005"),
        ("49281-0560-5", "49281056005"),
        ("0006404720", "00006404720"),
        ("1234567890", ""),
        ("49281-0560-055", ""),
        ("4928-1056-005", ""),
        ("110", ""),
        ("", ""),
        ("4928x-0560-05", ""),
        ("٤٩٢٨١٠٥٦٠٠٥", ""),
    ],
)
def test_T64_ndc_is_taken_in_all_its_forms(written: str, digits: str) -> None:
    assert code_sets.normalised_ndc(written) == digits


def test_T64_a_product_tells_vaccine_and_manufacturer() -> None:
    pentacel = products()[code_sets.normalised_ndc("49281-0560-05")]
    assert (pentacel.cvx, pentacel.mvx) == ("120", "PMC")
    assert products()["58160082101"].cvx_codes == ("43", "44")


def test_T58_every_vaccine_that_is_given_counts_for_a_group() -> None:
    lonely = [one.cvx for one in vaccines().values() if one.kind == "vaccine" and not one.groups]
    assert lonely == ["181", "801"], "an immune globulin and a substance that goes with others"
    groups = code_sets.coverage_groups()
    assert [one.order for one in groups] == list(range(1, len(groups) + 1))
    assert all(one.cvx for one in groups)
    assert groups[0].group == "influenza"
    assert groups[0].expectations["senior"] is Expectation.EXPECTED


def test_T64_the_version_is_that_of_the_data() -> None:
    assert len(code_sets.version()) == 12
    assert code_sets.version() == code_sets.version()


@needs_samples
def test_T64_every_code_of_the_samples_is_known() -> None:
    known = {code for name in code_sets.set_names() for code in codes(name)}
    assert {row["code"] for row in sample("hl7_code_sets.csv") if row["codeset"] != "VACCINE_GROUP"} <= known
    assert {row["cvx"] for row in sample("cvx.csv")} == set(vaccines())
    assert {row["mvx"] for row in sample("mvx.csv")} == set(code_sets.manufacturers())
    assert {row["ndc"] for row in sample("ndc_to_cvx_mvx.csv")} == {one.ndc for one in products().values()}
    assert {row["cvx"].split(";")[0] for row in sample("ndc_to_cvx_mvx.csv")} <= set(vaccines())


@needs_samples
def test_T58_vaccine_groups_are_those_of_the_sample_report() -> None:
    book = openpyxl.load_workbook(SAMPLES / "reports" / "MQE_VaccineCodeReport.xlsx", data_only=True)
    ours = {one.group: one for one in code_sets.coverage_groups()}
    lost, told = [], {}
    for row in book["XML Setup"].iter_rows(min_row=9, max_col=10, values_only=True):
        if row[1] is None:
            continue
        members = {code.strip() for code in str(row[4]).split(",")} - {"58"}
        home = [one for one in ours.values() if members <= one.cvx]
        if not home:
            lost.append(row[1])
        elif str(row[1]).strip() != "RSV":
            told[row[1]] = [str(cell).lower() for cell in row[5:]] in [
                list(one.expectations.values()) for one in home
            ]
    assert lost == [], "58 is Hep C, which the sheet counts for Hep B"
    assert all(told.values()), told


# ---- what must not hold ----


def spoil(name: str, key: str, **cells: str) -> Callable[[Tables], None]:
    def change(tables: Tables) -> None:
        first = next(iter(FILES[name].key))
        row = next(row for row in tables[name] if row[first] == key)
        row.update(cells)

    return change


WRONG = [
    (spoil("codes", "sex", state="fine"), "codes.csv: sex F has a state other than"),
    (spoil("codes", "sex", preferred="X"), "codes.csv: sex F prefers a code that its set does not have."),
    (spoil("codes", "sex", label=""), "codes.csv: sex F lacks its code or its label."),
    (spoil("vaccines", "03", cvx="3"), "vaccines.csv: 3 is not written with two digits or three."),
    (spoil("vaccines", "03", kind="pill"), "vaccines.csv: 03 has a kind other than"),
    (spoil("vaccines", "03", groups="cold"), "vaccines.csv: 03 is in a group that coverage.csv does not"),
    (spoil("vaccines", "03", age_from_months="x"), "vaccines.csv: 03 has an age that is no number"),
    (
        spoil("vaccines", "03", age_from_months="9", age_until_months="8"),
        "vaccines.csv: the ages of 03 end before",
    ),
    (spoil("vaccines", "03", licensed_from="2010-13-01"), "vaccines.csv: 03 has a date that is not written"),
    (spoil("vaccines", "03", licensed_from="20101201"), "vaccines.csv: 03 has a date that is not written"),
    (
        spoil("vaccines", "03", licensed_from="2012-01-01", licensed_until="2011-01-01"),
        "vaccines.csv: the dates of 03 do not rise.",
    ),
    (spoil("vaccines", "03", cvx="04"), "vaccines.csv: 04 is there twice."),
    (spoil("products", "49281-0560-05", ndc="4928-0560-05"), "products.csv: 4928-0560-05 is not written as"),
    (spoil("products", "49281-0560-05", cvx=""), "products.csv: 49281-0560-05 has no CVX code"),
    (spoil("products", "49281-0560-05", mvx="??"), "products.csv: 49281-0560-05 has no MVX code"),
    (spoil("products", "49281-0560-05", package="jar"), "products.csv: 49281-0560-05 has a package other"),
    (spoil("manufacturers", "PMC", used_until="soon"), "manufacturers.csv: PMC has a date that is not"),
    (spoil("coverage", "mmr", adult="maybe"), "coverage.csv: mmr has an expectation other than"),
    (spoil("coverage", "mmr", order="77"), "coverage.csv: the order of the groups does not count up"),
    (lambda tables: tables["coverage"].clear(), "coverage.csv has other columns than"),
    (lambda tables: tables["codes"][0].pop("state"), "codes.csv has other columns than"),
]


@pytest.mark.parametrize(("change", "sentence"), WRONG, ids=[sentence for _, sentence in WRONG])
def test_T64_what_does_not_hold_is_said(
    tables: Tables, change: Callable[[Tables], object], sentence: str
) -> None:
    change(tables)
    assert any(one.startswith(sentence) for one in problems(tables)), problems(tables)


# ---- taking over new ones ----

CVX = """143       |Adenovirus types 4 and 7|Adenovirus, type 4 and type 7|tablets|Active|False|2011/03/20
03 |MMR, live|measles, mumps and rubella virus vaccine||Active|False|2010/05/28
45|Hep B, unspecified formulation|hepatitis B vaccine||Inactive|False|2010/09/30
401|Marsh fever, unspecified|marsh fever vaccine||Inactive|False|2026/01/02
402|Marsh fever, live|marsh fever vaccine||Active|False|2026/01/02
403|Marsh fever antibody|marsh fever antibody||Active|True|2026/01/02
404|Bog fever|bog fever vaccine||Never Active|False|2026/01/02
146|DTaP,IPV,Hib,HepB|||Pending|False|2011/09/01
"""
MVX = "PMC|Sanofi Pasteur of Elsewhere||Active|2014/04/29\nNEW|New Vaccines, Inc.||Active|2026/01/02\n"


def changed(tables: Tables) -> dict[tuple[str, str, str], str]:
    before = {name: read(name) for name in FILES}
    found = code_set_update.changes(before, tables)
    return {(one.file, one.key, one.column): one.new for one in found}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-8-sig"])
def test_T64_cvx_codes_of_cdc_are_taken_over(tables: Tables, encoding: str) -> None:
    head = "CVX Code|CVX Short Description|Full Vaccine Name|Note|VaccineStatus|nonvaccine|update_date\n"
    code_set_update.merge_cvx(tables, (head + CVX).encode(encoding), "cvx.txt")
    assert changed(tables) == {
        ("vaccines.csv", "03", "label"): "MMR, live",
        ("vaccines.csv", "146", "kind"): "pending",
        ("vaccines.csv", "401", "label"): "Marsh fever, unspecified",
        ("vaccines.csv", "401", "kind"): "unspecified",
        ("vaccines.csv", "402", "label"): "Marsh fever, live",
        ("vaccines.csv", "402", "kind"): "vaccine",
        ("vaccines.csv", "403", "label"): "Marsh fever antibody",
        ("vaccines.csv", "403", "kind"): "non-vaccine",
        ("vaccines.csv", "404", "label"): "Bog fever",
        ("vaccines.csv", "404", "kind"): "never-active",
    }
    assert problems(tables) == []


def test_T64_mvx_codes_of_cdc_are_taken_over(tables: Tables) -> None:
    next(row for row in tables["manufacturers"] if row["mvx"] == "PMC")["used_until"] = "2020-01-01"
    code_set_update.merge_mvx(tables, MVX.encode("cp1252"), "mvx.txt")
    assert changed(tables) == {
        ("manufacturers.csv", "NEW", "label"): "New Vaccines, Inc.",
        ("manufacturers.csv", "PMC", "label"): "Sanofi Pasteur of Elsewhere",
    }, "an active code is out of use no more"


def test_T64_own_rows_win_over_cdc(tables: Tables) -> None:
    code_set_update.merge_cvx(tables, CVX.encode(), "cvx.txt")
    own = render("vaccines", [{**vars_of("03"), "label": "MMR of ours", "age_from_months": "7"}])
    code_set_update.merge_own(tables, own.encode(), "more.csv")
    found = changed(tables)
    assert found["vaccines.csv", "03", "label"] == "MMR of ours"
    assert found["vaccines.csv", "03", "age_from_months"] == "7"


def vars_of(cvx: str) -> Row:
    return next(row for row in read("vaccines") if row["cvx"] == cvx)


@pytest.mark.parametrize(
    ("merge", "content"),
    [
        (code_set_update.merge_cvx, b""),
        (code_set_update.merge_cvx, b"03|MMR\n"),
        (code_set_update.merge_cvx, b"<html>|||||||</html>"),
        (code_set_update.merge_mvx, CVX.encode()),
        (code_set_update.merge_own, b""),
        (code_set_update.merge_own, b"code,label\n03,MMR\n"),
        (code_set_update.merge_own, b"mvx,label,used_until\nPMC,Sanofi\nX,Y,,Z\n"),
    ],
)
def test_T64_what_is_no_code_file_is_refused(
    tables: Tables, merge: Callable[[Tables, bytes, str], None], content: bytes
) -> None:
    with pytest.raises(ConfigError) as caught:
        merge(tables, content, "some.txt")
    assert caught.value.code == "code-set-file-unreadable"
    assert changed(tables) == {}


def test_T64_nothing_is_written_that_does_not_hold(tables: Tables, tmp_path: Path) -> None:
    for name in FILES:
        (tmp_path / f"{name}.csv").write_text(render(name, read(name)))
    own = "mvx,label,used_until\nPMC,Sanofi,soon\n"
    code_set_update.merge_own(tables, own.encode(), "more.csv")
    with pytest.raises(ConfigError) as caught:
        code_set_update.write(tables, tmp_path)
    assert caught.value.code == "code-sets-not-sound"
    assert code_set_update.load(tmp_path) == {name: read(name) for name in FILES}
