"""How Airflow runs on one machine: its settings, secrets and schema. Called by ``local.stack``.

This module does not import Airflow; it sets the environment that the Airflow programs are started with.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import psycopg
from psycopg import sql
from pydantic import SecretStr

from partner_exchange.errors import StackError
from partner_exchange.local import ports
from partner_exchange.local.database import database_url
from partner_exchange.local.paths import StackPaths
from partner_exchange.log import redact
from partner_exchange.settings import PROJECT_DIR, Settings

UI_USER = "admin"
INBOX_CONNECTION = "exchange_inbox"


def reachable_host(settings: Settings) -> str:
    """Return the host under which programs on this machine reach what listens on ``settings.host``."""
    return "127.0.0.1" if settings.host in ("0.0.0.0", "::", "") else settings.host  # noqa: S104


def ui_url(settings: Settings) -> str:
    """Return the address of the Airflow UI."""
    return f"http://{reachable_host(settings)}:{settings.airflow_port}"


def exchange_environment(settings: Settings) -> dict[str, str]:
    """Return the ``EXCHANGE_*`` variables that give every part the same settings, in whatever folder."""
    values: dict[str, str] = {}
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        if value is not None:
            values[f"EXCHANGE_{name.upper()}"] = str(value)
    local_hosts = ",".join(dict.fromkeys(["localhost", "127.0.0.1", "::1", reachable_host(settings)]))
    bypass = ",".join(filter(None, [os.environ.get("no_proxy") or os.environ.get("NO_PROXY"), local_hosts]))
    return {
        **values,
        "EXCHANGE_HOME": str(settings.home_dir),
        "EXCHANGE_TENANTS_DIR": str(settings.tenants_dir.resolve()),
        "EXCHANGE_DAGS_DIR": str(settings.dags_dir.resolve()),
        "EXCHANGE_DATABASE_URL": database_url(settings, "exchange"),
        "EXCHANGE_OPERATIONS_MAIL": ports.operations_mail(settings) or "",
        "GX_ANALYTICS_ENABLED": "false",
        "TZ": "UTC",
        # Parts talk to each other on this machine; a proxy of the network must not get in between.
        "NO_PROXY": bypass,
        "no_proxy": bypass,
    }


def airflow_environment(settings: Settings) -> dict[str, str]:
    """Return everything the Airflow programs of the one-machine stack need in their environment.

    Creates secrets and the UI password at the first call. Figures are chosen for 2 cores.

    :raises StackError: when the secrets cannot be read or written.
    """
    paths = StackPaths.of(settings)
    keys = _secrets(paths)
    _ui_password(paths)
    database = database_url(settings, "airflow").removeprefix("postgresql://")
    options: dict[str, dict[str, object]] = {
        "CORE": {
            "DAGS_FOLDER": settings.dags_dir.resolve(),
            "PLUGINS_FOLDER": PROJECT_DIR / "plugins",
            "EXECUTOR": "LocalExecutor",
            "PARALLELISM": _parallelism(),
            "LOAD_EXAMPLES": False,
            # A drop into the inbox of a tenant that was added a minute ago is to be answered without a click.
            "DAGS_ARE_PAUSED_AT_CREATION": False,
            # Forked tasks inherit Great Expectations, which the plugin imports once (5 s saved a task).
            "EXECUTE_TASKS_NEW_PYTHON_INTERPRETER": False,
            # The default asks the name server and may wait for it.
            "HOSTNAME_CALLABLE": "socket.gethostname",
            "SIMPLE_AUTH_MANAGER_USERS": f"{UI_USER}:admin",
            "SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": paths.admin_password,
            "FERNET_KEY": keys["fernet_key"],
            "EXECUTION_API_SERVER_URL": f"{ui_url(settings)}/execution/",
            "MIN_SERIALIZED_DAG_UPDATE_INTERVAL": 10,
            # Airflow asks PostgreSQL for a part of the plain ones in words that psycopg 3 does not bind: the
            # page of dependencies between DAGs would be an error.
            "COMPRESS_SERIALIZED_DAGS": True,
        },
        "DATABASE": {
            "SQL_ALCHEMY_CONN": f"postgresql+psycopg://{database}",
            "SQL_ALCHEMY_CONN_ASYNC": f"postgresql+asyncpg://{database}",
            # `up` brings the schema up to date before any program starts; each would look again.
            "CHECK_MIGRATIONS": False,
        },
        "SCHEDULER": {
            "SCHEDULER_IDLE_SLEEP_TIME": 0.1,
            "MAX_DAGRUNS_PER_LOOP_TO_SCHEDULE": 500,
            "TASK_QUEUED_TIMEOUT": 1800,
            # A killed worker's task is seen after 45 s (default 300), a killed scheduler's after 30 + 30 s.
            "TASK_INSTANCE_HEARTBEAT_TIMEOUT": 45,
            "ORPHANED_TASKS_CHECK_INTERVAL": 30,
        },
        "DAG_PROCESSOR": {
            # The factory files read the tenants' YAML anew at each parse, so this is how soon a tenant shows.
            "MIN_FILE_PROCESS_INTERVAL": 8,
            "REFRESH_INTERVAL": 30,
            "PARSING_PROCESSES": 2,
            "DAG_VERSION_INFLATION_CHECK_LEVEL": "error",
        },
        "TRIGGERER": {"CAPACITY": 1000, "SHARED_STREAM_COHORT_GRACE_PERIOD": 3},
        "API": {
            "BASE_URL": ui_url(settings),
            "HOST": settings.host,
            "PORT": settings.airflow_port,
            "WORKERS": 1,
            "SECRET_KEY": keys["secret_key"],
            "ENABLE_SWAGGER_UI": False,
            "INSTANCE_NAME": "Partner Exchange",
        },
        "API_AUTH": {"JWT_SECRET": keys["jwt_secret"], "JWT_ISSUER": "partner-exchange"},
        "LOGGING": {
            "BASE_LOG_FOLDER": paths.log / "tasks",
            "DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": paths.log / "parsing",
            "COLORED_CONSOLE_LOG": False,
            "FILE_TASK_HANDLER_NEW_FOLDER_PERMISSIONS": "0o700",
            "FILE_TASK_HANDLER_NEW_FILE_PERMISSIONS": "0o600",
        },
        # Airflow 3.3 has no such section any more; other 3.x releases do, and nothing may leave the machine.
        "USAGE_DATA_COLLECTION": {"ENABLED": False},
    }
    return {
        "AIRFLOW_HOME": str(paths.airflow),
        **{
            f"AIRFLOW__{section}__{option}": str(value)
            for section, values in options.items()
            for option, value in values.items()
        },
        f"AIRFLOW_CONN_{INBOX_CONNECTION.upper()}": _inbox_connection(settings),
    }


def _parallelism() -> int:
    return min(16, max(8, 4 * (os.cpu_count() or 2)))


def _inbox_connection(settings: Settings) -> str:
    from partner_exchange.gateway.host_keys import pinned_host_key

    extra = {
        "key_file": str(settings.home_dir / "gateway" / "pipeline_key"),
        "host_key": pinned_host_key(settings),
        "no_host_key_check": "false",
        # The key is named; looking through a home directory for others only costs time.
        "look_for_keys": "false",
    }
    return json.dumps(
        {
            "conn_type": "sftp",
            "host": settings.sftp_host,
            "port": settings.sftp_port,
            "login": "pipeline",
            "extra": extra,
        }
    )


def _secrets(paths: StackPaths) -> dict[str, str]:
    file = paths.airflow / "secrets.json"
    if not file.exists():
        made = {
            "fernet_key": base64.urlsafe_b64encode(os.urandom(32)).decode(),
            "jwt_secret": secrets.token_urlsafe(48),
            "secret_key": secrets.token_urlsafe(48),
        }
        write_private(file, json.dumps(made))
    return _read_json(file)


def _ui_password(paths: StackPaths) -> str:
    if not paths.admin_password.exists():
        write_private(paths.admin_password, json.dumps({UI_USER: secrets.token_urlsafe(12)}))
    return _read_json(paths.admin_password)[UI_USER]


def ui_password(settings: Settings) -> str:
    """Return the password of the UI's user, made at the first call."""
    return _ui_password(StackPaths.of(settings))


