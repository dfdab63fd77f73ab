"""`compress=True`: the compressed protocol does all that the plain one does, in fewer bytes."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import forksafe
from forksafe.constants import CLIENT
from scripts.mariadb_server import Server
from tests.fake_compressed import ANSWERED_BADLY, CompressedServer, frame, packet
from tests.fake_server import OK, PASSWORD, FakeServer, error
from tests.proxy import FaultProxy

Connect = Callable[..., forksafe.Connection]
MB = 1 << 20
FRAME = 0xFF_FFFF


def ask(connection: forksafe.Connection, sql: str, args: Any = None) -> tuple[Any, ...]:
    """The rows that a statement answers, if it answers any."""
    with connection.cursor() as cursor:
        cursor.execute(sql, args)
        return cursor.fetchall() if cursor.description else ()


def is_compressed(connection: forksafe.Connection) -> bool:
    """Whether the server says so, and the connection too."""
    ((_, answer),) = ask(connection, "SHOW SESSION STATUS LIKE 'Compression'")
    assert bool(connection.client_flag & CLIENT.COMPRESS) == (answer == "ON")
    return bool(answer == "ON")


@pytest.fixture(params=["compress", "socket", "tls"])
def compressed(request: pytest.FixtureRequest, connect: Connect, server: Server) -> Connect:
    """`compressed(**options)`: a connection that asks for compression, by each transport."""
    if request.param not in server.transports:
        pytest.skip(f"the server offers no {request.param}")
    return lambda **options: connect(request.param, **{"compress": True, **options})


@pytest.fixture(scope="module")
def roomy(server: Server) -> Iterator[None]:
    """Sessions opened meanwhile may send and receive large packets."""
    with server.variables(max_allowed_packet=128 * MB):
        yield


def test_a_session_is_compressed_when_that_is_asked_for_and_only_then(
    compressed: Connect, connect: Connect, server: Server
) -> None:
    assert is_compressed(compressed())
    assert not is_compressed(compressed(compress=False))
    assert not is_compressed(connect())


def test_a_url_and_a_pool_take_the_option(server: Server) -> None:
    with forksafe.connect(server.url("compress")) as by_url:
        assert is_compressed(by_url)
    with forksafe.connect(server.url(compress="off")) as by_url:
        assert not is_compressed(by_url)
    for pool in (
        forksafe.Pool(server.url("compress")),
        forksafe.Pool(**server.connect_kwargs(compress=True)),
    ):
        with pool, pool.connection() as connection:
            assert is_compressed(connection)


def test_a_server_without_it_is_spoken_to_without_it() -> None:
    with FakeServer(cached=True) as fake:
        options = {"host": "127.0.0.1", "port": fake.port, "user": "app", "password": PASSWORD}
        with forksafe.connect(**options, compress=True) as connection:
            connection.ping()
            assert not connection.client_flag & CLIENT.COMPRESS


SIZES = (0, 1, *range(30, 60), 1000, 16_300, 16_400, 65_535, 65_536, 300_000, 3 * MB)


def test_values_arrive_as_they_are_whatever_their_length_both_ways(compressed: Connect) -> None:
    connection = compressed()
    for size in SIZES:
        for value in (os.urandom(size), bytes(size), b"ab" * (size // 2)):
            ((back, digest),) = ask(connection, "SELECT %s, MD5(%s)", (value, value))
            assert back == value
            assert digest == hashlib.md5(value).hexdigest()


@pytest.mark.usefixtures("roomy")
def test_statements_and_rows_around_the_length_of_a_frame_arrive(connect: Connect) -> None:
    connection = connect("compress")
    sql = "SELECT LENGTH('{}')"
    # The command's byte, and the header of its packet: they are in the frame as well.
    around = len(sql.format("")) + 1 + 4
    for length in range(FRAME - 5, FRAME + 2):
        ((counted,),) = ask(connection, sql.format("x" * (length - around)))
        assert counted == length - around
    for length in range(FRAME - 8, FRAME + 2):
        ((row,),) = ask(connection, f"SELECT REPEAT('x', {length})")
        assert len(row) == length


@pytest.mark.usefixtures("roomy")
def test_values_of_several_frames_arrive(connect: Connect) -> None:
    connection = connect("compress")
    dense, text = os.urandom(20 * MB), bytes(range(256)) * (40 * MB // 256)
    for value in (dense, text):
        ((back,),) = ask(connection, "SELECT %s", (value,))
        assert back == value


def test_many_rows_arrive_in_order(compressed: Connect) -> None:
    rows = ask(compressed(), "SELECT seq, SHA2(seq, 256) FROM seq_1_to_50000")
    assert rows == tuple((n, hashlib.sha256(b"%d" % n).hexdigest()) for n in range(1, 50_001))


def test_several_answers_to_one_statement_arrive(compressed: Connect) -> None:
    with compressed().cursor() as cursor:
        cursor.execute("SELECT 1; DO 1; SELECT SLEEP(0.05); SELECT seq FROM seq_1_to_9000; DO 2")
        answers = [cursor.fetchall()]
        while cursor.nextset():
            answers.append(cursor.fetchall() if cursor.description else ())
        assert [len(answer) for answer in answers] == [1, 0, 1, 9000, 0]
        cursor.execute("SELECT 'next'")
        assert cursor.fetchall() == (("next",),)


def test_a_file_of_more_frames_than_their_number_can_tell_is_loaded(
    connect: Connect, table: Callable[[str], str], tmp_path: Path
) -> None:
    name, file = table("a INT PRIMARY KEY, b VARCHAR(250)"), tmp_path / "rows"
    rows = 100_000
    file.write_text("".join(f"{n}\t{'x' * 200}\n" for n in range(rows)))
    assert file.stat().st_size > 300 * 65_536  # the count is one byte
    connection = connect("compress", local_infile=True)
    with connection.cursor() as cursor:
        assert cursor.execute(f"LOAD DATA LOCAL INFILE '{file}' INTO TABLE {name}") == rows
    assert ask(connection, f"SELECT COUNT(*), SUM(a) FROM {name}")[0][0] == rows


def test_fewer_bytes_travel_both_ways(connect: Connect, proxy: FaultProxy) -> None:
    connection = connect("compress", host=proxy.host, port=proxy.port)
    before = proxy.stats()
    assert ask(connection, "SELECT %s", ("x" * MB,)) == (("x" * MB,),)
    after = proxy.stats()
    assert 0 < after["up"] - before["up"] < MB / 50
    assert 0 < after["down"] - before["down"] < MB / 50


def test_a_refusal_leaves_the_session_in_step(compressed: Connect) -> None:
    connection = compressed()
    for wrong in ("SELEKT 1", "SELECT * FROM nowhere", "SELECT 1; SELEKT 2"):
        with pytest.raises(forksafe.ProgrammingError), connection.cursor() as cursor:
            cursor.execute(wrong)
            cursor.nextset()
        assert ask(connection, "SELECT 'next'") == (("next",),)


def test_a_pool_pings_resets_and_lends_it_again(
    make_pool: Callable[..., forksafe.Pool], server: Server
) -> None:
    pool = make_pool("compress", max_size=1, reset="session", ping_after=0)
    sessions = set()
    for _ in range(3):
        with pool.connection() as connection:
            assert ask(connection, "SELECT @x") == ((None,),)
            ask(connection, "SET @x = 1")
            connection.ping()
            assert connection.probe()
            sessions.add(connection.thread_id())
        time.sleep(0.01)
    assert len(sessions) == 1
    stats = pool.stats()
    assert stats["pings"] == 2
    assert not any(stats["discards"].values())


def test_a_session_that_was_killed_is_not_lent(
    make_pool: Callable[..., forksafe.Pool], server: Server
) -> None:
    pool = make_pool("compress", ping_after=60)
    with pool.connection() as connection:
        killed = connection.thread_id()
    server.kill_session(killed)
    while killed in server.session_ids():
        time.sleep(0.01)
    with pool.connection() as connection:
        assert connection.thread_id() != killed
    assert pool.stats()["probe_failures"] == 1


@pytest.mark.parametrize("cut", ["cut", "cut_rst"])
def test_an_end_within_a_frame_is_a_loss(connect: Connect, proxy: FaultProxy, cut: str) -> None:
    for count in (*range(1, 12), 100, 5000, 16_000):
        proxy.pass_()
        connection = connect("compress", host=proxy.host, port=proxy.port)
        getattr(proxy, cut)(count)
        assert_breaks(connection, "SELECT seq, SHA2(seq, 256) FROM seq_1_to_5000", "")


def assert_breaks(connection: forksafe.Connection, sql: str, cause: str) -> None:
    """`sql` is answered by 2013 with this cause, and whatever follows by 2006."""
    for errno in (2013, 2006):
        with pytest.raises(forksafe.OperationalError) as caught:
            ask(connection, sql)
        assert caught.value.args[0] == errno
        assert cause in caught.value.args[1]
    assert not connection.probe()


def connect_to(fake: CompressedServer) -> forksafe.Connection:
    """Log in, and see that the server's frames are read."""
    options = {"host": "127.0.0.1", "port": fake.port, "user": "app", "password": PASSWORD}
    connection = forksafe.connect(**options, compress=True, read_timeout=20)
    assert connection.client_flag & CLIENT.COMPRESS
    assert ask(connection, "SELECT 1")
    return connection


