"""Who has no TLS, or speaks in clear after all, is refused when TLS was asked for."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

import forksafe
from scripts.mariadb_server import Server
from scripts.throwaway import Throwaway
from tests import tls
from tests.tls import cipher, tls_of

secure = tls.secure


@pytest.fixture(scope="module")
def clear_server(server: Server) -> Iterator[Throwaway]:
    """A server without TLS."""
    if not isinstance(server, Throwaway):
        pytest.skip("needs a server of its own that offers no TLS: unset FORKSAFE_TEST_DSN")
    with server.another(tls=False) as clear:
        yield clear


@pytest.mark.parametrize("mode", ["REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY"])
def test_a_server_without_tls_is_refused_when_tls_was_asked_for(
    clear_server: Throwaway, secure: Throwaway, mode: str
) -> None:
    options = clear_server.connect_kwargs(ssl_mode=mode, ssl_ca=secure.ca_file)
    with pytest.raises(forksafe.OperationalError, match="the server has no TLS") as caught:
        forksafe.connect(**options)
    assert caught.value.args[0] == 2026


def test_a_server_without_tls_is_taken_when_tls_was_only_preferred(
    clear_server: Throwaway,
) -> None:
    with forksafe.connect(**clear_server.connect_kwargs(ssl_mode="PREFERRED")) as connection:
        assert cipher(connection) == ""


def test_what_speaks_no_tls_after_all_is_refused(secure: Throwaway) -> None:
    with socket.create_connection((secure.host, secure.port)) as client:
        greeting = client.recv(4096)
    listener = socket.create_server(("127.0.0.1", 0))

    def greet_and_babble() -> None:
        client, _ = listener.accept()
        with client:
            client.sendall(greeting)
            client.recv(36)
            client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            client.recv(4096)

    thread = threading.Thread(target=greet_and_babble)
    thread.start()
    options = tls_of(secure, port=listener.getsockname()[1], ssl_ca=secure.ca_file)
    with listener, pytest.raises(forksafe.OperationalError) as caught:
        forksafe.connect(**options)
    thread.join()
    assert caught.value.args[0] == 2026


class Injector:
    """Stands between client and server, and adds an OK packet in clear to the greeting."""

    def __init__(self, host: str, port: int) -> None:
        self.server = (host, port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.relay, daemon=True)
        self.thread.start()

    def relay(self) -> None:
        client, _ = self.listener.accept()
        with client, socket.create_connection(self.server) as upstream:
            greeting = upstream.recv(65536)
            client.sendall(greeting + b"\x07\x00\x00\x04\x00\x00\x00\x02\x00\x00\x00")
            client.settimeout(5)
            while heard := client.recv(65536):
                upstream.sendall(heard)


def test_what_came_in_clear_is_not_taken_for_an_answer_of_the_verified_server(
    secure: Throwaway,
) -> None:
    injector = Injector(secure.host, secure.port)
    options = tls_of(secure, ssl_ca=secure.ca_file, ssl_mode="VERIFY_IDENTITY")
    with pytest.raises(forksafe.OperationalError, match="before TLS") as caught:
        forksafe.connect(**options | {"host": "127.0.0.1", "port": injector.port})
    assert caught.value.args[0] == 2026
    injector.listener.close()
    injector.thread.join(5)
