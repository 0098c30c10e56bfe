"""No secret reaches a log line, by whatever way it came."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest

from partner_exchange import log

KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\nAAAAB3Nz\n-----END OPENSSH PRIVATE KEY-----"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(log.RedactingFormatter("%(message)s"))
    logger = logging.getLogger("partner_exchange.test")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    yield stream
    logger.removeHandler(handler)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("cannot reach postgresql://exchange:hunter2@db:5432/exchange", "hunter2"),
        ("postgresql+psycopg://exchange:hun:ter2@db/exchange", "hun:ter2"),
        ("sftp://user:hunter2@partner.example/in", "hunter2"),
        ("password=hunter2 user=exchange", "hunter2"),
        ("Password: hunter2", "hunter2"),
        ("passphrase = hunter2", "hunter2"),
        ("token=hunter2&x=1", "hunter2"),
        (f"refused: {KEY}", "b3BlbnNzaC1rZXk"),
        (KEY.replace("OPENSSH ", "RSA "), "AAAAB3Nz"),
        (KEY.replace("OPENSSH ", ""), "AAAAB3Nz"),
    ],
)
def test_P9_secret_is_taken_out(text: str, secret: str) -> None:
    redacted = log.redact(text)
    assert secret not in redacted
    assert "***" in redacted


@pytest.mark.parametrize(
    "text",
    [
        "claimed submission=01J8 tenant=state-university file=roster.csv",
        "listening on sftp://127.0.0.1:2222",
        "postgresql://exchange@db/exchange",
        "password login is not offered",
    ],
)
def test_P9_harmless_text_stays_as_it_is(text: str) -> None:
    assert log.redact(text) == text


def test_P9_traceback_is_redacted_too(stream: io.StringIO) -> None:
    try:
        raise ValueError("postgresql://exchange:hunter2@db/exchange")
    except ValueError:
        logging.getLogger("partner_exchange.test").exception("store-unavailable")
    assert "ValueError" in stream.getvalue()
    assert "hunter2" not in stream.getvalue()


def test_P9_event_is_one_line_of_name_and_facts(stream: io.StringIO) -> None:
    logger = logging.getLogger("partner_exchange.test")
    log.event(logger, "loaded", submission="01J8", rows=20_000, seconds=0.12345)
    assert stream.getvalue() == "loaded submission=01J8 rows=20000 seconds=0.123\n"


def test_P9_configured_root_logger_redacts(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)
    log.configure("INFO")
    logging.getLogger("some.library").info("chatter of a library")
    logging.getLogger("some.library").warning("connected with password=hunter2")
    written = capsys.readouterr().err
    assert "chatter" not in written
    assert "some.library" in written
    assert "hunter2" not in written
