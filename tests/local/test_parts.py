"""Pieces of the stack without the stack: ports, mail sink, environment, remains of killed parts."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import smtplib
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import psutil
import pytest
import yaml

from partner_exchange.gateway.host_keys import ensure_keys, pinned_host_key
from partner_exchange.local import mailsink, stack
from partner_exchange.local.airflow import airflow_environment, exchange_environment
from partner_exchange.local.launch import PART_MARKER, STACK_MARKER, end_remains
from partner_exchange.local.paths import StackPaths
from partner_exchange.local.ports import Door, doors, problems
from partner_exchange.local.supervise import marked_processes
from partner_exchange.settings import Settings


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in list(os.environ):
        if name.startswith("EXCHANGE_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("EXCHANGE_HOME", str(tmp_path / "home"))
    return Settings()


@pytest.fixture
def busy_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_P10_a_busy_port_gets_one_sentence_that_names_it_and_its_variable(busy_port: int) -> None:
    door = Door("airflow", "the Airflow UI", "127.0.0.1", busy_port, "EXCHANGE_AIRFLOW_PORT")
    assert problems([door]) == [
        f"Port {busy_port} for the Airflow UI is in use by another program; "
        "set EXCHANGE_AIRFLOW_PORT to another port."
    ]


def test_P10_one_port_wanted_twice_is_said_before_anything_starts() -> None:
    first = Door("airflow", "the Airflow UI", "127.0.0.1", 1, "EXCHANGE_AIRFLOW_PORT")
    second = Door("gateway", "SFTP", "127.0.0.1", 1, "EXCHANGE_SFTP_PORT")
    assert "EXCHANGE_AIRFLOW_PORT) and by SFTP (EXCHANGE_SFTP_PORT)" in problems([first, second])[-1]


def test_P10_a_mail_relay_elsewhere_needs_no_sink(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [door.part for door in doors(settings)] == ["airflow", "gateway", "mail"]
    monkeypatch.setenv("EXCHANGE_SMTP_HOST", "mail.example.org")
    assert [door.part for door in doors(Settings())] == ["airflow", "gateway"]


@pytest.mark.service
async def test_P10_the_sink_keeps_each_mail_as_a_file(settings: Settings) -> None:
    folder = StackPaths.of(settings).mails
    server = await mailsink.serve("127.0.0.1", 0, folder)
    port = server.sockets[0].getsockname()[1]
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.org", "b@example.org", "Größe"
    message.set_content("Grüße, José\n")

    def send() -> None:
        with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
            client.send_message(message, to_addrs=["b@example.org", "c@example.org"])
            client.send_message(message)

    await asyncio.to_thread(send)
    server.close()
    first, second = mailsink.read_mails(settings)
    assert first.recipients == ("b@example.org", "c@example.org")
    assert second.recipients == ("b@example.org",)
    assert (first.subject, first.text.strip()) == ("Größe", "Grüße, José")
    assert [path.suffix for path in folder.iterdir()] == [".eml", ".eml"]


def test_P10_every_airflow_setting_exists_in_the_installed_airflow(settings: Settings) -> None:
    spec = importlib.util.find_spec("airflow")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    template = Path(spec.submodule_search_locations[0]) / "config_templates" / "config.yml"
    known = {
        f"AIRFLOW__{section}__{option}".upper()
        for section, content in yaml.safe_load(template.read_text()).items()
        for option in content["options"]
    }
    ensure_keys(settings)
    ours = {name for name in airflow_environment(settings) if name.startswith("AIRFLOW__")}
    assert ours - known == {"AIRFLOW__USAGE_DATA_COLLECTION__ENABLED"}


def test_P10_airflow_secrets_are_made_once_and_are_ours_alone(settings: Settings) -> None:
    ensure_keys(settings)
    first, second = airflow_environment(settings), airflow_environment(settings)
    assert first == second
    paths = StackPaths.of(settings)
    for file in (paths.airflow / "secrets.json", paths.admin_password):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    password = json.loads(paths.admin_password.read_text())["admin"]
    assert len(password) >= 16
    assert password not in stack.status(settings).to_json()


def test_P10_the_inbox_connection_pins_the_host_key(settings: Settings) -> None:
    ensure_keys(settings)
    connection = json.loads(airflow_environment(settings)["AIRFLOW_CONN_EXCHANGE_INBOX"])
    assert connection["login"] == "pipeline"
    assert connection["port"] == settings.sftp_port
    assert connection["extra"]["host_key"] == pinned_host_key(settings)
    assert connection["extra"]["no_host_key_check"] == "false"


def test_P10_parts_get_the_same_settings_in_any_folder(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(settings, "operations_mail", "oncall@exchange.example")
    expected = settings.model_dump(exclude={"home", "database_url", "tenants_dir"})
    given = exchange_environment(settings)
    monkeypatch.chdir(tmp_path)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    found = Settings()
    assert found.model_dump(exclude={"home", "database_url", "tenants_dir"}) == expected
    assert found.home == settings.home_dir
    assert "127.0.0.1" in given["NO_PROXY"]


@pytest.mark.parametrize(
    ("relay", "named", "hears"),
    [
        ("127.0.0.1", None, "operations@exchange.example"),
        ("127.0.0.1", "oncall@exchange.example", "oncall@exchange.example"),
        ("127.0.0.1", "", ""),
        ("relay.example", None, ""),
    ],
)
def test_X10_somebody_of_us_hears_in_the_mail_sink_of_one_machine(
    settings: Settings, relay: str, named: str | None, hears: str
) -> None:
    given = settings.model_copy(update={"smtp_host": relay, "operations_mail": named})
    assert exchange_environment(given)["EXCHANGE_OPERATIONS_MAIL"] == hears


def _sleeper(**marks: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", "import time; print('.', flush=True); time.sleep(600)"]
    process = subprocess.Popen(command, env={**os.environ, **marks}, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.read(1)
    return process


def test_P10_a_part_ends_what_its_killed_forerunner_left_and_nothing_else(settings: Settings) -> None:
    stack_id = StackPaths.of(settings).stack_id
    old = _sleeper(**{STACK_MARKER: stack_id, PART_MARKER: "scheduler"})
    other_part = _sleeper(**{STACK_MARKER: stack_id, PART_MARKER: "gateway"})
    other_home = _sleeper(**{STACK_MARKER: "another", PART_MARKER: "scheduler"})
    try:
        end_remains(stack_id, "scheduler")
        old.wait(10)
        assert other_part.poll() is None
        assert other_home.poll() is None
    finally:
        for process in (old, other_part, other_home):
            process.kill()
            process.wait()


def test_P10_down_ends_what_carries_the_mark_of_this_home_alone(settings: Settings) -> None:
    paths = StackPaths.of(settings)
    paths.create()
    ours = _sleeper(**{STACK_MARKER: paths.stack_id})
    stranger = _sleeper(**{STACK_MARKER: "another"})
    said: list[str] = []
    try:
        assert [process.pid for process in marked_processes(paths)] == [ours.pid]
        stack.down(settings, said.append)
        ours.wait(10)
        assert psutil.pid_exists(stranger.pid)
    finally:
        for process in (ours, stranger):
            process.kill()
            process.wait()
    assert said == [f"Down; the data stays in {settings.home_dir}."]


def test_P10_down_of_nothing_says_so(settings: Settings) -> None:
    said: list[str] = []
    stack.down(settings, said.append)
    assert said == [f"Nothing runs from {settings.home_dir}."]


def test_P10_status_of_nothing_lists_every_part_as_down(settings: Settings) -> None:
    found = json.loads(stack.status(settings).to_json())
    assert found["is_up"] is False
    assert {part["state"] for part in found["parts"]} == {"down"}
    assert [part["name"] for part in found["parts"]][:3] == ["postgres", "gateway", "mail"]
