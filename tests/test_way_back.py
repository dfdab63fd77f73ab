"""What a borrower changed by a method of its connection is set right before the next one has it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import forksafe
from tests.answers import one

MakePool = Callable[..., forksafe.Pool]
BINARY = "SET NAMES utf8mb4 COLLATE utf8mb4_bin"
IS_BLIND_TO_CASE = "SELECT 'a' = 'A'"


def prepared(connection: forksafe.Connection, sql: str, *args: Any) -> Any:
    """The first value that a prepared statement answers."""
    with connection.cursor(prepared=True) as cursor:
        cursor.execute(sql, args)
        row = cursor.fetchone()
    assert row is not None
    return row[0]


def test_a_statement_prepared_in_another_character_set_is_not_the_next_borrowers(
    make_pool: MakePool,
) -> None:
    pool = make_pool(max_size=1)
    compare, tell = "SELECT 'a' = 'A', %s", "SELECT HEX(%s)"
    with pool.connection() as connection:
        connection.set_character_set("latin1", "latin1_bin")
        assert (prepared(connection, compare, 1), prepared(connection, tell, "é")) == (0, "E9")
    with pool.connection() as connection:
        assert (prepared(connection, compare, 1), prepared(connection, tell, "é")) == (1, "C3A9")
        assert prepared(connection, tell, "水") == "E6B0B4"


def test_the_way_back_leads_to_what_init_command_and_hooks_have_set(make_pool: MakePool) -> None:
    def configure(connection: forksafe.Connection) -> None:
        connection.cursor().execute(BINARY)

    for pool in (make_pool(max_size=1, init_command=BINARY), make_pool(configure=configure)):
        with pool.connection() as connection:
            assert one(connection, IS_BLIND_TO_CASE) == 0
            connection.set_character_set("latin1")
            assert one(connection, IS_BLIND_TO_CASE) == 1
        with pool.connection() as connection:
            assert one(connection, IS_BLIND_TO_CASE) == 0
        assert pool.stats()["connections_num"] == 1


def test_what_a_hook_sets_by_a_method_is_what_every_borrower_has(make_pool: MakePool) -> None:
    pool = make_pool(max_size=1, configure=lambda conn: conn.set_character_set("latin1"))
    for _ in range(2):
        with pool.connection() as connection:
            assert connection.character_set_name() == "latin1"
            assert one(connection, "SELECT HEX('é')") == "E9"
            connection.set_character_set("utf8mb4")
            assert one(connection, "SELECT HEX('é')") == "C3A9"


def test_the_next_borrower_has_the_default_database_that_was_asked_for(
    make_pool: MakePool,
) -> None:
    pool = make_pool(max_size=1)
    with pool.connection() as connection:
        home = one(connection, "SELECT DATABASE()")
        connection.select_db("information_schema")
    with pool.connection() as connection:
        assert one(connection, "SELECT DATABASE()") == home
    assert pool.stats()["connections_num"] == 1


def test_where_there_is_no_database_to_go_back_to_the_connection_is_not_lent_again(
    make_pool: MakePool,
) -> None:
    pool = make_pool(max_size=1, database=None)
    with pool.connection() as connection:
        connection.select_db("information_schema")
    with pool.connection() as connection:
        assert one(connection, "SELECT DATABASE()") is None
    assert pool.stats()["connections_num"] == 2


@pytest.mark.parametrize("autocommit", [None, True, False])
def test_the_next_borrower_has_autocommit_as_it_was(
    make_pool: MakePool, autocommit: bool | None
) -> None:
    pool = make_pool(max_size=1, autocommit=autocommit)
    with pool.connection() as connection:
        before = connection.get_autocommit()
        connection.autocommit(not before)
    with pool.connection() as connection:
        assert connection.get_autocommit() == before


def test_a_result_that_nobody_keeps_is_in_nobodys_way(make_pool: MakePool) -> None:
    connection = make_pool(max_size=1).connect()
    connection.query("SELECT seq FROM seq_1_to_100000")
    result = connection.use_result()
    assert result is not None
    assert result.fetch_row() == ((1,),)
    del result
    assert one(connection, "SELECT 7") == 7
    connection.query("SELECT seq FROM seq_1_to_10000")
    result = connection.use_result()
    connection.query("SELECT seq + 1 FROM seq_1_to_10000")
    result = connection.use_result()  # and the one before goes now
    assert result is not None
    assert len(result.fetch_row(0)) == 10_000
