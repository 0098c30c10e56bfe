"""``exchange templates``: what a partner gets before the first file (E14, E31)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from partner_exchange.cli.options import TENANT_OPTION, gateway_fingerprints, status_tenant

if TYPE_CHECKING:
    from partner_exchange.tenants.catalogue import Catalogue

app = typer.Typer(help="Templates and Data Map of a partner.", no_args_is_help=True)


def add_to(parent: typer.Typer) -> None:
    """Register the commands."""
    parent.add_typer(app, name="templates")


@app.command()
def make(
    tenant: TENANT_OPTION,
    out: Annotated[Path, typer.Option(file_okay=False, help="folder to write into")] = Path("."),
    section: Annotated[
        list[str] | None, typer.Option(help="only status types of this section; may be repeated")
    ] = None,
) -> None:
    """Write the bulk template as XLSX and CSV, the Data Map, and their checksums, from the live catalogue.

    Files that are already what they should be stay as they are.
    """
    from partner_exchange.feeds.bulk_status.data_map import Door, data_map_workbook
    from partner_exchange.feeds.bulk_status.layout import columns, reported_resources, version
    from partner_exchange.feeds.bulk_status.workbook import bulk_csv, bulk_workbook
    from partner_exchange.settings import get_settings

    policy = status_tenant(tenant)
    settings = get_settings()
    _require_known(section or (), policy.status.catalogue)
    layout = columns(policy.status.catalogue, section or ())
    door = Door(settings.sftp_host, settings.sftp_port, next(iter(gateway_fingerprints(settings)), ""))
    _write(
        out,
        {
            f"{tenant}-bulk-template.xlsx": bulk_workbook(policy, layout),
            f"{tenant}-bulk-template.csv": bulk_csv(policy, layout),
            f"{tenant}-data-map.xlsx": data_map_workbook(policy, door),
        },
        sums_name=f"{tenant}-SHA256SUMS",
    )
    count = len(reported_resources(policy))
    print(f"template version {version(layout)}: {len(layout)} columns, {count} resources")
    without = len(policy.status.resources) - count
    if without:
        print(f"{without} without a {policy.mode} id left out; give them one in {tenant}.yaml.")


def _require_known(wanted: Sequence[str], catalogue: Catalogue) -> None:
    from partner_exchange.feeds.bulk_status.layout import sections

    known = sections(catalogue)
    unknown = {one.casefold() for one in wanted} - {one.casefold() for one in known}
    if unknown:
        names = ", ".join(repr(one) for one in wanted if one.casefold() in unknown)
        raise typer.BadParameter(f"no section {names}; there are: {'; '.join(known)}", param_hint="--section")


def _write(folder: Path, files: Mapping[str, bytes], *, sums_name: str) -> None:
    """Write the files and their checksums in the form of ``sha256sum``, and say what has changed."""
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in files.items())
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in {**files, sums_name: sums.encode()}.items():
        path = folder / name
        is_same = path.is_file() and path.read_bytes() == content
        if not is_same:
            path.write_bytes(content)
        print(f"{path}: {'unchanged' if is_same else 'written'}")
