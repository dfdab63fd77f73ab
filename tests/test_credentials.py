"""User and password from callables: asked at each connect, for a limited time, and never told."""

from __future__ import annotations

import contextlib
import gc
import itertools
import os
import signal
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import forksafe
from scripts.mariadb_server import Server

NUMBERS = itertools.count(1)
HANG = 20.0  # seconds after which a test that waits has failed
SOON = 0.3
TASKS = Path("/proc/self/task")


class Account:
    """An account whose password changes, and a callable that knows the current one."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.user = f"rotating{os.getpid()}_{next(NUMBERS)}"
        self.password = ""
        self.calls = 0
        server.execute_as_root(
            f"CREATE USER {self.user}@'%'; GRANT ALL ON {server.database}.* TO {self.user}@'%'"
        )
        self.rotate()

    def rotate(self) -> None:
        """Change the password on the server; sessions that are open live on."""
        self.password = f"hush-{next(NUMBERS)}-token"
        self.server.execute_as_root(f"ALTER USER {self.user}@'%' IDENTIFIED BY '{self.password}'")

    def token(self) -> str:
        self.calls += 1
        return self.password

    def options(self, transport: str = "tcp", **more: Any) -> dict[str, Any]:
        given = {"user": self.user, "password": self.token, **more}
        return self.server.connect_kwargs(transport, **given)


@pytest.fixture
def account(server: Server) -> Iterator[Account]:
    """An account of its own, dropped after the test."""
    made = Account(server)
    yield made
    server.execute_as_root(f"DROP USER {made.user}@'%'")


@pytest.fixture(params=["connect", "pool"])
def opener(request: pytest.FixtureRequest) -> Iterator[Callable[..., forksafe.Connection]]:
    """`opener(**options)`: a connection, by forksafe.connect() or from a pool of its own."""
    with contextlib.ExitStack() as left:

        def by_pool(**options: Any) -> forksafe.Connection:
            return left.enter_context(forksafe.Pool(**options)).connect()

        def by_connect(**options: Any) -> forksafe.Connection:
            connection = forksafe.connect(**options)
            left.callback(connection.close)
            return connection

        yield by_pool if request.param == "pool" else by_connect


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    """A callable that hangs until it is released, at the latest when the test ends."""
    made = Hanging()
    yield made
    made.release()


class Hanging:
    """Answers when it is released, and counts its calls."""

    def __init__(self) -> None:
        self.calls = 0
        self.entered = threading.Event()
        self.released = threading.Event()

    def __call__(self) -> str:
        self.calls += 1
        self.entered.set()
        assert self.released.wait(HANG)
        return "whatever"

    def release(self) -> None:
        self.released.set()


def one(connection: forksafe.Connection, sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        row = cursor.fetchone()
    assert row is not None
    return row[0]


def refusal(opener: Callable[..., Any], **options: Any) -> forksafe.OperationalError:
    """The error of a connect whose credentials cannot be had; no server is asked."""
    with pytest.raises(forksafe.OperationalError) as caught:
        opener(host="127.0.0.1", port=1, **options)
    assert caught.value.args[0] == 2000, caught.value
    return caught.value


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + HANG
    while not holds():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.01)


def test_a_password_that_changes_is_asked_for_at_each_connect(
    account: Account, opener: Callable[..., forksafe.Connection], transport: str
) -> None:
    old = opener(**account.options(transport))
    account.rotate()
    new = opener(**account.options(transport))
    for connection in (old, new):
        assert one(connection, "SELECT USER()").startswith(f"{account.user}@")
    assert account.calls == 2


def test_a_pool_opens_with_the_new_password_and_its_old_sessions_live_on(
    account: Account, make_pool: Callable[..., forksafe.Pool]
) -> None:
    pool = make_pool(user=account.user, password=account.token)
    old = pool.connect()
    session = old.thread_id()
    account.rotate()
    with pool.connection() as new:
        assert new.thread_id() != session
    assert one(old, "SELECT CONNECTION_ID()") == session
    old.close()
    assert account.calls == 2, "an idle connection needs no password"
    with pool.connection() as again:
        assert again.thread_id() == session
    assert account.calls == 2


@pytest.mark.parametrize("name", ["password", "passwd"])
def test_the_user_may_be_a_callable_too(
    account: Account, opener: Callable[..., forksafe.Connection], name: str
) -> None:
    options = account.options(user=lambda: account.user, password=None)
    connection = opener(**options, **{name: account.token})
    assert one(connection, "SELECT USER()").startswith(f"{account.user}@")


def test_a_callable_wins_over_the_url_and_text_over_a_callable(account: Account) -> None:
    url = account.server.url(user=account.user, password="wrong")
    with forksafe.connect(url, password=account.token) as connection:
        connection.ping()
    with forksafe.connect(**account.options(), passwd=account.password) as connection:
        connection.ping()
    assert account.calls == 1


def test_it_runs_in_a_thread_that_lasts_as_long_as_the_call(account: Account) -> None:
    if not TASKS.is_dir():
        pytest.skip("counts threads in /proc, which is not here")
    seen: list[tuple[int, int]] = []

    def token() -> str:
        seen.append((threading.get_ident(), len(list(TASKS.iterdir()))))
        return account.password

    before = len(list(TASKS.iterdir()))
    with forksafe.connect(**account.options(password=token)):
        [(ident, meanwhile)] = seen
        assert ident != threading.get_ident()
        assert meanwhile == before + 1
        until(lambda: len(list(TASKS.iterdir())) == before)


@pytest.mark.parametrize("which", ["user", "password"])
def test_what_it_raises_is_told_and_is_the_cause(
    opener: Callable[..., forksafe.Connection], which: str
) -> None:
    raised = ValueError("the vault is sealed")

    def ask() -> str:
        raise raised

    error = refusal(opener, **{"user": "app", which: ask})
    assert error.args[1] == f"the {which} callable raised ValueError: the vault is sealed"
    assert error.__cause__ is raised


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_is_no_exception_passes_as_itself(
    opener: Callable[..., forksafe.Connection], error: type[BaseException]
) -> None:
    def ask() -> str:
        raise error("enough")

    with pytest.raises(error, match="enough") as caught:
        opener(host="127.0.0.1", port=1, user="app", password=ask)
    assert caught.type is error


class Shy:
    """Neither text nor anything that may be printed."""

    def __repr__(self) -> str:
        return "hush"


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        (5, "answered int, not text or (text, seconds)"),
        (None, "answered NoneType, not text or (text, seconds)"),
        (b"hush", "answered bytes, not text or (text, seconds)"),
        (Shy(), "answered Shy, not text or (text, seconds)"),
        (["hush", 5], "answered list, not text or (text, seconds)"),
        (("hush",), "answered a tuple of 1, not text or (text, seconds)"),
        (("hush", 1, 2), "answered a tuple of 3, not text or (text, seconds)"),
        ((900, "hush"), "answered a tuple that begins with a int, not text or (text, seconds)"),
        (("hush", 0), "answered a lifetime that is not a number of seconds above 0"),
        (("hush", -1.5), "answered a lifetime that is not a number of seconds above 0"),
        (("hush", True), "answered a lifetime that is not a number of seconds above 0"),
        (("hush", "hush"), "answered a lifetime that is not a number of seconds above 0"),
        (("hush", None), "answered a lifetime that is not a number of seconds above 0"),
        (("hush", float("nan")), "answered a lifetime that is not a number of seconds above 0"),
        ("hu\0sh", "answered a text with a NUL character in it"),
        ("hush\ud800", "answered text that is not Unicode"),
    ],
)
def test_a_wrong_answer_is_told_by_its_kind_and_never_repeated(
    opener: Callable[..., forksafe.Connection], answer: Any, wanted: str
) -> None:
    error = refusal(opener, user="app", password=lambda: answer)
    assert error.args[1] == f"the password callable {wanted}"
    assert "hush" not in repr(error)


@pytest.mark.parametrize("value", [5, b"hush", ["hush"], Path("/hush")])
@pytest.mark.parametrize("which", ["user", "password", "passwd"])
def test_what_is_neither_text_nor_callable_is_refused_without_being_told(
    opener: Callable[..., Any], which: str, value: Any
) -> None:
    with pytest.raises(forksafe.ProgrammingError) as caught:
        opener(**{which: value})
    wanted = f"{which} must be text, or a callable without arguments that answers it, not a "
    assert caught.value.args[1].startswith(wanted)
    assert "hush" not in repr(caught.value)


def test_one_that_hangs_is_not_waited_for_longer_than_allowed(
    opener: Callable[..., forksafe.Connection], hanging: Hanging
) -> None:
    error = refusal(opener, user="app", password=hanging, credential_timeout=0.2)
    assert error.args[1] == "the password callable did not answer within 0.2s"


def test_the_default_is_five_seconds(hanging: Hanging) -> None:
    started = time.monotonic()
    error = refusal(forksafe.connect, user="app", password=hanging)
    assert error.args[1] == "the password callable did not answer within 5s"
    assert time.monotonic() - started >= 5


def test_a_pools_time_out_is_a_limit_too(hanging: Hanging) -> None:
    with forksafe.Pool(host="127.0.0.1", port=1, user="app", password=hanging) as pool:
        with pytest.raises(forksafe.OperationalError, match=r"did not answer within 0\.\ds"):
            pool.connect(timeout=0.2)
        assert pool.stats()["in_use"] == 0


class Vault:
    """Answers when it is released; each look at `token` is another object."""

    def __init__(self, hanging: Hanging) -> None:
        self.hanging = hanging

    def token(self) -> str:
        return self.hanging()


def test_while_a_call_hangs_there_is_no_second_one(account: Account, hanging: Hanging) -> None:
    vault = Vault(hanging)
    options = {"user": "app", "credential_timeout": 0.1}
    refusal(forksafe.connect, **options, password=vault.token)
    for _ in range(3):
        error = refusal(forksafe.connect, **options, password=vault.token)
        wanted = "the password callable has been running for 0s, and is not called a second time"
        assert error.args[1] == wanted
    assert hanging.calls == 1
    with forksafe.connect(**account.options()) as connection:
        connection.ping()  # another callable is none of its business
    hanging.release()

    def is_called_again() -> bool:
        with pytest.raises(forksafe.OperationalError) as caught:
            forksafe.connect(host="127.0.0.1", port=1, **options, password=vault.token)
        return bool(caught.value.args[0] == 2003)  # nobody listens there, but the token was had

    until(is_called_again)
    assert hanging.calls == 2


def test_a_pool_works_again_once_the_call_has_ended(
    account: Account, make_pool: Callable[..., forksafe.Pool]
) -> None:
    slow = threading.Event()

    def token() -> str:
        assert slow.wait(HANG)
        return account.password

    pool = make_pool(user=account.user, password=token, credential_timeout=0.1)
    with pytest.raises(forksafe.OperationalError):
        pool.connect()
    slow.set()

    def works() -> bool:
        with contextlib.suppress(forksafe.OperationalError), pool.connection() as connection:
            connection.ping()
            return True
        return False

    until(works)


def test_many_threads_may_ask_at_once(
    account: Account, make_pool: Callable[..., forksafe.Pool]
) -> None:
    together = threading.Barrier(4, timeout=HANG)

    def token() -> str:
        together.wait()
        return account.password

    pool = make_pool(user=account.user, password=token, max_size=4)
    sessions: list[int] = []

    def use() -> None:
        connection = pool.connect()
        sessions.append(connection.thread_id())
        together.wait()
        connection.close()

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(HANG)
    assert len(set(sessions)) == 4


def test_a_connection_ends_with_the_token_it_was_opened_with(
    account: Account, make_pool: Callable[..., forksafe.Pool]
) -> None:
    pool = make_pool(user=account.user, password=lambda: (account.token(), SOON))
    with pool.connection() as connection:
        first = connection.thread_id()
    time.sleep(SOON)
    with pool.connection() as connection:
        assert connection.thread_id() != first
    assert pool.stats()["discards"]["expired"] == 1
    assert account.calls == 2


def test_a_token_that_outlives_recycle_does_not_prolong_it(
    account: Account, make_pool: Callable[..., forksafe.Pool]
) -> None:
    pool = make_pool(user=account.user, password=lambda: (account.token(), 3600), recycle=SOON)
    with pool.connection() as connection:
        first = connection.thread_id()
    time.sleep(SOON)
    with pool.connection() as connection:
        assert connection.thread_id() != first


def test_ctrl_c_ends_the_wait(opener: Callable[..., Any], hanging: Hanging) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(SOON, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    connect_timeout, started = 10, time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            opener(
                host="127.0.0.1",
                port=1,
                user="app",
                password=hanging,
                connect_timeout=connect_timeout,
                credential_timeout=connect_timeout,
            )
        assert time.monotonic() - started < connect_timeout / 2
    finally:
        timer.join()
        signal.signal(signal.SIGINT, before)


def test_no_text_tells_a_password(
    account: Account, make_pool: Callable[..., forksafe.Pool]
) -> None:
    pool = make_pool(user=account.user, password=lambda: "hush-wrong")
    with pytest.raises(forksafe.OperationalError) as caught:
        pool.connect()
    assert caught.value.args[0] == 1045
    good = make_pool(user=account.user, password=account.token)
    with good.connection() as connection:
        told = [repr(connection), connection.get_host_info(), repr(good), str(good.stats())]
    told += [repr(pool), str(pool.stats()), repr(caught.value)]
    assert [text for text in told if "hush" in text] == []


def test_a_child_asks_for_itself_while_its_parents_call_hangs(
    account: Account, hanging: Hanging, in_child: Callable[..., Any]
) -> None:
    """Forked by one thread while another waits for the callable, and after one has given up."""
    fork_in = {"child": False}

    def token() -> str:
        return account.token() if fork_in["child"] else hanging()

    def in_the_child() -> int:
        fork_in["child"] = True
        with forksafe.connect(**options) as connection:
            return connection.thread_id()

    options = account.options(password=token, credential_timeout=0.1)
    with pytest.raises(forksafe.OperationalError):
        forksafe.connect(**options)
    assert in_child(in_the_child) > 0, "its parent's call hangs, not its own"

    def waits() -> None:
        with contextlib.suppress(forksafe.OperationalError):
            forksafe.connect(user="app", password=lambda: hanging(), credential_timeout=HANG)

    waiting = threading.Thread(target=waits)
    hanging.entered.clear()
    waiting.start()
    assert hanging.entered.wait(HANG)
    assert in_child(in_the_child) > 0
    hanging.release()
    waiting.join(HANG)


@pytest.mark.parametrize("leave", ["os._exit", "return", "raise"])
def test_a_child_forked_by_the_callable_harms_nobody(account: Account, leave: str) -> None:
    children: list[int] = []

    def token() -> str:
        pid = os.fork()
        if pid:
            children.append(pid)
            return account.token()
        signal.alarm(int(HANG))
        if leave == "os._exit":
            os._exit(0)
        if leave == "raise":
            raise ValueError("of a child")
        return "nobody asks"

    with forksafe.connect(**account.options(password=token)) as connection:
        [pid] = children
        _, status = os.waitpid(pid, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        connection.ping()


class Owner:
    """Has what it is asked by."""

    def __init__(self, account: Account, opener: Callable[..., Any]) -> None:
        self.account = account
        self.holds = opener(**account.options(password=self.token, conv={12: self.convert}))

    def token(self) -> str:
        return self.account.token()

    def convert(self, text: str) -> str:
        return text


@pytest.mark.parametrize("open_one", [forksafe.connect, forksafe.Pool])
def test_an_owner_that_is_asked_by_what_it_owns_is_collected(
    account: Account, open_one: Callable[..., Any]
) -> None:
    owner = weakref.ref(Owner(account, open_one))
    gc.collect()
    assert owner() is None


def test_sqlalchemy_passes_a_callable_on(account: Account) -> None:
    sqlalchemy = pytest.importorskip("sqlalchemy")
    url = account.server.url(scheme="mysql+forksafe", user=account.user, password=None)
    engine = sqlalchemy.create_engine(url, connect_args={"password": account.token})
    for calls in (1, 2):
        with engine.connect() as connection:
            user = connection.execute(sqlalchemy.text("SELECT USER()")).scalar_one()
            assert user.startswith(f"{account.user}@")
        assert account.calls == calls
        engine.dispose()
        account.rotate()


# Away from this process, whose end is not the test's.
HANGS = """
import forksafe

def busy():
    while True:
        pass

for fn in (busy, lambda: busy()):
    try:
        forksafe.connect(host="127.0.0.1", port=1, user="app", password=fn, credential_timeout=0.2)
    except forksafe.OperationalError as error:
        print(error.args[1])
"""


def test_an_interpreter_ends_in_order_while_callables_hang(
    run_python: Callable[..., Any],
) -> None:
    done = run_python(HANGS)
    assert done.stdout == "the password callable did not answer within 0.2s\n" * 2
    assert done.stderr == ""
