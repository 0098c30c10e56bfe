"""What Airflow shows of the way of data: from a partner's file into the store, from the store to a file out.

No DAG starts because of these; they tie the runs together in the view of assets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from airflow.sdk import Asset

if TYPE_CHECKING:
    from partner_exchange.tenants.exports import Target
    from partner_exchange.tenants.model import Tenant

_MOST_OF_A_PATH = 1000
"""Characters of a path that stand in an address: Airflow takes 1500 for all of it."""


# The prefix x- keeps Airflow from loading every provider to look for a handler of the scheme.
def store_asset(tenant_code: str) -> Asset:
    """Return what the store holds of a tenant: loads change it, exports read it."""
    return Asset(name=f"store__{tenant_code}", uri=f"x-exchange-store://{tenant_code}")


def export_asset(tenant: Tenant, export_name: str, target: Target) -> Asset:
    """Return what a partner gets by one export; its address says by which connection and where."""
    # Two exports may go to one folder, and Airflow wants each address once.
    uri = f"x-exchange-export://{_place(tenant, target)}?export={tenant.code}/{export_name}"
    return Asset(name=f"export__{tenant.code}__{export_name}", uri=uri)


def _place(tenant: Tenant, target: Target) -> str:
    folder = tenant.folder_of(target)
    if target.kind == "home":
        return _address(tenant.inbox.connection, f"{tenant.home.rstrip('/')}/{folder}")
    # A path that does not begin at the root begins where the login ends up.
    return _address(target.connection, folder if folder.startswith("/") else f"/~/{folder}")


def _address(connection_id: str, path: str) -> str:
    return f"{quote(connection_id, safe='')}{quote(path, safe='/~')[:_MOST_OF_A_PATH]}"
