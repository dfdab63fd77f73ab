"""What a test can ask for: a server, connections, a faulty network, a forked child."""

from __future__ import annotations

import contextlib
import gc
import itertools
import os
import subprocess
import sys
import weakref
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from scripts import servers
from scripts.mariadb_server import Server
from scripts.throwaway import Throwaway
from tests import core, examples, fork
from tests.given_server import GivenServer
from tests.proxy import FaultProxy

if TYPE_CHECKING:
    import forksafe

pytest.register_assert_rewrite("tests.matrix", "tests.prepared", "tests.programs")

ROOT = Path(__file__).resolve().parent.parent
TABLE_NUMBERS = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    """On which server the run is, and how much of what is long it is to do."""
    parser.addoption(
        "--server",
        choices=servers.NAMES,
        default=servers.INSTALLED,
        help="the kind of throwaway to test against (default: %(default)s)",
    )
    parser.addoption(
        "--core",
        action="store_true",
        help="only what tests/core.py names: what depends on the server or the interpreter",
    )
    parser.addoption(
        "--matrix",
        choices=("pairs", "all"),
        default="pairs",
        help="of test_matrix.py: every two values meet, or all cells (default: %(default)s)",
    )
    parser.addoption(
        "--storm-forks",
        type=int,
        default=1000,
        metavar="N",
        help="of test_storm.py in all; half as many in test_generations.py (default: %(default)s)",
    )
    parser.addoption(
        "--pool-seconds",
        type=float,
        default=4.0,
        metavar="S",
        help="of test_pool_fairness.py, and of an outage in test_pool_restart.py (default: 4)",
    )
    parser.addoption(
        "--examples",
        type=int,
        default=examples.ORDINARY,
        metavar="N",
        help="of each property in test_properties_*.py (default: %(default)s)",
    )
    parser.addoption(
        "--stream-megabytes",
        type=int,
        default=200,
        metavar="N",
        help="of the result that test_streaming.py reads in flat memory (default: %(default)s)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Before the tests are imported that ask for it."""
    examples.count = config.getoption("--examples")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Keep a child that unwinds its test (see fork.py) from going on with the other tests."""
    pid = os.getpid()
    try:
        return (yield)
    except BaseException as error:
        if os.getpid() == pid:
            raise
        unwound = error
    # Past the `except` block: inside it, Python 3.10 keeps the error's frames alive.
    fork.end_unwound_child(unwound)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `--core`, leave out what is not."""
    return True if config.getoption("--core") and not core.is_core(collection_path) else None


def pytest_collection_finish() -> None:
    """Leave what was imported by now out of garbage collection.

    A child that is finalised walks all the rest, and copies every page it touches.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def nothing_of_python_in_collections() -> None:
    """Take away what Hypothesis has Python run at each collection of garbage.

    An exception that a signal handler raises in there is lost, and tests wait for such ones.
    """
    gc.callbacks[:] = [call for call in gc.callbacks if "hypothesis" not in call.__module__]


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A throwaway of the kind of `--server`, or the server that FORKSAFE_TEST_DSN names."""
    if url := os.environ.get("FORKSAFE_TEST_DSN"):
        yield GivenServer(url)
        return
    try:
        throwaway = servers.throwaway(request.config.getoption("--server"))
    except servers.NotToBeHadError as reason:
        pytest.skip(str(reason))
    with throwaway:
        yield throwaway


@pytest.fixture
def mariadb(server: Server) -> Server:
    """The server, for tests of what MariaDB alone has."""
    if not server.is_mariadb:
        pytest.skip("about what MariaDB has, and MySQL has not")
    return server


@pytest.fixture
def ed25519(server: Server) -> Server:
    """The server, for tests of accounts that log in by `client_ed25519`."""
    if not getattr(server, "has_ed25519", False):
        pytest.skip("the server has no auth_ed25519")
    return server


@pytest.fixture
def storm_forks(request: pytest.FixtureRequest) -> int:
    """How often the storms fork, all of them together."""
    forks: int = request.config.getoption("--storm-forks")
    return forks


@pytest.fixture
def pool_seconds(request: pytest.FixtureRequest) -> float:
    """How long a pool is kept busy."""
    seconds: float = request.config.getoption("--pool-seconds")
    return seconds


@pytest.fixture
def stream_megabytes(request: pytest.FixtureRequest) -> int:
    """How large a result is streamed."""
    megabytes: int = request.config.getoption("--stream-megabytes")
    return megabytes


@pytest.fixture
def controlled_server(server: Server) -> Iterator[Throwaway]:
    """The server, for tests that stop and start it; it runs again after them."""
    if not isinstance(server, Throwaway):
        pytest.skip("needs a server of its own to stop and start: unset FORKSAFE_TEST_DSN")
    yield server
    server.start()


@pytest.fixture(params=["tcp", "socket", "tls", "compress"])
def transport(request: pytest.FixtureRequest, server: Server) -> str:
    """Each way to reach the server, for `connect` and `make_pool`."""
    name: str = request.param
    if name not in server.transports:
        pytest.skip(f"FORKSAFE_TEST_DSN offers no {name} (give unix_socket= or ssl_ca= in it)")
    return name


@pytest.fixture
def connect(server: Server) -> Iterator[Callable[..., forksafe.Connection]]:
    """`connect(transport="tcp", **options)`: a connection, closed after the test."""
    import forksafe

    with _closing() as opened:

        def make(transport: str = "tcp", **options: Any) -> forksafe.Connection:
            connection = forksafe.connect(**server.connect_kwargs(transport, **options))
            opened.append(weakref.ref(connection))
            return connection

        yield make


@pytest.fixture
def make_pool(server: Server) -> Iterator[Callable[..., forksafe.Pool]]:
    """`make_pool(transport="tcp", **options)`: a pool, closed after the test."""
    import forksafe

    with _closing() as opened:

        def make(transport: str = "tcp", **options: Any) -> forksafe.Pool:
            pool = forksafe.Pool(**server.connect_kwargs(transport, **options))
            opened.append(weakref.ref(pool))
            return pool

        yield make


@pytest.fixture
def proxy(server: Server) -> Iterator[FaultProxy]:
    """A faulty network before the server's TCP port."""
    proxy = FaultProxy(server.host, server.port)
    yield proxy
    proxy.close()


@pytest.fixture
def table(server: Server) -> Iterator[Callable[[str], str]]:
    """`table(columns)`: the name of a fresh InnoDB table, dropped after the test."""
    made: list[str] = []

    def make(columns: str = "id INT PRIMARY KEY") -> str:
        name = f"t{os.getpid()}_{next(TABLE_NUMBERS)}"
        server.execute_as_root(f"CREATE TABLE {server.database}.{name} ({columns}) ENGINE=InnoDB")
        made.append(name)
        return name

    yield make
    for name in made:
        # Not for ever: a test that failed may hold a lock on it.
        server.execute_as_root(
            f"SET lock_wait_timeout = 5; DROP TABLE IF EXISTS {server.database}.{name}"
        )


@pytest.fixture
def in_child(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """`in_child(fn, *args, leave="os._exit", timeout=20.0)`: see fork.py."""
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")

    def run(fn: Callable[..., Any], *args: Any, **how: Any) -> Any:
        if reporter:
            reporter.flush()  # else a child that is finalised writes it a second time
        return fork.in_child(fn, *args, **how)

    return run


@pytest.fixture
def run_python(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """`run_python(source, *args, timeout=60.0, check=True)`: a fresh interpreter.

    With the fixture `server` in use, the program finds it as FORKSAFE_TEST_URL.
    """

    def run(
        source: str, *args: str, timeout: float = 60.0, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        program = tmp_path / "program.py"
        program.write_text(source)
        path = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path)}
        if "server" in request.fixturenames:
            environment["FORKSAFE_TEST_URL"] = request.getfixturevalue("server").url()
        done = subprocess.run(
            [sys.executable, str(program), *args],
            env=environment,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        if check and done.returncode:
            pytest.fail(f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}", pytrace=False)
        return done

    return run


@contextlib.contextmanager
def _closing() -> Iterator[list[weakref.ref[Any]]]:
    """Close what is still referenced from elsewhere at the end.

    Weakly, because many tests are about what happens when the last reference goes.
    """
    opened: list[weakref.ref[Any]] = []
    yield opened
    for reference in reversed(opened):
        if closable := reference():
            # Its server may be gone, or the test may have broken it.
            with contextlib.suppress(Exception):
                closable.close()
