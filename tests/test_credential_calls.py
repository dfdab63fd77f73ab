"""The call of a credential: how long it is waited for, and what a fork makes of it."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import forksafe
from tests.credentials import HANG, Account, Hanging, refusal, until

pytest_plugins = ("tests.credential_fixtures",)
SOON = 0.3  # seconds
TASKS = Path("/proc/self/task")


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
