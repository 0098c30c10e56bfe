"""Templates of XML files, which lie beside the tenant files (M73)."""

from __future__ import annotations

from pathlib import Path

from partner_exchange.errors import ReportRefused
from partner_exchange.settings import get_settings

_MOST_BYTES = 1024 * 1024


def read_template(name: str) -> str | None:
    """Return the text of a template, None where none is named.

    :raises ReportRefused: ``template-missing``, it is not in the folder, too big, or no UTF-8 text.
    """
    if not name:
        return None
    folder = get_settings().tenants_dir.resolve()
    path = (folder / name).resolve()
    if not path.is_relative_to(folder) or not _is_small(path):
        problem = f"The template {name!r} is not a file of 1 MiB at most in the tenants folder."
        raise ReportRefused.of("template-missing", problem, "Put it there.", template=name)
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        problem = f"The template {name!r} is not UTF-8 text."
        raise ReportRefused.of("template-missing", problem, "Save it as UTF-8.", template=name) from None


def _is_small(path: Path) -> bool:
    return path.is_file() and path.stat().st_size <= _MOST_BYTES
