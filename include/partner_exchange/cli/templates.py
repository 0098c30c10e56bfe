"""``exchange templates``: what a partner gets before the first file (E14, E31)."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

import typer

from partner_exchange.cli.options import TENANT_OPTION

app = typer.Typer(help="Templates and Data Map of a partner.", no_args_is_help=True)


def add_to(parent: typer.Typer) -> None:
    """Register the commands."""
    parent.add_typer(app, name="templates")


@app.callback()
def _group() -> None:
    """Templates and Data Map of a partner."""


@app.command()
def make(
    tenant: TENANT_OPTION,
    out: Annotated[Path, typer.Option(file_okay=False, help="folder to write into")] = Path("."),
    section: Annotated[
        list[str] | None, typer.Option(help="only status types of this section; may be repeated")
    ] = None,
) -> None:
    """Write the bulk template as XLSX and CSV and the Data Map, from the live catalogue, with checksums."""
    from partner_exchange import clock
    from partner_exchange.feeds.bulk_status.data_map import Door, data_map_workbook
    from partner_exchange.feeds.bulk_status.layout import columns, version
    from partner_exchange.feeds.bulk_status.workbook import bulk_csv, bulk_workbook
    from partner_exchange.settings import get_settings
    from partner_exchange.tenants import registry

    policy = registry.load_one(tenant)
    if policy.feed != "status":
        raise typer.BadParameter(f"{tenant} sends the feed {policy.feed}, which has no templates.")
    settings = get_settings()
    layout = columns(policy.status.catalogue, section or ())
    door = Door(settings.sftp_host, settings.sftp_port)
    files = {
        f"{tenant}-bulk-template.xlsx": bulk_workbook(policy, layout, made_at=clock.now()),
        f"{tenant}-bulk-template.csv": bulk_csv(policy, layout),
        f"{tenant}-data-map.xlsx": data_map_workbook(policy, door),
    }
    out.mkdir(parents=True, exist_ok=True)
    sums = []
    for name, content in files.items():
        (out / name).write_bytes(content)
        sums.append(f"{hashlib.sha256(content).hexdigest()}  {name}\n")
        print(out / name)
    sums_file = out / f"{tenant}-SHA256SUMS"
    sums_file.write_text("".join(sums))
    print(f"{sums_file}\ntemplate version {version(layout)}: {len(layout)} columns")
