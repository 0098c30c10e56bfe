"""Who gets in, with which key, over which algorithms, and to what (E12, E46, K4, M02, M03, M54)."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import asyncssh
import paramiko
import pytest

from partner_exchange.errors import RegistryInvalid, StackError
from partner_exchange.gateway import service
from partner_exchange.gateway.sftp import SIGNATURE_ALGS
from partner_exchange.settings import Settings
from support.clients import require
from support.gateway import Gateway, KeyPair

pytestmark = pytest.mark.service

# Both sides find that they have no algorithm in common; who hangs up first decides what the client reports.
NO_KEY_EXCHANGE = (asyncssh.KeyExchangeFailed, asyncssh.ConnectionLost)


def access(key: KeyPair, **key_policy: object) -> dict[str, object]:
    return {"access": {"key_policy": key_policy, "public_keys": [key.public]}}


async def login(gateway: Gateway, user: str, key: KeyPair) -> bool:
    try:
        async with gateway.connect(user, client_keys=[str(key.file)]):
            return True
    except asyncssh.PermissionDenied:
        return False


async def test_E46_another_private_key_fails_and_only_our_log_says_why(
    gateway: Gateway, pairs: dict[str, KeyPair], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(asyncssh.PermissionDenied) as caught:
        await gateway.connect("north", client_keys=[str(pairs["stranger"].file)])
    assert pairs["stranger"].fingerprint not in str(caught.value)
    line = next(line for line in caplog.messages if line.startswith("login_refused"))
    assert (
        f"user='north' door=sftp peer=127.0.0.1 key={pairs['stranger'].fingerprint} code=key-unknown" in line
    )
    assert await login(gateway, "north", pairs["north"])
    expected = f"login account=north door=sftp peer=127.0.0.1 key={pairs['north'].fingerprint}"
    for _ in range(500):
        if expected in caplog.text:
            break
        await asyncio.sleep(0.02)
    assert expected in caplog.text


async def test_E46_one_tenant_s_key_opens_no_other_home(gateway: Gateway, pairs: dict[str, KeyPair]) -> None:
    assert not await login(gateway, "south", pairs["north"])
    assert not await login(gateway, "pipeline", pairs["north"])
    assert not await login(gateway, "nobody", pairs["north"])
    assert not await login(gateway, "../north", pairs["north"])
    assert not await login(gateway, "NORTH", pairs["north"])


def test_E46_openssh_is_told_no_reason(gateway: Gateway, pairs: dict[str, KeyPair]) -> None:
    done = gateway.sftp("north", "ls", key_file=pairs["stranger"].file)
    assert done.returncode != 0
    assert "Permission denied (publickey)." in done.stderr
    assert pairs["stranger"].fingerprint not in done.stderr


@pytest.mark.parametrize(
    ("key", "policy", "admitted"),
    [
        ("rsa2048", {"types": ["rsa"], "bits": 2048, "match": "exact"}, True),
        ("rsa3072", {"types": ["rsa"], "bits": 2048, "match": "exact"}, False),
        ("rsa3072", {"types": ["rsa"], "bits": 2048, "match": "minimum"}, True),
        ("rsa2048", {"types": ["rsa"], "bits": 3072, "match": "minimum"}, False),
        ("stranger", {"types": ["rsa"]}, False),
        ("stranger", {"types": ["rsa", "ed25519"]}, True),
        ("ecdsa", {"types": ["ecdsa"]}, True),
        ("ecdsa", {"types": ["ed25519"]}, False),
    ],
)
async def test_K4_a_configured_key_that_breaks_the_policy_never_logs_in(
    gateway: Gateway,
    pairs: dict[str, KeyPair],
    caplog: pytest.LogCaptureFixture,
    key: str,
    policy: dict[str, object],
    admitted: bool,
) -> None:
    gateway.add_tenant("west", **access(pairs[key], **policy))
    assert await login(gateway, "west", pairs[key]) is admitted
    if not admitted:
        assert "code=key-size-refused" in caplog.text or "code=key-type-refused" in caplog.text


async def test_K4_a_key_of_1024_bits_never_logs_in(gateway: Gateway, tmp_path: Path) -> None:
    weak = KeyPair(tmp_path, "weak", "ssh-rsa", key_size=1024)
    gateway.add_tenant("west", **access(weak, types=["rsa"]))
    assert not await login(gateway, "west", weak)


async def test_M03_a_key_file_counts_from_the_moment_it_is_there(
    gateway: Gateway, pairs: dict[str, KeyPair]
) -> None:
    policy = {"types": ["rsa"], "bits": 2048, "match": "exact"}
    gateway.add_tenant(
        "west", access={"key_policy": policy, "public_key_files": ["{keys}/west/id_rsa.pub", "west.pub"]}
    )
    assert not await login(gateway, "west", pairs["rsa2048"])
    place = gateway.settings.keys_dir / "west" / "id_rsa.pub"
    place.parent.mkdir(parents=True)
    place.write_text(pairs["rsa2048"].public)
    assert await login(gateway, "west", pairs["rsa2048"])


async def test_M02_new_and_changed_tenants_count_from_the_next_login_on(
    gateway: Gateway, pairs: dict[str, KeyPair], caplog: pytest.LogCaptureFixture
) -> None:
    assert not await login(gateway, "west", pairs["stranger"])
    gateway.add_tenant("west", pairs["stranger"])
    assert await login(gateway, "west", pairs["stranger"])
    assert gateway.names("west") == gateway.names("west", "outbound") == []
    broken = gateway.settings.tenants_dir / "broken.yaml"
    broken.write_text("name: [")
    assert await login(gateway, "west", pairs["stranger"])
    assert await login(gateway, "north", pairs["north"])
    assert caplog.text.count("registry_invalid") == 1
    broken.unlink()
    (gateway.settings.tenants_dir / "west.yaml").unlink()
    assert not await login(gateway, "west", pairs["stranger"])


def test_M54_a_password_is_not_even_offered(gateway: Gateway) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port)) as plain:
        transport = paramiko.Transport(plain)
        transport.start_client(timeout=10)
        with pytest.raises(paramiko.BadAuthenticationType) as caught:
            transport.auth_none("north")
        assert caught.value.allowed_types == ["publickey"]
        with pytest.raises(paramiko.AuthenticationException):
            transport.auth_password("north", "north")
        transport.close()


@pytest.mark.parametrize("arguments", [(), ("ls",), ("cat", "/etc/passwd"), ("scp", "-t", "/inbound")])
def test_E11_no_shell_and_no_command(gateway: Gateway, arguments: tuple[str, ...]) -> None:
    done = gateway.ssh("north", *arguments)
    assert done.returncode != 0
    assert done.stdout == ""


def test_E11_no_scp_terminal_or_other_subsystem(gateway: Gateway, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(b"a")
    done = subprocess.run(
        [require("scp"), "-O", *gateway.ssh_options("north"), "-P", str(gateway.port)]
        + [str(file), "north@127.0.0.1:/inbound/"],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert gateway.names("north") == []
    assert gateway.ssh("north", options=("-tt",)).returncode != 0
    assert gateway.ssh("north", "netconf", options=("-s",)).returncode != 0


async def test_E11_nothing_is_forwarded(gateway: Gateway) -> None:
    async with gateway.connect("north") as conn:
        with pytest.raises(asyncssh.ChannelOpenError):
            await conn.open_connection("127.0.0.1", gateway.port)
        with pytest.raises(asyncssh.ChannelListenError):
            await conn.forward_remote_port("127.0.0.1", 0, "127.0.0.1", gateway.port)
        with pytest.raises(asyncssh.ChannelOpenError):
            await conn.open_unix_connection("/var/run/any.sock")
        with pytest.raises(asyncssh.ChannelListenError):
            await conn.forward_remote_path("/tmp/any.sock", "/tmp/other.sock")
        with pytest.raises(asyncssh.ChannelOpenError):
            await conn.create_process("true", x11_forwarding=True, x11_display="x:0")


@pytest.mark.parametrize("cipher", ["aes256-gcm@openssh.com", "aes256-ctr", "chacha20-poly1305@openssh.com"])
async def test_E12_strong_ciphers_are_taken(gateway: Gateway, cipher: str) -> None:
    async with gateway.connect("north", encryption_algs=[cipher]) as conn:
        assert conn.get_extra_info("send_cipher") == cipher


@pytest.mark.parametrize(
    "cipher", ["aes128-ctr", "aes192-ctr", "aes256-cbc", "aes128-cbc", "3des-cbc", "arcfour256"]
)
async def test_E12_weaker_ciphers_fail(gateway: Gateway, cipher: str) -> None:
    with pytest.raises(NO_KEY_EXCHANGE):
        await gateway.connect("north", encryption_algs=[cipher])


@pytest.mark.parametrize(
    "options",
    [
        {"kex_algs": ["diffie-hellman-group14-sha1"]},
        {"kex_algs": ["diffie-hellman-group1-sha1"]},
        {"mac_algs": ["hmac-sha1"], "encryption_algs": ["aes256-ctr"]},
        {"mac_algs": ["hmac-md5"], "encryption_algs": ["aes256-ctr"]},
        {"server_host_key_algs": ["ssh-rsa"]},
        {"server_host_key_algs": ["ssh-dss"]},
        {"compression_algs": ["zlib@openssh.com"]},
    ],
)
async def test_M54_sha1_md5_dsa_and_compression_fail(gateway: Gateway, options: dict[str, list[str]]) -> None:
    with pytest.raises(NO_KEY_EXCHANGE):
        await gateway.connect("north", **options)


async def test_M54_a_login_signed_with_sha1_fails(gateway: Gateway, pairs: dict[str, KeyPair]) -> None:
    """A client that insists on SHA-1, though the gateway says it does not take it."""
    pair = asyncssh.load_keypairs([str(pairs["south"].file)])[0]
    pair.sig_algorithms = (b"ssh-rsa",)
    pair.sig_algorithm = b"ssh-rsa"
    with pytest.raises(asyncssh.PermissionDenied):
        await gateway.connect("south", client_keys=[pair], signature_algs=["ssh-rsa"])
    assert "ssh-rsa" not in SIGNATURE_ALGS


async def test_E13_both_host_keys_are_served(gateway: Gateway) -> None:
    ed25519 = service.pinned_host_key(gateway.settings)
    assert ed25519.startswith("ssh-ed25519 AAAA")
    for algorithm in ("ssh-ed25519", "rsa-sha2-512", "rsa-sha2-256"):
        async with gateway.connect("north", known_hosts=None, server_host_key_algs=[algorithm]) as conn:
            key = conn.get_server_host_key()
            public = key.export_public_key("openssh").decode().split()[:2]
            assert (" ".join(public) == ed25519) is (algorithm == "ssh-ed25519")


async def test_E13_host_keys_stay_between_two_starts(gateway: Gateway) -> None:
    folder = gateway.settings.home_dir / "gateway"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    await asyncio.to_thread(gateway.stop)
    await asyncio.to_thread(gateway.start)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    async with gateway.connect("north"):
        pass


def test_E13_keys_are_made_once_and_private(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with pytest.raises(StackError) as caught:
        service.pinned_host_key(settings)
    assert caught.value.code == "host-key-missing"
    service.ensure_keys(settings)
    names = ["pipeline_key", "ssh_host_ed25519_key", "ssh_host_rsa_key"]
    folder = tmp_path / "gateway"
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [*names, *(f"{name}.pub" for name in names)]
    )
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for name in names:
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    made = service.pinned_host_key(settings)
    service.ensure_keys(settings)
    assert service.pinned_host_key(settings) == made


async def test_E09_a_busy_port_is_named(gateway: Gateway) -> None:
    settings = gateway.settings.model_copy(update={"sftp_port": gateway.port})
    with pytest.raises(StackError, match=f"127.0.0.1:{gateway.port} is taken") as caught:
        await service.serve(settings)
    assert caught.value.code == "port-busy"


async def test_E09_an_unusable_address_is_named(gateway: Gateway) -> None:
    settings = gateway.settings.model_copy(update={"host": "192.0.2.1"})
    with pytest.raises(StackError, match="cannot listen on 192.0.2.1") as caught:
        await service.serve(settings)
    assert caught.value.code == "address-unusable"


async def test_M02_no_start_without_a_registry_that_holds(gateway: Gateway) -> None:
    (gateway.settings.tenants_dir / "broken.yaml").write_text("name: [")
    with pytest.raises(RegistryInvalid):
        await service.serve(gateway.settings)


async def test_E09_sigterm_ends_the_gateway_cleanly(gateway: Gateway) -> None:
    script = (
        "from partner_exchange.gateway import service; from partner_exchange.settings import get_settings; "
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        script + "service.run(get_settings())",
        env={
            **os.environ,
            "EXCHANGE_HOME": str(gateway.settings.home_dir),
            "EXCHANGE_TENANTS_DIR": str(gateway.settings.tenants_dir),
            "EXCHANGE_SFTP_PORT": "0",
        },
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    line = ""
    while "gateway_listens" not in line:
        line = (await asyncio.wait_for(process.stderr.readline(), 30)).decode()
        assert line, "the gateway ended before it listened"
    port = int(line.rsplit("port=", 1)[1])
    known = f"[127.0.0.1]:{port} {service.pinned_host_key(gateway.settings)}\n".encode()
    async with asyncssh.connect(
        "127.0.0.1",
        port,
        username="north",
        client_keys=[str(gateway.keys["north"].file)],
        known_hosts=known,
        config=None,
    ) as conn:
        sftp = await conn.start_sftp_client()
        file = await sftp.open("inbound/a.csv", "wb")
        await file.write(b"half")
        process.send_signal(signal.SIGTERM)
        _, rest = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0
    assert b"gateway_ended" in rest
    assert b"Traceback" not in rest
    assert gateway.names("north") == []
