"""Airflow executes every Python file under plugins/, so the folder holds one.

It keeps each in sys.modules under its bare name: an email.py there breaks the standard library in every
Airflow process, and the error shows nowhere (airflow notes 6). So one file registers, the ignore file hides
all others, and these tests hold that. Behaviour lives in ``partner_exchange``; put it there.
"""

from __future__ import annotations

import ast
import shutil
from pathlib import Path

from airflow._shared.module_loading import find_path_from_directory

PLUGINS = Path(__file__).resolve().parents[1] / "plugins"


def _loaded(folder: Path) -> list[str]:
    """Return what Airflow's own loader would execute."""
    return sorted(
        str(Path(path).relative_to(folder))
        for path in find_path_from_directory(str(folder), ".airflowignore", "glob")
        if path.endswith(".py")
    )


def test_AN6_airflow_loads_one_file_of_the_plugins_folder() -> None:
    assert _loaded(PLUGINS) == ["exchange_plugin.py"]


def test_AN6_a_file_added_by_mistake_is_not_loaded(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(PLUGINS, tmp_path / "plugins"))
    (folder / "email.py").write_text("raise RuntimeError('executed')")
    (folder / "portal").mkdir()
    (folder / "portal" / "exchange_plugin.py").write_text("raise RuntimeError('executed')")
    assert _loaded(folder) == ["exchange_plugin.py"]


def test_AN6_the_plugin_only_registers() -> None:
    tree = ast.parse((PLUGINS / "exchange_plugin.py").read_text())
    allowed = (ast.Import, ast.ImportFrom, ast.ClassDef, ast.Expr)
    assert [type(node).__name__ for node in tree.body if not isinstance(node, allowed)] == []
