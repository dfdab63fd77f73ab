"""Several statements in one text, and an error among them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import forksafe
from forksafe.cursors import Cursor, SSCursor

Connect = Callable[..., forksafe.Connection]
MakePool = Callable[..., forksafe.Pool]
KINDS = pytest.mark.parametrize("kind", [Cursor, SSCursor])


def rows(connection: forksafe.Connection, sql: str) -> list[Any]:
    """The rows of `sql`."""
    with connection.cursor(Cursor) as cursor:
        cursor.execute(sql)
        return [row[0] for row in cursor.fetchall()]


@KINDS
@pytest.mark.parametrize("place", [0, 1, 2])
def test_what_comes_before_an_error_is_done_and_what_follows_is_not(
    connect: Connect, table: Any, kind: type[Cursor], place: int
) -> None:
    connection, name = connect(autocommit=True), table("id INT PRIMARY KEY")
    statements = [f"INSERT INTO {name} VALUES ({number})" for number in range(4)]
    statements[place] = "SELECT * FROM nowhere"
    cursor = connection.cursor(kind)

    def run() -> None:
        cursor.execute("; ".join(statements))
        while cursor.nextset():
            pass

    with pytest.raises(forksafe.ProgrammingError) as caught:
        run()
    assert caught.value.args[0] == 1146
    assert not cursor.nextset()
    assert rows(connection, f"SELECT id FROM {name} ORDER BY id") == list(range(place))


@KINDS
@pytest.mark.parametrize("end", ["close", "execute", "rollback"])
def test_an_error_that_nobody_has_read_is_told_and_the_connection_goes_on(
    connect: Connect, kind: type[Cursor], end: str
) -> None:
    connection = connect()
    cursor = connection.cursor(kind)
    cursor.execute("SELECT 1; SELECT * FROM nowhere; SELECT 2")
    if end == "rollback":
        # It is another cursor's to read on.
        with pytest.raises(forksafe.ProgrammingError) as caught:
            connection.rollback()
        assert caught.value.args[0] == 2014
        end = "close"
    with pytest.raises(forksafe.ProgrammingError) as caught:
        cursor.close() if end == "close" else cursor.execute("SELECT 3")
    assert caught.value.args[0] == 1146
    assert rows(connection, "SELECT 4") == [4]


@KINDS
def test_a_pool_takes_back_a_connection_whose_unread_answer_is_an_error(
    make_pool: MakePool, kind: type[Cursor]
) -> None:
    pool = make_pool(max_size=1)
    connection = pool.connect()
    connection.cursor(kind).execute("SELECT 1; SELECT * FROM nowhere")
    connection.close()
    for _ in range(2):
        with pool.connection() as connection:
            assert rows(connection, "SELECT 5") == [5]
    assert pool.stats()["in_use"] == 0


def test_answers_of_every_kind_come_in_their_order(connect: Connect, table: Any) -> None:
    connection, name = connect(autocommit=True), table("id INT AUTO_INCREMENT PRIMARY KEY")
    cursor = connection.cursor()
    cursor.execute(
        f"INSERT INTO {name} VALUES (5); SELECT 'a;b'; SET @x = ';';"
        f" INSERT INTO {name} VALUES (NULL), (NULL); SELECT id FROM {name}"
    )
    seen: list[Any] = [(cursor.rowcount, cursor.lastrowid)]
    while cursor.nextset():
        seen.append(
            cursor.fetchall() if cursor.description else (cursor.rowcount, cursor.lastrowid)
        )
    assert seen == [(1, 5), (("a;b",),), (0, 0), (2, 6), ((5,), (6,), (7,))]


def test_several_statements_can_be_forbidden(connect: Connect) -> None:
    connection = connect(multi_statements=False)
    with pytest.raises(forksafe.ProgrammingError) as caught:
        connection.cursor().execute("SELECT 1; SELECT 2")
    assert caught.value.args[0] == 1064
    assert rows(connection, "SELECT 3") == [3]
