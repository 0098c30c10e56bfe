"""Deployment settings come from the environment alone, are read at each call and keep their secrets."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from partner_exchange.settings import PROJECT_DIR, Settings, get_settings


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("EXCHANGE_")]:
        monkeypatch.delenv(name)


def test_P1_ports_are_the_fixed_surface() -> None:
    settings = get_settings()
    assert (settings.sftp_port, settings.ftps_port, settings.https_port) == (2222, 9990, 8443)
    assert (settings.airflow_port, settings.smtp_port) == (8080, 8025)


def test_P1_listens_on_this_machine_only_unless_told() -> None:
    settings = get_settings()
    assert (settings.host, settings.sftp_host, settings.smtp_host) == ("127.0.0.1",) * 3


def test_P1_home_is_below_the_working_folder_and_everything_else_below_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = get_settings()
    assert settings.home_dir == tmp_path / ".exchange"
    assert settings.partner_homes_dir == tmp_path / ".exchange" / "homes"
    assert settings.keys_dir == tmp_path / ".exchange" / "keys"
    assert settings.storage_address == f"file://{tmp_path}/.exchange/storage"


def test_P1_environment_is_read_at_each_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXCHANGE_SFTP_PORT", "3333")
    assert get_settings().sftp_port == 3333
    monkeypatch.setenv("EXCHANGE_SFTP_PORT", "4444")
    assert get_settings().sftp_port == 4444


def test_P1_storage_may_be_anywhere_fsspec_reaches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXCHANGE_STORAGE_URL", "s3://bucket/exchange")
    assert get_settings().storage_address == "s3://bucket/exchange"


def test_P9_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXCHANGE_DATABASE_URL", "postgresql://exchange:hunter2@db/exchange")
    monkeypatch.setenv("EXCHANGE_SMTP_PASSWORD", "hunter3")
    settings = get_settings()
    assert "hunter" not in f"{settings!r} {settings} {settings.model_dump()}"
    assert settings.smtp_password is not None
    assert settings.smtp_password.get_secret_value() == "hunter3"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EXCHANGE_SFTP_PORT", "ssh"),
        ("EXCHANGE_POLL_INTERVAL_S", "0"),
        ("EXCHANGE_RING_AGAIN_S", "-1"),
        ("EXCHANGE_SMTP_STARTTLS", "perhaps"),
    ],
)
def test_P1_value_that_does_not_hold_is_refused_by_name(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match=name.removeprefix("EXCHANGE_").lower()):
        get_settings()


def test_P1_project_folder_holds_the_tenants() -> None:
    assert (PROJECT_DIR / "pyproject.toml").is_file()
    assert Settings.model_fields["tenants_dir"].default == PROJECT_DIR / "include" / "tenants"
    assert get_settings().tenants_dir.is_dir()
