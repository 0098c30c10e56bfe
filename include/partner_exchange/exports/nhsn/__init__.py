"""What CDC's NHSN gets: one row per hospital in the layout of the HRD template, daily or weekly (E38, E39).

A set is built as of its due time, kept in the archive, and its outcome is recorded for each resource.
Sending it off is a delivery, which is no part of this package.
"""
