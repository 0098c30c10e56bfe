"""A mail server for one machine: takes every mail and keeps each as one file, newest last by name.

Runs as the stack's part ``mail`` (``python -m partner_exchange.local.mailsink``); ``read_mails`` serves demo
and tests.
"""

from __future__ import annotations

import asyncio
import contextlib
import email
import email.policy
import itertools
import logging
import os
import signal
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from partner_exchange import log
from partner_exchange.local.paths import StackPaths
from partner_exchange.settings import Settings, get_settings

_logger = logging.getLogger(__name__)
_SENDER_HEADER, _RECIPIENTS_HEADER = "X-Envelope-From", "X-Envelope-To"


@dataclass(frozen=True)
class KeptMail:
    """One mail as the sink received it."""

    path: Path
    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage

    @property
    def subject(self) -> str:
        """Return the subject line, decoded."""
        return str(self.message["Subject"] or "")

    @property
    def text(self) -> str:
        """Return the plain text part, or nothing if there is none."""
        part = self.message.get_body(preferencelist=("plain",))
        return str(part.get_content()) if part is not None else ""


def read_mails(settings: Settings) -> list[KeptMail]:
    """Return all mails kept so far, oldest first."""
    return [_read(path) for path in sorted(StackPaths.of(settings).mails.glob("*.eml"))]


def _read(path: Path) -> KeptMail:
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    recipients = str(message[_RECIPIENTS_HEADER] or "")
    return KeptMail(
        path=path,
        sender=str(message[_SENDER_HEADER] or ""),
        recipients=tuple(filter(None, (part.strip() for part in recipients.split(",")))),
        message=message,
    )


class MailKeeper:
    """Handler of the SMTP server: a mail is acknowledged once its file is whole."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep one mail."""
        content = envelope.original_content or b""
        sender, recipients = envelope.mail_from or "", ", ".join(envelope.rcpt_tos)
        head = f"{_SENDER_HEADER}: {sender}\r\n{_RECIPIENTS_HEADER}: {recipients}\r\n".encode()
        # The instant sorts; number and process id keep two mails of one microsecond apart.
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{os.getpid()}-{next(self._numbers):06d}.eml"
        draft = self._folder / f".{name}"
        draft.write_bytes(head + content)
        draft.rename(self._folder / name)
        log.event(_logger, "mail_kept", file=name, recipients=len(envelope.rcpt_tos), bytes=len(content))
        return "250 OK"


async def serve(host: str, port: int, folder: Path) -> asyncio.Server:
    """Return a running SMTP server that keeps mails in ``folder``; port 0 takes a free one."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    keeper = MailKeeper(folder)
    loop = asyncio.get_running_loop()
    return await loop.create_server(
        lambda: SMTP(keeper, hostname="localhost", ident="Partner Exchange mail sink", enable_SMTPUTF8=True),
        host,
        port,
    )


async def _run(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    server = await serve(settings.smtp_host, settings.smtp_port, StackPaths.of(settings).mails)
    log.event(_logger, "mail_sink_listens", port=settings.smtp_port)
    await stop.wait()
    server.close()


def main() -> None:
    """Take mails until SIGTERM."""
    settings = get_settings()
    log.configure(settings.log_level)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_run(settings))


if __name__ == "__main__":
    main()
