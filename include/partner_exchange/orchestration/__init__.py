"""Airflow's face of the exchange: inbox trigger, inbox sensor, DAG builders, retry policy.

The only room that imports airflow. DAG files reach the modules here at parse time, so nothing heavy
(pandas, GX, paramiko, asyncssh, the ledger) is imported at module level: each function imports what it
needs when it runs.
"""
