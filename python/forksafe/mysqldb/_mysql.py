"""What mysqlclient has in C: the plain connection, its results, and escaping without one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import _forksafe
from .._forksafe import Result as result
from . import _exceptions
from ._exceptions import *  # noqa: F403 (MySQLdb has them here too)
from .release import __version__, version_info

__all__ = [
    "__version__",
    "connect",
    "connection",
    "debug",
    "escape",
    "escape_string",
    "get_client_info",
    "result",
    "string_literal",
    "version_info",
]
__all__ += _exceptions.__all__

_ESCAPED = {
    0: b"\\0",
    ord("\n"): b"\\n",
    ord("\r"): b"\\r",
    0x1A: b"\\Z",
    ord("'"): b"\\'",
    ord('"'): b'\\"',
    ord("\\"): b"\\\\",
}


class connection(_forksafe.Connection):
    """A connection as `forksafe.Connection` is; `MySQLdb.connections.Connection` adds to it."""


def connect(*args: Any, **options: Any) -> connection:
    """Open a connection: `MySQLdb.connections.Connection`."""
    from .connections import Connection  # it extends the class above

    return Connection(*args, **options)


def escape_string(value: str | bytes) -> bytes:
    """`value` escaped to stand between single quotes, in UTF-8.

    For a server that takes a backslash as an escape. A connection knows whether it does:
    `connection.escape_string()`, or better, parameters of `execute()`.
    """
    data = value.encode() if isinstance(value, str) else bytes(value)
    return b"".join(_ESCAPED.get(byte) or bytes((byte,)) for byte in data)


def string_literal(value: object) -> bytes:
    """`value`, or its `str()`, in single quotes, in UTF-8; see `escape_string()`."""
    data = value if isinstance(value, (str, bytes, bytearray)) else str(value)
    return b"'" + escape_string(bytes(data) if isinstance(data, bytearray) else data) + b"'"


def escape(value: object, mapping: Mapping[Any, Any]) -> Any:
    """What `mapping` has for the type of `value` makes of it; else it is a string literal.

    Raises TypeError where `mapping` is none.
    """
    if not isinstance(mapping, Mapping):
        raise TypeError("argument 2 must be a mapping")
    encode = mapping.get(type(value))
    return string_literal(value) if encode is None else encode(value, mapping)


def get_client_info() -> str:
    """The version of the client library, which is forksafe itself."""
    return f"forksafe {_forksafe.__version__}"


def debug(options: str) -> None:
    """Raises NotSupportedError: there is no C library whose debugging could be switched on."""
    raise _exceptions.NotSupportedError(
        2000, "there is no C library to debug; set the server's log, or use on_event of a pool"
    )
