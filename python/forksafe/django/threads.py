"""A thread that ends gives back what its wrappers hold."""

from __future__ import annotations

import contextlib
import threading
import weakref
from typing import TYPE_CHECKING

from forksafe import Error

if TYPE_CHECKING:
    from .pool import PooledWrapper


class ThreadEnd:
    """Is let go of by its thread alone, and then closes the connections of the wrappers in it.

    A wrapper goes with its thread too, but it and its parts refer to each other: it would keep
    its connection, and its place in the pool, until the garbage collector comes.
    """

    def __init__(self) -> None:
        self.wrappers: weakref.WeakSet[PooledWrapper] = weakref.WeakSet()

    def __del__(self) -> None:
        for wrapper in self.wrappers:
            held = wrapper.connection
            if held is not None and not wrapper.allow_thread_sharing:
                with contextlib.suppress(Error):
                    held.close()


class _Thread(threading.local):
    def __init__(self) -> None:
        self.end = ThreadEnd()


_thread = _Thread()


def close_at_thread_end(wrapper: PooledWrapper) -> None:
    """Have the wrapper's connection closed when the current thread ends."""
    _thread.end.wrappers.add(wrapper)
