"""`stream_results` of SQLAlchemy reads by a streaming cursor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from forksafe.cursors import Cursor, SSCursor
from tests.questions import session

pytest_plugins = ("tests.engines",)

ROWS = text("SELECT seq, REPEAT('x', 1000) FROM seq_1_to_20000")


@pytest.fixture(params=["SQLAlchemy's pool", "forksafe's pool"])
def engine(request: pytest.FixtureRequest, make_engine: Any, make_pool: Any) -> Any:
    """An engine on one connection."""
    if request.param == "SQLAlchemy's pool":
        return make_engine(pool_size=1, max_overflow=0)
    pool = make_pool(max_size=1)
    return create_engine("mysql+forksafe://", creator=pool.connect, poolclass=NullPool)


@pytest.mark.parametrize(
    "read",
    [
        lambda result: [row.seq for row in result],
        lambda result: [row.seq for part in result.partitions(700) for row in part],
        lambda result: result.scalars().all(),
        lambda result: [row.seq for row in result.yield_per(300)],
    ],
    ids=["rows", "partitions", "scalars", "yield_per"],
)
def test_rows_stream(engine: Any, read: Callable[[Any], list[int]]) -> None:
    with engine.connect() as connection:
        own = session(connection)
        result = connection.execution_options(stream_results=True).execute(ROWS)
        assert type(result.cursor) is SSCursor
        assert result.cursor.rowcount == -1
        assert read(result) == list(range(1, 20_001))
        assert session(connection) == own


def test_without_the_option_a_result_is_whole(engine: Any) -> None:
    with engine.connect() as connection:
        result = connection.execute(ROWS)
        assert type(result.cursor) is Cursor
        assert result.cursor.rowcount == 20_000


def test_a_result_that_is_closed_early_leaves_the_connection_well(engine: Any) -> None:
    streaming = {"stream_results": True, "max_row_buffer": 10}
    with engine.connect() as connection:
        own = session(connection)
        with connection.execute(ROWS, execution_options=streaming) as result:
            assert next(result).seq == 1
        assert session(connection) == own
        assert connection.execute(ROWS, execution_options=streaming).first().seq == 1
        assert session(connection) == own
    with engine.connect() as connection:
        assert session(connection) == own
