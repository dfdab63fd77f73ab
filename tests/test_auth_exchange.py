"""Whichever plugin a server asks for, the password itself goes out only where nobody listens."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

import forksafe
from scripts.certificates import make_certificates
from tests.fake_server import NONCE, PASSWORD, SHA256, FakeServer, RsaKey

# What MariaDB stores for an ed25519 account with PASSWORD, behind the head of a public key in DER.
ED25519_KEY = bytes.fromhex("302a300506032b6570032100") + bytes.fromhex(
    "af9dea07f06bb95bfb5099df5e946163fe5531863ae8b5dfb7bab20c2f7d5d0d"
)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> RsaKey:
    """The RSA key of a fake server."""
    return RsaKey(tmp_path_factory.mktemp("rsa"))


def log_in(fake: FakeServer, **options: Any) -> None:
    """Log in to a fake server, and use the session."""
    options = {"host": "127.0.0.1", "user": "app", "password": PASSWORD, **options}
    if "unix_socket" not in options:
        options["port"] = fake.port
    with forksafe.connect(**options) as connection:
        connection.ping()


def test_a_plugin_that_is_not_supported_is_named_with_those_that_are() -> None:
    with (
        FakeServer(switch=(b"dialog", b"\x02Password: ")) as fake,
        pytest.raises(forksafe.OperationalError, match="'dialog' is not supported") as caught,
    ):
        log_in(fake)
    assert caught.value.args[0] == 2059
    for supported in ("mysql_native_password", "caching_sha2_password", "client_ed25519"):
        assert supported in caught.value.args[1]
    assert all(PASSWORD.encode() not in packet for packet in fake.heard)


def test_a_server_that_asks_for_the_password_in_clear_text_does_not_get_it() -> None:
    with (
        FakeServer(switch=(b"mysql_clear_password", b"")) as fake,
        pytest.raises(forksafe.OperationalError, match="mysql_clear_password"),
    ):
        log_in(fake)
    assert len(fake.heard) == 1


def test_a_password_goes_out_in_clear_text_where_that_was_allowed_and_nobody_listens(
    tmp_path: Path,
) -> None:
    """What tokens of clouds and directories need."""
    plugin = "mysql_clear_password"
    path = str(tmp_path / "socket")
    with FakeServer(switch=(plugin.encode(), b""), unix_socket=path) as fake:
        with pytest.raises(forksafe.OperationalError, match=f"auth_plugin='{plugin}'"):
            log_in(fake, unix_socket=path)
        log_in(fake, unix_socket=path, auth_plugin=plugin)
    assert fake.heard[-1] == PASSWORD.encode() + b"\0"
    with FakeServer(certificates=make_certificates(tmp_path), switch=(b"other", b"")) as fake:
        with pytest.raises(forksafe.OperationalError, match="plugin 'other' is not supported"):
            log_in(fake, ssl_ca=tmp_path / "ca.pem", auth_plugin=plugin)
        assert PASSWORD.encode() + b"\0" in fake.heard[1], "the plugin to begin with"
    with FakeServer(switch=(plugin.encode(), b"")) as fake:
        with pytest.raises(forksafe.OperationalError, match="is not private: use TLS"):
            log_in(fake, auth_plugin=plugin)
        assert fake.heard == [], "not a word"


def test_a_log_in_begins_with_the_plugin_that_was_asked_for() -> None:
    with FakeServer(cached=True) as fake:
        with pytest.raises(forksafe.OperationalError):
            log_in(fake, auth_plugin="mysql_native_password")
        log_in(fake, auth_plugin="caching_sha2_password")
    assert b"mysql_native_password\0" in fake.heard[0][32:]
    assert b"caching_sha2_password\0" in fake.heard[1]


@pytest.mark.parametrize("end", [b"\x1f\x20", b"\x1f\0", b"\0\0"])
def test_a_nonce_that_ends_in_zero_is_signed_whole(tmp_path: Path, end: bytes) -> None:
    nonce = bytes(range(1, 31)) + end
    with FakeServer(switch=(b"client_ed25519", nonce)) as fake:
        log_in(fake)
    for name, content in (("key", ED25519_KEY), ("nonce", nonce), ("signature", fake.heard[1])):
        (tmp_path / name).write_bytes(content)
    verify = "openssl pkeyutl -verify -pubin -keyform DER -inkey key -rawin -in nonce"
    done = subprocess.run(
        [*verify.split(), "-sigfile", "signature"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout == "Signature Verified Successfully\n", done.stderr


def test_caching_sha2_is_quick_when_the_server_knows_the_password() -> None:
    with FakeServer(cached=True) as fake:
        log_in(fake)
        assert len(fake.heard) == 1


def test_caching_sha2_with_a_wrong_password_is_refused() -> None:
    with (
        FakeServer(cached=True) as fake,
        pytest.raises(forksafe.OperationalError, match="Access denied"),
    ):
        log_in(fake, password=PASSWORD + "x")


def test_caching_sha2_sends_the_password_itself_through_tls(tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path)
    with FakeServer(certificates=certificates) as fake:
        log_in(fake, ssl_ca=certificates.ca)
        assert fake.heard[-1] == PASSWORD.encode() + b"\0"


def test_caching_sha2_sends_the_password_itself_through_a_unix_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with FakeServer(unix_socket=path) as fake:
        log_in(fake, unix_socket=path)
        assert fake.heard[-1] == PASSWORD.encode() + b"\0"


@pytest.mark.parametrize("way", ["tls", "pinned", "fetched", "socket", "none"])
def test_sha256_password_sends_the_password_in_the_same_ways(
    key: RsaKey, tmp_path: Path, way: str
) -> None:
    certificates = make_certificates(tmp_path) if way == "tls" else None
    path = str(tmp_path / "s") if way == "socket" else None
    switch = (SHA256, NONCE + b"\0")
    with FakeServer(key=key, certificates=certificates, switch=switch, unix_socket=path) as fake:
        if certificates:
            log_in(fake, ssl_ca=certificates.ca)
        elif path:
            # For this plugin, unlike caching_sha2_password, a socket is no reason to take it plain.
            log_in(fake, unix_socket=path)
            assert [len(packet) for packet in fake.heard[-2:]] == [1, 256]
        elif way == "pinned":
            log_in(fake, server_public_key_path=key.public)
        elif way == "fetched":
            log_in(fake, get_server_public_key=True)
        else:
            with pytest.raises(forksafe.OperationalError, match="not private") as caught:
                log_in(fake)
            assert caught.value.args[0] == 2059
            assert len(fake.heard) == 1


@pytest.mark.parametrize("password", [PASSWORD, PASSWORD + "x"])
def test_caching_sha2_encrypts_the_password_with_a_key_that_is_pinned(
    key: RsaKey, password: str
) -> None:
    with FakeServer(key=key) as fake:
        if password == PASSWORD:
            log_in(fake, server_public_key_path=key.public)
        else:
            with pytest.raises(forksafe.OperationalError, match="Access denied"):
                log_in(fake, server_public_key_path=key.public, password=password)
        assert len(fake.heard[-1]) == 256
        assert len(fake.heard) == 2, "it asked for the key that it had"


def test_caching_sha2_encrypts_the_password_with_a_key_that_is_fetched(key: RsaKey) -> None:
    with FakeServer(key=key) as fake:
        log_in(fake, get_server_public_key=True)
        assert [len(packet) for packet in fake.heard[1:]] == [1, 256]


def test_caching_sha2_sends_nothing_in_clear(key: RsaKey) -> None:
    with FakeServer(key=key) as fake, pytest.raises(forksafe.OperationalError) as caught:
        log_in(fake)
    number, text = caught.value.args
    assert number == 2059
    for way in ("ssl_mode", "unix socket", "server_public_key_path", "get_server_public_key=True"):
        assert way in text
    assert len(fake.heard) == 1


def test_a_key_that_was_not_asked_for_is_not_used(key: RsaKey, tmp_path: Path) -> None:
    other = RsaKey(tmp_path)
    with (
        FakeServer(key=key) as fake,
        pytest.raises(forksafe.OperationalError, match="Access denied"),
    ):
        log_in(fake, server_public_key_path=other.public)


def test_a_key_file_that_is_no_key_is_named_without_noise(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "no-key.pem"
    for content in ("", "nonsense", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"):
        path.write_text(content)
        with FakeServer() as fake, pytest.raises(forksafe.OperationalError, match="key") as caught:
            log_in(fake, server_public_key_path=path)
        assert caught.value.args[0] == 2059
    assert capfd.readouterr().err == ""


def test_a_key_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with (
        FakeServer() as fake,
        pytest.raises(forksafe.OperationalError, match=r"none\.pem.*No such file") as caught,
    ):
        log_in(fake, server_public_key_path=tmp_path / "none.pem")
    assert caught.value.args[0] == 2059


def test_openssl_agrees_that_the_fake_server_has_a_key(key: RsaKey) -> None:
    encrypt = ["openssl", "pkeyutl", "-encrypt", "-pubin", "-inkey", str(key.public)]
    padding = ["-pkeyopt", "rsa_padding_mode:oaep"]
    secret = subprocess.run([*encrypt, *padding], input=b"word", capture_output=True).stdout
    assert key.decrypt(secret) == b"word"
