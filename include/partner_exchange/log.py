"""Log lines as ``event key=value``, with secrets taken out.

Nothing that a partner wrote into a cell is ever passed to a logger; the redaction below is a second line of
defence for passwords in connection addresses and for key material in messages of libraries.
"""

from __future__ import annotations

import logging
import re

_SECRETS = (
    (re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://[^:/@\s]+):[^@\s/]+@", re.I), r"\g<scheme>:***@"),
    (re.compile(r"(?i)\b(password|passphrase|secret|token)\s*[=:]\s*\S+"), r"\1=***"),
    (
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----", re.S),
        "*** private key ***",
    ),
)


def redact(text: str) -> str:
    """Return ``text`` with passwords, tokens and private keys replaced by ``***``."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


class RedactingFormatter(logging.Formatter):
    """Format as usual, then redact the whole line, tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record, redacted."""
        return redact(super().format(record))


def configure(level: str = "INFO") -> None:
    """Send log lines to standard error through the redacting formatter; libraries speak from WARNING on."""
    handler = logging.StreamHandler()
    formatter = RedactingFormatter("%(asctime)s %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%S%z")
    handler.setFormatter(formatter)
    logging.basicConfig(level="WARNING", handlers=[handler], force=True)
    logging.getLogger("partner_exchange").setLevel(level)


def event(logger: logging.Logger, name: str, **facts: object) -> None:
    """Log one step as ``name key=value ...``; seconds are rounded to the millisecond."""
    parts = [
        f"{key}={value:.3f}" if isinstance(value, float) else f"{key}={value}" for key, value in facts.items()
    ]
    logger.info("%s %s", name, " ".join(parts))
