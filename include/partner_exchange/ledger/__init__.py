"""What the exchange remembers: submissions, findings, mails, suspensions, audit trail; schema ``ledger``.

The ledger, not Airflow, says what has happened to a file. Every function takes the caller's
connection, so the caller decides what belongs into one transaction.
"""
