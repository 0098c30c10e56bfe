"""Builds the DAG of the daily purge; ``dags/housekeeping.py`` only hands it to Airflow (T39, K10)."""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, CronTriggerTimetable

from partner_exchange.orchestration import retention_tasks
from partner_exchange.orchestration.builders import COMMON, HOUSEKEEPING

RETENTION = f"{HOUSEKEEPING}__retention"

_DOC = """\
### Purge what partners' retention lets go of

Removes, once a day, the files of submissions that ended more days ago than the tenant's `retention.days`: in
the partner's home, in the archive, and what a failed submission left in the work area. Also those of
deliveries: the file in the archive, the one in the partner's home, and answers that were put away. What the
ledger says of them stays, and each file leaves a tombstone. `docs/retention.md` says what goes and what
stays. Doses that are held for want of consent longer than `vxu.held_days` are removed too. Before that, the
store is brought in line with the consents of the day, as `exchange consent release` does: a birthday ends a
consent.

| task | does |
|---|---|
| `find_tenants` | finds tenants that let go of something or go by consents; none: skips the run |
| `purge_expired` | settles consents, then purges `EXCHANGE_PURGE_LIMIT` submissions and deliveries each |

**What will go?** `exchange retention list --tenant <code>`, with `--within 14` for the next two weeks.
**What is gone?** `exchange retention tombstones --tenant <code>`.

**Stop it:** `legal_hold: true` in the tenant's file keeps everything of that tenant from the next run on.

**Red run?** A server cannot be reached, or a file cannot be removed: the log of the mapped task says why.
Clearing it is always safe. It takes up where it stopped.
"""


def build_retention_dag() -> DAG:
    """Return the DAG ``housekeeping__retention``."""
    with DAG(
        dag_id=RETENTION,
        description="Purges files that are older than their partner's retention",
        schedule=CronTriggerTimetable("23 3 * * *", timezone="UTC"),
        tags=["housekeeping"],
        doc_md=_DOC,
        **COMMON,
    ) as dag:
        # What passes between tasks is an XCom here and its value there.
        codes: Any = retention_tasks.find_tenants()
        retention_tasks.purge_expired.expand(tenant_code=codes)
    return dag
