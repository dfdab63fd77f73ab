"""A statement that Ctrl-C has ended here is ended on the server too, and no other one is."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

import forksafe
from forksafe.cursors import SSCursor
from scripts.mariadb_server import Server
from scripts.throwaway_mariadb import ThrowawayMariaDB
from tests import signals, watched
from tests.credentials import Account
from tests.proxy import FaultProxy
from tests.signals import cut_off, until, until_running

witness = watched.witness
pytest_plugins = ("tests.credential_fixtures",)

Connect = Callable[..., forksafe.Connection]
MARK = "600 > 1"  # in the text of each statement that waits


@pytest.fixture
def locked(server: Server, table: Any, witness: watched.Witness) -> Iterator[str]:
    """A statement that waits for a row, for longer than a test may last.

    While it does, the server does not notice that a client has gone.
    """
    name = table("id INT PRIMARY KEY, a INT")
    holder = watched.Witness(server)
    holder.ask(f"INSERT INTO {name} VALUES (1, 0)")
    holder.ask("BEGIN")
    holder.ask(f"SELECT * FROM {name} FOR UPDATE")
    yield f"UPDATE {name} SET a = a + 1 WHERE {MARK}"
    holder.connection.close()


def killed(witness: watched.Witness, connection: forksafe.Connection, act: Any) -> BaseException:
    """What comes out of `act` under Ctrl-C; the server has no such session any more then."""
    session = connection.thread_id()
    error = cut_off(act, lambda: until_running(witness, session, MARK))
    until(lambda: not listed(witness, session))
    return error


def listed(witness: watched.Witness, session: int) -> bool:
    """Whether the server has such a session."""
    return bool(witness.ask(f"SELECT 1 FROM information_schema.PROCESSLIST WHERE ID = {session}"))


def test_ctrl_c_ends_the_statement_on_the_server_and_nothing_else(
    connect: Connect, transport: str, locked: str, witness: watched.Witness
) -> None:
    innocent = connect(transport)
    connection = connect(transport)
    killed(witness, connection, lambda: connection.cursor().execute(locked))
    with pytest.raises(forksafe.OperationalError) as caught:
        connection.ping()
    assert caught.value.args[0] == 2006
    assert not connection.probe()
    innocent.ping()


@pytest.mark.parametrize("kind", ["prepared", "streaming", "several", "parameters"])
def test_however_the_statement_was_sent(
    connect: Connect, locked: str, witness: watched.Witness, kind: str
) -> None:
    connection = connect()
    cursor = connection.cursor(SSCursor if kind == "streaming" else None)
    sql, args = locked, None
    if kind == "prepared":
        cursor = connection.cursor(prepared=True)
        sql, args = locked.replace("+ 1", "+ %s"), (1,)
    elif kind == "streaming":
        sql = f"SELECT 1, SLEEP(IF(seq = 9000, 600, 0)) FROM seq_1_to_9000 WHERE {MARK}"
    elif kind == "several":
        sql = f"SELECT 1; {locked}; SELECT 2"
    else:
        sql, args = locked.replace("+ 1", "+ %s"), (1,)

    def act() -> None:
        cursor.execute(sql, args)
        cursor.fetchall()
        cursor.nextset()

    killed(witness, connection, act)


def test_a_connection_of_a_pool_is_discarded_and_another_one_lent(
    make_pool: Any, locked: str, witness: watched.Witness
) -> None:
    pool = make_pool(max_size=1)
    with pytest.raises(KeyboardInterrupt), pool.connection() as connection:
        error = killed(witness, connection, lambda: connection.cursor().execute(locked))
        raise error
    assert pool.stats()["discards"]["broken"] == 1
    with pool.connection() as connection:
        connection.ping()


def test_what_any_handler_raises_ends_it(
    connect: Connect, locked: str, witness: watched.Witness
) -> None:
    connection = connect()
    session = connection.thread_id()
    cut_off(
        lambda: connection.cursor().execute(locked),
        lambda: until_running(witness, session),
        signal.SIGUSR1,
        signals.Raised,
    )
    until(lambda: not listed(witness, session))


def test_several_hosts_it_is_ended_where_it_runs(
    connect: Connect, server: Server, locked: str, witness: watched.Witness
) -> None:
    connection = connect(host=f"127.0.0.1:1,127.0.0.1:{server.port}", port=None)
    killed(witness, connection, lambda: connection.cursor().execute(locked))


def test_a_procedure_is_ended(
    connect: Connect, server: Server, locked: str, witness: watched.Witness
) -> None:
    connection, name = connect(), f"waits{os.getpid()}"
    cursor = connection.cursor()
    cursor.execute(f"CREATE PROCEDURE {name}() BEGIN SELECT 1; {locked}; END")
    cursor.callproc(name)
    killed(witness, connection, cursor.nextset)
    server.execute_as_root(f"DROP PROCEDURE {server.database}.{name}")


@pytest.mark.parametrize("transport", ["tcp", "tls", "compress"])
def test_through_a_proxy_it_is_ended_as_well(
    connect: Connect, transport: str, proxy: FaultProxy, locked: str, witness: watched.Witness
) -> None:
    connection = connect(transport, host=proxy.host, port=proxy.port)
    killed(witness, connection, lambda: connection.cursor().execute(locked))


@pytest.mark.parametrize("lifetime", [None, 3600, 0.01])
def test_a_password_callable_is_asked_again_only_where_its_answer_is_no_longer_good(
    account: Account, locked: str, witness: watched.Witness, lifetime: float | None
) -> None:
    def password() -> Any:
        return (account.token(), lifetime) if lifetime else account.token()

    connection = forksafe.connect(**account.options(password=password))
    killed(witness, connection, lambda: connection.cursor().execute(locked))
    assert account.calls == (2 if lifetime == 0.01 else 1)


def test_a_password_that_was_changed_is_asked_for(
    account: Account, locked: str, witness: watched.Witness
) -> None:
    connection = forksafe.connect(**account.options())
    account.rotate()
    killed(witness, connection, lambda: connection.cursor().execute(locked))
    assert account.calls == 2


def test_a_session_with_the_same_number_on_another_server_is_left_alone() -> None:
    sql = f"SELECT SLEEP(600), {MARK}"
    with ThrowawayMariaDB(tls=False) as ours, ThrowawayMariaDB(tls=False) as other:
        balancer = FaultProxy(ours.host, ours.port)
        account = {**ours.connect_kwargs(), "port": balancer.port}
        connection = forksafe.connect(**account)
        innocent = forksafe.connect(**other.connect_kwargs())
        while innocent.thread_id() < connection.thread_id():
            innocent = forksafe.connect(**other.connect_kwargs())
        while innocent.thread_id() > connection.thread_id():
            connection = forksafe.connect(**account)
        number = connection.thread_id()
        assert number == innocent.thread_id()
        watching, there = watched.Witness(ours), watched.Witness(other)
        with signals.in_thread(lambda: innocent.cursor().execute(sql)):
            until_running(there, number, MARK)
            balancer.turn(other.port)

            def act() -> None:
                connection.cursor().execute(sql)

            cut_off(act, lambda: until_running(watching, number, MARK))
            assert there.ask("SHOW GLOBAL STATUS LIKE 'Com_kill'") == [("Com_kill", "0")]
            assert listed(there, number)
            there.ask(f"KILL QUERY {number}")
        innocent.ping()
        watching.connection.close()
        there.connection.close()
        balancer.close()


def test_a_second_signal_ends_the_wait_for_that(
    connect: Connect, proxy: FaultProxy, locked: str, witness: watched.Witness
) -> None:
    def begun() -> None:
        until_running(witness, session, MARK)
        proxy.hang()
        arrived = proxy.stats()["total"]
        os.kill(os.getpid(), signal.SIGINT)
        until(lambda: proxy.stats()["total"] > arrived)

    for _ in range(5):
        proxy.pass_()
        connection = connect(host=proxy.host, port=proxy.port)
        session = connection.thread_id()
        # On a busy machine the wait may be over before the second signal comes.
        with signals.raising(signal.SIGINT, KeyboardInterrupt), suppress(KeyboardInterrupt):
            error = cut_off(
                partial(connection.cursor().execute, locked),
                begun,
                signal.SIGUSR1,
                signals.Raised,
            )
            assert isinstance(error.__context__, KeyboardInterrupt)
            return
    pytest.fail("no second signal has ended the wait")


@pytest.mark.parametrize("fault", ["hang", "refuse"])
def test_where_no_second_session_can_be_had_nothing_is_said_of_it(
    connect: Connect, proxy: FaultProxy, locked: str, witness: watched.Witness, fault: str
) -> None:
    connection = connect(host=proxy.host, port=proxy.port)
    session = connection.thread_id()

    def begun() -> None:
        until_running(witness, session, MARK)
        getattr(proxy, fault)()

    error = cut_off(lambda: connection.cursor().execute(locked), begun)
    assert (error.args, error.__context__, error.__cause__) == ((), None, None)
    assert not connection.probe()


def test_a_child_that_a_handler_forks_kills_nothing(
    connect: Connect, transport: str, witness: watched.Witness
) -> None:
    connection = connect(transport)
    parent, children = os.getpid(), []

    def handle(*_: object) -> None:
        children.append(os.fork())
        if children == [0]:
            signal.alarm(20)
            raise signals.Raised
        assert os.waitpid(children[0], 0)[1] == 0, "the child hung, or met an error"
        witness.release_locks()

    statement = witness.hold_a_lock()
    session = connection.thread_id()
    with (
        signals.handler(signal.SIGUSR1, handle),
        signals.in_thread(
            lambda: (witness.wait_until_waiting(session), os.kill(parent, signal.SIGUSR1))
        ),
        connection.cursor() as cursor,
    ):
        try:
            cursor.execute(statement)
        except signals.Raised:
            os._exit(0 if os.getpid() != parent else 1)
        assert cursor.fetchone() == (1, "answer")
    assert connection.thread_id() == session
    connection.ping()


def test_a_read_time_out_leaves_the_statement_to_the_server(
    connect: Connect, server: Server, table: Any, witness: watched.Witness
) -> None:
    name, holder = table("id INT PRIMARY KEY, a INT"), watched.Witness(server)
    holder.ask(f"INSERT INTO {name} VALUES (1, 0)")
    holder.ask("BEGIN")
    holder.ask(f"SELECT * FROM {name} FOR UPDATE")
    connection = connect(autocommit=True, read_timeout=0.4)
    with pytest.raises(forksafe.OperationalError) as caught:
        connection.cursor().execute(f"UPDATE {name} SET a = 1")
    assert caught.value.args[0] == 2013
    holder.ask("COMMIT")
    until(lambda: witness.ask(f"SELECT a FROM {name}") == [(1,)])
    holder.connection.close()
