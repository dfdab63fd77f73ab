"""Whether it is certain which session of the server's list is ours, before one is killed."""

from __future__ import annotations

import pytest

import forksafe
from tests.fake_server import PASSWORD
from tests.fake_sessions import Listed, SessionsServer
from tests.signals import cut_off, until

BEHIND = {"own_host": "10.0.0.9:50001", "host": "10.0.0.9:50000"}


@pytest.mark.parametrize(
    ("listed", "is_killed"),
    [
        (Listed(), True),
        (Listed(there=False), False),
        (Listed(user="other"), False),
        (Listed(host="127.0.0.1:1"), False),
        (Listed(server="another server"), False),
        (Listed(own_number=1), False),
        # The statement may be any part of a procedure, and is not asked for here.
        (Listed(statement="SELECT 1", seconds=100), True),
        # Behind a proxy, or where addresses are translated.
        (Listed(**BEHIND), True),
        (Listed(**BEHIND, statement="SELECT SLEEP(601)"), False),
        (Listed(**BEHIND, statement=""), False),
        (Listed(**BEHIND, seconds=100), False),
        (Listed(**{**BEHIND, "host": "10.0.0.8:50000"}), False),
        (Listed(**BEHIND, user="other"), False),
    ],
    ids=str,
)
def test_only_a_session_that_is_certainly_ours_is_killed(listed: Listed, is_killed: bool) -> None:
    account = {"host": "127.0.0.1", "user": "app", "password": PASSWORD}
    with SessionsServer(listed) as fake:
        connection = forksafe.connect(port=fake.port, **account)
        running = b"SELECT SLEEP(600)"
        cut_off(
            lambda: connection.cursor().execute(running),
            lambda: until(lambda: running in fake.statements),
        )
        assert fake.killed() == ([b"KILL CONNECTION 77"] if is_killed else [])
