from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from os import PathLike
from types import GenericAlias, TracebackType
from typing import Any, ClassVar, Generic, Literal, TypeAlias, TypedDict, final, overload

from typing_extensions import Self, TypeVar, Unpack, disjoint_base

from . import exceptions
from .events import Event

__all__ = ["Connection", "Cursor", "Pool", "Stamp", "__version__", "connect"]

__version__: str

_T = TypeVar("_T")
_Path: TypeAlias = str | PathLike[str]
_Row: TypeAlias = tuple[Any, ...]
_RowT = TypeVar("_RowT", default=_Row)
_Args: TypeAlias = Sequence[Any] | Mapping[str, Any] | None
_Column: TypeAlias = tuple[str, int, int | None, int, int, int, bool]
_Conversions: TypeAlias = dict[Any, Any]
_Token: TypeAlias = str | tuple[str, float]
_Credential: TypeAlias = str | Callable[[], _Token] | None
_Hook: TypeAlias = Callable[[Connection], object]
_SslMode: TypeAlias = Literal["DISABLED", "PREFERRED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY"]

class _SslOptions(TypedDict, total=False):
    ca: _Path
    cert: _Path
    key: _Path
    check_hostname: bool

class _ConnectOptions(TypedDict, total=False):
    host: str | None
    host_order: Literal["listed", "random"]
    user: _Credential
    password: _Credential
    passwd: _Credential
    credential_timeout: float | None
    database: str | None
    db: str | None
    port: int
    unix_socket: _Path | None
    charset: str
    collation: str | None
    connect_timeout: float | None
    read_timeout: float | None
    write_timeout: float | None
    autocommit: bool | None
    init_command: str | None
    sql_mode: str | None
    client_flag: int
    multi_statements: bool
    local_infile: bool
    compress: bool
    prepared_cache_size: int
    use_unicode: bool
    ssl: bool | _SslOptions | None
    ssl_mode: _SslMode | None
    ssl_ca: _Path | None
    ssl_cert: _Path | None
    ssl_key: _Path | None
    ssl_check_hostname: bool | None
    server_public_key_path: _Path | None
    get_server_public_key: bool
    conv: _Conversions | None
    cursorclass: type[Any] | None

class _PoolOptions(_ConnectOptions, total=False):
    min_size: int
    max_size: int
    timeout: float
    max_waiting: int
    recycle: float | None
    max_idle: float | None
    pre_ping: bool
    ping_after: float
    reset: Literal["rollback", "session", "none"] | _Hook
    configure: _Hook | None
    check: _Hook | None
    on_event: Callable[[Event], object] | None
    leak_after: float | None
    workers: int | None
    name: str | None

class _Discards(TypedDict):
    expired: int
    idle: int
    broken: int
    inherited: int
    closed: int
    read_only: int
    drained: int
    surplus: int

class _Times(TypedDict):
    count: int
    p50: float
    p99: float
    max: float

class _Lease(TypedDict):
    thread: str
    seconds: float
    where: str | None
    leaked: bool

class _Stats(TypedDict):
    pool_min: int
    pool_max: int
    pool_size: int
    pool_available: int
    requests_waiting: int
    requests_num: int
    requests_queued: int
    requests_wait_ms: int
    requests_errors: int
    usage_ms: int
    returns_bad: int
    connections_num: int
    connections_ms: int
    connections_errors: int
    connections_lost: int
    pid: int
    name: str
    closed: bool
    suspended: bool
    down_for: float | None
    in_use: int
    idle_limit: float | None
    idle_limit_source: Literal["max_idle", "wait_timeout"]
    last_connect_error: str | None
    forks_noticed: int
    hand_offs: int
    timeouts: int
    pings: int
    ping_failures: int
    probe_failures: int
    leaks: int
    collected: int
    orphaned: int
    discards: _Discards
    wait_time: _Times
    use_time: _Times
    leases: list[_Lease]

def connect(url: str | None = None, /, **options: Unpack[_ConnectOptions]) -> Connection: ...

@final
class Stamp:
    @property
    def inherited(self) -> bool: ...

