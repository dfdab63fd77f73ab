"""TLS is verified when it is asked for, and what is not verified is skipped by name."""

from __future__ import annotations

import ssl
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import forksafe
from scripts.mariadb_server import Server
from scripts.throwaway import Throwaway
from tests import tls
from tests.tls import cipher, tls_of, with_foreign_ca

Connect = Callable[..., forksafe.Connection]
secure = tls.secure
# 127.0.0.1 by a name that resolves everywhere and stands in no certificate.
OTHER_NAME = "0x7f000001"


def version(connection: forksafe.Connection) -> str:
    """What the server says that the session's version of TLS is."""
    cursor = connection.cursor()
    cursor.execute("SHOW SESSION STATUS LIKE 'Ssl_version'")
    ((_, name),) = cursor.fetchall()
    return str(name)


def test_nothing_is_encrypted_unless_asked_for(secure: Throwaway) -> None:
    with forksafe.connect(**tls_of(secure)) as connection:
        assert cipher(connection) == ""


@pytest.mark.parametrize("mode", ["VERIFY_CA", "VERIFY_IDENTITY", None])
def test_a_server_of_the_trusted_authority_is_taken(secure: Throwaway, mode: str | None) -> None:
    options = tls_of(secure, ssl_ca=secure.ca_file)
    if mode:
        options["ssl_mode"] = mode
    for host in ("127.0.0.1", "localhost"):
        with forksafe.connect(**options | {"host": host}) as connection:
            assert cipher(connection)


def test_the_ssl_dictionary_of_mysqldb_means_the_same(secure: Throwaway) -> None:
    with forksafe.connect(**tls_of(secure, ssl={"ca": secure.ca_file})) as connection:
        assert cipher(connection)
    with pytest.raises(forksafe.OperationalError, match="not trusted"):
        forksafe.connect(**tls_of(secure, ssl={}))


@pytest.mark.parametrize(
    "asked",
    [
        {"ssl": True},
        {"ssl_mode": "VERIFY_IDENTITY"},
        {"ssl_mode": "VERIFY_CA"},
        {"ssl": {"ca": "foreign"}},
        {"ssl_ca": "foreign"},
        {"ssl_ca": "foreign", "ssl_mode": "VERIFY_CA"},
        {"ssl_ca": "foreign", "ssl_check_hostname": False},
    ],
)
def test_a_server_of_a_foreign_authority_is_refused(
    secure: Throwaway, asked: dict[str, Any]
) -> None:
    asked = with_foreign_ca(secure, asked)
    refused_before = secure.status("Aborted_connects")
    with pytest.raises(forksafe.OperationalError, match="not trusted") as caught:
        forksafe.connect(**tls_of(secure, **asked))
    number, text = caught.value.args
    assert number == 2026
    assert "ssl_ca" in text
    assert "ssl_mode='REQUIRED'" in text
    assert secure.password not in text
    deadline = time.monotonic() + 5
    # Counted by the server when it finds the client gone: before a log-in, so no password went out.
    while secure.status("Aborted_connects") != refused_before + 1:
        assert time.monotonic() < deadline, "it had logged in before"


def test_a_directory_of_authorities_is_trusted_besides_a_file(
    secure: Throwaway, tmp_path: Path
) -> None:
    assert secure.certificates
    foreign = secure.certificates.foreign_ca
    directory = tmp_path / "authorities"
    directory.mkdir()
    with pytest.raises(forksafe.OperationalError, match="no trusted authorities"):
        forksafe.connect(**tls_of(secure, ssl_capath=directory))
    (directory / "theirs.pem").write_bytes(foreign.read_bytes())
    with pytest.raises(forksafe.OperationalError, match="not trusted"):
        forksafe.connect(**tls_of(secure, ssl_capath=directory))
    (directory / "0a1b2c3d.0").write_bytes(secure.certificates.ca.read_bytes())
    for given in (
        {"ssl_capath": directory},
        {"ssl": {"capath": str(directory)}},
        {"ssl_ca": foreign, "ssl_capath": directory},
    ):
        with forksafe.connect(**tls_of(secure, **given)) as connection:
            assert cipher(connection)
    with pytest.raises(forksafe.OperationalError, match="CA directory .*not-there"):
        forksafe.connect(**tls_of(secure, ssl_capath=tmp_path / "not-there"))


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        ("TLS_AES_128_GCM_SHA256", ("TLSv1.3", "TLS_AES_128_GCM_SHA256")),
        ("ECDHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES128-SHA:ECDHE-ECDSA-AES128-GCM-SHA256", None),
        ("ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305", None),
    ],
)
def test_no_cipher_is_used_but_those_that_are_named(
    secure: Throwaway, asked: str, spoken: tuple[str, str] | None
) -> None:
    for given in ({"ssl_cipher": asked}, {"ssl": {"cipher": asked}}):
        with forksafe.connect(**tls_of(secure, ssl_ca=secure.ca_file, **given)) as connection:
            used = (version(connection), cipher(connection))
        assert used == spoken if spoken else used[0] == "TLSv1.2" and used[1] in asked.split(":")


def test_no_version_is_used_but_those_that_are_named(secure: Throwaway) -> None:
    for asked, spoken in (("TLSv1.2", "TLSv1.2"), ("TLSv1.1,tlsv1.3", "TLSv1.3")):
        options = tls_of(secure, ssl_ca=secure.ca_file, tls_version=asked)
        with forksafe.connect(**options) as connection:
            assert version(connection) == spoken
    with pytest.raises(forksafe.OperationalError, match="no cipher of the tls_version"):
        forksafe.connect(**options, ssl_cipher="ECDHE-RSA-AES128-GCM-SHA256")


