"""Who may import whom is held by contract, and the contract can fail."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from partner_exchange.settings import PROJECT_DIR

PACKAGE = PROJECT_DIR / "include" / "partner_exchange"


def lint(include: Path) -> subprocess.CompletedProcess[str]:
    """Run the contracts of pyproject.toml over the package that ``include`` holds."""
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [program, "--no-cache", "--no-logo", "--config", PROJECT_DIR / "pyproject.toml"],
        cwd=include,
        env={"PYTHONPATH": str(include), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a folder with a copy of the package that a test may spoil."""
    shutil.copytree(PACKAGE, tmp_path / "partner_exchange", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_P2_layers_hold() -> None:
    result = lint(PACKAGE.parent)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 broken" in result.stdout


@pytest.mark.parametrize(
    ("room", "line", "contract"),
    [
        ("validation", "import partner_exchange.feeds.base", "A room imports only from rooms below it"),
        ("storage", "import partner_exchange.ledger", "A room imports only from rooms below it"),
        ("submissions", "import partner_exchange.notify", "A room imports only from rooms below it"),
        ("gateway", "import partner_exchange.orchestration", "A room imports only from rooms below it"),
        (
            "orchestration",
            "def late():\n    import partner_exchange.gateway",
            "A room imports only from rooms below it",
        ),
        ("submissions", "import airflow", "Only orchestration imports Airflow"),
        ("feeds", "def late():\n    from airflow.sdk import DAG", "Only orchestration imports Airflow"),
        ("local", "from airflow.models import DagRun", "Only orchestration imports Airflow"),
        ("tenants", "import pandas", "Roots, tenants, mail and gateway do without data frames and suites"),
        (
            "gateway",
            "import great_expectations",
            "Roots, tenants, mail and gateway do without data frames and suites",
        ),
    ],
)
def test_P2_import_against_the_layers_is_caught(copy: Path, room: str, line: str, contract: str) -> None:
    (copy / "partner_exchange" / room / "spoiled.py").write_text(f"{line}\n")
    result = lint(copy)
    assert result.returncode == 1, result.stdout + result.stderr
    assert f"{contract} BROKEN" in " ".join(result.stdout.split())
    assert f"partner_exchange.{room}.spoiled" in result.stdout


def test_P2_room_without_a_place_in_the_layers_is_caught(copy: Path) -> None:
    (copy / "partner_exchange" / "attic").mkdir()
    (copy / "partner_exchange" / "attic" / "__init__.py").write_text('"""No place."""\n')
    result = lint(copy)
    assert result.returncode == 1
    assert "attic" in result.stdout


def test_P2_import_airflow_inside_orchestration_is_allowed(copy: Path) -> None:
    (copy / "partner_exchange" / "orchestration" / "more.py").write_text("from airflow.sdk import DAG\n")
    result = lint(copy)
    assert result.returncode == 0, result.stdout + result.stderr


WITHOUT_AIRFLOW = """
import importlib, pkgutil, sys
sys.modules["airflow"] = None
import partner_exchange
names = [
    module.name
    for module in pkgutil.walk_packages(partner_exchange.__path__, "partner_exchange.")
    if ".orchestration" not in module.name and not module.name.endswith(("__main__", ".env"))
    and ".migrations." not in module.name
]
for name in names:
    importlib.import_module(name)
print(len(names))
"""


@pytest.mark.slow
def test_P2_whole_product_outside_orchestration_imports_without_airflow() -> None:
    result = subprocess.run(
        [sys.executable, "-c", WITHOUT_AIRFLOW], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) > 20


LIGHT_ROOTS = """
import sys
import partner_exchange.errors, partner_exchange.clock, partner_exchange.log, partner_exchange.settings
import partner_exchange.tenants.registry
print(*sorted({"airflow", "great_expectations", "pandas", "pyarrow", "sqlalchemy"} & set(sys.modules)))
"""


def test_P2_what_dag_files_read_at_parse_time_loads_nothing_heavy() -> None:
    result = subprocess.run([sys.executable, "-c", LIGHT_ROOTS], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == ""
