"""The tree of commands: what it says of itself, and what its tables do to cells."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from partner_exchange.cli import operate
from partner_exchange.cli.tables import print_table

# Not the whole tree of commands: its callback sets up logging, which would outlive the test.
app = typer.Typer()
operate.add_to(app)

TOO_SHORT = "ssh-ed25519 AAAA"


@pytest.fixture
def checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one tenant whose key is refused, and one that holds."""
    monkeypatch.setenv("EXCHANGE_HOME", str(tmp_path / "home"))
    folder = tmp_path / "tenants"
    folder.mkdir()
    (folder / "lake.yaml").write_text(
        f"name: Lake\nfeed: roster\naccess:\n  public_keys: ['{TOO_SHORT}']\n  public_key_files: [lake.pub]\n"
    )
    (folder / "lake.pub").write_text(TOO_SHORT)
    (folder / "hill.yaml").write_text("name: Hill\nfeed: roster\n")
    monkeypatch.setenv("EXCHANGE_TENANTS_DIR", str(folder))
    return folder


def check(*options: str) -> Result:
    return CliRunner().invoke(app, ["tenants", "check", *options])


def test_E42_a_tenant_with_a_refused_key_does_not_hold(checked: Path) -> None:
    result = check()
    assert result.exit_code == 1
    in_list, in_file, totals = result.stdout.splitlines()
    assert in_list.startswith("lake.yaml: access.public_keys[0]: ")
    assert in_file.startswith("lake.yaml: access.public_key_files: lake.pub: ")
    assert ".. " not in result.stdout
    assert totals == "1 partner files hold, 2 problems."
    document = json.loads(check("--json").stdout)
    assert document["tenants"] == ["hill"]
    assert [one["path"] for one in document["problems"]][0] == "access.public_keys[0]"


def test_P10_the_version_is_told() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "partner_exchange.cli", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"exchange {version('partner-exchange')}\n"


WIDE = [("01M7ZA8ESM2J8R0GXB8PZ0TJD9" * 3, "a-code-of-a-finding", "words and words " * 40 + "[/red]")]


def test_E30_a_table_in_a_pipe_has_one_whole_line_per_row(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("id", "code", "message"), [*WIDE, ("b", "c", "two\nlines")], folded=("message",))
    header, line, last = capsys.readouterr().out.splitlines()
    assert header.split() == ["id", "code", "message"]
    assert line.split(None, 2) == list(WIDE[0])
    assert last.split() == ["b", "c", "two", "lines"]


def test_E30_a_table_in_a_narrow_terminal_folds_the_message_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "60")
    print_table(("id", "code", "message"), WIDE, folded=("message",))
    _, first, *more = capsys.readouterr().out.splitlines()
    assert first.split()[:2] == list(WIDE[0][:2])
    assert len(more) > 3
    assert "…" not in first + "".join(more)


def test_E30_an_empty_table_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("id",), [])
    assert capsys.readouterr().out == "There are none.\n"
