"""A connection that died idle is replaced before the next statement; nothing is sent twice."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable

from django.utils.asyncio import async_unsafe

import forksafe

from .cursor import CursorWrapper
from .fork import ForkAwareWrapper


class HealingWrapper(ForkAwareWrapper):
    """A wrapper that looks at its socket before each statement, at no round trip.

    A dead connection is replaced outside transactions only, and only when nothing but the
    connection is lost. A session that held GET_LOCK, LOCK TABLES, a temporary table, user
    variables or a transaction begun by hand gets one OperationalError 2006 that says so; the
    statement after it works.
    """

    Database = forksafe
    #: How often the application itself has closed a live connection; its cursors end with it.
    closings = 0
    _connecting = False
    _ensuring = False
    #: Whether the next connection takes the place of a dead one whose autocommit was off.
    _manual_commit = False

    @async_unsafe
    def connect(self) -> None:
        """Connect, leaving no half-made connection behind when a step of it fails."""
        # A server that hangs up on each new connection must not be healed for ever.
        self._connecting = True
        try:
            super().connect()
            if self._manual_commit and self.autocommit:
                self.set_autocommit(False)
            self._manual_commit = False
            # What has been set so far, by receivers of `connection_created` too, is set again
            # on the next connection: only what comes from now on would vanish with this one.
            self.connection.forget_holds()
        except BaseException:
            self._close_quietly()
            raise
        finally:
            self._connecting = False

    @async_unsafe
    def ensure_connection(self) -> None:
        """Connect unless a connection is there, and replace one that died idle."""
        if self.has_died_idle():
            with self.wrap_database_errors:
                self.let_go(self._lost_with_session())
        if self.connection is not None:
            return
        if self._ensuring:
            # Django's method has a stand-in, as under its tests, which came back here.
            with self.wrap_database_errors:
                self.connect()
            return
        self._ensuring = True
        try:
            super().ensure_connection()
        finally:
            self._ensuring = False

    @async_unsafe
    def create_cursor(self, name: str | None = None) -> CursorWrapper:
        """Make a cursor that outlives the connection when that dies idle."""
        return CursorWrapper(self)

    @async_unsafe
    def close(self) -> None:
        """Close the connection; with a pool, check it in."""
        if self.connection is not None and _is_alive(self.connection):
            self.closings += 1
        self._manual_commit = False
        super().close()

    def close_if_unusable_or_obsolete(self) -> None:
        """Close what died idle, without opening another; judge the rest as Django does.

        A session that lost more than its connection is kept for the next statement to say so,
        unless CONN_MAX_AGE ends it here anyway.
        """
        self._manual_commit = False
        if not self.has_died_idle():
            super().close_if_unusable_or_obsolete()
        elif not self._lost_with_session() or self._is_of_age():
            self.close()

    def close_if_health_check_failed(self) -> None:
        """Ping once a request when CONN_HEALTH_CHECKS asks for it; the probe comes for free."""
        due = self.health_check_enabled and not self.health_check_done
        if not due or self.connection is None or self.has_died_idle():
            return
        self.health_check_done = True
        if self.is_usable():
            return
        if self.in_atomic_block:
            self.close()
            return
        with self.wrap_database_errors:
            self.let_go(self._lost_with_session())

    def is_usable(self) -> bool:
        """Tell whether the server answers on the connection; False without one."""
        if self.connection is None:
            return False
        try:
            self.connection.ping()
        except self.Database.Error:
            return False
        return True

    def has_died_idle(self) -> bool:
        """Tell whether the connection is dead, at a moment when another may take its place.

        Without autocommit a transaction ends by commit() or rollback() alone: replaced in its
        middle, the connection would let the rest of it be committed without its beginning.
        """
        held = self.connection
        return (
            held is not None
            and not self.in_atomic_block
            and not self._connecting
            and not _is_alive(held)
            and (self.autocommit or not held.open or not held.in_transaction)
        )

    def let_go(self, lost: Iterable[str] = ()) -> None:
        """Close a dead connection; its successor will have the same autocommit.

        Raises OperationalError 2006 when more than the connection was `lost`.
        """
        self._manual_commit = not self.autocommit
        self._close_quietly()
        if lost := ", ".join(lost):
            raise self.Database.OperationalError(
                2006,
                "the server has closed this idle connection, and what its session held is gone:"
                f" {lost}; nothing was sent, and the next statement gets a new session",
            )

    def _rollback(self) -> None:
        held = self.connection
        if held is None or self.in_atomic_block or _is_alive(held):
            super()._rollback()
            return
        # The server rolled back when it lost the session: what is left is to connect again.
        self.run_on_commit = []
        with self.wrap_database_errors:
            self.let_go(held.holds)
        self.ensure_connection()

    def _lost_with_session(self) -> tuple[str, ...]:
        held = self.connection
        if not held.open:
            return ()  # the application has closed it itself, past the wrapper
        return (*held.holds, "an open transaction") if held.in_transaction else held.holds

    def _close_quietly(self) -> None:
        dead, self.connection = self.connection, None
        if dead is not None:
            with contextlib.suppress(self.Database.Error):
                dead.discard()  # of a pool: what is unfit for us is unfit for the next, too

    def _is_of_age(self) -> bool:
        return self.close_at is not None and time.monotonic() >= self.close_at


def _is_alive(held: forksafe.Connection) -> bool:
    try:
        return held.probe()
    except forksafe.ProgrammingError:
        return True  # in use by another thread, which Django is about to complain of
