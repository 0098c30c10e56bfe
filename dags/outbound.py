"""A DAG per tenant and export, for Airflow; built in ``partner_exchange.orchestration.outbound``."""

from partner_exchange.orchestration.outbound import outbound_dags

# Airflow scans only files that hold the words "airflow" and "DAG", and takes the DAGs from the module's
# names.
globals().update({dag.dag_id: dag for dag in outbound_dags()})
