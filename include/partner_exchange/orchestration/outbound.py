"""Builds the outbound DAGs; ``dags/outbound.py`` only hands them to Airflow.

An outbound DAG belongs to one tenant and one export: of the tenant file (``orchestration.exports``), or a set
for NHSN (here). It asks the ledger what is due, so a missed run, a second one and one started by hand all
come to the same files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import DAG, CronTriggerTimetable, get_parsing_context

from partner_exchange.exports.nhsn.schedule import CRON, SCHEDULE, ZONE_NAME, frequencies_of
from partner_exchange.orchestration import exports_tasks, outbound_tasks
from partner_exchange.orchestration.builders import COMMON
from partner_exchange.orchestration.exports import OUTBOUND_PREFIX, build_export_dag, export_dag_id, place_of
from partner_exchange.settings import get_settings
from partner_exchange.tenants import registry
from partner_exchange.tenants.nhsn_sets import export_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partner_exchange.tenants.model import Tenant
    from partner_exchange.tenants.resources import Frequency

_NHSN_DOC = """\
### {frequency} set for NHSN from {name} (`{code}`, {mode})

Builds, {when} US Eastern, the CSV in the layout of CDC's HRD template for the hospitals of `{code}` whose
data is forwarded {frequency}. The file goes into the archive, below `exports/{code}/{export}/`.
{sending}

| task | does |
|---|---|
| `build_set` | builds every set that is due and not recorded yet, 14 days back, each with its own values |
| `deliver_sets` | delivers every set that is built and not delivered, the earliest first, each once |
| `confirm` | looks for the answers; `housekeeping__answers` goes on looking |
| `report` | shows how many hospitals are in which state; red when a set is missing or not delivered |

A hospital that goes into no set turns nothing red: it is **Not Submitted** or **Error** with a reason that
says what to do. `exchange nhsn list --tenant {code}` shows them, `docs/nhsn.md` explains the reasons.

**`deliver_sets` waits?** The server cannot be reached or refuses for now. It is tried again after 10 minutes,
then 1, 4, 12 and 24 hours; `exchange export deliveries --tenant {code} --export {export}` shows the next try.

**Red run?** A set could not be built, and that is ours to mend: the log of `build_set` says why. Clear the
task, or leave it to the next run, which builds what is missing. A set that was built is never built anew.
Or a set is a dead letter: the log of `deliver_sets` says what does not hold. Mend it, then
`exchange export resend <delivery>`; later sets wait behind it and lose nothing.
"""

_SENT = (
    "It is not sent: the tenant file has no `status.nhsn_target`, or `mode` is test. What is in the set is "
    "**Ready**.",
    "From there it is delivered to {place}; what is in the set is **Ready** until an answer "
    "comes, and **Submitted**, **Error** or **Warning** by it.",
)


def outbound_dags() -> Iterator[DAG]:
    """Yield the outbound DAGs of every tenant whose file holds; inside a task, only the wanted one."""
    wanted = get_parsing_context().dag_id
    if wanted is None:
        tenants = list(registry.examine(get_settings().tenants_dir)[0].tenants.values())
    elif wanted.startswith(OUTBOUND_PREFIX):
        code = wanted.removeprefix(OUTBOUND_PREFIX).partition("__")[0]
        tenants = [registry.load_one(code)]
    else:
        tenants = []
    for tenant in tenants:
        for frequency in frequencies_of(tenant):
            if wanted in (None, _dag_id(tenant, frequency)):
                yield build_nhsn_dag(tenant, frequency)
        for name in tenant.exports:
            if wanted in (None, export_dag_id(tenant.code, name)):
                yield build_export_dag(tenant, name)


def build_nhsn_dag(tenant: Tenant, frequency: Frequency) -> DAG:
    """Return the DAG ``outbound__<tenant>__nhsn_<frequency>`` (E38)."""
    export = export_name(frequency)
    with DAG(
        dag_id=_dag_id(tenant, frequency),
        description=f"Builds and sends the {frequency} NHSN set of {tenant.name}",
        schedule=CronTriggerTimetable(CRON[frequency], timezone=ZONE_NAME),
        tags=[
            f"feed:{tenant.feed}",
            f"tenant:{tenant.code}",
            f"mode:{tenant.mode}",
            f"export:{export}",
        ],
        doc_md=_NHSN_DOC.format(
            frequency=frequency,
            when=SCHEDULE[frequency],
            name=tenant.name,
            code=tenant.code,
            mode=tenant.mode,
            export=export,
            sending=_sending(tenant),
        ),
        **COMMON,
    ) as dag:
        (
            outbound_tasks.build_set(tenant.code, frequency)
            >> outbound_tasks.deliver_sets(tenant.code, frequency)
            >> exports_tasks.confirm(tenant.code, export)
            >> outbound_tasks.report(tenant.code, frequency)
        )
    return dag


def _sending(tenant: Tenant) -> str:
    target = tenant.status.nhsn_target
    if target is None or tenant.mode == "test":
        return _SENT[False]
    return _SENT[True].format(place=place_of(tenant, target))


def _dag_id(tenant: Tenant, frequency: Frequency) -> str:
    return export_dag_id(tenant.code, export_name(frequency))
