"""Public keys in every form a partner sends, as the real ssh-keygen writes them (K4, E40-E43, M03)."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from partner_exchange.errors import KeyPolicyRefused
from partner_exchange.settings import Settings
from partner_exchange.tenants import keys
from partner_exchange.tenants.model import KeyPolicy, KeyType, Tenant
from support.clients import require

KINDS = {
    "rsa2048": ("rsa", 2048),
    "rsa3072": ("rsa", 3072),
    "ed25519": ("ed25519", 256),
    "ecdsa256": ("ecdsa", 256),
    "ecdsa384": ("ecdsa", 384),
    "ecdsa521": ("ecdsa", 521),
}


def keygen(*arguments: str) -> str:
    done = subprocess.run([require("ssh-keygen"), *arguments], capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    for name, (kind, bits) in KINDS.items():
        keygen(
            "-q", "-t", kind, "-b", str(bits), "-N", "", "-C", "it@hospital.example", "-f", str(folder / name)
        )
    return folder


@pytest.mark.parametrize("name", KINDS)
def test_E43_one_line_keys_of_ssh_keygen(folder: Path, name: str) -> None:
    key = keys.parse((folder / f"{name}.pub").read_text())
    assert (key.type, key.bits) == KINDS[name]
    assert key.openssh == " ".join((folder / f"{name}.pub").read_text().split()[:2])
    shown = keygen("-l", "-f", str(folder / f"{name}.pub")).split()
    assert (str(key.bits), key.sha256) == (shown[0], shown[1])


# ssh-keygen writes Ed25519 in RFC 4716 only.
FORMS = [(name, form) for name in KINDS for form in ("RFC4716", "PKCS8", "PEM")]
FORMS = [pair for pair in FORMS if pair not in (("ed25519", "PKCS8"), ("ed25519", "PEM"))]


@pytest.mark.parametrize(("name", "form"), FORMS)
def test_E41_multi_line_keys_are_the_same_keys(folder: Path, name: str, form: str) -> None:
    text = keygen("-e", "-m", form, "-f", str(folder / f"{name}.pub"))
    expected = keys.parse((folder / f"{name}.pub").read_text())
    assert keys.parse(text) == expected
    assert keys.parse("\ufeff\r\n" + text.replace("\n", "\r\n")) == expected


def test_E41_puttygen_comment_that_goes_over_lines(folder: Path) -> None:
    body = (folder / "rsa2048.pub").read_text().split()[1]
    lines = [body[start : start + 64] for start in range(0, len(body), 64)]
    text = "\n".join(
        [
            "---- BEGIN SSH2 PUBLIC KEY ----",
            'Comment: "rsa-key-20260101 of the \\',
            'hospital"',
            "x-note: none",
            *lines,
            "---- END SSH2 PUBLIC KEY ----",
        ]
    )
    assert keys.parse(text) == keys.parse((folder / "rsa2048.pub").read_text())


def code_of(text: str) -> str:
    with pytest.raises(KeyPolicyRefused) as caught:
        keys.parse(text)
    assert "AAAA" not in caught.value.message
    return caught.value.code


@pytest.mark.parametrize("name", ["rsa2048", "ed25519"])
@pytest.mark.parametrize("form", ["as it is", "PEM", "indented", "behind the public one"])
def test_E40_a_private_key_is_refused_with_a_warning(
    folder: Path, tmp_path: Path, name: str, form: str
) -> None:
    text = (folder / name).read_text()
    if form == "PEM":
        copy = tmp_path / "copy"
        copy.write_text(text)
        copy.chmod(0o600)
        keygen("-q", "-p", "-m", "PEM", "-N", "", "-f", str(copy))
        text = copy.read_text()
    elif form == "indented":
        text = "\n".join(f"    {line}" for line in text.splitlines())
    elif form == "behind the public one":
        text = (folder / f"{name}.pub").read_text() + text
    with pytest.raises(KeyPolicyRefused, match="PRIVATE key.*disclosed.*make a new pair") as caught:
        keys.parse(text)
    assert caught.value.code == "key-is-private"
    assert not any(line in str(caught.value.attrs()) for line in text.split() if len(line) > 30)


@pytest.mark.parametrize(
    "text",
    [
        "PuTTY-User-Key-File-2: ssh-rsa\nEncryption: none\nPublic-Lines: 1\nAAAA\nPrivate-Lines: 1\nAAAA",
        "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: aes256-cbc",
        "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nAAAA\n---- END SSH2 ENCRYPTED PRIVATE KEY ----",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----",
        "SSH PRIVATE KEY FILE FORMAT 1.1",
    ],
)
def test_E40_private_keys_of_other_programs(text: str) -> None:
    assert code_of(text) == "key-is-private"


def test_E42_ssh1_and_dsa_and_others_are_refused() -> None:
    assert code_of("2048 65537 " + "1234567890" * 61 + " it@hospital.example") == "key-type-refused"
    dsa = "AAAAB3NzaC1kc3MAAACBAP"
    assert code_of(f"ssh-dss {dsa} it@hospital.example") == "key-type-refused"
    assert (
        code_of(f"---- BEGIN SSH2 PUBLIC KEY ----\n{dsa}AA\n---- END SSH2 PUBLIC KEY ----")
        == "key-type-refused"
    )
    assert code_of("ssh-rsa-cert-v01@openssh.com AAAA") == "key-type-refused"
    assert code_of("sk-ssh-ed25519@openssh.com AAAA") == "key-type-refused"
    assert code_of("ssh-ed448 AAAA") == "key-type-refused"


def test_E43_what_is_no_key_is_unreadable(folder: Path) -> None:
    line = (folder / "rsa2048.pub").read_text()
    words = line.split()
    ed25519 = (folder / "ed25519.pub").read_text().split()
    for text in (
        "",
        "  \n ",
        "hello",
        "ssh-rsa",
        "ssh-rsa AAAA",
        "ssh-rsa ====",
        "ssh-rsa ÄÖÜ",
        words[1],
        f"{words[0]} {words[1][:-20]}",
        f"{words[0]} {words[1][:100]}\n{words[1][100:]}",
        f"ssh-ed25519 {words[1]}",
        f"{words[0]} {ed25519[1]}",
        f'from="10.0.0.1" {line}',
        line + line,
        "x" * 70_000,
        "---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
    ):
        assert code_of(text) == "key-unreadable", text[:40]


@pytest.mark.parametrize(
    ("name", "policy", "code"),
    [
        ("rsa2048", {"types": ["rsa"], "bits": 2048, "match": "exact"}, None),
        ("rsa3072", {"types": ["rsa"], "bits": 2048, "match": "exact"}, "key-size-refused"),
        ("rsa3072", {"types": ["rsa"], "bits": 2048, "match": "minimum"}, None),
        ("rsa3072", {"types": ["rsa"], "bits": 4096, "match": "minimum"}, "key-size-refused"),
        ("rsa2048", {"types": ["rsa"]}, None),
        ("ed25519", {"types": ["rsa"]}, "key-type-refused"),
        ("ed25519", {"types": ["rsa", "ed25519"], "bits": 4096, "match": "exact"}, None),
        ("ecdsa384", {"types": ["ecdsa"]}, None),
        ("rsa2048", {"types": ["ed25519", "ecdsa"]}, "key-type-refused"),
    ],
)
def test_K4_the_policy_names_type_and_size(
    folder: Path, name: str, policy: dict[str, object], code: str | None
) -> None:
    key = keys.parse((folder / f"{name}.pub").read_text())
    wanted = KeyPolicy.model_validate(policy)
    if code is None:
        keys.check(key, wanted)
        return
    with pytest.raises(KeyPolicyRefused) as caught:
        keys.check(key, wanted)
    assert caught.value.code == code
    if code == "key-size-refused":
        assert f"has {key.bits} bits" in caught.value.message
        assert f"ssh-keygen -t rsa -b {wanted.bits}" in caught.value.message


def test_K4_no_rsa_key_under_2048_bits_is_taken(tmp_path: Path) -> None:
    keygen("-q", "-t", "rsa", "-b", "1024", "-N", "", "-f", str(tmp_path / "weak"))
    key = keys.parse((tmp_path / "weak.pub").read_text())
    assert key.bits == 1024
    with pytest.raises(KeyPolicyRefused) as caught:
        keys.check(key, KeyPolicy(types=(KeyType.RSA,)))
    assert caught.value.code == "key-size-refused"


def test_M03_the_keys_of_a_tenant_come_from_all_three_places(folder: Path, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", tenants_dir=tmp_path / "tenants")
    (tmp_path / "tenants").mkdir()
    (settings.keys_dir / "north").mkdir(parents=True)
    (tmp_path / "tenants" / "north.pub").write_text((folder / "rsa3072.pub").read_text())
    (settings.keys_dir / "north" / "id_rsa.pub").write_text((folder / "rsa2048.pub").read_text())
    tenant = Tenant.model_validate(
        {
            "code": "north",
            "name": "North",
            "feed": "roster",
            "access": {
                "key_policy": {"types": ["rsa", "ed25519"], "bits": 2048, "match": "exact"},
                "public_keys": [(folder / "ed25519.pub").read_text(), "nonsense"],
                "public_key_files": ["north.pub", "{keys}/north/id_rsa.pub", "{keys}/north/absent.pub", "."],
            },
        }
    )
    assert [(key.type, key.bits) for key in keys.keys_of(tenant, settings)] == [
        ("ed25519", 256),
        ("rsa", 2048),
    ]
    refused = [(where, error.code) for where, error in keys.key_ring(tenant, settings).refused]
    assert refused == [
        ("access.public_keys[1]", "key-unreadable"),
        ("north.pub", "key-size-refused"),
        (".", "key-unreadable"),
    ]
