"""``exchange templates make``: the files, their checksums, and what is refused."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import typer
from typer.testing import CliRunner, Result

from partner_exchange.cli import failures, statuses, templates
from partner_exchange.cli.options import fingerprint, gateway_fingerprints
from partner_exchange.errors import ConfigError, ExchangeError
from partner_exchange.feeds.bulk_status.workbook import SHEET
from partner_exchange.gateway.host_keys import ensure_keys
from partner_exchange.settings import get_settings
from support.bulk import RESOURCES, STATUS_TYPES
from support.clients import require

# Not the whole tree of commands: its callback sets up logging, which would outlive the test.
app = typer.Typer()
templates.add_to(app)
statuses.add_to(app)

NAMES = ("mercy-bulk-template.xlsx", "mercy-bulk-template.csv", "mercy-data-map.xlsx", "mercy-SHA256SUMS")


@pytest.fixture(autouse=True)
def tenants(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The hospital ``mercy`` and the university ``alpha`` in a folder."""
    folder = tmp_path / "tenants"
    folder.mkdir()
    monkeypatch.setenv("EXCHANGE_TENANTS_DIR", str(folder))
    monkeypatch.setenv("EXCHANGE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("EXCHANGE_SFTP_HOST", "exchange.example")
    write_mercy(folder)
    (folder / "alpha.yaml").write_text("name: Alpha\nfeed: roster\n")
    return folder


def write_mercy(folder: Path, **over: Any) -> None:
    policy = {"status_types": STATUS_TYPES, "resources": RESOURCES, **over}
    whole = {"name": "Mercy", "feed": "status", "mode": "production", "status": policy}
    # JSON is YAML.
    (folder / "mercy.yaml").write_text(json.dumps(whole))


def make(out: Path, *more: str, tenant: str = "mercy") -> Result:
    return CliRunner().invoke(app, ["templates", "make", "-t", tenant, "--out", str(out), *more])


def headers(folder: Path) -> list[str]:
    book = openpyxl.load_workbook(folder / NAMES[0])
    return [cell.value for cell in book[SHEET][1]]


def test_E14_E31_templates_and_data_map_are_written_with_checksums(tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    result = make(out)
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in out.iterdir()) == sorted(NAMES)
    assert "24 columns, 3 resources" in result.stdout
    checked = subprocess.run(
        [require("sha256sum"), "--strict", "-c", NAMES[3]],
        cwd=out,
        capture_output=True,
        text=True,
        check=True,
    )
    assert checked.stdout.count(": OK") == 3


def test_E31_only_what_changed_is_written_again(tmp_path: Path, tenants: Path) -> None:
    make(tmp_path)
    assert make(tmp_path).stdout.count(": unchanged") == 4
    write_mercy(tenants, resources=RESOURCES[:2])
    assert make(tmp_path).stdout.count(": written") == 4
    write_mercy(tenants, resources=[{**RESOURCES[0], "test_id": "90109"}, RESOURCES[1]])
    changed = make(tmp_path).stdout
    assert f"{NAMES[2]}: written" in changed
    assert f"{NAMES[0]}: unchanged" in changed, "the test id stands in no template of a tenant that is live"


def test_E15_a_new_status_type_is_in_the_next_template(tmp_path: Path, tenants: Path) -> None:
    first = make(tmp_path).stdout
    write_mercy(tenants, status_types=[*STATUS_TYPES, {"id": 99, "name": "Oxygen", "kind": "number"}])
    second = make(tmp_path).stdout
    assert headers(tmp_path)[-1] == "Oxygen (99)"
    assert first.splitlines()[-1] != second.splitlines()[-1]


def test_E32_resources_without_an_id_of_the_mode_are_counted(tmp_path: Path, tenants: Path) -> None:
    text = (tenants / "mercy.yaml").read_text()
    (tenants / "mercy.yaml").write_text(text.replace('"production"', '"test"'))
    assert "1 without a test id left out; give them one in mercy.yaml." in make(tmp_path).stdout


def test_E15_sections_are_taken_in_any_case(tmp_path: Path) -> None:
    assert make(tmp_path, "--section", "capacity").exit_code == 0
    assert headers(tmp_path)[3:] == ["Beds (1)"]


def test_E15_unknown_section_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    result = make(tmp_path / "out", "--section", "Capacity", "--section", "Nursery")
    assert result.exit_code == 2
    said = " ".join(result.stderr.replace("│", " ").split())
    assert "no section 'Nursery'; there are: Capacity; Emergency" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", [["templates", "make"], ["statuses", "now"], ["statuses", "overdue"]])
def test_E14_partner_of_another_feed_is_refused_in_one_sentence(command: list[str], tmp_path: Path) -> None:
    result = CliRunner().invoke(app, [*command, "-t", "alpha"])
    assert isinstance(result.exception, ConfigError)
    assert result.exception.code == "feed-without-statuses"
    assert failures.sentence(result.exception).startswith("alpha sends the feed roster.")


def test_E14_a_refusal_ends_in_a_sentence_and_no_traceback(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "partner_exchange.cli", "templates", "make", "-t", "alpha"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (failures.FAILED, "")
    assert done.stderr.startswith("exchange: alpha sends the feed roster.")
    assert list(tmp_path.glob("*.xlsx")) == []


def test_E14_unknown_partner_is_refused(tmp_path: Path) -> None:
    assert isinstance(make(tmp_path, tenant="nobody").exception, ExchangeError)


def test_E31_data_map_tells_the_fingerprint_of_the_gateway(tmp_path: Path) -> None:
    ensure_keys(get_settings())
    make(tmp_path)
    book = openpyxl.load_workbook(io.BytesIO((tmp_path / NAMES[2]).read_bytes()))
    found = {row[0].value: row[1].value for row in book["Connection"].iter_rows()}
    public = get_settings().home_dir / "gateway" / "ssh_host_ed25519_key.pub"
    shown = subprocess.run(
        [require("ssh-keygen"), "-lf", public], capture_output=True, text=True, check=True
    ).stdout.split()[1]
    assert found["Fingerprint of the server's key"] == gateway_fingerprints(get_settings())[0] == shown
    assert fingerprint(b"") == "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"
