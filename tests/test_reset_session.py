"""reset="session": like new where something was changed, and no round trip where nothing was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest

import forksafe
from tests import watched
from tests.fake_server import OK, PASSWORD, Conversation, FakeServer
from tests.proxy import FaultProxy
from tests.watched import Witness

witness = watched.witness

MakePool = Callable[..., forksafe.Pool]

COM_PING, COM_RESET_CONNECTION = 0x0E, 0x1F
# An OK packet that tells of a changed session state, as MySQL and MariaDB write it.
TOLD = b"\x00\x00\x00\x02\x40\x00\x00\x00\x03\x02\x011"

ROUTINES = {
    "FUNCTION sets_a_variable() RETURNS INT": "BEGIN SET @hidden = 1; RETURN 1; END",
    "FUNCTION sets_and_fails() RETURNS INT": (
        "BEGIN SET @hidden = 1; SIGNAL SQLSTATE '45000'; RETURN 1; END"
    ),
    "PROCEDURE sets_the_mode()": "SET SESSION sql_mode = ''",
}
# What a program does, what is asked of the next one's session, and what a new session answers.
CHANGES = {
    "a variable of the session": ("SET sql_mode = ''", "SELECT @@sql_mode = ''", 0),
    "a user variable": ("SET @x = 1", "SELECT @x", None),
    "a user variable in a SELECT": ("SELECT @x := 1", "SELECT @x", None),
    "a temporary table": ("CREATE TEMPORARY TABLE temporary (a INT)", "DO (SELECT 1)", None),
    "the default database": ("USE mysql", "SELECT DATABASE()", "forksafe"),
    "a named lock": ("SELECT GET_LOCK('of a session', 0)", "SELECT @x", None),
    "a statement prepared by text": ("PREPARE p FROM 'SET @x = 1'; EXECUTE p", "SELECT @x", None),
    "a function": ("SELECT sets_a_variable()", "SELECT @hidden", None),
    "a function without rows": ("DO sets_a_variable()", "SELECT @hidden", None),
    "a function that fails": ("SELECT sets_and_fails()", "SELECT @hidden", None),
    "a procedure": ("CALL sets_the_mode()", "SELECT @@sql_mode = ''", 0),
    "a trigger": ("INSERT INTO triggering VALUES (1)", "SELECT @hidden", None),
    "a text refused in part": ("SET @x = 1; SELECT nonsense", "SELECT @x", None),
    "the next transaction": (
        "SET TRANSACTION READ ONLY",
        "INSERT INTO triggering VALUES (2)",
        None,
    ),
}


@pytest.fixture
def routines(witness: Witness) -> Iterator[None]:
    """ROUTINES, and a table `triggering` whose trigger sets a variable."""
    for signature, body in ROUTINES.items():
        witness.ask(f"CREATE {signature} {body}")
    witness.ask("CREATE TABLE triggering (id INT PRIMARY KEY) ENGINE=InnoDB")
    witness.ask("CREATE TRIGGER sets BEFORE INSERT ON triggering FOR EACH ROW SET @hidden = 1")
    yield
    witness.ask("DROP TABLE triggering")
    for signature in ROUTINES:
        witness.ask(f"DROP {signature.partition('(')[0]}")


def run(connection: forksafe.Connection, sql: str, prepared: bool = False) -> Any:
    """The first value of the first answer, if there is one; all answers are read."""
    with connection.cursor(prepared=prepared) as cursor:
        cursor.execute(sql)
        row = cursor.fetchone() if cursor.description else None
        while cursor.nextset():
            pass
        return row[0] if row else None


def through(proxy: FaultProxy, make_pool: MakePool, **options: Any) -> forksafe.Pool:
    """A pool of one whose connection takes the way through the proxy."""
    return make_pool(port=proxy.port, reset="session", max_size=1, **options)


def cost_of_check_in(proxy: FaultProxy, connection: forksafe.Connection) -> int:
    """How many bytes the check-in sends."""
    before = proxy.stats()["up"]
    connection.close()
    return proxy.stats()["up"] - before


@pytest.mark.parametrize("autocommit", [False, True])
@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_a_session_is_gone_with_the_check_in(
    make_pool: MakePool, witness: Witness, routines: None, change: str, autocommit: bool
) -> None:
    sql, question, answer = CHANGES[change]
    pool = make_pool(reset="session", max_size=1, autocommit=autocommit)
    connection = pool.connect()
    session = connection.thread_id()
    if "fails" in change or "refused" in change:
        with pytest.raises(forksafe.Error):
            run(connection, sql)
    else:
        run(connection, sql)
    connection.close()
    assert witness.ask("SELECT IS_FREE_LOCK('of a session')") == [(1,)]
    with pool.connection() as connection:
        assert connection.thread_id() == session
        assert run(connection, question) == answer
        with pytest.raises(forksafe.Error, match="exist"):
            run(connection, "SELECT * FROM temporary")


@pytest.mark.parametrize("prepared", [False, True])
@pytest.mark.parametrize(
    ("statements", "autocommit"),
    [
        ((), False),
        (("SELECT 1", "DO 1"), True),
        (("SELECT id FROM triggering", "DO 1"), True),
        (("INSERT INTO triggering VALUES (1)", "COMMIT", "DO 1"), False),
        (("BEGIN", "SELECT id FROM triggering", "ROLLBACK"), True),
        (("SET GLOBAL max_connect_errors = 1000000",), True),
    ],
)
def test_a_check_in_costs_no_round_trip_where_nothing_was_changed(
    make_pool: MakePool,
    proxy: FaultProxy,
    witness: Witness,
    table: Callable[[str], str],
    statements: tuple[str, ...],
    autocommit: bool,
    prepared: bool,
) -> None:
    pool = through(proxy, make_pool, autocommit=autocommit)
    name = table("id INT PRIMARY KEY")
    for again in range(3):
        connection = pool.connect()
        for sql in statements:
            row = sql.replace("triggering", name).replace("(1)", f"({again})")
            run(connection, row, prepared and row.startswith(("SELECT", "INSERT")))
        assert cost_of_check_in(proxy, connection) == 0


def test_mariadb_has_told_of_rows(make_pool: MakePool, proxy: FaultProxy) -> None:
    pool = through(proxy, make_pool, autocommit=True)
    connection = pool.connect()
    if "MariaDB" not in run(connection, "SELECT VERSION()"):
        pytest.skip("MySQL tells of a statement with rows in its next answer without")
    assert cost_of_check_in(proxy, connection) == 0


def test_a_reset_is_paid_for_once(make_pool: MakePool, proxy: FaultProxy, witness: Witness) -> None:
    pool = through(proxy, make_pool, autocommit=True, init_command="SET @mine = 5")
    assert cost_of_check_in(proxy, pool.connect()) == 0, "the set-up is no change"
    connection = pool.connect()
    run(connection, "SET @mine = 6, sql_mode = ''")
    assert cost_of_check_in(proxy, connection) > 0
    assert cost_of_check_in(proxy, pool.connect()) == 0
    with pool.connection() as connection:
        assert run(connection, "SELECT @mine") == 5, "the init command ran again"


@pytest.mark.parametrize("reset", ["rollback", "session"])
def test_what_was_meant_for_the_next_transaction_is_not_left_for_the_next_program(
    make_pool: MakePool, table: Callable[[str], str], reset: str
) -> None:
    pool, name = make_pool(reset=reset, max_size=1), table("id INT PRIMARY KEY")
    with pool.connection() as connection:
        session = connection.thread_id()
        run(connection, "SET TRANSACTION READ ONLY")
        connection.close()
    with pool.connection() as connection:
        assert connection.thread_id() == session
        run(connection, f"INSERT INTO {name} VALUES (1)")


def test_what_is_there_to_stay_is_no_change(make_pool: MakePool, proxy: FaultProxy) -> None:
    pool = through(proxy, make_pool, autocommit=True)
    connection = pool.connect()
    run(connection, "SET @configured = 1, time_zone = '+01:00'")
    connection.forget_holds()
    assert cost_of_check_in(proxy, connection) == 0
    with pool.connection() as connection:
        assert run(connection, "SELECT @@time_zone") == "+01:00"


def test_other_resets_ask_the_server_to_tell_nothing(make_pool: MakePool) -> None:
    for reset, tracked in (("session", True), ("rollback", False), ("none", False)):
        with make_pool(reset=reset).connection() as connection:
            capability = bool(connection.client_flag & 1 << 23)
            assert (capability, run(connection, "SELECT @@session_track_state_change")) == (
                tracked,
                int(tracked),
            )


class Teller(Conversation):
    """As MySQL: what a statement with rows changed is told with the next OK."""

    told: ClassVar[bytes] = OK
    heard: ClassVar[list[int]]

    def _answers(self) -> bool:
        self.last = 0
        return super()._answers()

    def _receive(self) -> bytes:
        packet = super()._receive()
        self.last = packet[0]
        self.heard.append(packet[0])
        return packet

    def _send(self, payload: bytes) -> None:
        super()._send(self.told if getattr(self, "last", 0) == COM_PING else payload)


def pool_of(fake: FakeServer) -> forksafe.Pool:
    """A pool of one, in autocommit mode as the small server is."""
    account: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": fake.port,
        "user": "app",
        "password": PASSWORD,
    }
    return forksafe.Pool(**account, autocommit=True, reset="session", max_size=1)


@pytest.mark.parametrize(("told", "renewed"), [(OK, False), (TOLD, True)])
def test_mysql_is_asked_after_rows(told: bytes, renewed: bool) -> None:
    class Telling(Teller):
        heard: ClassVar[list[int]] = []

    Telling.told = told
    with FakeServer(cached=True, speaks=Telling) as fake, pool_of(fake) as pool:
        pool.connect().close()
        with pool.connection() as connection:
            run(connection, "DO 1")
        assert COM_PING not in Telling.heard, "without rows it has told"
        with pool.connection() as connection:
            run(connection, "SELECT hidden()")
        assert COM_PING in Telling.heard
        assert (COM_RESET_CONNECTION in Telling.heard) == renewed


def test_a_server_that_tells_nothing_is_reset_each_time() -> None:
    class Silent(Teller):
        offered = Conversation.offered & ~(1 << 23)
        heard: ClassVar[list[int]] = []

    with FakeServer(cached=True, speaks=Silent) as fake, pool_of(fake) as pool:
        for _ in range(3):
            pool.connect().close()
    assert Silent.heard.count(COM_RESET_CONNECTION) == 3
    assert not any(b"session_track" in statement for statement in fake.statements)
