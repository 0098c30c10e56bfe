"""Builds the DAGs; the files in ``dags/`` only hand them to Airflow.

One DAG file serves all tenants. Airflow parses it every half minute and again in each task process, so a
DAG costs about a millisecond, and inside a task only the wanted tenant's file is read and only its DAG is
built.
"""

from __future__ import annotations

import zlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import (
    DAG,
    Asset,
    AssetOrTimeSchedule,
    AssetWatcher,
    CronTriggerTimetable,
    get_parsing_context,
)

from partner_exchange.errors import RegistryInvalid
from partner_exchange.orchestration import tasks
from partner_exchange.orchestration.retry import RETRY_ARGUMENTS
from partner_exchange.orchestration.sensor import InboxSensor, inbox_path
from partner_exchange.orchestration.trigger import InboxTrigger
from partner_exchange.settings import Settings, get_settings
from partner_exchange.storage.answer_names import inbox_answers
from partner_exchange.tenants import registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partner_exchange.tenants.model import Tenant

INBOUND_PREFIX = "inbound__"
HOUSEKEEPING = "housekeeping"
QUOTAS = f"{HOUSEKEEPING}__quotas"

# Fixed, since anything that moves would make a new DAG version at each parse (AN 1).
START = datetime(2026, 1, 1, tzinfo=UTC)

UPLOAD_PATIENCE = timedelta(hours=6)
"""How long a run waits for an upload that keeps growing; then it fails and the next ring starts another."""

COMMON: dict[str, Any] = {
    "start_date": START,
    "catchup": False,
    "max_active_runs": 1,
    # A new tenant works as soon as its file is there.
    "is_paused_upon_creation": False,
    "default_args": {"owner": "partner-exchange", **RETRY_ARGUMENTS},
}
"""What all DAGs of the exchange have in common."""

_INBOUND_DOC = """\
### Files in from {name} (`{code}`, {mode})

Takes every file that lies in `{inbox}` on the connection `{connection}`, feed **{feed}**.

| task | does |
|---|---|
| `wait_for_files` | lets complete files go on: two looks, {settle_s:g} s apart, agree on size and time |
| `claim` | renames each file to `<name>.<UTC>.processing`, keeps the original; nothing there: skips the run |
| `file.validate` | checks every {row}; findings go to the ledger |
| `file.load` | merges the good {row}s, in one transaction with the ledger |
| `file.respond` | {answers} |
| `file.notify` | queues and sends the mails |
| `report_failures` | closes what could not be finished, tells the partner it was us, turns the run red |

A run starts when files are there: the inbox is looked at twice a second, and rings again every half
minute until they are gone. The clock starts one more run an hour, in case no triggerer was there to ring.
A green run with skipped tasks found nothing to do.

**Red run?** The log of the red task says why. Each step asks the ledger first, so clearing a red task is
always safe and takes up the work where it stopped. A submission that `report_failures` has closed stays
closed: mend the cause, then `exchange replay <submission>` takes it up from the kept original.

**Nothing happens although files are there?** `INTAKE-SUSPENDED.txt` in the inbox means that intake is
suspended: `exchange account show --tenant {code}` says why, `exchange account resume --tenant {code}`
opens it. Files dropped while this DAG is paused are taken after it is unpaused.

**What does a code mean?** `docs/findings.md` explains each finding.
"""

_ANSWERS = (
    "puts the result file into the partner's folder",
    "puts original, data quality report, acknowledgements and consents into the partner's folders",
)

_HOUSEKEEPING_DOC = """\
### Housekeeping

Sends, every other minute, the mails of the outbox that are due: those that the mail server asked to try
again later. A mail server that is away delays mails and fails nothing; `exchange mail deliver` does the
same at once.
"""

_QUOTAS_DOC = """\
### Inboxes that are nearly full

Looks, every ten minutes, at the inbox of each tenant with a limit on files (`quota.max_files`), whether the
tenant's own DAG is paused or not. When the partner's own files reach a share of `quota.warn_percent`, the
contacts get a mail; they get another one only after the count has fallen below. `housekeeping` sends it.

An inbox that cannot be reached is counted under `unreachable` and fails nothing: the runs of its tenant say
why.
"""


def inbound_dags() -> Iterator[DAG]:
    """Yield the inbound DAG of every tenant whose file holds; inside a task, of the wanted tenant only.

    A tenant file that does not hold takes only its own DAG away; ``require_sound_tenant_files`` makes it
    visible.
    """
    settings = get_settings()
    wanted = get_parsing_context().dag_id
    if wanted is None:
        tenants = list(registry.examine(settings.tenants_dir)[0].tenants.values())
    elif wanted.startswith(INBOUND_PREFIX):
        tenants = [registry.load_one(wanted.removeprefix(INBOUND_PREFIX))]
    else:
        tenants = []
    for tenant in tenants:
        yield build_inbound_dag(tenant, settings)


