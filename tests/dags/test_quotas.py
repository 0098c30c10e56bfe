"""Housekeeping looks at every inbox with a limit, whatever the tenants' own DAGs do (T38)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from dags.conftest import airflow
from partner_exchange.ledger.database import transaction
from partner_exchange.orchestration.quotas import check_quotas
from support.servers import SftpServer

pytestmark = pytest.mark.service

TENANT = "name: {code}\nfeed: roster\ncontacts: {{refusal: [stop@{code}.example]}}\n"
LIMITED = TENANT + "quota: {{max_files: 10}}\n"


@pytest.fixture
def add(add_tenant: Callable[..., None], server: SftpServer, database_url: str) -> Callable[..., None]:
    """Write a tenant file and let files lie in its inbox."""

    def write(code: str, files: int, template: str = LIMITED, extra: str = "") -> None:
        add_tenant(code, template.format(code=code) + extra)
        for number in range(files):
            server.drop(code, f"{number}.csv")

    return write


def told() -> list[tuple[object, ...]]:
    query = "select recipient, event, state from ledger.mail order by recipient"
    with transaction() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def test_T38_all_limited_inboxes_are_looked_at_over_one_connection(
    server: SftpServer, add: Callable[..., None]
) -> None:
    add("alpha", 8)
    add("beta", 7)
    add("gamma", 10)
    add("free", 10, TENANT)
    add("empty", 0)
    assert check_quotas().as_dict() == {"inboxes": 4, "unreachable": 0, "mails": 2}
    assert told() == [("stop@alpha.example", "quota", "queued"), ("stop@gamma.example", "quota", "queued")]
    assert server.requests["connect"] == 1
    assert check_quotas().mails == 0


def test_X12_what_cannot_be_reached_holds_up_nobody_else(
    server: SftpServer,
    add: Callable[..., None],
    tmp_path: Path,
    tenants_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gone = SftpServer(tmp_path / "gone")
    gone.start()
    monkeypatch.setenv("AIRFLOW_CONN_GONE", json.dumps(gone.connection()))
    gone.end()
    add("alpha", 10, extra="inbox: {connection: gone}\n")
    add("beta", 10, extra="inbox: {connection: gone}\n")
    add("broken", 10)
    (tenants_dir / "broken.yaml").write_text("name: [")
    add("closed", 10)
    server.closed.add("/closed/inbound")
    add("delta", 10, extra="inbox: {connection: nowhere}\n")
    add("omega", 10)
    assert check_quotas().as_dict() == {"inboxes": 1, "unreachable": 4, "mails": 1}
    assert told() == [("stop@omega.example", "quota", "queued")]


@pytest.mark.slow
def test_T38_the_dag_runs(add: Callable[..., None], airflow_database: None) -> None:
    add("alpha", 9)
    run = airflow("dags", "test", "housekeeping__quotas")
    assert "state=success" in run.stdout + run.stderr
    assert told() == [("stop@alpha.example", "quota", "queued")]
