"""The parent's threads, which use the pools without a pause while it forks."""

from __future__ import annotations

import faulthandler
import random
import threading
import time
from collections.abc import Callable

from tests.storm.counts import Counts
from tests.storm.statements import ROWS, check, provoked
from tests.storm.world import World

THREADS = 8
IMPATIENT = 0.002  # seconds
PAUSE = 0.02  # seconds, at most
JOIN = 40.0  # seconds; a thread that needs longer to end its turn hangs
KILLED = (1317, 1927, 2006, 2013)  # what a session may say that is killed by itself


class Hammer:
    """Threads with a random order of doings each, and what they counted."""

    def __init__(self, world: World, threads: int = THREADS) -> None:
        self.world = world
        self.stopped = False
        self.counted = [Counts() for _ in range(threads)]
        self.threads = [
            threading.Thread(target=self._repeat, args=(number,), daemon=True)
            for number in range(threads)
        ]

    def start(self) -> None:
        """Let all of them begin."""
        for thread in self.threads:
            thread.start()

    def stop(self) -> Counts:
        """Wait for all of them to end their turn; what they counted, together."""
        self.stopped = True
        total = Counts()
        deadline = time.monotonic() + JOIN
        for thread, counted in zip(self.threads, self.counted, strict=True):
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                faulthandler.dump_traceback(self.world.stacks)
                total.note("hung", f"the parent's {thread.name}")
            total.add(counted)
        return total

    def _repeat(self, number: int) -> None:
        rng = random.Random(self.world.plan.seed_of(f"thread {number}"))
        doings, weights = zip(*DOINGS.items(), strict=True)
        counts = self.counted[number]
        turn = 0
        while not self.stopped:
            turn += 1
            do = rng.choices(doings, weights)[0]
            try:
                do(self.world, f"parent-{number}-{turn}", rng, counts)
            except Exception as error:
                provoked(error, (), counts, f"the parent's {do.__name__}")


def _query(world: World, token: str, rng: random.Random, counts: Counts) -> None:
    with world.shared.connection() as connection:
        check(connection, token, rng, counts, "parent_checked")


def _leave_answers_unread(world: World, token: str, rng: random.Random, counts: Counts) -> None:
    connection = world.shared.connect()
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s; SELECT REPEAT('y', 20000)", (token,))
    connection.close()
    counts["parent_checked"] += 1


def _stream(world: World, token: str, rng: random.Random, counts: Counts) -> None:
    connection = world.shared.connect()
    with connection.cursor(world.driver.cursors.SSCursor) as cursor:
        cursor.execute("SELECT seq, %s FROM seq_1_to_4000", (token,))
        rows = list(cursor.fetchmany(10))
        time.sleep(rng.random() * PAUSE)  # so that forks find it half read
        if rng.random() < 0.5:
            rows += cursor.fetchall()
    counts["parent_checked"] += 1
    expected = [(number, token) for number in range(1, len(rows) + 1)]
    if rows != expected or len(rows) not in (10, 4000):
        counts.note("wrong", f"asked for {token} in a stream, got {len(rows)} rows, {rows[:3]} ...")
    connection.close()


def _prepare(world: World, token: str, rng: random.Random, counts: Counts) -> None:
    number = rng.randrange(40)  # more statements than a session keeps prepared
    with world.shared.connection() as connection, connection.cursor(prepared=True) as cursor:
        cursor.execute(f"SELECT %s, {number}", (token,))
        if cursor.fetchall() != ((token, number),):
            counts.note("wrong", f"asked for {token} by a prepared statement")
        counts["parent_checked"] += 1


def _roll_back(world: World, token: str, rng: random.Random, counts: Counts) -> None:
    connection = world.shared.connect()
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {ROWS} VALUES (CONNECTION_ID(), -1)")
    if rng.random() < 0.5:
        connection.rollback()
    connection.close()


def _time_out(world: World, token: str, rng: random.Random, counts: Counts) -> None:
    try:
        connection = world.shared.connect(timeout=IMPATIENT)
    except world.driver.PoolTimeout:
        counts["pool_timeouts"] += 1
        return
    check(connection, token, rng, counts, "parent_checked")
    connection.close()


def _hold(world: World, token: str, rng: random.Random, counts: Counts) -> None:
    with world.shared.connection() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT SLEEP(0.01), %s", (token,))
        if tuple(cursor.fetchall()) != ((0, token),):
            counts.note("wrong", f"asked for {token} after a sleep")
        counts["parent_checked"] += 1


def _reconnect(world: World, token: str, rng: random.Random, counts: Counts) -> None:
    with world.restless.connection() as connection:
        check(connection, token, rng, counts, "parent_checked")


def _be_killed(world: World, token: str, rng: random.Random, counts: Counts) -> None:
    connection = world.restless.connect()
    counts["killed"] += 1
    try:
        with connection.cursor() as cursor:
            cursor.execute("KILL CONNECTION_ID()")
    except world.driver.Error as error:
        provoked(error, KILLED, counts, "a session that killed itself")
    connection.close()


def _connect(world: World, token: str, rng: random.Random, counts: Counts) -> None:
    connection = world.connect(rng.choice(world.server.transports))
    counts["parent_connects"] += 1
    check(connection, token, rng, counts, "parent_checked")
    if rng.random() < 0.5:
        connection.close()


Doing = Callable[[World, str, random.Random, Counts], None]
DOINGS: dict[Doing, int] = {
    _query: 10,
    _leave_answers_unread: 2,
    _roll_back: 2,
    _stream: 2,
    _prepare: 2,
    _time_out: 3,
    _hold: 2,
    _reconnect: 8,
    _be_killed: 1,
    _connect: 4,
}
