"""What tests of process managers can ask for; used as a pytest plugin."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from scripts.mariadb_server import Server
from tests import watched
from tests.djangosite.settings import database
from tests.managers.given import Given
from tests.managers.manager import ROOT, Manage, Manager
from tests.managers.served import Serve, Site
from tests.watched import Witness

witness = watched.witness


@pytest.fixture
def manage(server: Server, table: Callable[[str], str], tmp_path: Path) -> Manage:
    """`manage(command, transport="tcp", …)`: a Manager, for a `with`.

    Its application finds the server by `given()`; `more` is for that too. `environment` has
    variables besides; what its PYTHONPATH names comes after the project.
    """

    def make(
        command: list[str],
        transport: str = "tcp",
        pass_fds: tuple[int, ...] = (),
        environment: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Manager:
        if transport not in server.transports:
            pytest.skip(f"FORKSAFE_TEST_DSN offers no {transport}")
        given = Given(
            connect=server.connect_kwargs(transport),
            url=server.url(transport, scheme="mysql+forksafe"),
            database=database(server, transport, NAME=server.database),
            table=table("id INT AUTO_INCREMENT PRIMARY KEY, mark INT"),
            folder=str(tmp_path),
            **more,
        )
        environment = {"DJANGO_SETTINGS_MODULE": "tests.managers.settings", **(environment or {})}
        paths = (str(ROOT), environment.pop("PYTHONPATH", ""), os.environ.get("PYTHONPATH", ""))
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        variables = {**os.environ, "PYTHONUNBUFFERED": "1", **given.environment(), **environment}
        return Manager(command, variables, given, pass_fds)

    return make


@pytest.fixture
def serve(manage: Manage, witness: Witness) -> Serve:
    """`serve(command, transport="tcp", **more)`: a Site, for a `with`.

    In the command `{socket}` is where it listens. `more` as with `manage`.
    """

    @contextlib.contextmanager
    def run(command: list[str], transport: str = "tcp", **more: Any) -> Iterator[Site]:
        # Handed down open, so that no other process can take the port in between.
        with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
            port = listener.getsockname()[1]
            place = f"fd://{listener.fileno()}"
            full = [word.format(socket=place) for word in command]
            manager = manage(full, transport, (listener.fileno(),), **more)
        with manager:
            yield Site(manager, witness, port)

    return run
