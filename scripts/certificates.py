"""Certificates for a throwaway server, made on the fly by the `openssl` command."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

# A configuration of our own: the system's may be missing, or add extensions of its own.
CONFIG = """\
[req]
distinguished_name = subject
prompt = no
[subject]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost, IP:127.0.0.1, IP:::1
[client]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
"""


@dataclass(frozen=True)
class Certificates:
    """The files of one test authority, of what it signed, and of a stranger."""

    directory: Path

    @property
    def ca(self) -> Path:
        """The authority that signed the server's and the client's certificate."""
        return self.directory / "ca.pem"

    @property
    def foreign_ca(self) -> Path:
        """An authority that signed nothing here: a client that trusts it must refuse."""
        return self.directory / "foreign-ca.pem"

    @property
    def server_cert(self) -> Path:
        """Valid for localhost, 127.0.0.1 and ::1."""
        return self.directory / "server.pem"

    @property
    def server_key(self) -> Path:
        """Belongs to `server_cert`."""
        return self.directory / "server-key.pem"

    @property
    def client_cert(self) -> Path:
        """What the account `cert_only` asks for."""
        return self.directory / "client.pem"

    @property
    def client_key(self) -> Path:
        """Belongs to `client_cert`."""
        return self.directory / "client-key.pem"


def make_certificates(directory: Path) -> Certificates:
    """Make all of them in `directory`, which must exist."""
    (directory / "openssl.cnf").write_text(CONFIG)
    for name, title in (("ca", "forksafe test authority"), ("foreign-ca", "a foreign authority")):
        _make_authority(directory, name, title)
    _make_leaf(directory, "server", "localhost")
    _make_leaf(directory, "client", "forksafe client")
    return Certificates(directory)


def _make_authority(directory: Path, name: str, title: str) -> None:
    _openssl(
        directory,
        *("req", "-x509", "-config", "openssl.cnf", "-extensions", "authority"),
        *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-sha256"),
        *("-subj", f"/CN={title}", "-days", "30"),
        *("-keyout", f"{name}-key.pem", "-out", f"{name}.pem"),
    )


def _make_leaf(directory: Path, name: str, title: str) -> None:
    _openssl(
        directory,
        *("req", "-new", "-config", "openssl.cnf", "-subj", f"/CN={title}"),
        *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
        *("-keyout", f"{name}-key.pem", "-out", f"{name}.csr"),
    )
    _openssl(
        directory,
        *("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca-key.pem"),
        *("-CAcreateserial", "-extfile", "openssl.cnf", "-extensions", name),
        *("-days", "30", "-sha256", "-out", f"{name}.pem"),
    )


def _openssl(directory: Path, *arguments: str) -> None:
    done = subprocess.run(["openssl", *arguments], cwd=directory, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"openssl {arguments[0]} failed:\n{done.stderr}")
