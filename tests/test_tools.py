"""The tests' own tools do what the other tests rely on."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from scripts.mariadb_server import Server
from scripts.throwaway import Throwaway
from tests.fork import WAYS_TO_LEAVE
from tests.proxy import FaultProxy

InChild = Callable[..., Any]


class Witness:
    """Writes to a pipe when the last reference to it goes."""

    def __init__(self, pipe: int) -> None:
        self.pipe = pipe

    def __del__(self) -> None:
        os.write(self.pipe, f"{os.getpid()} dropped\n".encode())


def greeting(proxy: FaultProxy) -> bytes:
    with socket.create_connection((proxy.host, proxy.port), timeout=1) as client:
        return client.recv(65536)


@pytest.mark.parametrize("leave", WAYS_TO_LEAVE)
def test_a_child_hands_back_its_result_however_it_leaves(in_child: InChild, leave: str) -> None:
    parent = os.getpid()
    assert in_child(lambda: (os.getppid(), os.getpid() != parent), leave=leave) == (parent, True)


def test_an_error_of_the_child_is_raised_in_the_parent(in_child: InChild) -> None:
    def fails() -> None:
        raise LookupError(17, "not there")

    with pytest.raises(LookupError) as caught:
        in_child(fails)
    assert caught.value.args == (17, "not there")
    assert "in fails" in str(caught.value.__cause__)


def test_a_hanging_child_fails_and_shows_where_it_hung(in_child: InChild) -> None:
    lock = threading.Lock()
    lock.acquire()
    with pytest.raises(pytest.fail.Exception, match=r"the child hung(.|\n)*test_tools\.py"):
        in_child(lock.acquire, timeout=0.2)


@pytest.mark.parametrize("leave", ["sys.exit", "exception"])
def test_a_child_that_leaves_unwinds_the_test_and_is_finalised(
    in_child: InChild, leave: str
) -> None:
    reading, writing = os.pipe()
    witness = Witness(writing)
    parent = os.getpid()
    try:
        in_child(lambda: None, leave=leave)
    finally:
        if os.getpid() != parent:
            os.write(writing, f"{os.getpid()} finally\n".encode())
    seen = os.read(reading, 1000).decode().split()
    assert seen[1::2] == ["finally", "dropped"]
    assert str(parent) not in seen
    del witness


def test_a_child_that_dies_is_noticed(in_child: InChild) -> None:
    with pytest.raises(AssertionError, match="exit code 3"):
        in_child(os._exit, 3)


def test_a_child_controls_no_server(in_child: InChild, controlled_server: Throwaway) -> None:
    in_child(controlled_server.close, leave="sys.exit")
    assert controlled_server.is_running()


def test_a_server_keeps_port_and_data_when_killed(
    controlled_server: Throwaway, table: Callable[[str], str]
) -> None:
    name, port = f"{controlled_server.database}.{table('id INT')}", controlled_server.port
    controlled_server.execute_as_root(f"INSERT INTO {name} VALUES (7)")
    controlled_server.restart()
    assert (controlled_server.port, controlled_server.is_running()) == (port, True)
    assert controlled_server.execute_as_root(f"SELECT id FROM {name}") == [("7",)]


def test_rows_of_root_come_back_as_written(server: Server) -> None:
    rows = server.execute_as_root(r"SELECT 'a\tb\\c\nd', NULL, 'é'; SELECT 2")
    assert rows == [("a\tb\\c\nd", None, "é"), ("2",)]


def test_variables_are_put_back(server: Server) -> None:
    before = server.variable("wait_timeout")
    with server.variables(wait_timeout=7):
        assert server.variable("wait_timeout") == "7"
    assert server.variable("wait_timeout") == before


def test_the_proxy_passes_refuses_hangs_and_passes_again(proxy: FaultProxy) -> None:
    whole = greeting(proxy)
    assert len(whole) > 50
    proxy.refuse()
    with pytest.raises(ConnectionRefusedError):
        greeting(proxy)
    proxy.pass_()
    proxy.hang()
    with pytest.raises(TimeoutError):
        greeting(proxy)
    proxy.pass_()
    assert len(greeting(proxy)) == len(whole)


def test_the_proxy_delays_and_slices(proxy: FaultProxy) -> None:
    proxy.slice(10)
    proxy.delay(30)
    started = time.monotonic()
    assert len(greeting(proxy)) == 10
    assert time.monotonic() - started >= 0.03


def test_the_proxy_cuts_with_fin_and_with_rst(proxy: FaultProxy) -> None:
    proxy.cut(5)
    assert len(greeting(proxy)) == 5
    proxy.cut_rst(5)
    with socket.create_connection((proxy.host, proxy.port), timeout=1) as client:
        assert len(client.recv(65536)) == 5
        with pytest.raises(ConnectionResetError):
            client.recv(1)


@pytest.mark.parametrize("fault", ["rst", "fin", "swallow"])
def test_the_proxy_ends_open_connections(proxy: FaultProxy, fault: str) -> None:
    with socket.create_connection((proxy.host, proxy.port), timeout=1) as client:
        assert client.recv(65536)
        getattr(proxy, fault)()
        if fault == "swallow":
            assert proxy.stats()["open"] == 1
            client.sendall(b"lost")
        if fault == "rst":
            with pytest.raises(ConnectionResetError):
                client.recv(1)
        else:
            assert client.recv(1) == b""
    assert proxy.stats()["open"] == 0
