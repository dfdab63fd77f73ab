"""A cursor's methods scroll, callproc, executemany and close, as MySQLdb has them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import forksafe

Connect = Callable[..., forksafe.Connection]
Table = Callable[..., str]


def test_a_result_can_be_scrolled_in(connect: Connect) -> None:
    cursor = connect().cursor()
    with pytest.raises(forksafe.ProgrammingError):
        cursor.scroll(1)
    cursor.execute("SELECT 0 UNION ALL SELECT 1 UNION ALL SELECT 2")
    cursor.scroll(2)
    assert cursor.fetchone() == (2,)
    cursor.scroll(-2)
    assert cursor.fetchone() == (1,)
    cursor.scroll(0, "absolute")
    assert cursor.rownumber == 0
    for value, mode in [(3, "relative"), (-1, "relative"), (3, "absolute"), (-1, "absolute")]:
        with pytest.raises(IndexError):
            cursor.scroll(value, mode)
    assert cursor.fetchone() == (0,)
    with pytest.raises(forksafe.ProgrammingError, match="relative"):
        cursor.scroll(1, "sideways")


def test_a_streaming_cursor_scrolls_forwards_alone(connect: Connect) -> None:
    cursor = connect().cursor(forksafe.cursors.SSCursor)
    cursor.execute("SELECT 0 UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3")
    cursor.scroll(1)
    assert cursor.fetchone() == (1,)
    cursor.scroll(3, "absolute")
    with pytest.raises(forksafe.NotSupportedError, match="go back"):
        cursor.scroll(-1)
    assert cursor.fetchone() == (3,)
    with pytest.raises(IndexError):
        cursor.scroll(1)


def test_a_procedures_name_cannot_be_a_statement(connect: Connect) -> None:
    cursor = connect().cursor()
    cursor.execute("DROP PROCEDURE IF EXISTS `odd``name.x`")
    cursor.execute("CREATE PROCEDURE `odd``name.x` (a INT) SELECT a * 2")
    try:
        cursor.callproc("odd`name.x", (21,))
        assert cursor.fetchall() == ((42,),)
        cursor.close()
        cursor = connect().cursor()
        with pytest.raises(forksafe.OperationalError, match="1305"):
            cursor.callproc("x(); DROP TABLE t; --")
    finally:
        connect().cursor().execute("DROP PROCEDURE `odd``name.x`")


def test_one_insert_of_many_rows_is_as_long_as_the_class_says(
    connect: Connect, table: Table
) -> None:
    class Short(forksafe.Cursor):
        max_stmt_length = 60

    name = table("a INT")
    cursor = connect().cursor(Short)
    assert cursor.executemany(f"INSERT INTO {name} VALUES (%s)", [(n,) for n in range(100)]) == 100
    assert cursor._executed is not None
    assert len(cursor._executed) <= 60


def test_a_closed_cursor_still_knows_what_its_statement_did(connect: Connect, table: Table) -> None:
    name = table("id INT AUTO_INCREMENT PRIMARY KEY, a INT")
    cursor = connect().cursor()
    cursor.execute(f"INSERT INTO {name} (a) VALUES (1), (2)")
    cursor.close()
    assert (cursor.rowcount, cursor.lastrowid) == (2, 1)
    assert cursor.description is None
    with pytest.raises(forksafe.ProgrammingError, match="closed"):
        cursor.fetchone()
