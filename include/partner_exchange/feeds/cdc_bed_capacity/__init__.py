"""CDC's NHSN Hospital Bed Capacity template: 73 measures, keyed by Org ID and context (E17).

``versions/*.yaml`` hold it; ``feeds.status.template`` reads them. ``bridge.py`` derives HRD figures from it.
"""
