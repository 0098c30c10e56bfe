"""The limit on a partner's own files, watched from the pipeline's side (T38, K13).

The gateway refuses the file that would be one too many, but has no database and sends nothing. So whoever
looks at an inbox anyway, the claim and housekeeping, says here what lies there; the contacts hear of it
before the limit is reached, also while intake is suspended or the tenant's DAG is paused.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from partner_exchange import log
from partner_exchange.ledger import mails, quotas
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.mails import Event
from partner_exchange.storage.folders import Entry
from partner_exchange.storage.own_files import is_partners
from partner_exchange.submissions.recipients import recipients
from partner_exchange.tenants.model import Tenant

_logger = logging.getLogger(__name__)


def watch_quota(tenant: Tenant, entries: Iterable[Entry]) -> int:
    """Queue the mails that are due about the number of files; return how many.

    A count that passes several thresholds at once is told once, with the highest of them.

    :param entries: what lies in the tenant's inbox now.
    :raises StoreUnavailable: the ledger cannot be reached.
    """
    max_files = tenant.quota.max_files
    if max_files is None:
        return 0
    count = sum(entry.is_file and is_partners(entry.name) for entry in entries)
    reached = [percent for percent in tenant.quota.warn_percent if count * 100 >= max_files * percent]
    with transaction() as connection:
        begun = quotas.record_look(
            connection,
            tenant.code,
            tenant.inbox.folder,
            file_count=count,
            max_files=max_files,
            reached=reached,
        )
        if not begun or begun[-1].percent < max(reached):
            return 0
        queued = mails.enqueue(
            connection,
            tenant_code=tenant.code,
            event=Event.QUOTA,
            recipients=recipients(tenant.contacts, Event.QUOTA),
            topic=begun[-1].warning_id,
        )
    log.event(_logger, "quota.warned", tenant=tenant.code, files=count, max_files=max_files, mails=queued)
    return queued