ANSWER = packet(OK)
MISFIT = "malformed packet: a compressed frame that does not inflate to what it announces"
BAD = {
    "longer than announced": (frame(ANSWER, announced=3), MISFIT),
    "shorter than announced": (frame(ANSWER, announced=60), MISFIT),
    "a bomb": (frame(ANSWER + bytes(FRAME - 11), announced=11), MISFIT),
    "no zlib": (frame(ANSWER, body=b"something else"), MISFIT),
    "a wrong checksum": (frame(ANSWER, body=frame(ANSWER)[7:-1] + b"!"), MISFIT),
    "more after the end": (frame(ANSWER, body=frame(ANSWER)[7:] + b"!"), MISFIT),
    "an end too early": (frame(ANSWER, body=frame(ANSWER)[7:-1]), MISFIT),
    "no body": (frame(b"", body=b""), "a compressed frame without a body"),
    "no body, announced": (frame(ANSWER, body=b""), "a compressed frame without a body"),
    "out of turn": (frame(ANSWER, number=2), "it is not the one that follows"),
    "the last one again": (frame(ANSWER, number=0), "it is not the one that follows"),
    "not a packet": (frame(bytes(11)), "an empty answer"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_frame_that_is_wrong_ends_the_session(kind: str) -> None:
    answer, cause = BAD[kind]
    with CompressedServer(answer) as fake:
        assert_breaks(connect_to(fake), ANSWERED_BADLY, cause)


@pytest.mark.parametrize(
    "answer",
    [
        frame(ANSWER + packet(OK)),
        frame(ANSWER) + frame(packet(OK), 2),
        frame(ANSWER + packet(OK), announced=0, body=ANSWER + packet(OK)),
        frame(ANSWER) + frame(packet(OK), 2)[:5],
    ],
    ids=["in its frame", "in the next", "undeflated", "a part"],
)
@pytest.mark.parametrize(
    "use", [forksafe.Connection.ping, lambda held: ask(held, "SELECT 1")], ids=["ping", "query"]
)
def test_what_follows_an_answer_unasked_is_nobodys(
    answer: bytes, use: Callable[[forksafe.Connection], object]
) -> None:
    with CompressedServer(answer) as fake:
        connection, other = connect_to(fake), connect_to(fake)
        for held in (connection, other):
            assert ask(held, ANSWERED_BADLY) == ()
        with pytest.raises(forksafe.OperationalError, match="nobody asked for") as caught:
            use(connection)
        assert caught.value.args[0] == 2006
        assert not other.probe()


@pytest.mark.parametrize("text", ["idle", "Disconnected because of inactivity. " * 3])
def test_the_last_word_of_a_server_is_told_though_it_is_out_of_turn(text: str) -> None:
    farewell = packet(error(4031, "HY000", text), 0)
    with CompressedServer(frame(farewell, number=0)) as fake:
        # In answer to a statement that crossed it on the way.
        assert_breaks(connect_to(fake), ANSWERED_BADLY, f"4031 {text}")
        # On an idle connection.
        connection, heard = connect_to(fake), len(fake.statements)
        fake.say(frame(farewell, number=0))
        time.sleep(0.15)
        with pytest.raises(forksafe.OperationalError) as caught:
            ask(connection, "SELECT 1")
        assert caught.value.args[0] == 2006
        assert f"4031 {text}" in caught.value.args[1]
        assert len(fake.statements) == heard
