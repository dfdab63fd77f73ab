"""A death is 2006 before an execution was sent and 2013 after; the next session prepares anew."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import forksafe
from scripts.mariadb_server import Server
from tests.prepared import ask, counted
from tests.proxy import FaultProxy

Connect = Callable[..., forksafe.Connection]
MakePool = Callable[..., forksafe.Pool]


def test_a_session_that_died_is_an_error_and_the_next_one_prepares_anew(
    make_pool: MakePool, server: Server
) -> None:
    pool = make_pool(max_size=1)
    with pool.connect() as connection:
        ask(connection, "SELECT %s", (1,))
        server.execute_as_root(f"KILL {connection.thread_id()}")
        with pytest.raises(forksafe.OperationalError) as caught:
            ask(connection, "SELECT %s", (1,))
        assert caught.value.args[0] in (2006, 2013)
    with pool.connection() as connection:
        assert ask(connection, "SELECT %s", (2,)) == ((2,),)
        assert counted(connection, "prepare") == 1


def test_a_death_before_the_execution_was_sent_is_2006(connect: Connect, proxy: FaultProxy) -> None:
    connection = connect(host=proxy.host, port=proxy.port, read_timeout=5)
    proxy.swallow()
    with pytest.raises(forksafe.OperationalError) as caught:
        ask(connection, "SELECT %s", (1,))
    assert caught.value.args[0] == 2006  # a statement that was only being prepared has not run
    with pytest.raises(forksafe.OperationalError) as caught:
        ask(connection, "SELECT %s", (1,))
    assert caught.value.args[0] == 2006


def test_a_death_after_the_execution_was_sent_is_2013(connect: Connect, proxy: FaultProxy) -> None:
    connection = connect(host=proxy.host, port=proxy.port, read_timeout=5)
    ask(connection, "SELECT %s", (1,))
    proxy.swallow()
    with pytest.raises(forksafe.OperationalError) as caught:
        ask(connection, "SELECT %s", (1,))
    assert caught.value.args[0] == 2013


@pytest.mark.parametrize("cut", ["cut", "cut_rst"])
def test_an_end_in_the_middle_of_an_answer_is_a_death(
    connect: Connect, proxy: FaultProxy, cut: str
) -> None:
    for count in (1, 5, 12, 13, 40, 60, 90, 120, 10_000):
        proxy.pass_()
        connection = connect(host=proxy.host, port=proxy.port, read_timeout=5)
        getattr(proxy, cut)(count)
        with pytest.raises(forksafe.OperationalError) as caught:
            ask(connection, "SELECT %s, REPEAT('x', 100000)", (1,))
        assert caught.value.args[0] in (2006, 2013), count
        with pytest.raises(forksafe.OperationalError) as caught:
            connection.ping()
        assert caught.value.args[0] == 2006
