"""No DAG: shows a tenant file that does not hold as an import error on Airflow's first page.

It stands alone so that one tenant's mistake takes no other tenant's DAG away.
"""

from partner_exchange.orchestration.builders import require_sound_tenant_files

require_sound_tenant_files()
