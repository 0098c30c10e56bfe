"""HL7 batches through all steps: two sizes, so that the cost of a message shows whether it stays the same."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path

from partner_exchange import clock
from partner_exchange.local.bench.files import Measured, environment_of, median_of, one_run
from partner_exchange.local.bench.worker import VXU_TENANT
from partner_exchange.local.vxu_maker import make_batch
from partner_exchange.storage.hl7_names import Hl7Name

FAULT_SHARE = 0.02
TENANT_YAML = """\
preset: texas-registry
name: Bench
mode: production
time_zone: UTC
vxu:
  consent: not_required
"""


@dataclass(frozen=True)
class MessageFigures:
    """Medians of all steps for one size; ``Measured.rows`` are messages."""

    doses: int
    measured: Measured

    @property
    def messages_per_s(self) -> float:
        """Return messages through read, check, load, report and acknowledgements in a second."""
        return self.measured.rows / self.measured.total_s


def measure_messages(folder: Path, database_url: str, sizes: Mapping[int, int]) -> list[MessageFigures]:
    """Return the figures for each size; each run in a process of its own and into an empty store.

    :param sizes: messages of the file by number of runs.
    """
    tenants = folder / "vxu-tenants"
    tenants.mkdir()
    (tenants / f"{VXU_TENANT}.yaml").write_text(TENANT_YAML)
    environment = environment_of(database_url, tenants, folder / "vxu-storage")
    at = clock.now()
    file = folder / Hl7Name(VXU_TENANT.upper(), at.date(), 1).format()
    figures: list[MessageFigures] = []
    for messages, runs in sizes.items():
        found: list[dict[str, object]] = []
        for run in range(runs):
            doses = _apart(file, messages, messages + run, at)
            found.append(one_run("messages", file, environment))
            file.unlink()
        figures.append(MessageFigures(doses, median_of("messages", messages, found)))
    return figures


def _apart(file: Path, messages: int, seed: int, at: datetime) -> int:
    """Make a batch in a process of its own and return its doses.

    A measured process starts with the peak memory of this one, which so stays small.
    """
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as maker:
        return maker.submit(_make, file, messages, seed, at).result()


def _make(file: Path, messages: int, seed: int, at: datetime) -> int:
    made = make_batch(
        messages=messages,
        seed=seed,
        import_code=VXU_TENANT.upper(),
        at=at,
        faulty=int(messages * FAULT_SHARE),
    )
    file.write_bytes(made.content)
    return made.doses
