"""What happens to a pool is told as it happens, in the log by default."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import forksafe
from forksafe.events import LOGGER, Event, log
from scripts.mariadb_server import Server
from scripts.throwaway import Throwaway
from tests.answers import wait_until

MakePool = Callable[..., forksafe.Pool]


class Listener:
    """Notes the events that it is told of."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        self.events.append(event)

    @property
    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]

    def only(self, kind: str) -> Event:
        """The one event of its kind."""
        (event,) = [event for event in self.events if event.kind == kind]
        return event


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def unraisable(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What went to `sys.unraisablehook`."""
    told: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda what: told.append(what.exc_value))
    yield told
    monkeypatch.undo()


def test_a_connect_and_a_discard_are_told(make_pool: MakePool, listener: Listener) -> None:
    pool = make_pool(on_event=listener, name="shop")
    pool.connect().close()
    pool.drain()
    assert listener.kinds == ["connect", "discard"]
    connect, discard = listener.events
    assert (connect.pool, connect.pid) == ("shop", os.getpid())
    assert 0 < connect.details["took"] < 10
    assert connect.details["id"] == discard.details["id"] == 1
    assert connect.text.startswith("connection 1 was opened in ")
    assert discard.details == {"id": 1, "reason": "drained"}
    assert discard.text == "connection 1 is not kept: drained"


def test_an_event_is_a_frozen_dataclass(listener: Listener, make_pool: MakePool) -> None:
    make_pool(on_event=listener).connect().close()
    (event,) = listener.events
    assert isinstance(event, forksafe.events.Event)
    with pytest.raises(AttributeError):
        event.kind = "other"  # type: ignore[misc]


def test_each_reason_of_a_discard_is_told_by_its_word_in_the_stats(
    make_pool: MakePool, listener: Listener
) -> None:
    pool = make_pool(on_event=listener, recycle=0.05)
    pool.connect().close()
    wait_until(lambda: bool(pool.connect().close() or "discard" in listener.kinds))
    reason = listener.only("discard").details["reason"]
    assert pool.stats()["discards"][reason] == 1


def test_a_child_is_told_that_the_pool_was_made_anew(
    make_pool: MakePool, listener: Listener, in_child: Callable[..., Any]
) -> None:
    pool = make_pool(on_event=listener)
    connections = [pool.connect(), pool.connect()]
    connections.pop().close()
    listener.events.clear()

    def child() -> list[tuple[str, int, dict[str, Any]]]:
        pool.connect().close()
        return [(event.kind, event.pid, dict(event.details)) for event in listener.events]

    (fork, connect) = in_child(child)
    assert (fork[0], fork[2]) == ("fork", {"inherited": 2})
    assert fork[1] == connect[1] != os.getpid()
    assert connect[0] == "connect"
    assert listener.events == []


def test_a_child_that_leaves_the_pool_alone_tells_nothing(
    make_pool: MakePool, tmp_path: Any, in_child: Callable[..., Any]
) -> None:
    file = tmp_path / "told"
    pool = make_pool(on_event=lambda event: file.write_text(event.kind))
    pool.connect().close()
    file.unlink()
    in_child(os.getpid, leave="sys.exit")
    assert not file.exists()


def test_a_server_that_goes_and_comes_is_told_once_each(
    make_pool: MakePool, listener: Listener, controlled_server: Throwaway
) -> None:
    pool = make_pool(on_event=listener, connect_timeout=2)
    pool.connect().close()
    controlled_server.stop()
    for _ in range(5):
        with pytest.raises(forksafe.OperationalError):
            pool.connect()
    down = listener.only("server_down")
    assert "2003" in down.details["error"]
    assert "2003" in down.text
    assert "server_back" not in listener.kinds
    controlled_server.start()

    def lends() -> bool:
        try:
            pool.connect().close()
        except forksafe.OperationalError:
            return False
        return True

    wait_until(lends, 30)
    back = listener.only("server_back")
    assert back.details["after"] > 0
    assert back.details["failures"] >= 1
    assert listener.kinds.count("server_down") == 1


def test_workers_that_may_want_more_than_the_server_takes_are_told_once(
    make_pool: MakePool, listener: Listener
) -> None:
    pool = make_pool(on_event=listener, workers=1000, max_size=100)
    held = [pool.connect(), pool.connect()]
    details = listener.only("crowded").details
    assert (details["workers"], details["max_size"]) == (1000, 100)
    assert 0 < details["limit"] < 100_000
    assert "100000 connections" in listener.only("crowded").text
    assert len(held) == 2


def test_what_a_listener_raises_goes_to_the_unraisable_hook(
    make_pool: MakePool, unraisable: list[Any]
) -> None:
    def refuse(event: Event) -> None:
        raise LookupError(event.kind)

    pool = make_pool(on_event=refuse)
    pool.connect().close()
    pool.close()
    assert [error.args for error in unraisable] == [("connect",), ("discard",)]
    assert pool.stats()["in_use"] == 0


def test_ctrl_c_in_a_listener_is_ctrl_c(make_pool: MakePool) -> None:
    def interrupt(event: Event) -> None:
        raise KeyboardInterrupt

    pool = make_pool(on_event=interrupt, max_size=1, timeout=5)
    with pytest.raises(KeyboardInterrupt):
        pool.connect()
    pool.connect().close()
    assert len(pool) == 1


def test_a_listener_may_use_the_pool(make_pool: MakePool) -> None:
    seen = []

    def listen(event: Event) -> None:
        if seen:
            return
        seen.append(event.kind)
        with pool.connection(timeout=5) as connection:
            seen.append((pool.stats()["in_use"], connection.open))

    pool = make_pool(on_event=listen, max_size=2)
    pool.connect().close()
    assert seen == ["connect", (2, True)]


def test_with_nobody_to_listen_nothing_is_logged(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="forksafe.pool")
    with forksafe.Pool(server.url(), on_event=None) as pool:
        pool.connect().close()
    assert caplog.records == []


def test_events_are_logged_by_default(
    make_pool: MakePool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="forksafe.pool")
    pool = make_pool(name="shop", workers=1000)
    pool.connect().close()
    pool.close()
    where = f"pool 'shop' in process {os.getpid()}: "
    told = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert told[0][1].startswith(where + "connection 1 was opened in ")
    assert ("DEBUG", where + "connection 1 is not kept: closed") in told
    assert "WARNING" in [level for level, text in told if "1000 workers" in text]
    assert caplog.records[0].__dict__["event"].kind == "connect"


@pytest.mark.parametrize(
    ("kind", "level"),
    [
        ("server_down", "WARNING"),
        ("leak", "WARNING"),
        ("crowded", "WARNING"),
        ("server_back", "INFO"),
        ("reclaim", "INFO"),
        ("connect", "DEBUG"),
        ("discard", "DEBUG"),
        ("fork", "DEBUG"),
    ],
)
def test_each_kind_has_its_level(caplog: pytest.LogCaptureFixture, kind: str, level: str) -> None:
    caplog.set_level(logging.DEBUG, logger="forksafe.pool")
    log(Event(kind, "shop", 1, "text"))
    assert [record.levelname for record in caplog.records] == [level]
    caplog.clear()
    caplog.set_level(getattr(logging, level) + 1, logger="forksafe.pool")
    log(Event(kind, "shop", 1, "text"))
    assert caplog.records == []


@pytest.mark.parametrize("how", ["level", "disabled logger", "logging.disable"])
def test_what_is_not_logged_takes_no_lock_of_loggings(
    monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """A child of a fork that was made in C may have inherited that lock held, for ever."""

    def refuse(level: int) -> bool:
        raise AssertionError("it may take the lock")

    monkeypatch.setattr(LOGGER, "isEnabledFor", refuse)
    monkeypatch.setattr(LOGGER, "level", logging.ERROR if how == "level" else logging.DEBUG)
    monkeypatch.setattr(LOGGER, "disabled", how == "disabled logger")
    if how == "logging.disable":
        monkeypatch.setattr(logging.root.manager, "disable", logging.CRITICAL)
    log(Event("server_down", "shop", 1, "text"))
