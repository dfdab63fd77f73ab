"""forksafe in MySQLdb's place."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import pytest

import forksafe
from forksafe.mysqldb import connections, cursors
from scripts.mariadb_server import Server

RunPython = Callable[..., "subprocess.CompletedProcess[str]"]
Table = Callable[..., str]

INSTALL = "import forksafe; forksafe.install_as_MySQLdb()\n"


@pytest.fixture
def own(server: Server) -> Any:
    """Opens connections as MySQLdb would; they are closed in the end."""
    opened: list[connections.Connection] = []

    def connect(**options: Any) -> connections.Connection:
        opened.append(connections.Connection(**server.connect_kwargs(), **options))
        return opened[-1]

    yield connect
    for connection in opened:
        if connection.open:
            connection.close()


def test_every_module_of_mysqldb_is_found(run_python: RunPython) -> None:
    said = run_python(
        INSTALL + "forksafe.install_as_MySQLdb()\n"
        "import MySQLdb, MySQLdb.cursors, MySQLdb._mysql as _mysql, sys\n"
        "from MySQLdb import converters, times, release, _exceptions\n"
        "from MySQLdb.constants import CLIENT, CR, ER, FIELD_TYPE, FLAG\n"
        "from MySQLdb.connections import Connection\n"
        "from MySQLdb.converters import conversions\n"
        "import MySQLdb.constants.CLIENT\n"
        "assert MySQLdb.OperationalError is forksafe.OperationalError\n"
        "assert __import__('MySQLdb.constants.CLIENT').constants.CLIENT is CLIENT\n"
        "assert MySQLdb.version_info >= (2, 2, 1), MySQLdb.version_info\n"
        "assert _mysql.version_info == MySQLdb.version_info\n"
        "below = __import__(MySQLdb.__name__ + '.constants.CLIENT')\n"
        "assert below.constants.CLIENT is CLIENT\n"
        "assert MySQLdb.Error.__module__ == MySQLdb.__name__.partition('.')[0]\n"
        "assert all(hasattr(MySQLdb, name) for name in MySQLdb.__all__)\n"
        "print('all there')"
    ).stdout
    assert said.strip() == "all there"


def test_another_mysqldb_that_is_in_use_is_left_alone(run_python: RunPython) -> None:
    said = run_python(
        "import sys, types\n"
        "sys.modules['MySQLdb'] = other = types.ModuleType('MySQLdb')\n"
        "import forksafe\n"
        "try:\n"
        "    forksafe.install_as_MySQLdb()\n"
        "except RuntimeError as error:\n"
        "    print(error)\n"
        "assert sys.modules['MySQLdb'] is other\n"
        "assert 'MySQLdb.cursors' not in sys.modules"
    ).stdout
    assert "call forksafe.install_as_MySQLdb() before" in said


def test_django_and_sqlalchemy_take_it_for_mysqldb(server: Server, run_python: RunPython) -> None:
    pytest.importorskip("django", reason="Django is not installed")
    pytest.importorskip("sqlalchemy", reason="SQLAlchemy is not installed")
    account = {"USER": server.user, "PASSWORD": server.password, "HOST": server.host}
    database = {"ENGINE": "django.db.backends.mysql", "NAME": server.database, **account}
    url = server.url(scheme="mysql+mysqldb").partition("?")[0]
    said = run_python(
        INSTALL + "from django.conf import settings\n"
        f"settings.configure(DATABASES={{'default': {database | {'PORT': server.port}!r}}})\n"
        "import django; django.setup()\n"
        "from django.db import connection\n"
        "with connection.cursor() as cursor:\n"
        "    cursor.execute('SELECT %s, %s', (b'x', 'y')); print(cursor.fetchall())\n"
        'with connection.schema_editor() as editor: print(editor.quote_value("it\'s"))\n'
        "print(type(connection.connection).__module__)\n"
        "from sqlalchemy import create_engine, text\n"
        f"engine = create_engine({url!r})\n"
        "with engine.connect() as c:\n"
        "    print(c.scalar(text('SELECT 7')), type(c.connection.driver_connection).__module__)\n"
    ).stdout.splitlines()
    assert said[0] == "(('x', 'y'),)"
    assert said[1:] == [
        "'it\\'s'",
        "forksafe.mysqldb.connections",
        "7 forksafe.mysqldb.connections",
    ]


def test_the_arguments_may_come_in_mysqldbs_order(server: Server) -> None:
    place = (server.host, server.user, server.password, server.database, server.port)
    connection = connections.Connection(*place, "", init_command="", charset="", read_timeout=0)
    assert connection.db == server.database
    connection.close()
    with pytest.raises(TypeError, match="'host' twice"):
        connections.Connection(server.host, host=server.host)
    with pytest.raises(TypeError, match="at most"):
        connections.Connection(*["x"] * 30)


def test_a_second_close_is_an_error_as_with_mysqldb(own: Any) -> None:
    connection = own()
    with connection:
        connection.close()
    with pytest.raises(forksafe.OperationalError, match="closed connection"):
        connection.close()


def test_a_child_may_close_what_it_inherited(own: Any, in_child: Callable[..., None]) -> None:
    connection = own()
    in_child(connection.close)
    connection.ping()


def test_a_statement_without_rows_has_none_to_fetch(own: Any) -> None:
    cursor = own().cursor()
    with pytest.raises(forksafe.ProgrammingError):
        cursor.fetchall()
    cursor.execute("DO 0")
    assert cursor.fetchall() == ()
    assert cursor.fetchone() is None
    assert cursor.fetchmany(2) == ()
    with pytest.raises(forksafe.ProgrammingError):
        cursor.execute("SELECT FROM")
    assert cursor.rowcount is None


def test_a_statement_throws_away_what_another_cursor_has_left(own: Any) -> None:
    connection = own()
    one, other = connection.cursor(), connection.cursor()
    one.execute("SELECT 1; SELECT 10; SELECT 100")
    other.execute("SELECT %s", (2,))
    assert (one.fetchall(), other.fetchall(), one.nextset()) == (((1,),), ((2,),), None)
    one.execute("SELECT 1; SELECT nothing")
    with pytest.raises(forksafe.OperationalError, match="1054"):  # the answer that was left
        other.execute("SELECT 2")
    other.execute("SELECT 2")
    assert other.fetchall() == ((2,),)


def test_rows_that_another_cursor_streams_are_not_thrown_away(own: Any) -> None:
    connection = own()
    one, other = connection.cursor(cursors.SSCursor), connection.cursor()
    one.execute("SELECT 1 UNION SELECT 2; SELECT 3")
    with pytest.raises(forksafe.ProgrammingError, match="2014"):
        other.execute("SELECT 4")
    assert one.fetchall() == ((1,), (2,))
    other.execute("SELECT 4")
    assert other.fetchall() == ((4,),)


def test_cursors_of_ones_own_are_mixed_as_with_mysqldb(own: Any) -> None:
    class Streaming(cursors.CursorUseResultMixIn, cursors.CursorDictRowsMixIn, cursors.BaseCursor):
        pass

    cursor = own(cursorclass=Streaming).cursor()
    cursor.execute("SELECT 1 AS a UNION SELECT 2")
    assert cursor.rowcount == -1
    assert cursor.fetchall() == ({"a": 1}, {"a": 2})


def test_many_changes_go_at_once_where_that_was_asked_for(own: Any, table: Table) -> None:
    name = table("id INT PRIMARY KEY, a INT")
    connection = own(executemany_fallback="multi", autocommit=True)
    cursor = connection.cursor()
    cursor.executemany(f"INSERT INTO {name} VALUES (%s, 0)", [(n,) for n in range(500)])
    before = questions(connection)
    update = f"UPDATE {name} SET a = %s WHERE id = %s"
    assert cursor.executemany(update, [(n + 1, n) for n in range(500)]) == 500
    assert cursor.rowcount == 500
    cursor.execute(f"SELECT COUNT(*) FROM {name} WHERE a = id + 1")
    assert cursor.fetchone() == (500,)
    assert questions(connection) - before == 502, "each is a statement to the server"
    with pytest.raises(ValueError, match="executemany_fallback"):
        own(executemany_fallback="some")


def questions(connection: Any) -> int:
    cursor = connection.cursor()
    cursor.execute("SHOW SESSION STATUS LIKE 'Questions'")
    return int(cursor.fetchone()[1])


def test_a_parameter_cannot_bring_a_statement_along(own: Any, table: Table) -> None:
    class Raw:
        pass

    name = table("id INT PRIMARY KEY, a INT")
    conv = {**forksafe.converters.conversions, Raw: lambda *_: b"1; SELECT 1"}
    connection = own(executemany_fallback="multi", conv=conv)
    with pytest.raises(forksafe.InternalError, match="multi-statement"):
        connection.cursor().executemany(f"UPDATE {name} SET a = %s", [(Raw(),), (Raw(),)])
    assert not connection.open


def test_a_closed_connection_has_cursors_that_fail(own: Any) -> None:
    connection = own()
    connection.close()
    with pytest.raises(forksafe.InterfaceError) as caught:
        connection.cursor().execute("SELECT 1")
    assert caught.value.args[0] == 2006


class Adapter:
    """As GeoDjango has one: nothing but its text is known of it."""

    def __str__(self) -> str:
        return "POINT (1 2) it's"


def test_what_the_driver_does_not_know_is_written_as_its_text(own: Any) -> None:
    cursor = own().cursor()
    cursor.execute("SELECT %s", (Adapter(),))
    assert cursor.fetchone() == ("POINT (1 2) it's",)
    with pytest.raises(forksafe.ProgrammingError, match="NaN"):
        cursor.execute("SELECT %s", (float("nan"),))


def test_what_is_said_to_a_closed_connection_is_an_operational_error(own: Any) -> None:
    connection = own()
    connection.close()
    for act in (connection.ping, connection.commit, connection.close):
        with pytest.raises(forksafe.OperationalError) as caught:
            act()
        assert caught.value.args[0] == 2006


def test_a_ping_takes_the_argument_that_programs_give_it(own: Any) -> None:
    with pytest.warns(DeprecationWarning, match="reconnect"):
        own().ping(True)


def test_escape_answers_what_the_encoder_of_the_type_does(own: Any) -> None:
    connection = own()
    assert connection.escape(5) == "5"
    assert connection.escape("it's") == b"'it\\'s'"