@final
class Connection:
    Warning: type[exceptions.Warning]
    Error: type[exceptions.Error]
    InterfaceError: type[exceptions.InterfaceError]
    DatabaseError: type[exceptions.DatabaseError]
    DataError: type[exceptions.DataError]
    OperationalError: type[exceptions.OperationalError]
    IntegrityError: type[exceptions.IntegrityError]
    InternalError: type[exceptions.InternalError]
    ProgrammingError: type[exceptions.ProgrammingError]
    NotSupportedError: type[exceptions.NotSupportedError]

    @property
    def client_flag(self) -> int: ...
    @property
    def open(self) -> bool: ...
    @property
    def inherited(self) -> bool: ...
    @property
    def in_transaction(self) -> bool: ...
    @property
    def holds(self) -> tuple[str, ...]: ...
    @overload
    def cursor(self, cursorclass: None = None, *, prepared: bool = False) -> Cursor: ...
    @overload
    def cursor(self, cursorclass: Callable[..., _T], *, prepared: bool = False) -> _T: ...
    def begin(self) -> None: ...
    def commit(self) -> None: ...
    def rollback(self) -> None: ...
    def close(self) -> None: ...
    def discard(self) -> None: ...
    def ping(self) -> None: ...
    def probe(self) -> bool: ...
    def autocommit(self, on: bool) -> None: ...
    def get_autocommit(self) -> bool: ...
    def select_db(self, name: str) -> None: ...
    def literal(self, value: object) -> bytes: ...
    def escape_string(self, value: str | bytes) -> bytes: ...
    def character_set_name(self) -> str: ...
    def get_server_info(self) -> str: ...
    def get_host_info(self) -> str: ...
    def thread_id(self) -> int: ...
    def fileno(self) -> int: ...
    def warning_count(self) -> int: ...
    def affected_rows(self) -> int: ...
    def insert_id(self) -> int: ...
    def show_warnings(self) -> list[_Row]: ...
    def forget_holds(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

@disjoint_base
class Cursor(Generic[_RowT]):
    _streams: ClassVar[bool]
    _dicts: ClassVar[bool]
    arraysize: int
    def __init__(self, connection: Connection, *, prepared: bool = False) -> None: ...
    def __class_getitem__(cls, key: Any) -> GenericAlias: ...
    @property
    def connection(self) -> Connection: ...
    @property
    def description(self) -> tuple[_Column, ...] | None: ...
    @property
    def rowcount(self) -> int: ...
    @property
    def rownumber(self) -> int | None: ...
    @property
    def lastrowid(self) -> int | None: ...
    @property
    def warning_count(self) -> int: ...
    @property
    def _executed(self) -> bytes | None: ...
    def execute(self, query: str | bytes, args: _Args = None) -> int: ...
    def executemany(self, query: str | bytes, args: Iterable[_Args]) -> int | None: ...
    def callproc(self, procname: str, args: Sequence[Any] | None = None) -> Sequence[Any]: ...
    def mogrify(self, query: str | bytes, args: _Args = None) -> str: ...
    def fetchone(self) -> _RowT | None: ...
    def fetchmany(self, size: int | None = None) -> tuple[_RowT, ...]: ...
    def fetchall(self) -> tuple[_RowT, ...]: ...
    def nextset(self) -> bool | None: ...
    def setinputsizes(self, *sizes: object) -> None: ...
    def setoutputsize(self, *sizes: object) -> None: ...
    def close(self) -> None: ...
    def __iter__(self) -> Iterator[_RowT]: ...
    def __next__(self) -> _RowT: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

@final
class Pool:
    def __new__(cls, url: str | None = None, /, **options: Unpack[_PoolOptions]) -> Self: ...
    @property
    def name(self) -> str: ...
    @property
    def closed(self) -> bool: ...
    def connect(self, timeout: float | None = None) -> Connection: ...
    def connection(self, timeout: float | None = None) -> AbstractContextManager[Connection]: ...
    def open(self, wait: bool = True, timeout: float | None = None) -> None: ...
    def close(self, timeout: float = 0.0) -> int: ...
    def resize(self, *, min_size: int | None = None, max_size: int | None = None) -> None: ...
    def drain(self) -> None: ...
    def check(self) -> int: ...
    def suspend(self) -> None: ...
    def resume(self) -> None: ...
    def stats(self) -> _Stats: ...
    def pop_stats(self) -> _Stats: ...
    def __len__(self) -> int: ...
    def __bool__(self) -> bool: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...
