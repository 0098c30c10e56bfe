"""Builds the DAGs that look after deliveries; ``dags/housekeeping.py`` hands them to Airflow (X10, X11)."""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, CronTriggerTimetable, task

from partner_exchange.orchestration.builders import COMMON, HOUSEKEEPING
from partner_exchange.orchestration.tasks import STEP_TIMEOUT

ANSWERS = f"{HOUSEKEEPING}__answers"
TARGETS = f"{HOUSEKEEPING}__targets"

_ANSWERS_DOC = """\
### What partners say of delivered files

Looks, every other minute, where partners put their answers, for each export with `target.answers` that has a
delivered file without one. An answer moves its delivery to confirmed or refused; a file that was not answered
within `answers.within_h` is told by mail, once.

A server that cannot be reached is counted under `unreachable` and fails nothing: the next run looks again.

`exchange export answers` shows what came, with `--unmatched` those that fit no delivery.
"""

_TARGETS_DOC = """\
### Partners' servers, before a delivery fails there

| task | does |
|---|---|
| `probe_targets` | logs in to each server of a target, writes, renames and removes a small hidden file |
| `check_dead_letters` | finds dead letters older than a day, and whatever else is open after two |

`EXCHANGE_OPERATIONS_MAIL` and, unless it is ours to mend, `contacts.delivery` get a mail when a server does
not hold, once a night, and 30, 14, 7, 3 and 1 days before the login of a connection ends: `expires_on`, a
day such as 2027-01-31, in the extra of the Airflow connection.

**Red run?** The log of the red task names connections or deliveries.
`exchange export probe --tenant <code> <export>` tells a server's steps one by one.
`exchange export resend <delivery>` sends it once its cause is mended, and
`exchange export abandon <delivery>` gives it up. Clearing a task is always safe: it looks again.
"""


def build_answers_dag() -> DAG:
    """Return the DAG ``housekeeping__answers``: apart, so that a slow server of a partner delays no mail."""
    with DAG(
        dag_id=ANSWERS,
        description="Takes in partners' answers to delivered files",
        schedule=CronTriggerTimetable("*/2 * * * *", timezone="UTC"),
        tags=["housekeeping"],
        doc_md=_ANSWERS_DOC,
        **COMMON,
    ) as dag:
        _collect_answers()
    return dag


def build_targets_dag() -> DAG:
    """Return the DAG ``housekeeping__targets``."""
    with DAG(
        dag_id=TARGETS,
        description="Tries partners' servers before a delivery fails there, finds dead letters",
        schedule=CronTriggerTimetable("17 2 * * *", timezone="UTC"),
        tags=["housekeeping"],
        doc_md=_TARGETS_DOC,
        **COMMON,
    ) as dag:
        # Side by side: each turns the run red by itself.
        _probe_targets()
        _check_dead_letters()
    return dag


@task(task_id="collect_answers", execution_timeout=STEP_TIMEOUT, multiple_outputs=False)
def _collect_answers() -> dict[str, Any]:
    """Take in the answers that are there, and queue the mails about missing ones."""
    from partner_exchange.exports.delivery import watch
    from partner_exchange.orchestration.targets import open_target

    return watch.collect_answers(open_target).as_dict()


@task(task_id="probe_targets", execution_timeout=STEP_TIMEOUT, multiple_outputs=False)
def _probe_targets() -> dict[str, int]:
    """Try each server of a target, and fail when one does not hold; the mails are queued."""
    from airflow.sdk.exceptions import AirflowFailException

    from partner_exchange.exports.delivery import watch
    from partner_exchange.orchestration.targets import expires_on, open_target

    seen = watch.watch_targets(open_target, expires_on)
    if seen.failed:
        raise AirflowFailException(
            f"{len(seen.failed)} of {seen.targets} targets do not hold: {', '.join(seen.failed)}. "
            "`exchange export probe --tenant <code> <export>` tells the steps one by one."
        )
    return {"targets": seen.targets, "mails": seen.mails}


@task(task_id="check_dead_letters", execution_timeout=STEP_TIMEOUT, multiple_outputs=False)
def _check_dead_letters() -> dict[str, int]:
    """Fail when a dead letter waits for more than a day, or anything open for more than two."""
    from airflow.sdk.exceptions import AirflowFailException

    from partner_exchange.exports.delivery import watch

    told = [
        f"{len(found)} deliveries {what}: "
        + ", ".join(f"{one.delivery_id} ({one.tenant_code}, {one.export_name})" for one in found)
        for found, what in (
            (watch.old_dead_letters(), "are dead letters for more than a day"),
            (watch.stuck_deliveries(), "are neither delivered nor given up after two days"),
        )
        if found
    ]
    if told:
        raise AirflowFailException(
            f"{'; '.join(told)}. Nothing of their exports goes before them. "
            "`exchange export show <delivery>` says why; mend it, then `exchange export resend <delivery>`."
        )
    return {"dead_letters": 0, "stuck": 0}
