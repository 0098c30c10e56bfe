"""Make the gateway's keys and the UI's password file, and describe the connection to the inbox.

``docker/init.sh`` calls it with the file to write the connection to. The connection pins the gateway's host
key (E13), so it can only be made once the keys are there.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from partner_exchange.gateway.host_keys import PIPELINE_KEY, ensure_keys, gateway_dir, pinned_host_key
from partner_exchange.settings import Settings, get_settings
from partner_exchange.tenants.model import GATEWAY


def connections(settings: Settings) -> dict[str, dict[str, object]]:
    """Return the connections as ``airflow connections import`` reads them."""
    extra = {
        "key_file": str(gateway_dir(settings) / PIPELINE_KEY),
        "host_key": pinned_host_key(settings),
        "no_host_key_check": "false",
    }
    inbox = {
        "conn_type": "sftp",
        "host": settings.sftp_host,
        "port": settings.sftp_port,
        "login": "pipeline",
        "extra": extra,
    }
    return {GATEWAY: inbox}


def write_private(path: Path, content: object) -> None:
    """Write JSON that only we can read, also when the file is there with other rights."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        json.dump(content, stream)


def main(connections_file: str) -> None:
    """Do the work of this file."""
    settings = get_settings()
    ensure_keys(settings)
    passwords = Path(os.environ["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"])
    write_private(passwords, {"admin": os.environ["AIRFLOW_ADMIN_PASSWORD"]})
    write_private(Path(connections_file), connections(settings))


if __name__ == "__main__":
    main(*sys.argv[1:])
