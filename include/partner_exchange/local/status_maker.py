"""Status files as a hospital would send them, with faults that must be found: for the demo and its test."""

from __future__ import annotations

import csv
import io
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from partner_exchange.tenants.model import Tenant
from partner_exchange.tenants.resources import Resource


@dataclass(frozen=True)
class MadeFile:
    """A file with what must come of it."""

    file_name: str
    about: str
    content: bytes
    rows: int
    bad_rows: int
    codes: frozenset[str]
    """Error codes that the answer must name."""


def make_status_files(tenant: Tenant, *, at: datetime, seed: int) -> list[MadeFile]:
    """Return a filled-in bulk template, an HRD CSV and a bed-capacity XLS.

    :param at: the instant that the files report for, shortly before they are dropped.
    """
    chance = random.Random(seed)  # noqa: S311 - numbers for a demo
    local = at.astimezone(ZoneInfo(tenant.time_zone))
    return [
        _bulk(tenant, local, chance),
        _hrd(tenant, local, chance),
        _bed_capacity(tenant, local, chance),
    ]


def _bulk(tenant: Tenant, local: datetime, chance: random.Random) -> MadeFile:
    from openpyxl import load_workbook

    from partner_exchange.feeds.bulk_status.layout import columns
    from partner_exchange.feeds.bulk_status.workbook import SHEET, bulk_workbook

    layout = columns(tenant.status.catalogue, ("Hospital status", "HAvBED"))
    book = load_workbook(io.BytesIO(bulk_workbook(tenant, layout)))
    sheet = book[SHEET]
    at = {column.header: place for place, column in enumerate(layout, 1)}
    place = {header.split(" (")[0]: number for header, number in at.items() if header.endswith(")")}
    resources = [resource for resource in tenant.status.resources if resource.id_in(tenant.mode)]
    for row in range(2, len(resources) + 2):
        sheet.cell(row, at["Update Date/Time"], local.replace(tzinfo=None, microsecond=0))
        sheet.cell(row, place["ED Status"], "Open")
        sheet.cell(row, place["Ventilators Available"], chance.randint(2, 40))
        sheet.cell(row, place["Adult ICU Available"], chance.randint(0, 20))
        sheet.cell(row, place["Medical-Surgical Available"], chance.randint(0, 80))
        sheet.cell(row, place["NEDOCS"], chance.randint(20, 160))
    # What the checks must find: half a ventilator, a misspelled status, a diversion without its reason, and a
    # resource id of the other mode.
    sheet.cell(2, place["Ventilators Available"], 12.5)
    sheet.cell(3, place["ED Status"], "Opne")
    sheet.cell(4, place["ED Status"], "Divert")
    extra = len(resources) + 2
    sheet.cell(extra, 1, next(other for other in (resources[0].test_id,) if other))
    sheet.cell(extra, place["ED Status"], "Open")
    content = io.BytesIO()
    book.save(content)
    return MadeFile(
        file_name=f"statuses-{local:%Y%m%d-%H%M%S}.xlsx",
        about="the bulk template, filled in, as XLSX",
        content=content.getvalue(),
        rows=len(resources) + 1,
        bad_rows=1,
        codes=frozenset(
            {
                "number-not-whole",
                "status-unknown",
                "reason-missing",
                "comment-missing",
                "test-id-in-production",
            }
        ),
    )


def _reporting(tenant: Tenant) -> list[Resource]:
    return [resource for resource in tenant.status.resources if resource.org_id_in(tenant.mode)]


def _hrd(tenant: Tenant, local: datetime, chance: random.Random) -> MadeFile:
    header = [
        "orgID",
        "reportingContext",
        "collectionDate",
        "numInPtBeds",
        "numInPtBedsAdult",
        "numInPtBedsPed",
    ]
    header += ["numInPtBedsOcc", "numICUBeds", "numConfC19HospPatsAdult", "numConfFluNewAdmAdult18to49"]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    day = (local - timedelta(days=1)).strftime("%m/%d/%Y")
    resources = _reporting(tenant)
    for number, resource in enumerate(resources):
        adult, ped = chance.randint(80, 300), chance.randint(0, 40)
        # The first hospital has fewer beds than adult and pediatric ones together; the last has no ICU.
        total = adult + ped - 10 if number == 0 else adult + ped
        icu = 9999 if number == len(resources) - 1 else chance.randint(5, 40)
        row = [resource.org_id_in(tenant.mode), resource.nhsn.context if resource.nhsn else "", day]
        writer.writerow([*row, total, adult, ped, adult // 2, icu, chance.randint(0, 9), ""])
    return MadeFile(
        file_name=f"hrd-{local:%Y%m%d-%H%M%S}.csv",
        about="CDC's Hospital Respiratory Data as CSV",
        content=text.getvalue().encode(),
        rows=len(resources),
        bad_rows=0,
        codes=frozenset({"cdc-total-below-parts"}),
    )


def _bed_capacity(tenant: Tenant, local: datetime, chance: random.Random) -> MadeFile:
    import xlwt

    header = ["orgID", "reportingContext", "collectionDate", "collectionTime"]
    header += ["AdultICUOccupied", "AdultICUUnoccupied", "AdultICULOCOccupied", "BurnOccupied"]
    book = xlwt.Workbook()
    sheet = book.add_sheet("Bed Capacity")
    for at, title in enumerate(header):
        sheet.write(0, at, title)
    as_date, as_time = (xlwt.easyxf(num_format_str=form) for form in ("MM/DD/YYYY", "HH:MM"))
    resources = _reporting(tenant)
    for row, resource in enumerate(resources, 1):
        occupied = chance.randint(4, 30)
        sheet.write(row, 0, resource.org_id_in(tenant.mode))
        sheet.write(row, 1, resource.nhsn.context if resource.nhsn else "")
        sheet.write(row, 2, local.replace(tzinfo=None), as_date)
        sheet.write(row, 3, local.strftime("%H:%M"), as_time)
        sheet.write(row, 4, occupied)
        sheet.write(row, 5, chance.randint(0, 8))
        # The first hospital says that more patients need an ICU than lie in one.
        sheet.write(row, 6, occupied + 3 if row == 1 else occupied - 1)
        sheet.write(row, 7, 9999)
    content = io.BytesIO()
    book.save(content)
    return MadeFile(
        file_name=f"bed-capacity-{local:%Y%m%d-%H%M%S}.xls",
        about="CDC's Bed Capacity as an old Excel workbook (XLS)",
        content=content.getvalue(),
        rows=len(resources),
        bad_rows=0,
        codes=frozenset({"cdc-part-above-whole"}),
    )
