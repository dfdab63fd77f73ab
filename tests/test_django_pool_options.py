"""Each option in `OPTIONS["pool"]` does what it says for an alias; bad ones are named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from scripts.mariadb_server import Server
from tests.djangosite.queries import answer
from tests.pool_effects import PLAIN, check_hooks, check_workers

pytest_plugins = ("tests.djangosite.fixtures",)
pytestmark = pytest.mark.usefixtures("site")


def test_true_and_a_dict_of_options_make_a_pool(make_wrapper: Callable[..., Any]) -> None:
    import forksafe

    plain = make_wrapper("plain", OPTIONS={"pool": True})
    tuned = make_wrapper("tuned", OPTIONS={"pool": {"max_size": 3, "name": "ours"}})
    assert (answer(plain), answer(tuned)) != (0, 0)
    for wrapper, size, name in ((plain, 10, "plain"), (tuned, 3, "ours")):
        assert isinstance(wrapper.pool, forksafe.Pool)
        stats = wrapper.pool.stats()
        assert (stats["pool_max"], stats["name"], stats["in_use"]) == (size, name, 1)


@pytest.mark.parametrize("effect", PLAIN)
def test_each_option_of_a_pool_does_what_it_says(
    make_wrapper: Callable[..., Any], effect: str
) -> None:
    options, look = PLAIN[effect]
    look(make_wrapper(OPTIONS={"pool": options}).pool)


@pytest.mark.parametrize("check", [check_hooks, check_workers])
def test_callables_of_a_pool_are_called(
    make_wrapper: Callable[..., Any], check: Callable[..., None]
) -> None:
    check(lambda **options: make_wrapper(OPTIONS={"pool": options}).pool)


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"max_lifetime": 60}, "psycopg_pool's max_lifetime is called recycle here"),
        ({"pool_size": 5}, "instead of SQLAlchemy's pool_size there is max_size here: pool_size"),
        ({"num_workers": 3}, "psycopg_pool's num_workers is no option here: a forksafe.Pool has"),
        ({"max_sise": 3}, 'unknown option "max_sise"; did you mean "max_size"?'),
        ({"check": "SELECT 1"}, "check must be None or a callable that takes the connection"),
        ({"min_size": 20}, "min_size must be at most max_size, which is 10, not 20"),
    ],
)
def test_a_bad_option_of_a_pool_is_named(
    make_wrapper: Callable[..., Any], options: dict[str, Any], wanted: str
) -> None:
    from django.core.exceptions import ImproperlyConfigured

    with pytest.raises(ImproperlyConfigured) as caught:
        answer(make_wrapper(OPTIONS={"pool": options}))
    assert str(caught.value).startswith(f"The pool of the database 'own': {wanted}")


@pytest.mark.parametrize("pool", [False, True])
def test_user_and_password_may_be_callables(
    server: Server, make_wrapper: Callable[..., Any], pool: bool
) -> None:
    called: list[str] = []

    def user() -> str:
        called.append("user")
        return server.user

    def password() -> tuple[str, float]:
        called.append("password")
        return server.password, 900

    wrapper = make_wrapper(USER=user, PASSWORD=password, OPTIONS={"pool": pool})
    assert answer(wrapper, "SELECT USER()").startswith(f"{server.user}@")
    wrapper.close()
    answer(wrapper)
    assert called == ["user", "password"] * (1 if pool else 2)


@pytest.mark.parametrize("off", [None, False, {}])
def test_without_the_option_there_is_no_pool(make_wrapper: Callable[..., Any], off: Any) -> None:
    wrapper = make_wrapper(OPTIONS={"pool": off})
    answer(wrapper)
    assert wrapper.pool is None
    wrapper.close_pool()


def test_persistent_connections_are_refused(make_wrapper: Callable[..., Any]) -> None:
    from django.core.exceptions import ImproperlyConfigured

    for age in (60, None):
        wrapper = make_wrapper(CONN_MAX_AGE=age, OPTIONS={"pool": True})
        with pytest.raises(
            ImproperlyConfigured, match=r"^Pooling doesn't support persistent connections\.$"
        ):
            answer(wrapper)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"max_sise": 5}, "max_sise.*max_size"),
        ({"max_size": -1}, "max_size.*-1"),
        ({"max_size": "many"}, "max_size.*many"),
        ({"reset": "sometimes"}, "reset.*sometimes"),
        ({"host": "elsewhere"}, "options of the connection: host"),
        ("yes", "True or a dict"),
    ],
)
def test_a_bad_option_is_named(make_wrapper: Callable[..., Any], options: Any, text: str) -> None:
    from django.core.exceptions import ImproperlyConfigured

    wrapper = make_wrapper(OPTIONS={"pool": options})
    for attempt in (lambda: wrapper.pool, lambda: answer(wrapper)):
        with pytest.raises(ImproperlyConfigured, match=text) as caught:
            attempt()
        assert "'own'" in str(caught.value)
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize("reset", ["rollback", "session", "none"])
def test_the_isolation_level_holds_whatever_the_reset(
    make_wrapper: Callable[..., Any], server: Server, reset: str
) -> None:
    options = {"isolation_level": "serializable", "pool": {"reset": reset}}
    for more in ({}, {"init_command": "SET @greeting = 'hello'"}):
        wrapper = make_wrapper(f"{reset}{len(more)}", OPTIONS={**options, **more})
        for _ in range(2):
            assert answer(wrapper, f"SELECT @@{server.isolation}") == "SERIALIZABLE"
            wrapper.close()
