"""``exchange code-sets``: what it lists, what it checks, and that it writes only when told to."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from partner_exchange.cli import code_sets as commands
from partner_exchange.errors import ConfigError
from partner_exchange.feeds.vxu import code_set_files
from partner_exchange.feeds.vxu.code_sets import set_names, version

# Not the whole tree of commands: its callback sets up logging, which would outlive the test.
app = typer.Typer()
commands.add_to(app)

MVX = "NEW|New Vaccines, Inc.||Active|2026/01/02\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(code_set_files.FOLDER, tmp_path / "sets"))


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["code-sets", *map(str, arguments)])


def test_T64_sets_and_codes_are_listed() -> None:
    listed = run("show").stdout
    assert all(name in listed for name in set_names())
    assert listed.splitlines()[-1] == f"Version {version()}."
    routes = json.loads(run("show", "route", "--json").stdout)
    assert {"code": "IM", "state": "valid", "system": "HL70162", "preferred": "C28161"}.items() <= next(
        one for one in routes if one["code"] == "IM"
    ).items()


def test_T64_unknown_set_is_refused_with_the_known_ones() -> None:
    result = run("show", "colour")
    assert result.exit_code == 2
    assert "eligibility" in result.stderr


def test_T64_check_says_that_the_files_hold() -> None:
    result = run("check")
    assert result.exit_code == 0
    assert result.stdout.startswith("The code sets hold: ")


def test_T64_check_fails_where_they_do_not(folder: Path) -> None:
    path = folder / "codes.csv"
    path.write_text(path.read_text().replace("sex,F,Female,valid", "sex,F,Female,fine"))
    result = run("check", "--folder", folder)
    assert result.exit_code == 1
    assert result.stdout.startswith("codes.csv: sex F has a state other than ")


def test_T64_an_update_is_shown_and_written_only_when_told_to(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "mvx.txt").write_text(MVX)
    before = (folder / "manufacturers.csv").read_text()
    shown = run("update", "--mvx", tmp_path / "mvx.txt", "--folder", folder)
    assert shown.exit_code == 0, shown.output
    assert "New Vaccines, Inc." in shown.stdout
    assert shown.stdout.splitlines()[-1] == "Nothing was written; --write does."
    assert (folder / "manufacturers.csv").read_text() == before
    assert run("update", "--mvx", tmp_path / "mvx.txt", "--folder", folder, "--write").exit_code == 0
    assert '\nNEW,"New Vaccines, Inc.",\n' in (folder / "manufacturers.csv").read_text()
    assert "There are none." in run("update", "--mvx", tmp_path / "mvx.txt", "--folder", folder).stdout


def test_T64_an_update_without_a_file_is_refused() -> None:
    assert run("update").exit_code == 2
    assert run("update", "--cvx", "/no/such/file").exit_code == 2


def test_T64_a_file_of_another_form_is_refused_in_one_sentence(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("nothing of the kind")
    result = run("update", "--cvx", tmp_path / "x.txt", "--folder", folder)
    assert isinstance(result.exception, ConfigError)
    assert "docs/code-sets.md" in str(result.exception)
