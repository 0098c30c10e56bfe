"""The one-machine stack: PostgreSQL, gateway, mail sink and Airflow under one supervisor."""
