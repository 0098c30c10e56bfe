"""The same tenants make the same DAG, byte for byte: else each parse would be a new version (AN 1)."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from support.builders import a_tenant
from support.nhsn import a_hospital_group

HASH = """
from airflow.models.serialized_dag import SerializedDagModel
from airflow.serialization.serialized_objects import DagSerialization
from partner_exchange.orchestration import builders
from partner_exchange.orchestration.delivery_housekeeping import build_answers_dag, build_targets_dag
from partner_exchange.orchestration.exports import build_export_dag
from partner_exchange.orchestration.outbound import build_nhsn_dag
from partner_exchange.orchestration.retention import build_retention_dag
from partner_exchange.tenants.model import Tenant

tenant = Tenant.model_validate_json({tenant!r})
hospitals = Tenant.model_validate_json({hospitals!r})
nhsn = [build_nhsn_dag(hospitals, frequency) for frequency in ("daily", "weekly")]
ours = [builders.build_inbound_dag(tenant), builders.build_housekeeping_dag(), builders.build_quotas_dag()]
exports = [build_export_dag(tenant, name) for name in tenant.exports]
for dag in (*ours, build_retention_dag(), *nhsn, *exports, build_answers_dag(), build_targets_dag()):
    print("hash", SerializedDagModel.hash(DagSerialization.to_dict(dag)))
"""

EXPORTS = {
    "verified": {"report": "verified_students", "content": "delta", "schedule": "every 5 minutes"},
    "away": {
        "report": "student_roster",
        "target": {"kind": "server", "connection": "their_sftp", "folder": "/in", "answers": {}},
    },
}


def _hashes(seed: str) -> list[str]:
    code = HASH.format(
        tenant=a_tenant(exports=EXPORTS).model_dump_json(), hospitals=a_hospital_group().model_dump_json()
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return [line for line in run.stdout.splitlines() if line.startswith("hash ")]


@pytest.mark.slow
def test_AN1_two_builds_with_different_hash_seeds_are_the_same_version() -> None:
    first, second = _hashes("1"), _hashes("424242")
    assert len(set(first)) == 10
    assert first == second
