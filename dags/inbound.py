"""One inbound DAG per tenant, for Airflow; built in ``partner_exchange.orchestration.builders``."""

from partner_exchange.orchestration.builders import inbound_dags

# Airflow scans only files that hold the words "airflow" and "DAG", and takes the DAGs from the module's
# names.
globals().update({dag.dag_id: dag for dag in inbound_dags()})
