"""Where the one-machine stack keeps what, and the mark its processes carry. Used by all of ``local``."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from partner_exchange.errors import StackError
from partner_exchange.local.cluster import socket_fits
from partner_exchange.settings import Settings


@dataclass(frozen=True)
class StackPaths:
    """The folders and files of one home."""

    home: Path

    @classmethod
    def of(cls, settings: Settings) -> StackPaths:
        """Return the paths of the home that ``settings`` name."""
        return cls(settings.home_dir)

    @property
    def stack_id(self) -> str:
        """Return the mark of this home's processes."""
        return hashlib.sha256(os.fsencode(self.home)).hexdigest()[:16]

    @property
    def run(self) -> Path:
        """Return the folder of what lives only while something runs."""
        return self.home / "run"

    @property
    def log(self) -> Path:
        """Return the folder of the parts' logs."""
        return self.home / "log"

    @property
    def airflow(self) -> Path:
        """Return AIRFLOW_HOME."""
        return self.home / "airflow"

    @property
    def mails(self) -> Path:
        """Return the folder where the mail sink keeps each mail as a file."""
        return self.home / "mails"

    @property
    def postgres(self) -> Path:
        """Return the folder that holds PostgreSQL's data directory."""
        return self.home / "postgres"

    @property
    def admin_password(self) -> Path:
        """Return the file with the password of the Airflow UI's user, in Airflow's own JSON form."""
        return self.airflow / "ui_passwords.json"

    @property
    def supervisor_config(self) -> Path:
        """Return the generated configuration of the supervisor."""
        return self.run / "supervisord.conf"

    @property
    def supervisor_pid(self) -> Path:
        """Return the supervisor's pid file."""
        return self.run / "supervisord.pid"

    @property
    def environments(self) -> Path:
        """Return the file with the parts' environments: secrets, there only while the stack runs."""
        return self.run / "environments.json"

    @property
    def sockets(self) -> Path:
        """Return the folder of the unix sockets: under ``run``, or a short one when that is too long or odd.

        The choice is kept in a file, so that a command with another TMPDIR finds the running stack.
        """
        if socket_fits(self.run / "sockets" / "pg"):
            return self.run / "sockets"
        choice = self.run / "sockets.json"
        if choice.exists():
            return Path(json.loads(choice.read_text()))
        short = Path(tempfile.gettempdir()) / f"exchange-{self.stack_id}"
        if not socket_fits(short / "pg"):
            short = Path("/tmp") / short.name  # noqa: S108 - checked for owner and kind before use
        self.run.mkdir(mode=0o700, parents=True, exist_ok=True)
        choice.write_text(json.dumps(str(short)))
        return short

    @property
    def supervisor_socket(self) -> Path:
        """Return the socket on which the supervisor takes orders."""
        return self.sockets / "supervisor.sock"

    def create(self) -> None:
        """Make the folders, closed to other users.

        :raises StackError: when the home cannot be written or the sockets' folder belongs to somebody else.
        """
        try:
            for folder in (self.home, self.run, self.log, self.airflow, self.mails, self.sockets):
                if not folder.exists():
                    folder.mkdir(mode=0o700, parents=True)
        except OSError as error:
            raise StackError(
                "home-not-writable",
                f"The home {self.home} cannot be written: {error.strerror}. "
                "Set EXCHANGE_HOME to another folder.",
            ) from error
        if self.sockets.is_symlink() or self.sockets.stat().st_uid != os.geteuid():
            raise StackError(
                "folder-not-ours",
                f"{self.sockets} is a link or belongs to another user. Remove it and start again.",
            )


@contextmanager
def locked(path: Path, *, shared: bool = False, wait: bool = True) -> Iterator[bool]:
    """Hold a lock file for the block and yield whether it was got; it is freed when the process dies."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("a") as stream:
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(stream, kind if wait else kind | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