@pytest.mark.parametrize("word", ["none", "NONE", False, 0, ssl.CERT_NONE])
def test_a_certificate_is_taken_unseen_where_that_was_asked_for(
    secure: Throwaway, word: Any
) -> None:
    assert secure.certificates
    foreign = secure.certificates.foreign_ca
    with forksafe.connect(**tls_of(secure, ssl={"ca": foreign, "verify_mode": word})) as connection:
        assert cipher(connection)


@pytest.mark.parametrize("word", ["required", "optional", True, 1, ssl.CERT_REQUIRED, None])
def test_a_certificate_is_verified_otherwise(secure: Throwaway, word: Any) -> None:
    assert secure.certificates
    foreign = secure.certificates.foreign_ca
    with pytest.raises(forksafe.OperationalError, match="not trusted"):
        forksafe.connect(**tls_of(secure, ssl={"ca": foreign, "verify_mode": word}))


def test_an_encrypted_key_is_refused_with_what_to_do(secure: Throwaway, tmp_path: Path) -> None:
    assert secure.certificates
    locked = tmp_path / "locked.pem"
    command = ["openssl", "pkey", "-aes256", "-passout", "pass:x", "-out", str(locked)]
    subprocess.run([*command, "-in", str(secure.certificates.client_key)], check=True)
    files = {"ssl_cert": secure.certificates.client_cert, "ssl_key": locked}
    with pytest.raises(forksafe.OperationalError, match="it is encrypted.*openssl pkey"):
        forksafe.connect(**tls_of(secure, ssl_ca=secure.ca_file, **files))


@pytest.mark.parametrize(
    ("asked", "taken"),
    [
        ({}, False),
        ({"ssl_mode": "VERIFY_IDENTITY"}, False),
        ({"ssl_mode": "VERIFY_CA"}, True),
        ({"ssl_check_hostname": False}, True),
    ],
)
def test_another_host_name_is_taken_only_when_names_are_not_verified(
    secure: Throwaway, asked: dict[str, Any], taken: bool
) -> None:
    options = tls_of(secure, host=OTHER_NAME, ssl_ca=secure.ca_file, **asked)
    if taken:
        with forksafe.connect(**options) as connection:
            assert cipher(connection)
    else:
        with pytest.raises(forksafe.OperationalError, match=OTHER_NAME) as caught:
            forksafe.connect(**options)
        assert caught.value.args[0] == 2026


@pytest.mark.parametrize("mode", ["REQUIRED", "required", "PREFERRED"])
def test_verification_is_skipped_by_name(secure: Throwaway, mode: str) -> None:
    assert secure.certificates
    for more in ({}, {"ssl_ca": secure.certificates.foreign_ca}):
        with forksafe.connect(**tls_of(secure, ssl_mode=mode, **more)) as connection:
            assert cipher(connection)


def test_disabled_wins_over_the_files(secure: Throwaway) -> None:
    options = tls_of(secure, ssl_mode="DISABLED", ssl_ca=secure.ca_file)
    with forksafe.connect(**options) as connection:
        assert cipher(connection) == ""


def test_an_account_that_asks_for_a_client_certificate_gets_it(secure: Throwaway) -> None:
    assert secure.certificates
    asked = tls_of(secure, user="cert_only", ssl_ca=secure.ca_file)
    files = {"cert": secure.certificates.client_cert, "key": secure.certificates.client_key}
    named = {f"ssl_{name}": path for name, path in files.items()}
    for given in (named, {"ssl": files}):
        with forksafe.connect(**asked | given) as connection:
            assert cipher(connection)
    with pytest.raises(forksafe.OperationalError) as caught:
        forksafe.connect(**asked)
    assert caught.value.args[0] == 1045


def test_an_account_that_asks_for_tls_refuses_clear_text(secure: Throwaway) -> None:
    with forksafe.connect(**tls_of(secure, user="tls_only", ssl_mode="REQUIRED")) as connection:
        assert cipher(connection)
    with pytest.raises(forksafe.OperationalError) as caught:
        forksafe.connect(**tls_of(secure, user="tls_only"))
    assert caught.value.args[0] == 1045


def test_tls_goes_through_a_unix_socket_too(secure: Throwaway) -> None:
    options = secure.connect_kwargs("socket", ssl_ca=secure.ca_file)
    with forksafe.connect(**options) as connection:
        assert cipher(connection)


@pytest.mark.parametrize("name", ["ssl_ca", "ssl_cert", "ssl_key"])
@pytest.mark.parametrize("content", [None, "no certificate\n"])
def test_a_file_that_cannot_be_used_is_named(
    secure: Throwaway, tmp_path: Any, name: str, content: str | None
) -> None:
    assert secure.certificates
    files = {
        "ssl_ca": secure.certificates.ca,
        "ssl_cert": secure.certificates.client_cert,
        "ssl_key": secure.certificates.client_key,
    }
    bad = tmp_path / "bad.pem"
    if content:
        bad.write_text(content)
    for opener in (forksafe.connect, forksafe.Pool):
        with pytest.raises(forksafe.OperationalError, match="file .*bad.pem") as caught:
            opener(**tls_of(secure, **files | {name: bad}))
        assert caught.value.args[0] == 2026


def test_rows_larger_than_a_tls_record_are_whole(connect: Connect, secure: Server) -> None:
    cursor = connect("tls").cursor()
    value = bytes(range(256)) * 4096
    cursor.execute("SELECT %s, MD5(%s)", (value, value))
    ((back, _),) = cursor.fetchall()
    assert back == value
    assert cursor.execute("SELECT seq FROM seq_1_to_100000") == 100_000
    assert sum(row[0] for row in cursor) == 5_000_050_000
