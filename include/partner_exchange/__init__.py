"""Partner Exchange: files in from partners, every row checked, good rows loaded, an answer to every file.

``import partner_exchange`` works without Airflow installed; only ``orchestration`` imports it.
"""

__version__ = "0.1.0"
