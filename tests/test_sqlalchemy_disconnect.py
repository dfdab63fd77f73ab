"""Each way in which a connection dies is a disconnect to SQLAlchemy, and nothing else is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import (
    create_engine,
    exc,
    text,
)
from sqlalchemy.pool import NullPool, QueuePool

from scripts.mariadb_server import Server
from scripts.throwaway import Throwaway
from tests.proxy import FaultProxy
from tests.questions import session

pytest_plugins = ("tests.engines",)


def test_errors_of_the_pool_are_no_disconnects(make_pool: Callable[..., Any]) -> None:
    import forksafe

    pool = make_pool(max_size=1, timeout=0.1)
    engine = create_engine("mysql+forksafe://", creator=pool.connect, poolclass=NullPool)
    with engine.connect(), pytest.raises(exc.OperationalError) as caught:
        engine.connect()
    assert isinstance(caught.value.orig, forksafe.PoolTimeout)
    assert not caught.value.connection_invalidated
    pool.close()
    with pytest.raises(exc.OperationalError) as caught:
        engine.connect()
    assert isinstance(caught.value.orig, forksafe.PoolClosed)
    assert not caught.value.connection_invalidated


@pytest.mark.parametrize("pre_ping", [False, True])
def test_a_session_killed_while_idle_is_not_lent(
    make_engine: Callable[..., Any], kill: Callable[..., None], transport: str, pre_ping: bool
) -> None:
    engine = make_engine(transport, pool_pre_ping=pre_ping, pool_size=1, max_overflow=0)
    for _ in range(3):
        with engine.connect() as connection:
            doomed = session(connection)
        kill(doomed)
        with engine.connect() as connection:
            assert session(connection) != doomed


@pytest.mark.slow
@pytest.mark.parametrize("pre_ping", [False, True])
def test_a_session_past_wait_timeout_is_not_lent(
    server: Server, make_engine: Callable[..., Any], transport: str, pre_ping: bool
) -> None:
    engine = make_engine(transport, pool_pre_ping=pre_ping)
    with server.variables(wait_timeout=1), engine.connect() as connection:
        own = session(connection)
    time.sleep(2)
    with engine.connect() as connection:
        assert session(connection) != own


def test_a_session_that_dies_in_use_is_a_disconnect(
    make_engine: Callable[..., Any], kill: Callable[..., None], transport: str
) -> None:
    engine = make_engine(transport)
    with engine.connect() as connection:
        kill(session(connection))
        with pytest.raises(exc.OperationalError) as caught:
            connection.execute(text("SELECT 1"))
        assert caught.value.connection_invalidated
        assert caught.value.orig.args[0] in (2006, 2013)
        connection.rollback()
        assert connection.scalar(text("SELECT 1")) == 1


def test_a_statement_killed_on_its_way_is_a_disconnect(
    server: Server, make_engine: Callable[..., Any], transport: str
) -> None:
    with make_engine(transport).connect() as connection:
        doomed = session(connection)
        killer = threading.Timer(0.3, lambda: server.kill_session(doomed))
        killer.start()
        with pytest.raises(exc.OperationalError) as caught:
            connection.execute(text("DO SLEEP(5)"))
        killer.join()
        assert (caught.value.orig.args[0], caught.value.connection_invalidated) == (2013, True)


def test_a_network_that_fails_is_a_disconnect(
    make_engine: Callable[..., Any], proxy: FaultProxy
) -> None:
    through = {"host": proxy.host, "port": proxy.port, "read_timeout": 1}
    engine = make_engine(url_options=through, pool_size=1, max_overflow=0)
    for fail in (proxy.swallow, proxy.hang, lambda: proxy.cut(3), lambda: proxy.cut_rst(3)):
        with engine.connect() as connection:
            session(connection)
            fail()
            with pytest.raises(exc.OperationalError) as caught:
                connection.execute(text("SELECT 1"))
            assert (caught.value.orig.args[0], caught.value.connection_invalidated) == (2013, True)
            proxy.pass_()
        with engine.connect() as connection:
            assert session(connection) > 0


def test_a_server_that_was_restarted_is_found_again(
    make_engine: Callable[..., Any], controlled_server: Throwaway
) -> None:
    engine = make_engine()
    for connection in [engine.connect() for _ in range(3)]:
        connection.close()
    controlled_server.restart()
    for _ in range(4):
        with engine.connect() as connection:
            assert connection.scalar(text("SELECT 7")) == 7
    controlled_server.stop()
    with pytest.raises(exc.OperationalError) as caught:
        engine.connect()
    assert caught.value.orig.args[0] in (2002, 2003)


def test_an_error_of_a_statement_is_no_disconnect(make_engine: Callable[..., Any]) -> None:
    with make_engine().connect() as connection:
        own = session(connection)
        for wrong in ("SELECT nonsense", "SELEC 1", "SELECT 1/0 FROM no_such_table"):
            with pytest.raises(exc.DBAPIError) as caught:
                connection.execute(text(wrong))
            assert not caught.value.connection_invalidated
        assert session(connection) == own


def test_a_connection_closed_behind_its_back_is_a_disconnect(
    make_engine: Callable[..., Any],
) -> None:
    with make_engine(poolclass=QueuePool).connect() as connection:
        connection.connection.dbapi_connection.close()
        with pytest.raises(exc.DBAPIError) as caught:
            connection.execute(text("SELECT 1"))
        assert caught.value.connection_invalidated


def test_an_error_without_arguments_is_judged_too(make_engine: Callable[..., Any]) -> None:
    import forksafe

    dialect = make_engine().dialect
    assert not dialect.is_disconnect(forksafe.OperationalError(), None, None)
    assert dialect.is_disconnect(forksafe.InterfaceError(2006, "closed"), None, None)
    assert not dialect.is_disconnect(ValueError(2006), None, None)
