"""The housekeeping DAGs, for Airflow; built in ``partner_exchange.orchestration.builders``."""

from partner_exchange.orchestration.builders import build_housekeeping_dag, build_quotas_dag

housekeeping = build_housekeeping_dag()
quotas = build_quotas_dag()
