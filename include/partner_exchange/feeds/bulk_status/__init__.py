"""The bulk template of the status feed: any status type of the tenant, keyed by Resource ID (E14, E15).

``versions/*.yaml`` hold it; ``feeds.status.template`` reads them.
"""
