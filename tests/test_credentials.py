"""User and password from callables: asked at each connect, and never told."""

from __future__ import annotations

import gc
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import forksafe
from tests.credentials import Account, one, refusal

pytest_plugins = ("tests.credential_fixtures",)
SOON = 0.3  # seconds


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
