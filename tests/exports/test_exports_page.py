"""docs/exports.md says what the code does: its examples hold, its words are cron, its codes are all there."""

from __future__ import annotations

import json
import re
from typing import Any, get_args

import pytest
import yaml

from partner_exchange.cli.exports import export_app
from partner_exchange.exports import plan
from partner_exchange.exports.answers.reading import MOST_BYTES, read_answer
from partner_exchange.exports.delivery.faults import Fault
from partner_exchange.exports.delivery.probe import EXPIRED, EXPIRES_SOON
from partner_exchange.settings import PROJECT_DIR
from partner_exchange.tenants.exports import FormatKind
from partner_exchange.tenants.schedule import cron_of
from support.builders import a_tenant
from support.spoken import ladder_in_words, warning_days_in_words

PAGE = (PROJECT_DIR / "docs" / "exports.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
README = (PROJECT_DIR / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_M73_each_example_holds_as_part_of_a_partner_file(example: str) -> None:
    given: dict[str, Any] = yaml.safe_load(example)
    tenant = a_tenant(code="lake-college", name="Lake College", **given)
    assert plan.problems(tenant) == []
    for name, export in tenant.exports.items():
        plan.settle(tenant, name, export)


def test_M73_the_example_of_the_readme_holds() -> None:
    (example,) = [one for one in re.findall(r"```yaml\n(.*?)```", README, re.S) if "exports:" in one]
    assert plan.problems(a_tenant(**yaml.safe_load(example))) == []


def test_M45_the_words_are_the_cron_beside_them() -> None:
    table = PAGE[PAGE.index("| words | cron |") :]
    pairs = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \|$", table, re.M)
    assert len(pairs) >= 6
    assert [(words, cron_of(words)) for words, _ in pairs] == pairs


def test_X10_each_fault_stands_in_the_table() -> None:
    folder = PROJECT_DIR / "include" / "partner_exchange" / "exports" / "formats"
    written = {
        code
        for path in folder.glob("*.py")
        for code in re.findall(r'FileUnwritable\(\s*"([a-z-]+)"', path.read_text(encoding="utf-8"))
    }
    reading_only = {"not-as-written", "template-not-readable"}
    codes = set(re.findall(r"^\| (?:`[a-z-]+`, )?`([a-z-]+)`", PAGE, re.M)) | set(
        re.findall(r"^\| `([a-z-]+)`, ", PAGE, re.M)
    )
    assert written - reading_only
    assert {*map(str, Fault), EXPIRED, EXPIRES_SOON, *(written - reading_only)} <= codes


def test_X10_the_ladder_is_told_as_it_is() -> None:
    assert ladder_in_words() in " ".join(PAGE.split())


def test_X10_the_days_before_the_end_of_a_login_are_told_as_they_are() -> None:
    (row,) = [line for line in PAGE.splitlines() if line.startswith("| `expires_on` |")]
    assert warning_days_in_words() in row


_ANSWERS: dict[str, list[tuple[bytes, str | None]]] = {
    "none": [(b"", None)],
    "a JSON object": [
        (b'{"status": "ok", "message": "12 rows"}', "accepted"),
        (b'{"outcome": "error"}', "refused"),
        (b'{"accepted": false}', "refused"),
    ],
    "a CSV with a column `status` or `outcome`, a JSON list": [
        (b"status,comment\nok,\naccepted,\n", "accepted"),
        (b"row;outcome\n1;ok\n2;rejected\n", "refused"),
        (b'[{"status": "ok"}, {"status": "error"}]', "refused"),
        (b"\n" * 9 + b"row,status\n1,error\n", "refused"),
    ],
    "other text": [
        (b"Accepted, thank you", "accepted"),
        (b"Rejected", "refused"),
        (b"10 rows rejected", "refused"),
        (b"Thank you", None),
    ],
    "broken JSON or CSV, a row without a status or with an unknown one, no text, more than 1 MiB": [
        (b"{", "unreadable"),
        (b'status\n"ok', "unreadable"),
        (b"row,status\n1\n2,ok\n", "unreadable"),
        (b'{"status": "maybe"}', "unreadable"),
        (b"\x00\x01", "unreadable"),
    ],
}
"""Examples for each row of the table of answers, with what they say; None: what the name says."""


def test_X11_the_table_of_answers_is_what_is_read() -> None:
    table = PAGE[PAGE.index("| content of the answer | says |") :].split("\n\n")[0]
    assert [line.split(" | ")[0].removeprefix("| ") for line in table.splitlines()[2:]] == list(_ANSWERS)
    for content, verdict in (one for examples in _ANSWERS.values() for one in examples):
        assert read_answer(content, is_accepted=True).verdict == (verdict or "accepted")
        # Refused wins, and what cannot be read says nothing, whatever its name says.
        by_refusal = "unreadable" if verdict == "unreadable" else "refused"
        assert read_answer(content, is_accepted=False).verdict == by_refusal
    words = re.findall(r"`(\w+)`", table.splitlines()[3].partition("(")[2].partition(")")[0])
    assert len(words) >= 5
    said = [read_answer(f'{{"status": "{one}"}}'.encode(), is_accepted=True).verdict for one in words]
    assert set(said) == {"accepted", "refused"}
    assert MOST_BYTES == 1024 * 1024


def test_X20_each_command_of_the_page_is_there() -> None:
    known = {one.name for one in export_app.registered_commands}
    assert set(re.findall(r"exchange export ([a-z-]+)", PAGE + README)) <= known


def test_M70_each_connection_of_the_page_is_json_with_a_pinned_host_key() -> None:
    given = [json.loads(one) for one in re.findall(r"'(\{.*\})'", PAGE)]
    assert len(given) == 3
    assert all((one.get("extra") or one)["host_key"].startswith("ssh-ed25519 ") for one in given)


def test_M64_each_form_is_told() -> None:
    told = PAGE[PAGE.index("| `format.kind` | is |") :].split("\n\n")[0]
    assert set(re.findall(r"`([a-z]+)`[,|]? ", told)) >= set(get_args(FormatKind))
