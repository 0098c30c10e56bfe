"""The housekeeping DAG, for Airflow; built in ``partner_exchange.orchestration.builders``."""

from partner_exchange.orchestration.builders import build_housekeeping_dag

housekeeping = build_housekeeping_dag()
