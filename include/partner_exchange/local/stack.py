"""The one-machine stack: ``up``, ``down`` and ``status`` of PostgreSQL, gateway, mail sink and Airflow.

Called by the CLI, the demo and the tests. State lives under EXCHANGE_HOME; two homes with different ports do
not meet. Every process carries the mark of its home, so nothing of a killed stack is left behind unseen.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType

from partner_exchange.errors import StackError
from partner_exchange.local import airflow, ports, supervise
from partner_exchange.local.database import (
    cluster_of,
    database_url,
    handed_over,
    migrate_exchange,
    supervisor_of,
)
from partner_exchange.local.health import Health, broken_files, missing_dags
from partner_exchange.local.paths import StackPaths, locked
from partner_exchange.local.supervise import Program
from partner_exchange.log import redact
from partner_exchange.settings import Settings

Echo = Callable[[str], None]

AIRFLOW_PARTS = ("api-server", "scheduler", "dag-processor", "triggerer")
_STOP_WAIT_S = {"api-server": 3, "scheduler": 15, "dag-processor": 5, "triggerer": 3}
"""The scheduler lets running tasks finish. The others keep their state in the database and may be cut short;
the api-server hangs in its interpreter's exit after it has closed all connections."""
START_TIMEOUT_S = 300.0
"""Generous: the very first start also compiles Airflow's thousands of modules."""
PARSE_TIMEOUT_S = 60.0
_STARTING_S = 60
_POLL_S = 0.3
_SHOWN_LOG_LINES = 20
_STARTS_BEFORE_GIVING_UP = 4


@dataclass(frozen=True)
class PartStatus:
    """One program of the stack. ``state`` is up, starting, unhealthy, failed or down."""

    name: str
    state: str
    pid: int | None = None
    uptime_s: int | None = None
    port: int | None = None


@dataclass(frozen=True)
class StackStatus:
    """The whole stack as ``exchange status`` shows it."""

    home: str
    is_up: bool
    parts: tuple[PartStatus, ...]
    urls: dict[str, str]
    ui_user: str
    ui_password_file: str

    def to_json(self) -> str:
        """Return the status as JSON; no secret is in it."""
        return json.dumps(asdict(self), indent=2)

    def to_text(self) -> str:
        """Return the status as a table for people."""
        lines = [f"{'part':<14} {'state':<9} {'pid':>8} {'uptime':>10} {'port':>6}"]
        for part in self.parts:
            uptime = "" if part.uptime_s is None else f"{part.uptime_s} s"
            lines.append(
                f"{part.name:<14} {part.state:<9} {part.pid or '':>8} {uptime:>10} {part.port or '':>6}"
            )
        lines += [f"{name:<8} {url}" for name, url in self.urls.items()]
        lines.append(f"UI user {self.ui_user}, password in {self.ui_password_file}")
        return "\n".join(line.rstrip() for line in lines)


def login_hint(settings: Settings) -> str:
    """Return user and password of the Airflow UI, for the person who started the stack."""
    return f"{airflow.UI_USER} / {airflow.ui_password(settings)}"


def up(settings: Settings, detach: bool, echo: Echo) -> None:
    """Start everything and return when it is healthy (``detach``), or stay until Ctrl-C and then stop it all.

    A second ``up`` for the same home says so and changes nothing. Remains of a killed stack are ended first.

    :raises StackError: a port is taken, a part does not get healthy, or the stack was stopped meanwhile; what
        was started is stopped again.
    """
    paths = StackPaths.of(settings)
    paths.create()
    with locked(paths.run / "up.lock", wait=False) as is_mine:
        if supervisor_of(paths) is not None:
            echo(f"Already up: {_where(settings)}. See `exchange status`; `exchange down` stops it.")
            return
        if not is_mine:
            raise StackError(
                "already-starting",
                f"Another `exchange up` for {paths.home} is under way. Wait for it, see `exchange status`.",
            )
        with _terminated_like_interrupted():
            try:
                _start(settings, paths, echo)
                if not detach:
                    echo("Press Ctrl-C to stop everything.")
                    _stay(paths)
            except KeyboardInterrupt:
                down(settings, echo)
                if detach:
                    raise
            except BaseException:
                down(settings, echo)
                raise


def down(settings: Settings, echo: Echo) -> None:
    """Stop everything of this home and leave no process and no stale file; data stays.

    :raises StackError: a process cannot be ended.
    """
    paths = StackPaths.of(settings)
    if not paths.run.exists():
        echo(f"Nothing runs from {paths.home}.")
        return
    with locked(paths.run / "down.lock"):
        was_running = supervisor_of(paths) is not None
        if was_running:
            echo("Stopping the stack ...")
            supervise.stop_supervisor(paths)
        was_running = _end_remains(paths) > 0 or was_running
        for file in (paths.supervisor_pid, paths.supervisor_socket, paths.environments):
            file.unlink(missing_ok=True)
    echo(f"Down; the data stays in {paths.home}." if was_running else f"Nothing runs from {paths.home}.")


