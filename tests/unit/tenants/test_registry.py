"""Every mistake in a tenant file names the file, the option and the remedy."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from partner_exchange.errors import RegistryInvalid, UnknownTenant
from partner_exchange.settings import PROJECT_DIR
from partner_exchange.tenants import registry
from partner_exchange.tenants.catalogue import CatalogueName, ready
from partner_exchange.tenants.formula import Formula
from partner_exchange.tenants.model import RESERVED_CODES, KeyType, Required, Tenant
from partner_exchange.tenants.presets import PRESETS, merge
from partner_exchange.tenants.problems import Problem

GOOD = "preset: medproctor-columns\nname: State University\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "state-university.yaml").write_text(GOOD)
    return tmp_path


def problems_of(folder: Path, content: str | bytes, name: str = "lake-college.yaml") -> list[Problem]:
    content = content.encode() if isinstance(content, str) else content
    (folder / name).write_bytes(content)
    return registry.examine(folder)[1]


def only(problems: list[Problem]) -> tuple[str, str, str, str]:
    (problem,) = problems
    return problem.file, problem.path, problem.problem, problem.remedy


def test_T25_code_is_the_name_of_the_file(folder: Path) -> None:
    assert registry.load(folder).get("state-university").code == "state-university"


def test_P3_good_files_load_while_another_one_is_wrong(folder: Path) -> None:
    (folder / "lake-college.yaml").write_text("nonsense: 1\n")
    found, problems = registry.examine(folder)
    assert list(found.tenants) == ["state-university"]
    assert {problem.file for problem in problems} == {"lake-college.yaml"}


@pytest.mark.parametrize(
    ("option", "value", "path", "remedy"),
    [
        ("nmae", "x", "nmae", "Did you mean 'name'?"),
        ("presett", "x", "presett", "Did you mean 'preset'?"),
        ("roster", {"blank_cell": "keep"}, "roster.blank_cell", "Did you mean 'blank_cells'?"),
        (
            "access",
            {"key_policy": {"bit": 2048}},
            "access.key_policy.bit",
            "Did you mean 'bits'?",
        ),
        ("colour", "red", "colour", "Remove it; docs/tenants.md lists the options."),
    ],
)
def test_P3_unknown_option_names_the_nearest_one(
    folder: Path, option: str, value: object, path: str, remedy: str
) -> None:
    content = yaml.safe_dump({**yaml.safe_load(GOOD), option: value})
    assert only(problems_of(folder, content)) == ("lake-college.yaml", path, "unknown option", remedy)


@pytest.mark.parametrize(
    ("option", "value", "path", "words"),
    [
        ("name", "", "name", "at least 1 character"),
        ("name", 5, "name", "a text is wanted"),
        ("feed", "pictures", "feed", "'roster'"),
        ("mode", "live", "mode", "'test' or 'production'"),
        ("time_zone", "Texas", "time_zone", "America/Chicago"),
        ("time_zone", "../../etc/passwd", "time_zone", "America/Chicago"),
        ("max_file_bytes", "many", "max_file_bytes", "a whole number is wanted"),
        ("max_file_bytes", 1, "max_file_bytes", "greater than or equal to 1024"),
        ("contacts", {"success": ["Jo <jo@example.org>"]}, "contacts.success.0", "name@example.org"),
        ("access", {"key_policy": {"bits": 1024}}, "access.key_policy.bits", "greater than or equal to 2048"),
        ("access", {"key_policy": {"types": ["rsa", "dsa"]}}, "access.key_policy.types.1", "'rsa'"),
        ("access", {"key_policy": {"types": []}}, "access.key_policy.types", "at least 1 item"),
        ("inbox", {"folder": "a/b"}, "inbox.folder", "match pattern"),
        ("inbox", {"folder": "Outbound"}, "inbox", "must differ"),
        ("retention", {"days": 0}, "retention.days", "1 day at least"),
        ("retention", {"days": -180}, "retention.days", "1 day at least"),
        ("status", {"region": "North"}, "status", "the policy of another feed than `roster`"),
        ("inbox", {"settle_s": -1}, "inbox.settle_s", "greater than or equal to 0"),
        ("roster", {"max_rows": 0}, "roster.max_rows", "greater than or equal to 1"),
        ("roster", {"required": ["dob"]}, "roster.required.0", "'email'"),
        ("roster", {"username_pattern": "("}, "roster.username_pattern", "not a regular expression"),
        (
            "roster",
            {"requirement_terms": [{"requirement_group": "Law"}]},
            "roster.requirement_terms.0.term",
            "required, but not there",
        ),
    ],
)
def test_P3_value_that_does_not_hold_is_named_by_its_path(
    folder: Path, option: str, value: object, path: str, words: str
) -> None:
    content = yaml.safe_dump({**yaml.safe_load(GOOD), option: value})
    file, found_path, problem, remedy = only(problems_of(folder, content))
    assert (file, found_path) == ("lake-college.yaml", path)
    assert words in problem
    assert "docs/tenants.md" in remedy


def test_P3_every_mistake_of_a_file_is_told_at_once(folder: Path) -> None:
    problems = problems_of(folder, "feed: roster\nmode: live\nroster: {max_rows: 0, newlines: lf}\n")
    assert sorted(problem.path for problem in problems) == [
        "mode",
        "name",
        "roster.max_rows",
        "roster.newlines",
    ]


@pytest.mark.parametrize(
    ("content", "path", "problem"),
    [
        ("name: [unclosed\n", "line 2, column 1", "not YAML: "),
        ("name: a\n\tmode: test\n", "line 2, column 1", "not YAML: "),
        (b"name: caf\xe9\n", "", "not YAML: not UTF-8 text"),
        ("- name\n", "", "not a mapping"),
        ("", "", "not a mapping"),
        ("just words\n", "", "not a mapping"),
        ("name: a\n---\nname: b\n", "line 2, column 1", "not YAML: "),
    ],
)
def test_P3_text_that_is_no_yaml_mapping_is_told_with_its_place(
    folder: Path, content: str | bytes, path: str, problem: str
) -> None:
    file, found_path, found, remedy = only(problems_of(folder, content))
    assert (file, found_path) == ("lake-college.yaml", path)
    assert found.startswith(problem)
    assert remedy


def test_P3_yaml_tags_cannot_make_objects(folder: Path, tmp_path: Path) -> None:
    mark = tmp_path / "made"
    content = f"!!python/object/apply:os.mkdir ['{mark}']\n"
    assert only(problems_of(folder, content))[2].startswith("not YAML")
    assert not mark.exists()


def test_K1_unknown_preset_lists_the_known_ones(folder: Path) -> None:
    file, path, problem, remedy = only(problems_of(folder, "preset: medprocter\nname: Lake\n"))
    assert (file, path, problem) == ("lake-college.yaml", "preset", "unknown preset 'medprocter'")
    assert all(name in remedy for name in PRESETS)


@pytest.mark.parametrize("preset", ["[medproctor-columns]", "{a: b}", "7"])
def test_K1_preset_that_is_no_name_is_a_problem_not_a_traceback(folder: Path, preset: str) -> None:
    problems = problems_of(folder, f"preset: {preset}\nname: Lake\n")
    assert [problem.path for problem in problems] == ["preset"]


def test_P3_option_whose_name_is_no_text_is_told(folder: Path) -> None:
    assert [problem.path for problem in problems_of(folder, f"{GOOD}1: x\n")] == ["1"]


@pytest.mark.parametrize("section", ["roster", "access", "contacts"])
def test_P3_section_without_content_is_told(folder: Path, section: str) -> None:
    problems = problems_of(folder, f"{GOOD}{section}:\n")
    assert [problem.path for problem in problems] == [section]


def test_T25_code_must_match_the_file_name(folder: Path) -> None:
    file, path, problem, remedy = only(problems_of(folder, GOOD + "code: pond-college\n"))
    assert (file, path) == ("lake-college.yaml", "code")
    assert problem == "the code differs from the file name"
    assert "pond-college.yaml" in remedy


def test_T25_code_used_twice_is_refused(folder: Path) -> None:
    file, path, problem, _ = only(problems_of(folder, GOOD, "state-university.yml"))
    assert (file, path) == ("state-university.yml", "code")
    assert problem == "the code 'state-university' is used twice"


@pytest.mark.parametrize("code", [*sorted(RESERVED_CODES), "Lake", "lake_college", "-lake", "a" * 64, "läke"])
def test_T25_reserved_and_unusable_codes_are_refused(folder: Path, code: str) -> None:
    (problem,) = problems_of(folder, GOOD, f"{code}.yaml")
    assert (problem.file, problem.path) == (f"{code}.yaml", "code")


def test_P3_missing_folder_is_named_with_the_setting(tmp_path: Path) -> None:
    with pytest.raises(RegistryInvalid) as caught:
        registry.load(tmp_path / "nowhere")
    assert str(tmp_path / "nowhere") in caught.value.message
    assert "EXCHANGE_TENANTS_DIR" in caught.value.message


def test_P3_tenants_folder_may_be_elsewhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "lake-college.yaml").write_text(GOOD)
    monkeypatch.setenv("EXCHANGE_TENANTS_DIR", str(folder))
    assert set(registry.load().tenants) == {"state-university", "lake-college"}


def test_P3_load_refuses_with_every_problem_as_data(folder: Path) -> None:
    (folder / "lake-college.yaml").write_text("mode: live\n")
    with pytest.raises(RegistryInvalid) as caught:
        registry.load(folder)
    told = caught.value.fields["problems"]
    assert len(told) == 3
    assert all(line.startswith("lake-college.yaml: ") for line in told)
    assert all(line in caught.value.message for line in told)
    assert "exchange tenants check" in caught.value.message


def test_P3_edited_file_is_read_anew_in_the_same_process(folder: Path) -> None:
    path = folder / "state-university.yaml"
    before = registry.load(folder)
    assert registry.load(folder) is before
    path.write_text(GOOD.replace("State", "Start"))
    os.utime(path, ns=(1, 1))
    after = registry.load(folder)
    assert after.get("state-university").name == "Start University"
    assert after.sha256 != before.sha256


def test_P3_registry_hash_covers_names_and_content_only(folder: Path, tmp_path: Path) -> None:
    before = registry.examine(folder)[0].sha256
    os.utime(folder / "state-university.yaml", ns=(1, 1))
    assert registry.examine(folder)[0].sha256 == before
    (folder / "state-university.yaml").rename(folder / "lake-college.yaml")
    assert registry.examine(folder)[0].sha256 != before


def test_P3_unknown_tenant_names_the_nearest_one(folder: Path) -> None:
    with pytest.raises(UnknownTenant, match="Did you mean 'state-university'"):
        registry.load(folder).get("state-univercity")
    for begun in ("state", "State-U"):
        with pytest.raises(UnknownTenant, match="Did you mean 'state-university'"):
            registry.load(folder).get(begun)
    with pytest.raises(UnknownTenant, match=r"Add zoo\.yaml"):
        registry.load(folder).get("zoo")


@pytest.mark.parametrize(
    ("preset", "required"),
    [
        ("medproctor-columns", ()),
        ("medproctor-sftp-faq", (Required.EMAIL, Required.ON_CAMPUS)),
        ("medproctor-integrations-faq", (Required.EMAIL, Required.STUDENT_ID)),
    ],
)
def test_K1_each_reading_of_the_required_set_is_a_preset(
    folder: Path, preset: str, required: tuple[Required, ...]
) -> None:
    (folder / "lake-college.yaml").write_text(f"preset: {preset}\nname: Lake\n")
    assert registry.load(folder).get("lake-college").roster.required == required


def test_K4_presets_ask_for_rsa_2048_exactly_and_a_tenant_may_ask_for_another(folder: Path) -> None:
    own = "access: {key_policy: {bits: 4096}}\n"
    (folder / "lake-college.yaml").write_text(GOOD + own)
    loaded = registry.load(folder)
    policy = loaded.get("state-university").access.key_policy
    assert (policy.types, policy.bits, policy.match) == ((KeyType.RSA,), 2048, "exact")
    # The tenant's own option is laid over the preset, what stands beside it stays.
    assert loaded.get("lake-college").access.key_policy.bits == 4096
    assert loaded.get("lake-college").access.key_policy.match == "exact"


@pytest.mark.parametrize("preset", PRESETS)
def test_K1_every_preset_makes_a_tenant(preset: str) -> None:
    tenant = Tenant.model_validate(merge(PRESETS[preset], {"code": "lake", "name": "Lake"}))
    assert tenant.feed == PRESETS[preset]["feed"]


def test_K1_merging_leaves_the_preset_as_it_was() -> None:
    preset = {"roster": {"required": []}, "access": {"key_policy": {"bits": 2048}}}
    merge(preset, {"roster": {"required": ["email"]}, "access": {"key_policy": {"bits": 4096}}})
    assert preset == {"roster": {"required": []}, "access": {"key_policy": {"bits": 2048}}}


def test_M05_home_is_the_code_unless_the_server_has_another_place(folder: Path) -> None:
    (folder / "lake-college.yaml").write_text(GOOD + "inbox: {root: /data/lake}\n")
    loaded = registry.load(folder)
    assert loaded.get("state-university").home == "/state-university"
    assert loaded.get("lake-college").home == "/data/lake"


def test_E42_the_preset_of_S0_asks_for_rsa_4096_exactly_and_has_its_folders(folder: Path) -> None:
    (folder / "mercy.yaml").write_text("preset: emresource\nname: Mercy\n")
    tenant = registry.load(folder).get("mercy")
    policy = tenant.access.key_policy
    assert (policy.types, policy.bits, policy.match) == ((KeyType.RSA,), 4096, "exact")
    assert (tenant.inbox.folder, tenant.inbox.outbox, tenant.inbox.answers) == ("upload", "results", "outbox")
    assert tenant.policy is tenant.status
    assert tenant.policy.identical_file == "allow"
    assert set(tenant.status.catalogues) == set(CatalogueName)


STATUS = "name: Mercy\nfeed: status\nstatus:\n"


@pytest.mark.parametrize(
    ("content", "path", "problem", "remedy"),
    [
        ("resource: []", "status.resource", "unknown option", "Did you mean 'resources'?"),
        (
            "status_types: [{ id: 1, name: Beds, kind: number, maximun: 3 }]",
            "status.status_types.0.maximun",
            "unknown option (in 'Beds')",
            "Did you mean 'maximum'?",
        ),
        (
            "status_types: [{ id: 1, name: ED, kind: multi, statuses: [{ name: Open, color: red }] }]",
            "status.status_types.0.statuses.0.color",
            "unknown option (in 'Open')",
            "Did you mean 'colour'?",
        ),
        (
            "resources: [{ name: Clinic, production_id: '1', nhsn: { orgid: '12345' } }]",
            "status.resources.0.nhsn.orgid",
            "unknown option (in 'Clinic')",
            "Did you mean 'org_id'?",
        ),
        (
            "resources: [{ name: Clinic }]",
            "status.resources.0.production_id",
            "required, but not there (in 'Clinic')",
            "Add it; docs/tenants.md lists the options.",
        ),
        (
            "status_types: [{ id: 1, name: Beds, kind: nubmer }]",
            "status.status_types.0.kind",
            "input should be 'number',",
            "Did you mean 'number'? docs/tenants.md",
        ),
        (
            "catalogues: [edxl_have]",
            "status.catalogues.0",
            "input should be 'starter',",
            "Did you mean 'edxl-have'?",
        ),
        (
            "resources: [{ name: Clinic, production_id: '1', nhsn: { context: Hosp } }]",
            "status.resources.0.nhsn.context",
            "input should be 'HOSP',",
            "Did you mean 'HOSP'?",
        ),
        (
            "status_types: [{ id: 1, name: Masks, kind: multi, statuses: [{ name: No }] }]",
            "status.status_types.0.statuses.0.name",
            "a text is wanted here",
            "Write it in quotes: YAML takes Yes, No, On and Off",
        ),
        (
            "status_types: [{ id: 1, name: 24, kind: number }]",
            "status.status_types.0.name",
            "a text is wanted here",
            "Write it in quotes;",
        ),
        (
            "status_types: [{ id: 1, name: Free, kind: calculated, formula: 'st(2,0)' }]",
            "status.status_types.0.formula",
            "the formula of 'Free' takes st(2), and there is no status type with that number (in 'Free')",
            "Take numbers that files set; docs/status-types.md lists them.",
        ),
        (
            "status_types: [{ id: 1, name: Free, kind: text, formula: 'st(2,0)' }]",
            "status.status_types.0.formula",
            "a type of kind text has no such option (in 'Free')",
            "Leave it out; it belongs to calculated and saturation_score.",
        ),
    ],
)
def test_P3_mistakes_in_status_types_and_resources_name_place_and_remedy(
    folder: Path, content: str, path: str, problem: str, remedy: str
) -> None:
    file, found_path, found, found_remedy = only(problems_of(folder, f"{STATUS}  {content}\n"))
    assert (file, found_path) == ("lake-college.yaml", path)
    assert found.startswith(problem)
    assert found_remedy.startswith(remedy)


_NAME = "a name has lower-case letters, digits and underscores, begins with a letter, 40 at the most"


@pytest.mark.parametrize(
    ("export", "path", "problem", "remedy"),
    [
        ("format: pipe", "format", "options are wanted here", "Write `format: { kind: pipe }`."),
        ("format: psv", "format", "options are wanted here", "Write `format: { kind: pipe }`."),
        ("format: { kind: psv }", "format.kind", "input should be 'csv',", "Did you mean 'pipe'?"),
        ("target: server", "target", "options are wanted here", "Write `target: { kind: server }`."),
        ("target: [a]", "target", "options are wanted here", "Write `target: { name: value }`;"),
        (
            "delivered_mail: x@y.example",
            "delivered_mail",
            "a list is wanted here",
            "Put it in brackets: `delivered_mail: [x@y.example]`.",
        ),
        ("columns: { a: b }", "columns", "a list is wanted here", "Put what belongs there in brackets:"),
        (
            "parameters: { from: 2026-11-01 }",
            "parameters.from",
            "YAML takes it for a date of its own",
            'Put the day in quotes: "2026-11-01".',
        ),
        ("parameters: { days: null }", "parameters.days", "a text, a whole number,", "Correct the value."),
        ("columns: [Username]", "columns.0.column", _NAME, "Did you mean 'username'?"),
        ("columns: [VerifyDate]", "columns.0.column", _NAME, "Did you mean 'verify_date'?"),
        ("columns: ['7']", "columns.0.column", _NAME, "Write such a name."),
        ("target: { folder: ../x }", "target", "`folder` must be a plain path, and `..` is none", "Correct"),
    ],
)
def test_M43_mistakes_in_exports_are_told_in_the_words_of_the_file(
    folder: Path, export: str, path: str, problem: str, remedy: str
) -> None:
    content = f"{GOOD}exports:\n  daily:\n    report: verified_students\n    {export}\n"
    file, found_path, found, found_remedy = only(problems_of(folder, content))
    assert (file, found_path) == ("lake-college.yaml", f"exports.daily.{path}")
    assert found.startswith(problem)
    assert found_remedy.startswith(remedy)


def test_M43_the_name_of_an_export_that_is_none_is_told_with_one_that_is(folder: Path) -> None:
    content = f"{GOOD}exports:\n  Verified Daily: {{ report: verified_students }}\n"
    expected = ("lake-college.yaml", "exports.Verified Daily", _NAME, "Did you mean 'verified_daily'?")
    assert only(problems_of(folder, content)) == expected


def test_M44_cron_without_quotes_is_told_as_such(folder: Path) -> None:
    content = f"{GOOD}exports:\n  daily:\n    report: verified_students\n    schedule: */5 * * * *\n"
    _, path, problem, remedy = only(problems_of(folder, content))
    assert path.startswith("line ")
    assert problem == "not YAML: a value begins with `*`"
    assert remedy == 'Put it in quotes, such as "*/5 * * * *".'


def test_P3_a_sentence_ends_with_one_full_stop() -> None:
    told = str(Problem("lake-college.yaml", "exports.daily", "It must be a text.", "Mend it."))
    assert told == "lake-college.yaml: exports.daily: It must be a text. Mend it."


def test_P3_one_tenant_is_kept_until_its_own_file_changes(folder: Path) -> None:
    before = registry.load_one("state-university", folder)
    (folder / "lake-college.yaml").write_text("nonsense: 1\n")
    assert registry.load_one("state-university", folder) is before
    (folder / "state-university.yaml").write_text(GOOD.replace("State", "Stately"))
    assert registry.load_one("state-university", folder).name == "Stately University"


def test_P3_a_new_file_is_seen_in_the_same_process(folder: Path) -> None:
    registry.load(folder)
    (folder / "lake-college.yaml").write_text(GOOD)
    assert set(registry.load(folder).tenants) == {"state-university", "lake-college"}
    (folder / "lake-college.yaml").unlink()
    assert set(registry.load(folder).tenants) == {"state-university"}


def test_AN1_reading_roster_tenants_reads_no_catalogue(folder: Path) -> None:
    code = (
        "from pathlib import Path\n"
        "from partner_exchange.tenants import catalogue, registry\n"
        f"registry.load(Path({str(folder)!r}))\n"
        "print(catalogue.ready.cache_info().currsize)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"


class TestStateUniversity:
    """The demo tenant of the repository."""

    @pytest.fixture
    def tenant(self) -> Tenant:
        return registry.load(PROJECT_DIR / "include" / "tenants").get("state-university")

    def test_M03_logs_in_with_the_key_the_stack_makes(self, tenant: Tenant) -> None:
        assert tenant.access.public_key_files == ("{keys}/state-university/id_rsa.pub",)
        assert tenant.access.key_policy.bits == 2048

    def test_M29_knows_its_pairs(self, tenant: Tenant) -> None:
        pairs = {(pair.requirement_group, pair.term) for pair in tenant.roster.requirement_terms}
        assert len(pairs) == len(tenant.roster.requirement_terms) == 8
        assert ("Nursing", "Fall 2026") in pairs

    def test_E36_each_event_has_recipients_at_example_addresses(self, tenant: Tenant) -> None:
        contacts = tenant.contacts
        for addresses in (contacts.success, contacts.findings, contacts.refusal):
            assert addresses
            assert all(address.endswith(".example") for address in addresses)

    def test_E48_shows_a_support_block(self, tenant: Tenant) -> None:
        assert "support@exchange.example" in tenant.contacts.support

    def test_M37_keeps_the_limit_of_the_source(self, tenant: Tenant) -> None:
        assert tenant.roster.max_rows == 50_000
        assert tenant.roster.identical_file == "suspend"


class TestMercyHospital:
    """The demo tenant of the status feed."""

    @pytest.fixture
    def tenant(self) -> Tenant:
        return registry.load(PROJECT_DIR / "include" / "tenants").get("mercy-hospital")

    def test_E42_logs_in_with_the_key_the_stack_makes(self, tenant: Tenant) -> None:
        assert tenant.access.public_key_files == ("{keys}/mercy-hospital/id_rsa.pub",)
        assert (tenant.access.key_policy.bits, tenant.access.key_policy.match) == (4096, "exact")

    def test_E32_every_resource_has_a_test_id_and_a_production_id(self, tenant: Tenant) -> None:
        resources = tenant.status.resources
        assert len(resources) == 4
        assert tenant.mode == "production"
        assert all(resource.id_in("test") and resource.id_in("production") for resource in resources)

    def test_E18_hospitals_are_known_to_nhsn_by_org_id_and_context(self, tenant: Tenant) -> None:
        known = [
            (one.org_id_in("production"), one.nhsn.context, one.nhsn.frequency)
            for one in tenant.status.resources
            if one.nhsn
        ]
        assert known == [
            ("30101", "HOSP", "daily"),
            ("30101", "CHLD", "daily"),
            ("30102", "HOSP", "weekly"),
        ]

    def test_E15_own_types_stand_beside_the_ready_ones(self, tenant: Tenant) -> None:
        catalogue = tenant.status.catalogue
        assert len(catalogue) == sum(len(ready(name)) for name in CatalogueName) + 2
        hours = catalogue.find("Hours on Divert")
        assert hours is not None
        assert (hours.header, hours.decimals) == ("Divert Hours (21001)", 2)
        free = catalogue.find("ICU Beds Free")
        assert free is not None
        parts = Formula.parse(free.formula).parts
        assert [catalogue.get(part).name for part in parts] == ["AdultICUUnoccupied", "PedsICUUnoccupied"]

    def test_E36_each_event_has_recipients_at_example_addresses(self, tenant: Tenant) -> None:
        contacts = tenant.contacts
        for addresses in (contacts.success, contacts.findings, contacts.refusal):
            assert addresses
            assert all(address.endswith(".example") for address in addresses)
        assert "+1 555" in contacts.support


def test_P4_an_option_that_stands_twice_is_named_with_its_line(folder: Path) -> None:
    content = GOOD + "contacts:\n  success: [a@lake.example]\n  success: [b@lake.example]\n"
    file, path, problem, _ = only(problems_of(folder, content))
    assert (file, path) == ("lake-college.yaml", "line 5, column 3")
    assert "'success' stands twice" in problem
