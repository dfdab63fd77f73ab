"""Mishaps of one caller are not those of others, and none goes unheard."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest

import forksafe
from scripts.mariadb_server import Server
from tests import signals

MakePool = Callable[..., forksafe.Pool]
Table = Callable[[str], str]

#: A password callable takes it longer than the impatient caller waits.
SLOW, IMPATIENT = 0.3, 0.1


def test_a_caller_in_a_hurry_does_not_take_the_pool_down(server: Server) -> None:
    options: Any = server.connect_kwargs()
    password, asked = options.pop("password"), threading.Event()

    def token() -> str:
        asked.set()
        threading.Event().wait(SLOW)
        return str(password)

    with forksafe.Pool(**options, password=token, on_event=None) as pool:
        hurried: list[forksafe.OperationalError] = []

        def hurry() -> None:
            with pytest.raises(forksafe.OperationalError) as caught:
                pool.connect(timeout=IMPATIENT)
            hurried.append(caught.value)

        thread = threading.Thread(target=hurry)
        thread.start()
        assert asked.wait(10)
        thread.join()
        assert "password callable did not answer" in str(hurried[0])
        assert pool.stats()["down_for"] is None
        # The call that nobody waits for any more must end before there can be another.
        threading.Event().wait(SLOW)
        pool.connect().close()


def test_ctrl_c_in_a_hook_outlives_a_connection_that_is_collected(
    make_pool: MakePool,
) -> None:
    others, lost = make_pool(on_event=None), []

    def listen(event: forksafe.events.Event) -> None:
        if event.kind == "discard":
            lost.clear()

    def check(_: forksafe.Connection) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        threading.Event().wait(10)

    pool = make_pool(max_size=1, on_event=listen, check=check)
    pool.connect().close()
    lost.append(others.connect())
    with signals.raising(signal.SIGINT, KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        pool.connect()
    assert not lost
    assert others.stats()["in_use"] == 0


def test_a_block_that_is_entered_twice_keeps_its_transaction(
    make_pool: MakePool, table: Table
) -> None:
    pool, name = make_pool(), table("id INT")
    block = pool.connection()
    with block as connection:
        with pytest.raises(forksafe.ProgrammingError, match="entered twice"), block:
            pass
        connection.cursor().execute(f"INSERT INTO {name} VALUES (1)")
    assert not connection.open
    with pool.connection() as connection:
        cursor = connection.cursor()
        cursor.execute(f"SELECT COUNT(*) FROM {name}")
        assert cursor.fetchone() == (1,)
    assert pool.stats()["in_use"] == 0
