"""SQLAlchemy's events tell of forksafe's connections, whoever pools them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import create_engine, event, exc, text
from sqlalchemy.pool import NullPool

import forksafe
from tests.questions import session

pytest_plugins = ("tests.engines",)

MakeEngine = Callable[..., Any]


def listen(engine: Any, *names: str) -> list[str]:
    """The names of the events, as they come."""
    heard: list[str] = []
    for name in names:
        event.listen(engine, name, lambda *_, name=name, **__: heard.append(name))
    return heard


POOL = ("first_connect", "connect", "checkout", "checkin", "reset", "close", "invalidate")


def test_the_events_of_sqlalchemys_pool_come_in_order(make_engine: MakeEngine) -> None:
    engine = make_engine(pool_size=1, max_overflow=0)
    heard = listen(engine, *POOL)
    for _ in range(2):
        with engine.connect() as connection:
            session(connection)
    again = ["checkout", "reset", "checkin"]
    assert heard == ["connect", "first_connect", *again, *again]
    heard.clear()
    engine.dispose()
    assert heard == ["close"]


def test_with_forksafes_pool_a_connection_is_new_to_sqlalchemy_each_time(
    make_pool: Callable[..., Any],
) -> None:
    pool = make_pool(max_size=1)
    engine = create_engine("mysql+forksafe://", creator=pool.connect, poolclass=NullPool)
    heard = listen(engine, *POOL)
    for _ in range(2):
        with engine.connect() as connection:
            session(connection)
    again = ["checkout", "reset", "checkin", "close"]
    assert heard == ["connect", "first_connect", *again, "connect", *again]
    assert pool.stats()["connections_num"] == 1


def test_a_connection_of_an_event_is_the_drivers(make_either_engine: MakeEngine) -> None:
    engine = make_either_engine()

    @event.listens_for(engine, "connect")
    def greet(connection: forksafe.Connection, record: Any) -> None:
        assert isinstance(connection, forksafe.Connection)
        with connection.cursor() as cursor:
            cursor.execute("SET @greeting = 'hello'")

    with engine.connect() as connection:
        assert connection.scalar(text("SELECT @greeting")) == "hello"


def test_options_may_be_changed_just_before_a_connection_is_opened(
    make_engine: MakeEngine,
) -> None:
    engine = make_engine()

    @event.listens_for(engine, "do_connect")
    def with_a_token(dialect: Any, record: Any, arguments: Any, options: Any) -> None:
        options["password"] = (lambda password: lambda: password)(options["password"])
        options["init_command"] = "SET @token = 1"

    with engine.connect() as connection:
        assert connection.scalar(text("SELECT @token")) == 1


def test_statements_are_seen_and_may_be_changed(make_either_engine: MakeEngine) -> None:
    engine = make_either_engine()
    seen = []

    @event.listens_for(engine, "before_cursor_execute", retval=True)
    def comment(
        connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool
    ) -> tuple[str, Any]:
        return f"{statement} /* seen */", parameters

    @event.listens_for(engine, "after_cursor_execute")
    def note(connection: Any, cursor: Any, *_: Any) -> None:
        seen.append((cursor._executed, cursor.rowcount))

    with engine.connect() as connection:
        assert connection.scalar(text("SELECT :a + 1"), {"a": 1}) == 2
    assert (b"SELECT 1 + 1 /* seen */", 1) in seen


def test_an_error_is_told_and_may_be_called_a_disconnect(make_either_engine: MakeEngine) -> None:
    engine = make_either_engine()
    told = []

    @event.listens_for(engine, "handle_error")
    def note(context: Any) -> None:
        told.append((context.original_exception.args[0], context.is_disconnect))
        context.is_disconnect = True

    with engine.connect() as connection:
        own = session(connection)
        with pytest.raises(exc.ProgrammingError) as caught:
            connection.execute(text("SELECT nonsense FROM nowhere"))
        assert caught.value.connection_invalidated
        connection.rollback()
        assert session(connection) != own
    assert told == [(1146, False)]


def test_ends_of_transactions_are_told(make_either_engine: MakeEngine) -> None:
    names = ("begin", "commit", "rollback", "savepoint", "release_savepoint", "rollback_savepoint")
    engine = make_either_engine()
    with engine.connect() as connection:
        session(connection)  # what a first connection asks for is no event of the program's
    heard = listen(engine, *names)
    with engine.begin() as connection:
        with connection.begin_nested():
            session(connection)
        connection.begin_nested().rollback()
    with engine.connect() as connection:
        session(connection)
    one, other = ["savepoint", "release_savepoint"], ["savepoint", "rollback_savepoint"]
    assert heard == ["begin", *one, *other, "commit", "begin", "rollback"]
