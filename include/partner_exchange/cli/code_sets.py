"""``exchange code-sets``: look codes up, check the files that hold them, take over new ones (T64, K14)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from partner_exchange.cli.options import JSON_OPTION
from partner_exchange.cli.tables import print_table
from partner_exchange.feeds.vxu.code_set_files import FOLDER

if TYPE_CHECKING:
    from partner_exchange.feeds.vxu.code_set_update import Change

code_sets_app = typer.Typer(help="Code sets of immunization messages.", no_args_is_help=True)

_FOLDER_OPTION = Annotated[
    Path,
    typer.Option(
        exists=True,
        file_okay=False,
        show_default=False,
        help="folder of the code sets; unset: the one in use",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(code_sets_app, name="code-sets")


@code_sets_app.command("show")
def show(
    set_name: Annotated[
        str | None, typer.Argument(metavar="[SET]", help="name of a set, such as route; unset: list the sets")
    ] = None,
    as_json: JSON_OPTION = False,
) -> None:
    """List the code sets, or the codes of one."""
    import json

    from partner_exchange.feeds.vxu import code_sets

    if set_name is not None and set_name not in code_sets.set_names():
        raise typer.BadParameter(f"there are the sets {', '.join(code_sets.set_names())}", param_hint="SET")
    rows = _sets() if set_name is None else _codes(set_name)
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    print_table(tuple(rows[0]), [tuple(row.values()) for row in rows], folded=("label",))
    print(f"Version {code_sets.version()}.")


@code_sets_app.command("check")
def check(folder: _FOLDER_OPTION = FOLDER) -> None:
    """Check that the files of the code sets hold; exit with 1 where they do not."""
    from partner_exchange.feeds.vxu import code_set_files

    tables = {name: code_set_files.read(name, folder) for name in code_set_files.FILES}
    problems = code_set_files.problems(tables)
    for problem in problems:
        print(problem)
    if problems:
        raise typer.Exit(1)
    counts = ", ".join(f"{len(rows)} {name}" for name, rows in tables.items())
    print(f"The code sets hold: {counts}.")


@code_sets_app.command("update")
def update(
    cvx: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="flat text file of CVX codes from CDC")
    ] = None,
    mvx: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="flat text file of MVX codes from CDC")
    ] = None,
    own: Annotated[
        list[Path] | None,
        typer.Option(
            exists=True, dir_okay=False, help="CSV with the header of one of our own files; may be repeated"
        ),
    ] = None,
    folder: _FOLDER_OPTION = FOLDER,
    write: Annotated[bool, typer.Option("--write", help="write the files; without it, only show")] = False,
) -> None:
    """Take over codes from CDC's files or from rows of our own, and say what changes."""
    from partner_exchange.feeds.vxu import code_set_update as sets

    if cvx is None and mvx is None and not own:
        raise typer.BadParameter("name a file with --cvx, --mvx or --own")
    before = sets.load(folder)
    tables = sets.load(folder)
    if cvx is not None:
        sets.merge_cvx(tables, cvx.read_bytes(), cvx.name)
    if mvx is not None:
        sets.merge_mvx(tables, mvx.read_bytes(), mvx.name)
    for path in own or ():
        sets.merge_own(tables, path.read_bytes(), path.name)
    found = sets.changes(before, tables)
    _print_changes(found)
    if write:
        sets.write(tables, folder)
        print(f"Written to {folder}.")
    elif found:
        print("Nothing was written; --write does.")


def _sets() -> list[dict[str, str]]:
    from partner_exchange.feeds.vxu import code_sets

    return [{"set": name, "codes": str(len(code_sets.codes(name)))} for name in code_sets.set_names()]


def _codes(set_name: str) -> list[dict[str, str]]:
    from partner_exchange.feeds.vxu import code_sets

    return [
        {
            "code": one.code,
            "state": one.state,
            "system": one.system,
            "preferred": one.preferred,
            "label": one.label,
        }
        for one in code_sets.codes(set_name).values()
    ]


def _print_changes(found: Sequence[Change]) -> None:
    rows = [(one.file, one.key, one.column, "(new)" if one.is_new else one.old, one.new) for one in found]
    print_table(("file", "code", "column", "old", "new"), rows, folded=("old", "new"))