def _read_json(file: Path) -> dict[str, str]:
    try:
        content: dict[str, str] = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise StackError(
            "secrets-unreadable",
            f"{file} cannot be read as JSON. Remove it to have it made anew.",
            file=str(file),
        ) from error
    return content


def write_private(file: Path, content: str) -> None:
    """Write a file that only we can read, whole or not at all."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
        stream.write(content)
    draft.replace(file)


def migrate_airflow(settings: Settings, environment: dict[str, str], log: Path) -> bool:
    """Bring Airflow's own database up to date and return whether there was anything to do.

    The database itself remembers for which Airflow release that was done: asking Airflow takes seconds.

    :raises StackError: when ``airflow db migrate`` fails.
    """
    mark = f"schema of Airflow {version('apache-airflow')}"
    with psycopg.connect(database_url(settings, "airflow"), autocommit=True) as connection:
        query = (
            "select shobj_description(oid, 'pg_database') from pg_database where datname = current_database()"
        )
        if connection.execute(query).fetchone() == (mark,):
            return False
        command = [sys.executable, "-m", "airflow", "db", "migrate"]
        with log.open("ab") as stream:
            done = subprocess.run(  # noqa: S603 - our own interpreter, a fixed command
                command, env=environment, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, check=False
            )
        if done.returncode != 0:
            last = redact(log.read_text(errors="replace").strip().splitlines()[-1])
            raise StackError("airflow-not-migrated", f"`airflow db migrate` failed: {last}. See {log}.")
        connection.execute(sql.SQL("comment on database airflow is {}").format(sql.Literal(mark)))
    return True