def status(settings: Settings) -> StackStatus:
    """Return what runs and answers now."""
    paths = StackPaths.of(settings)
    running = supervise.program_states(paths) if supervisor_of(paths) is not None else {}
    health = Health(settings)
    door_of = {door.part: door.port for door in ports.doors(settings)} | {"api-server": settings.airflow_port}
    parts = []
    for name in _part_names(settings):
        info = running.get(name)
        if info is None or not info["pid"]:
            is_failed = info is not None and info["statename"] in ("FATAL", "BACKOFF")
            parts.append(PartStatus(name, "failed" if is_failed else "down", port=door_of.get(name)))
            continue
        uptime_s = max(0, info["now"] - info["start"])
        is_up = info["statename"] == "RUNNING" and health.is_answering(name, info["start"])
        state = "up" if is_up else "starting" if uptime_s < _STARTING_S else "unhealthy"
        parts.append(PartStatus(name, state, info["pid"], uptime_s, door_of.get(name)))
    return StackStatus(
        home=str(paths.home),
        is_up=all(part.state == "up" for part in parts),
        parts=tuple(parts),
        urls=_urls(settings),
        ui_user=airflow.UI_USER,
        ui_password_file=str(paths.admin_password),
    )


def _part_names(settings: Settings) -> tuple[str, ...]:
    mail = ("mail",) if ports.runs_mail_sink(settings) else ()
    return ("postgres", "gateway", *mail, *AIRFLOW_PARTS)


def _urls(settings: Settings) -> dict[str, str]:
    urls = {
        "UI": airflow.ui_url(settings),
        "SFTP": f"sftp://{settings.sftp_host}:{settings.sftp_port}",
    }
    if ports.runs_mail_sink(settings):
        urls["SMTP"] = f"smtp://{settings.smtp_host}:{settings.smtp_port}"
    return urls


def _where(settings: Settings) -> str:
    return f"{airflow.ui_url(settings)} from {settings.home_dir}"


def _programs(settings: Settings) -> list[Program]:
    cluster = cluster_of(StackPaths.of(settings))
    python = sys.executable
    exchange = airflow.exchange_environment(settings)
    server = [python, "-m", "partner_exchange.local.cluster", str(cluster.data_dir), str(cluster.socket_dir)]
    programs = [
        # SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for every client to leave.
        Program("postgres", [*server, *cluster.databases], {}, "database", stop_signal="INT", stop_wait_s=30),
        Program("gateway", [python, "-m", "partner_exchange.cli", "gateway"], exchange, "doors"),
    ]
    if ports.runs_mail_sink(settings):
        sink = [python, "-m", "partner_exchange.local.mailsink"]
        programs.append(Program("mail", sink, exchange, "doors", stop_wait_s=5))
    environment = {**exchange, **airflow.airflow_environment(settings)}
    arguments: dict[str, Sequence[str]] = {
        # Logs of this machine are read from its disk; a log server would only be one more open port.
        "scheduler": ["--skip-serve-logs"],
        "triggerer": ["--skip-serve-logs"],
    }
    for name in AIRFLOW_PARTS:
        command = [python, "-m", "airflow", name, *arguments.get(name, [])]
        programs.append(
            Program(
                name,
                command,
                environment,
                "api" if name == "api-server" else "airflow",
                starts_with_supervisor=False,
                stop_wait_s=_STOP_WAIT_S[name],
            )
        )
    return programs


def _start(settings: Settings, paths: StackPaths, echo: Echo) -> None:
    from partner_exchange.gateway.host_keys import ensure_keys

    started_s = time.monotonic()
    if remains := _end_remains(paths):
        echo(f"Ended {remains} processes that an earlier stack had left.")
    if problems := ports.problems(ports.doors(settings)):
        raise StackError("ports-taken", " ".join([*problems, "Nothing was started."]))
    echo(f"Starting the stack in {paths.home} ...")
    ensure_keys(settings)
    programs = _programs(settings)
    watch = _Watch(settings, paths, echo, started_s)
    with handed_over(settings, lambda: echo("Waiting for running `exchange` commands to finish ...")):
        supervise.write_configuration(paths, programs)
        supervise.start_supervisor(paths, dict(os.environ))
        watch.until_healthy(["postgres"])
    # The api-server imports for as long as the migration takes; it needs the tables only when it is asked.
    supervise.start_group(paths, "api")
    _migrate(settings, paths, programs, watch)
    supervise.start_group(paths, "airflow")
    watch.until_healthy(_part_names(settings))
    watch.until_parsed()
    echo(f"Up after {time.monotonic() - started_s:.0f} s.")
    for name, url in _urls(settings).items():
        echo(f"  {name:<5} {url}")
    echo(f"  login {login_hint(settings)}")
    if not ports.operations_mail(settings):
        echo(
            "EXCHANGE_OPERATIONS_MAIL names nobody: mails about faults of ours go to the partners' contacts."
        )


