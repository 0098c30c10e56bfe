"""The doorbell: tells Airflow that claimable files lie in a tenant's inbox (M33, X02).

``InboxTrigger`` hangs on the tenant's asset watcher and starts runs; ``SettledTrigger`` resumes a deferred
``InboxSensor``. All triggers of one SFTP server share one listing in each triggerer (``stream``).
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Hashable, Sequence
from typing import Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from partner_exchange.orchestration.looks import Bell, Look, Settling
from partner_exchange.orchestration.stream import Looks, stream_looks, watching


class _SharedInboxTrigger(BaseEventTrigger):
    """What both triggers share: the stream of looks at all inboxes of one server."""

    def __init__(
        self, *, connection_id: str, folder: str, poll_interval_s: float, answers: Sequence[str] = ()
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # Airflow's base class is not annotated
        self.connection_id = connection_id
        self.folder = folder
        self.poll_interval_s = poll_interval_s
        self.answers = tuple(answers)

    def shared_stream_key(self) -> Hashable:
        """Return one key per server, so each triggerer lists it over one connection for all tenants."""
        return ("partner-exchange-inbox", self.connection_id, self.poll_interval_s)

    @classmethod
    async def open_shared_stream(cls, kwargs: dict[str, Any]) -> AsyncIterator[Looks]:
        """Yield the looks of the server; uses only what is in the key, folders come from the subscribers."""
        async for looks in stream_looks(kwargs["connection_id"], kwargs["poll_interval_s"]):
            yield looks

    def _look(self, looks: Looks) -> Look | None:
        """Return the look at the own inbox; a partner's answers to delivered files do not count."""
        look = looks.get(self.folder)
        return look.without_answers(self.answers) if look is not None else None

    def _own(self) -> dict[str, Any]:
        """Return the arguments of tenants with answers; the others' DAGs stay the same, to the byte."""
        return {"answers": list(self.answers)} if self.answers else {}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield the same events over a connection of its own, for ``dag.test()``."""
        async for event in self.filter_shared_stream(self.open_shared_stream(self.serialize()[1])):
            yield event


class InboxTrigger(_SharedInboxTrigger):
    """Rings while claimable files lie in a tenant's inbox: at once on a change, then every ``ring_again_s``.

    It never finishes, so Airflow does not arm it anew after each ring and its memory of what it rang for
    stays. It starts anew when the DAG is unpaused or the triggerer restarts, and then rings for whatever
    lies there.

    :param tenant: tenant code, for the event.
    :param connection_id: Airflow connection of the SFTP server.
    :param folder: absolute path of the inbox on that server.
    :param answers: ``inbox_answers`` of the tenant.
    """

    def __init__(
        self,
        *,
        tenant: str,
        connection_id: str,
        folder: str,
        poll_interval_s: float,
        ring_again_s: float,
        answers: Sequence[str] = (),
    ) -> None:
        super().__init__(
            connection_id=connection_id, folder=folder, poll_interval_s=poll_interval_s, answers=answers
        )
        self.tenant = tenant
        self.ring_again_s = ring_again_s

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments."""
        return (
            "partner_exchange.orchestration.trigger.InboxTrigger",
            {
                "tenant": self.tenant,
                "connection_id": self.connection_id,
                "folder": self.folder,
                "poll_interval_s": self.poll_interval_s,
                "ring_again_s": self.ring_again_s,
                **self._own(),
            },
        )

    async def filter_shared_stream(self, shared_stream: AsyncIterator[Looks]) -> AsyncIterator[TriggerEvent]:
        """Yield rings with tenant, file count and a digest of the look; file names stay out of events."""
        bell = Bell(self.ring_again_s)
        with watching(self.connection_id, self.folder):
            async for looks in shared_stream:
                look = self._look(looks)
                if look is not None and bell.rings(look, time.monotonic()):
                    yield _event(tenant=self.tenant, file_count=len(look.facts), digest=look.digest)


class SettledTrigger(_SharedInboxTrigger):
    """Fires once, when at least one claimable file is complete or none is left.

    :param settle_s: how long a file must stay the same (X01).
    :param answers: ``inbox_answers`` of the tenant.
    """

    def __init__(
        self,
        *,
        connection_id: str,
        folder: str,
        poll_interval_s: float,
        settle_s: float,
        answers: Sequence[str] = (),
    ) -> None:
        super().__init__(
            connection_id=connection_id, folder=folder, poll_interval_s=poll_interval_s, answers=answers
        )
        self.settle_s = settle_s

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments."""
        return (
            "partner_exchange.orchestration.trigger.SettledTrigger",
            {
                "connection_id": self.connection_id,
                "folder": self.folder,
                "poll_interval_s": self.poll_interval_s,
                "settle_s": self.settle_s,
                **self._own(),
            },
        )

    async def filter_shared_stream(self, shared_stream: AsyncIterator[Looks]) -> AsyncIterator[TriggerEvent]:
        """Yield one event with the fingerprints of the complete files."""
        settling = Settling(self.settle_s)
        with watching(self.connection_id, self.folder):
            async for looks in shared_stream:
                look = self._look(looks)
                if look is None:
                    continue
                settled = settling.settled(look, time.monotonic())
                if settled or not look.facts:
                    yield _event(settled=sorted(fact.fingerprint for fact in settled))
                    return


def _event(**payload: Any) -> TriggerEvent:
    return TriggerEvent(payload)  # type: ignore[no-untyped-call] # as above
