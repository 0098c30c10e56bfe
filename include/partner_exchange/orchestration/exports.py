"""Builds the DAG of one export; ``orchestration.outbound`` says for whom (M44, M46, M74, X10).

Nothing of the room ``exports`` is imported here: whether a report is there, and which columns it has, is seen
by ``require_sound_tenant_files`` and when a run selects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG, CronTriggerTimetable

from partner_exchange.orchestration import exports_tasks
from partner_exchange.orchestration.builders import COMMON
from partner_exchange.orchestration.export_assets import export_asset, store_asset

if TYPE_CHECKING:
    from partner_exchange.tenants.exports import Export, Target
    from partner_exchange.tenants.model import Tenant

OUTBOUND_PREFIX = "outbound__"

_DOC = """\
### Files out to {name} (`{code}`, {mode}): {export}

Sends the report **{report}**, {content}, to {place}. {when}

| task | does |
|---|---|
| `select` | opens the one delivery of this export, or takes up the open one; nothing new: skips the run |
| `write` | writes the file into the archive; no rows where `when_empty` says no file: skips the rest |
| `deliver` | uploads under a hidden name, checks, renames; then, at once, moves what counts as delivered |
| `confirm` | {confirm} |
| `notify` | sends the mails; shows what became of the delivery |

**No time is caught up, and nothing is lost:** a file holds what was not delivered before, however many times
of the schedule were missed. After an outage, and when this DAG is unpaused, one run starts at once for the
last time that was missed. When the export is new and that time is more than {late} minutes ago, the run is
skipped: the first file goes at the next time of the schedule. Runs never overlap: while one waits for its
next try, changes wait with it.

**`deliver` waits?** The server cannot be reached or refuses for now. It is tried again after 10 minutes, then
1, 4, 12 and 24 hours; the log has a line for each look in between.
`exchange export deliveries --tenant {code} --export {export}` shows the next try, and
`exchange export resend <delivery>` does not wait for it; then clear `deliver`, or leave it: it looks again
within the hour.

**Red run?** The delivery is a dead letter: login, host key, path or space do not hold, or all tries failed.
The log of `notify` says which and what to do. Mend it, then `exchange export resend <delivery>`. Until then
later runs are red too, at `select`, with the same words in its log: the colour of the newest run is the state
of the export. Pausing this DAG quiets it. What changes meanwhile goes with the next file. Clearing a task is
always safe: it takes up the work where it stopped, and a file that was delivered is not delivered again.
"""

_CONFIRM = (
    "nothing: no answers are agreed with the partner (`target.answers`)",
    "looks for the partner's answers; `housekeeping__answers` goes on looking",
)


def export_dag_id(tenant_code: str, export_name: str) -> str:
    """Return the id of an export's DAG; sets for NHSN have one of the same form."""
    return f"{OUTBOUND_PREFIX}{tenant_code}__{export_name}"


def place_of(tenant: Tenant, target: Target) -> str:
    """Return where files go in words for the page of a DAG."""
    folder = f"`{tenant.folder_of(target)}`"
    if target.kind == "home":
        return f"{folder} in the partner's home"
    return f"{folder} on the partner's server, connection `{target.connection}`"


def build_export_dag(tenant: Tenant, export_name: str) -> DAG:
    """Return the DAG ``outbound__<tenant>__<export>``; one without a schedule is started by hand."""
    export = tenant.exports[export_name]
    zone = tenant.zone_of(export).key
    schedule = CronTriggerTimetable(export.cron, timezone=zone) if export.cron else None
    with DAG(
        dag_id=export_dag_id(tenant.code, export_name),
        description=export.about or f"Sends the report {export.report} to {tenant.name}",
        schedule=schedule,
        tags=[
            f"feed:{tenant.feed}",
            f"tenant:{tenant.code}",
            f"mode:{tenant.mode}",
            f"export:{export_name}",
            f"report:{export.report}",
        ],
        doc_md=_DOC.format(
            name=tenant.name,
            code=tenant.code,
            mode=tenant.mode,
            export=export_name,
            report=export.report,
            content="what is new since the last delivered file" if export.content == "delta" else "all rows",
            place=place_of(tenant, export.target),
            when=_when(export, zone),
            late=int(exports_tasks.ON_TIME.total_seconds() // 60),
            confirm=_CONFIRM[export.target.answers is not None],
        ),
        **COMMON,
    ) as dag:
        _lay_out_tasks(tenant, export_name, export.target)
    return dag


def _lay_out_tasks(tenant: Tenant, export_name: str, target: Target) -> None:
    reads = [store_asset(tenant.code)]
    fills = [export_asset(tenant, export_name, target)]
    # What passes between tasks is an XCom here and its value there.
    selected: Any = exports_tasks.select.override(inlets=reads)(tenant.code, export_name)
    written = exports_tasks.write.override(inlets=reads)(selected)
    # Airflow draws the line from store to file through a task that has both.
    delivered = exports_tasks.deliver.override(inlets=reads, outlets=fills)(selected)
    confirmed = exports_tasks.confirm(tenant.code, export_name)
    written >> delivered >> confirmed
    # After each of them: it runs whatever became of them, but not when there is nothing to send.
    [written, delivered, confirmed] >> exports_tasks.notify(selected)


def _when(export: Export, zone: str) -> str:
    if not export.cron:
        return "It has no schedule: a run is started by hand."
    words = f"{export.schedule}: " if export.schedule != export.cron else ""
    return f"Schedule: {words}`{export.cron}` in {zone}."