def _migrate(settings: Settings, paths: StackPaths, programs: Sequence[Program], watch: _Watch) -> None:
    """Bring both databases up to date, at the same time: Airflow's takes seconds at the first start."""
    environment = {**os.environ, **next(p.environment for p in programs if p.name == "scheduler")}
    with ThreadPoolExecutor(1) as executor:
        job = executor.submit(airflow.migrate_airflow, settings, environment, paths.log / "migrate.log")
        migrate_exchange(database_url(settings, "exchange"))
        if job.result():
            watch.say("Airflow's tables are made")


class _Watch:
    """Waits for parts to get healthy, says so for each, and explains what went wrong."""

    def __init__(self, settings: Settings, paths: StackPaths, echo: Echo, started_s: float) -> None:
        self._settings, self._paths, self._echo = settings, paths, echo
        self._started_s = started_s
        self._healthy: set[str] = set()
        self._starts: dict[str, set[int]] = {}

    def say(self, sentence: str) -> None:
        self._echo(f"{time.monotonic() - self._started_s:5.1f} s  {sentence}")

    def until_healthy(self, names: Sequence[str]) -> None:
        """Return when each part answers.

        :raises StackError: with the last lines of the log of the part that does not.
        """
        while waiting := [name for name in names if name not in self._healthy]:
            states, health = supervise.program_states(self._paths), Health(self._settings)
            for name in waiting:
                info = states.get(name, {"statename": "STARTING", "start": 0, "pid": 0})
                self._starts.setdefault(name, set()).add(info["start"])
                if info["statename"] == "RUNNING" and health.is_answering(name, info["start"]):
                    self._healthy.add(name)
                    self.say(f"{name} is up")
                elif info["statename"] == "FATAL" or len(self._starts[name]) > _STARTS_BEFORE_GIVING_UP:
                    raise self._failure(name, "ends again and again")
            if supervisor_of(self._paths) is None:
                raise StackError("stack-stopped", "The stack was stopped while it was starting.")
            if time.monotonic() - self._started_s > START_TIMEOUT_S:
                raise self._failure(waiting[0], f"did not answer within {START_TIMEOUT_S:.0f} s")
            time.sleep(_POLL_S)

    def until_parsed(self) -> None:
        """Return when Airflow knows the DAG of every tenant; name what cannot be imported."""
        deadline = time.monotonic() + PARSE_TIMEOUT_S
        while waiting := missing_dags(self._settings):
            if time.monotonic() > deadline or broken_files(self._settings):
                self.say(f"not known yet: {', '.join(waiting)}; see {self._paths.log / 'dag-processor.log'}")
                break
            time.sleep(_POLL_S)
        else:
            self.say("DAGs are known")
        if broken := broken_files(self._settings):
            self.say(f"cannot be imported, see the UI's import errors: {', '.join(broken)}")

    def _failure(self, part: str, what: str) -> StackError:
        file = self._paths.log / f"{part}.log"
        self._echo(f"Last lines of {file}:")
        for line in _last_lines(file):
            self._echo(f"  {line}")
        return StackError(
            "part-not-healthy",
            f"{part} {what}; its log is {file}. Everything that was started is stopped.",
            part=part,
        )


def _last_lines(file: Path) -> list[str]:
    try:
        text = file.read_text(errors="replace")
    except OSError:
        return ["(no log)"]
    return redact(text).splitlines()[-_SHOWN_LOG_LINES:]


def _end_remains(paths: StackPaths) -> int:
    """End what a killed stack left and return how many processes that were.

    :raises StackError: when some process cannot be ended.
    """
    remains = supervise.marked_processes(paths)
    if not remains:
        return 0
    server = cluster_of(paths).postmaster()
    others = [process for process in remains if server is None or process.pid != server.pid]
    supervise.end_processes(others)
    if server in remains:
        # Politely and last: the others have given their transactions back by now.
        cluster_of(paths).stop()
    if stubborn := supervise.end_processes(supervise.marked_processes(paths)):
        pids = ", ".join(str(process.pid) for process in stubborn)
        raise StackError(
            "process-not-ended", f"Processes {pids} cannot be ended; end them by hand.", pids=pids
        )
    return len(remains)


def _stay(paths: StackPaths) -> None:
    """Return by KeyboardInterrupt, or when somebody else has stopped the stack.

    :raises StackError: when the supervisor was killed.
    """
    while supervisor_of(paths) is not None:
        time.sleep(1)
    with locked(paths.run / "down.lock"):
        if supervise.marked_processes(paths):
            raise StackError("supervisor-gone", "The supervisor was killed, so the rest was stopped as well.")


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """Let SIGTERM end the block like Ctrl-C does, where handlers can be set at all."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
