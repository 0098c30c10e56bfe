"""First task of an inbound run: let only complete files go on (X01), on any SFTP server."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseSensorOperator

from partner_exchange import clock, log
from partner_exchange.orchestration.looks import Look, Settling, look_at
from partner_exchange.orchestration.trigger import SettledTrigger
from partner_exchange.storage.answer_names import inbox_answers

if TYPE_CHECKING:
    from airflow.sdk import Context

    from partner_exchange.tenants.model import Tenant

_logger = logging.getLogger(__name__)

WAIT_IN_TASK_S = 5.0
"""Up to here the task itself waits for the second look: deferring and resuming would take about as long."""

Settled = list[str] | None
"""Fingerprints of the complete files; None: all are, since the server publishes uploads atomically."""


class InboxSensor(BaseSensorOperator):
    """A deferrable SFTP sensor, done when files of the inbox are complete, or when there is none.

    A file is complete when two looks, ``settle_s`` apart, show the same size and time. The look that rang
    counts as the first one, so a run that starts later than that is done at once. Only when every file
    still grows does it defer, to the shared listing of the triggerer. It is not the provider's
    ``SFTPSensor``: that one fires on half uploads and on ``.`` and ``..``, and importing it costs every
    parse the SSH library (AN 3).

    It returns the fingerprints of the complete files, and the claim takes only those. It never soft-fails:
    a dead server is an error that Airflow tries again, never "no file".
    """

    def __init__(self, *, tenant: Tenant, poll_interval_s: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.tenant_code = tenant.code
        self.connection_id = tenant.inbox.connection
        self.folder = inbox_path(tenant)
        self.settle_s = tenant.inbox.settle_s
        self.answers = inbox_answers(tenant)
        self.poll_interval_s = poll_interval_s

    def execute(self, context: Context) -> Settled:
        """Return the fingerprints of the complete files.

        :raises InboxUnavailable: the server cannot be reached.
        :raises InboxLoginRefused: our login or its host key does not hold.
        """
        look = self._look()
        # Suspended: the claim takes no file, but has the last word on whether the notice still holds.
        if self.settle_s == 0 or not look.facts or look.is_suspended:
            return self._done(look, None if self.settle_s == 0 else [])
        settling = Settling(self.settle_s)
        now_s = clock.now().timestamp()
        wait_s = self.settle_s
        rung_at_s = _rung_at_s(context, look)
        if rung_at_s is not None:
            settling.settled(look, rung_at_s)
            wait_s = max(0.0, rung_at_s + self.settle_s - now_s)
        settled = settling.settled(look, now_s)
        if not settled and wait_s <= WAIT_IN_TASK_S:
            time.sleep(wait_s)
            look = self._look()
            settled = settling.settled(look, now_s + wait_s)
        if settled or not look.facts:
            return self._done(look, sorted(fact.fingerprint for fact in settled))
        log.event(_logger, "wait_for_files.defer", tenant=self.tenant_code, files=len(look.facts))
        self.defer(
            trigger=SettledTrigger(
                connection_id=self.connection_id,
                folder=self.folder,
                poll_interval_s=self.poll_interval_s,
                settle_s=self.settle_s,
                answers=self.answers,
            ),
            method_name="resume_settled",
            timeout=timedelta(seconds=self.timeout),
        )
        return None

    def resume_settled(self, context: Context, event: dict[str, Any]) -> Settled:
        """Return what the trigger found complete."""
        settled: list[str] = event["settled"]
        log.event(_logger, "wait_for_files.resumed", tenant=self.tenant_code, complete=len(settled))
        return settled

    def _look(self) -> Look:
        from partner_exchange.orchestration.inbox import open_client
        from partner_exchange.storage.folders import SftpHome

        home, _, folder = self.folder.rpartition("/")
        with open_client(self.connection_id) as client:
            return look_at(SftpHome(client, home).entries(folder)).without_answers(self.answers)

    def _done(self, look: Look, settled: Settled) -> Settled:
        complete = len(look.facts) if settled is None else len(settled)
        log.event(
            _logger, "wait_for_files", tenant=self.tenant_code, files=len(look.facts), complete=complete
        )
        return settled


def inbox_path(tenant: Tenant) -> str:
    """Return the absolute path of the tenant's inbox on its SFTP server."""
    return f"{tenant.home.rstrip('/')}/{tenant.inbox.folder}"


def _rung_at_s(context: Context, look: Look) -> float | None:
    """Return when a ring told of the very same look, in epoch seconds; None when none did."""
    instants = [
        event.timestamp.timestamp()
        for events in context["triggering_asset_events"].values()
        for event in events
        if ((event.extra or {}).get("payload") or {}).get("digest") == look.digest
    ]
    return min(instants, default=None)
