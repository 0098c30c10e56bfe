"""What a measured process does with verified students; the kinds are called by ``worker``."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from partner_exchange.exports.delivery.carrier import Carrier

EXPORT_TENANT = "bench-export"
DELTA_EXPORT = "verified"
DELTA_STUDENTS = 100
_MANY_STUDENTS = """
insert into store.student (
    tenant_code, username_key, username, student_id, last_name, first_name, created_at, updated_at,
    created_by_submission, changed_by_submission
)
select %(tenant)s, name, name, 'S' || lpad(number::text, 9, '0'), 'Last ' || number, 'First ' || number,
    now(), now(), 'bench', 'bench'
from generate_series(%(first)s::bigint, %(last)s::bigint) number,
    lateral (select 'student' || lpad(number::text, 9, '0') || '@uni.example' as name) named
"""


def prepare_students(file: Path) -> dict[str, float]:
    """Fill the store with as many verified students as the name of the file says, and 100 who are not."""
    import psycopg

    from partner_exchange.ledger.database import transaction
    from partner_exchange.stores import verifications

    students = int(file.name)
    with psycopg.connect(os.environ["EXCHANGE_DATABASE_URL"]) as connection:
        connection.execute("truncate store.student cascade")
        connection.execute(_MANY_STUDENTS, {"tenant": EXPORT_TENANT, "first": 1, "last": students})
    start_s = monotonic()
    with transaction() as connection_:
        verifications.verify(connection_, EXPORT_TENANT, None, rule_version="1", actor="bench")
    verify_s = monotonic() - start_s
    with psycopg.connect(os.environ["EXCHANGE_DATABASE_URL"], autocommit=True) as connection:
        more = {"tenant": EXPORT_TENANT, "first": students + 1, "last": students + DELTA_STUDENTS}
        connection.execute(_MANY_STUDENTS, more)
        # As autovacuum does within minutes; the figures are of a server that has been up for a while.
        connection.execute("analyze")
    return {"total": verify_s}


def measure_export(file: Path) -> dict[str, float]:
    """Select, write and deliver the export that the file is named after into a folder; seconds per step."""
    from partner_exchange.exports import plan
    from partner_exchange.tenants import registry

    export = file.name
    tenant = registry.load_one(EXPORT_TENANT)
    # The modules that a worker has at hand before its first run.
    plan.resolve(tenant, export)
    return _run_export(export)


def measure_delta(file: Path) -> dict[str, float]:
    """Verify 100 students more, and measure the file that holds them."""
    from partner_exchange.ledger.database import transaction
    from partner_exchange.stores import verifications

    with transaction() as connection:
        verifications.verify(connection, EXPORT_TENANT, None, rule_version="1", actor="bench")
    return measure_export(file)


def _run_export(export: str) -> dict[str, float]:
    from partner_exchange.exports.delivery.carrier import Carrier
    from partner_exchange.exports.runs.deliver import deliver
    from partner_exchange.exports.runs.select import select
    from partner_exchange.exports.runs.write import write
    from partner_exchange.storage.folders import LocalHome
    from partner_exchange.tenants import registry

    with TemporaryDirectory() as folder:
        home = LocalHome(Path(folder))

        @contextmanager
        def opener(*_: object) -> Iterator[Carrier]:
            yield Carrier(home, "outbound", is_ours=True)

        start_s = monotonic()
        selected = select(registry.load_one(EXPORT_TENANT), export)
        selected_s = monotonic()
        written = write(selected.delivery_id) if selected else None
        written_s = monotonic()
        delivered = deliver(written.delivery_id, opener) if written else None
        end_s = monotonic()
    if delivered is None or not delivered.rows_total:
        raise SystemExit(f"the export {export} had nothing to send")
    return {
        "select": selected_s - start_s,
        "write": written_s - selected_s,
        "deliver": end_s - written_s,
        "total": end_s - start_s,
        "rows": float(delivered.rows_total),
        "bytes": float(delivered.size_bytes or 0),
    }


def measure_copy_out(file: Path) -> dict[str, float]:
    """COPY the same three columns from the same tables into a file: the floor."""
    import psycopg

    command = f"""copy (
        select s.username, s.student_id, to_char(v.changed_at at time zone 'utc', 'MM/DD/YYYY')
        from store.verification v join store.student s using (tenant_code, username_key)
        where v.tenant_code = '{EXPORT_TENANT}' and v.is_verified order by v.username_key
    ) to stdout (format csv, header)"""  # noqa: S608 - our own words
    with TemporaryDirectory() as folder, psycopg.connect(os.environ["EXCHANGE_DATABASE_URL"]) as connection:
        start_s = monotonic()
        with (Path(folder) / file.name).open("wb") as out, connection.cursor().copy(command) as copy:
            for chunk in copy:
                out.write(chunk)
        return {"total": monotonic() - start_s}


KINDS: dict[str, Callable[[Path], dict[str, float]]] = {
    "prepare-students": prepare_students,
    "export": measure_export,
    "export-delta": measure_delta,
    "copy-out": measure_copy_out,
}
