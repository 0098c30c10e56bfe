"""The stack's programs under ``supervisord``: configuration, orders, and finding every process of a home.

Called by ``local.stack``. Why a supervisor and not ``airflow standalone``: ADR-0009.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psutil
from supervisor.xmlrpc import SupervisorTransport  # type: ignore[import-untyped]

from partner_exchange.errors import StackError
from partner_exchange.local.airflow import write_private
from partner_exchange.local.database import cluster_of, supervisor_of
from partner_exchange.local.launch import STACK_MARKER, is_alive
from partner_exchange.local.paths import StackPaths

GROUPS = ("database", "doors", "api", "airflow")
"""Programs of one group stop together; groups start in this order and stop in the reverse one: running tasks
report their end to the api-server."""
_LOG_BYTES, _LOG_BACKUPS = "10MB", 3


@dataclass(frozen=True)
class Program:
    """One supervised program.

    :param group: see ``GROUPS``.
    :param stop_wait_s: how long it may take to stop before it is killed.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    group: str
    starts_with_supervisor: bool = True
    stop_signal: str = "TERM"
    stop_wait_s: int = 10


def write_configuration(paths: StackPaths, programs: Iterable[Program]) -> None:
    """Write the supervisor's configuration and the parts' environments, readable by us alone."""
    programs = list(programs)
    write_private(paths.environments, json.dumps({p.name: dict(p.environment) for p in programs}))
    sections = [_supervisor_section(paths), *(_program_section(paths, program) for program in programs)]
    for priority, group in enumerate(GROUPS, start=1):
        names = ",".join(program.name for program in programs if program.group == group)
        sections.append(f"[group:{group}]\nprograms={names}\npriority={priority}\n")
    write_private(paths.supervisor_config, "\n".join(sections))


def _escaped(value: object) -> str:
    # The configuration treats % as the start of an expansion.
    return str(value).replace("%", "%%")


def _supervisor_section(paths: StackPaths) -> str:
    user = "user=root\n" if os.geteuid() == 0 else ""
    return (
        f"[unix_http_server]\nfile={_escaped(paths.supervisor_socket)}\nchmod=0700\n\n"
        f"[supervisord]\nnodaemon=true\nsilent=true\n{user}"
        f"logfile={_escaped(paths.log / 'supervisord.log')}\nlogfile_maxbytes={_LOG_BYTES}\n"
        f"logfile_backups={_LOG_BACKUPS}\npidfile={_escaped(paths.supervisor_pid)}\n"
        f"childlogdir={_escaped(paths.log)}\nidentifier=partner-exchange\n\n"
        "[rpcinterface:supervisor]\n"
        "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n"
    )


def _program_section(paths: StackPaths, program: Program) -> str:
    launch = [sys.executable, "-m", "partner_exchange.local.launch", str(paths.environments), program.name]
    command = shlex.join([*launch, *program.command])
    options: dict[str, object] = {
        "command": _escaped(command),
        "directory": _escaped(paths.home),
        "autostart": str(program.starts_with_supervisor).lower(),
        "autorestart": "true",
        "startsecs": 1,
        # A part that waits for another one to heal (PostgreSQL, say) must not be given up on.
        "startretries": 100,
        "stopsignal": program.stop_signal,
        "stopwaitsecs": program.stop_wait_s,
        "killasgroup": "true",
        "redirect_stderr": "true",
        "stdout_logfile": _escaped(paths.log / f"{program.name}.log"),
        "stdout_logfile_maxbytes": _LOG_BYTES,
        "stdout_logfile_backups": _LOG_BACKUPS,
    }
    lines = "".join(f"{name}={value}\n" for name, value in options.items())
    return f"[program:{program.name}]\n{lines}"


