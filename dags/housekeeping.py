"""The housekeeping DAGs, for Airflow; built in ``orchestration.builders`` and ``orchestration.retention``."""

from partner_exchange.orchestration.builders import build_housekeeping_dag, build_quotas_dag
from partner_exchange.orchestration.retention import build_retention_dag

housekeeping = build_housekeeping_dag()
quotas = build_quotas_dag()
retention = build_retention_dag()
