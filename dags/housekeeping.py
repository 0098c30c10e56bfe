"""The housekeeping DAGs, for Airflow; what they do is in ``partner_exchange.orchestration``."""

from partner_exchange.orchestration.builders import build_housekeeping_dag, build_quotas_dag
from partner_exchange.orchestration.delivery_housekeeping import build_answers_dag, build_targets_dag
from partner_exchange.orchestration.retention import build_retention_dag

housekeeping = build_housekeeping_dag()
quotas = build_quotas_dag()
retention = build_retention_dag()
answers = build_answers_dag()
targets = build_targets_dag()
