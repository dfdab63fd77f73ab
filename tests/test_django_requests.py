"""Requests: a transaction each, asynchronous views, replicas; and `dbshell`."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.djangosite.queries import session

pytest_plugins = ("tests.djangosite.fixtures",)
pytestmark = pytest.mark.usefixtures("site")

VIEWS = "tests.djangosite.views"


@pytest.fixture
def views() -> Iterator[None]:
    """The project serves the pages of VIEWS."""
    from django.test import override_settings

    with override_settings(ROOT_URLCONF=VIEWS):
        yield


def names() -> set[str]:
    from tests.djangosite.library.models import Author

    return set(Author.objects.values_list("name", flat=True))


@pytest.mark.usefixtures("views")
@pytest.mark.parametrize("alias", ["default", "pooled"])
def test_a_request_that_fails_leaves_nothing_where_requests_are_atomic(
    alias: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import connections
    from django.test import Client

    client = Client(raise_request_exception=False)
    assert client.get(f"/fail/{alias}/kept/").status_code == 500
    monkeypatch.setitem(connections[alias].settings_dict, "ATOMIC_REQUESTS", True)
    assert client.get(f"/fail/{alias}/undone/").status_code == 500
    assert names() == {"kept"}
    # The connection is as good as before.
    assert session(alias) > 0
    assert not connections[alias].in_atomic_block


async def _get(page: str) -> Any:
    """What the project answers, through ASGI as a server would ask it."""
    from asgiref.testing import ApplicationCommunicator
    from django.core.asgi import get_asgi_application

    scope = {"type": "http", "http_version": "1.1", "method": "GET", "path": page}
    asked = ApplicationCommunicator(
        get_asgi_application(), {**scope, "query_string": b"", "headers": []}
    )
    await asked.send_input({"type": "http.request", "body": b"", "more_body": False})
    start = await asked.receive_output(30)
    body = await asked.receive_output(30)
    await asked.wait(30)
    assert start["status"] == 200, body
    return json.loads(body["body"])


@pytest.mark.usefixtures("views")
@pytest.mark.parametrize("alias", ["brief", "pooled"])
def test_asynchronous_views_that_run_at_once_get_their_own_answers(alias: str) -> None:
    from django.db import connections

    wanted = [f"author {number}" for number in range(12)]  # more than the pool's four

    async def at_once() -> list[Any]:
        return await asyncio.gather(*(_get(f"/echo/{alias}/{name}/") for name in wanted))

    answers = asyncio.run(at_once())
    assert [answer["name"] for answer in answers] == [f"{name}, renamed" for name in wanted]
    assert names() == {f"{name}, renamed" for name in wanted}
    if pool := connections[alias].pool:
        stats = pool.stats()
        assert stats["in_use"] == 0
        assert 1 <= stats["connections_num"] <= 4


class Router:
    """Reads from one alias, writes to the other."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "pooled"

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return "default"


def test_reads_go_to_the_replica_and_writes_to_the_primary() -> None:
    from django.db import connections, transaction
    from django.test import override_settings

    from tests.djangosite.library.models import Author

    with override_settings(DATABASE_ROUTERS=[Router()]):
        with transaction.atomic():
            Author.objects.create(name="written")
            # Another session: it does not see what is not committed.
            assert names() == set()
            assert connections["default"].in_atomic_block
            assert not connections["pooled"].in_atomic_block
        assert names() == {"written"}
        assert Author.objects.all().db == "pooled"
    assert session("default") != session("pooled")


@pytest.mark.skipif(
    not shutil.which("mysql"), reason="dbshell runs `mysql`, which is not installed"
)
@pytest.mark.parametrize("alias", ["default", "pooled", "socket"])
def test_dbshell_opens_the_database_of_the_alias(
    alias: str, capfd: pytest.CaptureFixture[str]
) -> None:
    from django.core.management import call_command
    from django.db import connections

    if alias not in connections:
        pytest.skip("the server has no unix socket that is known")
    name = connections[alias].settings_dict["NAME"]
    call_command("dbshell", "--", "-N", "-e", "SELECT DATABASE(), 6 * 7", database=alias)
    assert capfd.readouterr().out.split() == [name, "42"]