def start_supervisor(paths: StackPaths, environment: Mapping[str, str], timeout_s: float = 20.0) -> None:
    """Start ``supervisord`` in a session of its own and return when it takes orders.

    :raises StackError: when it ends or does not answer.
    """
    command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(paths.supervisor_config)]
    with (paths.log / "supervisord.out").open("wb") as stream:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter, a fixed command
            command,
            cwd=paths.home,
            # SPT_NOENV keeps process titles from overwriting the environment, where the mark stands.
            env={**environment, STACK_MARKER: paths.stack_id, "SPT_NOENV": "1"},
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )
    deadline = time.monotonic() + timeout_s
    while not is_listening(paths):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise StackError(
                "supervisor-not-started",
                f"The supervisor did not start; see supervisord.out and supervisord.log in {paths.log}.",
            )
        time.sleep(0.05)


class _Supervisor:
    """Orders to the running supervisor; each opens its own connection over the unix socket."""

    def __init__(self, paths: StackPaths) -> None:
        self._address = f"unix://{paths.supervisor_socket}"

    def order(self, name: str, *arguments: object) -> Any:
        transport = SupervisorTransport(None, None, serverurl=self._address)
        try:
            server = xmlrpc.client.ServerProxy("http://localhost", transport=transport)
            return getattr(server.supervisor, name)(*arguments)
        finally:
            transport.close()


def is_listening(paths: StackPaths) -> bool:
    """Tell whether the supervisor takes orders."""
    try:
        _Supervisor(paths).order("getState")
    except (OSError, xmlrpc.client.Error):
        return False
    return True


def start_group(paths: StackPaths, group: str) -> None:
    """Order the programs of a group to start, without waiting for them."""
    try:
        _Supervisor(paths).order("startProcessGroup", group, False)
    except (OSError, xmlrpc.client.Error) as error:
        raise StackError("part-not-started", f"The supervisor would not start {group}: {error}.") from error


def program_states(paths: StackPaths) -> dict[str, dict[str, Any]]:
    """Return what the supervisor says of each program; nothing when it does not answer."""
    try:
        return {info["name"]: info for info in _Supervisor(paths).order("getAllProcessInfo")}
    except (OSError, xmlrpc.client.Error):
        return {}


def stop_supervisor(paths: StackPaths, timeout_s: float = 90.0) -> None:
    """Have the supervisor stop every program, the doors first and PostgreSQL last, and end itself."""
    process = supervisor_of(paths)
    if process is None:
        return
    with contextlib.suppress(psutil.Error):
        process.terminate()
        with contextlib.suppress(psutil.TimeoutExpired):
            process.wait(timeout_s)


def marked_processes(paths: StackPaths) -> list[psutil.Process]:
    """Return every process of this home's stack, whoever started it; not a command's server on demand."""
    # A server child of PostgreSQL overwrites its environment, but works in the data directory.
    server = cluster_of(paths).postmaster()
    data_dir = (
        None if server is not None and not _carries_mark(server, paths) else str(paths.postgres / "data")
    )
    return [process for process in psutil.process_iter() if _is_part(process, paths, data_dir)]


def _is_part(process: psutil.Process, paths: StackPaths, data_dir: str | None) -> bool:
    try:
        if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
            return False
        works_there = data_dir is not None and process.name() == "postgres" and process.cwd() == data_dir
        return works_there or _carries_mark(process, paths)
    except (psutil.Error, OSError):
        return False


def _carries_mark(process: psutil.Process, paths: StackPaths) -> bool:
    try:
        return process.environ().get(STACK_MARKER) == paths.stack_id
    except (psutil.Error, OSError):
        return False


def end_processes(processes: Sequence[psutil.Process], grace_s: float = 5.0) -> list[psutil.Process]:
    """Terminate, then kill, and return those that would not go."""
    remaining = list(processes)
    for end in ("terminate", "kill", "kill"):
        for process in remaining:
            with contextlib.suppress(psutil.Error):
                getattr(process, end)()
        deadline = time.monotonic() + grace_s
        while (remaining := [p for p in remaining if is_alive(p)]) and time.monotonic() < deadline:
            time.sleep(0.05)
    return remaining
