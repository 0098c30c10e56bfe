"""One measurement in a process of its own; prints one JSON line.

Called by ``files.measure`` as ``python -m partner_exchange.local.bench.worker KIND FILE``; the database, the
tenants folder and the storage come from the environment like in any other process of the exchange.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import TYPE_CHECKING

from partner_exchange.local.bench import export_work
from partner_exchange.local.bench.memory import peak_bytes

if TYPE_CHECKING:
    from partner_exchange.submissions.counts import Counts

TENANT = "bench"
STATUS_TENANT = "bench-status"
VXU_TENANT = "bench-vxu"


def measure_exchange(file: Path) -> dict[str, float]:
    """Take a roster into an empty store: every run creates all its students, as COPY fills an empty table."""
    _truncate("store.student, store.invitation cascade")
    return _all_steps(file, TENANT)


def measure_statuses(file: Path) -> dict[str, float]:
    """Take a status file into an empty store: every value is new."""
    _truncate("store.status, store.status_change, store.status_confirmation")
    return _all_steps(file, STATUS_TENANT)


def measure_statuses_again(file: Path) -> dict[str, float]:
    """Take a status file whose values the store knows already."""
    return _all_steps(file, STATUS_TENANT)


def measure_messages(file: Path) -> dict[str, float]:
    """Take an HL7 batch into an empty store: every patient and dose is new."""
    _truncate("store.patient, store.patient_identifier, store.dose, store.observation, store.refusal")
    return _all_steps(file, VXU_TENANT)


def _truncate(tables: str) -> None:
    import psycopg

    with psycopg.connect(os.environ["EXCHANGE_DATABASE_URL"]) as connection:
        connection.execute(f"truncate {tables}")


def _all_steps(file: Path, tenant_code: str) -> dict[str, float]:
    """Read, check, load and answer as ``exchange process`` does; seconds per step."""
    from partner_exchange.storage.folders import LocalHome
    from partner_exchange.submissions.load import load
    from partner_exchange.submissions.notify import notify
    from partner_exchange.submissions.process import take_in
    from partner_exchange.submissions.respond import respond
    from partner_exchange.submissions.validate import validate
    from partner_exchange.tenants import registry
    from partner_exchange.validation.preload import preload

    preload()
    tenant = registry.load_one(tenant_code)
    with TemporaryDirectory() as folder:
        home = LocalHome(Path(folder))
        seconds: dict[str, float] = {}
        start_s = monotonic()
        claimed = take_in(home, tenant, file)
        seconds["claim"] = monotonic() - start_s
        steps: dict[str, Callable[[], Counts]] = {
            "validate": lambda: validate(claimed.submission_id),
            "load": lambda: load(claimed.submission_id),
            "respond": lambda: respond(claimed.submission_id, home),
            "notify": lambda: notify(claimed.submission_id),
        }
        for name, step in steps.items():
            step_s = monotonic()
            counts = step()
            seconds[name] = monotonic() - step_s
        seconds["total"] = monotonic() - start_s
    if counts.state != "done" or not counts.rows_total:
        raise SystemExit(f"the bench file ended as {counts.state}")
    return seconds


def measure_copy(file: Path) -> dict[str, float]:
    """COPY the same file as nine text columns into a plain table: the floor."""
    return _copy(file, keys="")


def measure_keyed_copy(file: Path) -> dict[str, float]:
    """COPY the same file into a table with the two unique keys that students must have (M20, M23)."""
    return _copy(file, keys=", primary key (username), unique (student_id)")


def _copy(file: Path, *, keys: str) -> dict[str, float]:
    import psycopg

    from partner_exchange.stores.students import TEXT_COLUMNS

    with psycopg.connect(os.environ["EXCHANGE_DATABASE_URL"]) as connection:
        connection.execute("drop table if exists bench_copy")
        columns = ", ".join(f"{name} text" for name in TEXT_COLUMNS)
        connection.execute(f"create table bench_copy ({columns}{keys})")
        connection.commit()
        start_s = monotonic()
        command = "copy bench_copy from stdin (format csv, header)"
        with file.open("rb") as source, connection.cursor() as cursor, cursor.copy(command) as copy:
            while chunk := source.read(1024 * 1024):
                copy.write(chunk)
        connection.commit()
        return {"total": monotonic() - start_s}


def measure_pandas(file: Path) -> dict[str, float]:
    """Do what a first draft would: ``read_csv`` and ``to_sql``, no checks, no answer."""
    import pandas as pd
    from sqlalchemy import create_engine

    url = os.environ["EXCHANGE_DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1)
    engine = create_engine(url)
    start_s = monotonic()
    table = pd.read_csv(io.BytesIO(file.read_bytes()), dtype=str)
    table.to_sql("bench_pandas", engine, if_exists="replace", index=False)
    return {"total": monotonic() - start_s}


KINDS: dict[str, Callable[[Path], dict[str, float]]] = {
    "exchange": measure_exchange,
    "statuses": measure_statuses,
    "statuses-again": measure_statuses_again,
    "messages": measure_messages,
    "copy": measure_copy,
    "keyed-copy": measure_keyed_copy,
    "pandas": measure_pandas,
    **export_work.KINDS,
}


def main() -> None:
    """Measure and print ``{"seconds": {...}, "peak_bytes": N}``."""
    kind, file = sys.argv[1], Path(sys.argv[2])
    seconds = KINDS[kind](file)
    print(json.dumps({"seconds": seconds, "peak_bytes": peak_bytes()}))


if __name__ == "__main__":
    main()