def require_sound_tenant_files() -> None:
    """Do nothing when every tenant file holds; called by a DAG file of its own, so the others stay untouched.

    What exports ask for is looked at as well: reports, columns and parameters that a tenant file cannot know.

    :raises RegistryInvalid: with every mistake and its remedy; Airflow shows it as an import error on its
    first page.
    """
    if get_parsing_context().dag_id is None:
        _require_sound_exports(registry.load())


def _require_sound_exports(found: registry.Registry) -> None:
    tenants = [tenant for tenant in found.tenants.values() if tenant.exports]
    if not tenants:
        return
    # Here alone of all DAG files: it brings the whole catalogue of reports along.
    from partner_exchange.exports import plan

    problems = [str(problem) for tenant in tenants for problem in plan.problems(tenant)]
    if problems:
        lines = "\n".join(f"  {line}" for line in problems)
        message = f"Exports do not hold:\n{lines}\nMend it, then run `exchange tenants check`."
        raise RegistryInvalid("registry-invalid", message, problems=problems)


def build_inbound_dag(tenant: Tenant, settings: Settings | None = None) -> DAG:
    """Return the DAG ``inbound__<tenant>``: from a file in the inbox to the answer (design.md section 4)."""
    settings = settings or get_settings()
    with DAG(
        dag_id=f"{INBOUND_PREFIX}{tenant.code}",
        description=f"Takes in what {tenant.name} drops, checks, loads and answers it",
        schedule=AssetOrTimeSchedule(timetable=_sweep(tenant), assets=[_inbox_asset(tenant, settings)]),
        tags=[f"feed:{tenant.feed}", f"tenant:{tenant.code}", f"mode:{tenant.mode}"],
        doc_md=_INBOUND_DOC.format(
            name=tenant.name,
            code=tenant.code,
            mode=tenant.mode,
            inbox=inbox_path(tenant),
            connection=tenant.inbox.connection,
            feed=tenant.feed,
            settle_s=tenant.inbox.settle_s,
            row="message" if tenant.inbox.is_registry else "row",
            answers=_ANSWERS[tenant.inbox.is_registry],
        ),
        # Below the number of workers: files of one tenant never wait for those of another.
        max_active_tasks=settings.tasks_per_tenant,
        **COMMON,
    ) as dag:
        wait_for_files = InboxSensor(
            task_id="wait_for_files",
            tenant=tenant,
            poll_interval_s=settings.poll_interval_s,
            timeout=UPLOAD_PATIENCE,
        )
        # What passes between tasks is an XCom here and its value there.
        settled: Any = wait_for_files.output
        claimed: Any = tasks.claim(tenant.code, settled)
        files = tasks.file.partial(tenant_code=tenant.code).expand(submission_id=claimed)
        files >> tasks.report_failures(tenant.code, claimed)
    return dag


def build_housekeeping_dag() -> DAG:
    """Return the DAG ``housekeeping``: what is due by the clock and belongs to no tenant's run."""
    with DAG(
        dag_id=HOUSEKEEPING,
        description="Sends the mails that the mail server asked to try again later",
        schedule=CronTriggerTimetable("*/2 * * * *", timezone="UTC"),
        tags=["housekeeping"],
        doc_md=_HOUSEKEEPING_DOC,
        **COMMON,
    ) as dag:
        tasks.deliver_mails()
    return dag


def build_quotas_dag() -> DAG:
    """Return the DAG ``housekeeping__quotas``: apart, so that a slow server of a partner delays no mail."""
    with DAG(
        dag_id=QUOTAS,
        description="Warns partners whose inbox is nearly full",
        schedule=CronTriggerTimetable("*/10 * * * *", timezone="UTC"),
        tags=["housekeeping"],
        doc_md=_QUOTAS_DOC,
        **COMMON,
    ) as dag:
        tasks.check_quotas()
    return dag


def _inbox_asset(tenant: Tenant, settings: Settings) -> Asset:
    # The prefix x- keeps Airflow from loading every provider to look for a handler of the scheme.
    return Asset(
        name=f"inbox__{tenant.code}",
        uri=f"x-exchange-inbox://{tenant.inbox.connection}{inbox_path(tenant)}",
        watchers=[
            AssetWatcher(
                name=f"inbox__{tenant.code}",
                trigger=InboxTrigger(
                    tenant=tenant.code,
                    connection_id=tenant.inbox.connection,
                    folder=inbox_path(tenant),
                    poll_interval_s=settings.poll_interval_s,
                    ring_again_s=settings.ring_again_s,
                    answers=inbox_answers(tenant),
                ),
            )
        ],
    )


def _sweep(tenant: Tenant) -> CronTriggerTimetable:
    """Return the hourly safety net, at a minute of the tenant's own: 500 tenants must not start at once."""
    return CronTriggerTimetable(f"{zlib.crc32(tenant.code.encode()) % 60} * * * *", timezone="UTC")
