"""Statuses of resources: the bulk template and the two of CDC, one row each resource."""
