"""CDC's NHSN Hospital Respiratory Data (HRD) template: 55 elements, keyed by Org ID and context (E16).

``versions/*.yaml`` hold it; ``feeds.status.template`` reads them.
"""
