"""What a child does with what it inherited, before it ends."""

from __future__ import annotations

import contextlib
import gc
import os
import random
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import Any

from tests.storm.alarm import watch_for_a_hang
from tests.storm.counts import Counts
from tests.storm.descriptors import open_descriptors, sockets
from tests.storm.ends import ENDS, UNWINDING
from tests.storm.statements import ROWS, check, provoked
from tests.storm.world import World

Use = Callable[[World, Counts], None]

THREADS = 3
FORKS_AGAIN = 0.1  # how often a child does
INHERITED = 2006


def live(world: World, rng: random.Random, end: str, in_main_thread: bool) -> None:
    """Work, report, end. Returns only by an error that unwinds the stack to the child's end."""
    watch_for_a_hang(world.plan.child_timeout)
    counts = Counts({f"ends: {end}": 1})
    try:
        _work(world, rng, counts)
        _judge_descriptors(world, counts)
        left_open = sum(pool.stats()["pool_size"] for pool in world.pools)
        counts[_without_goodbye(world, end, in_main_thread)] += left_open
    except BaseException:
        counts.note("unexpected", f"in a child: {traceback.format_exc()[-1500:]}")
    os.write(world.writing, b"%d %b\n" % (os.getpid(), counts.to_report()))
    ENDS[end]()


def _work(world: World, rng: random.Random, counts: Counts) -> None:
    _settle(world, rng.choice(FIRST_USES), counts)
    pool = rng.choice(world.pools)
    with _used_from_threads(pool, rng, counts):
        if rng.random() < FORKS_AGAIN:
            _fork_again(world, rng, counts)
    rng.choice(LAST_USES)(world, counts)
    if rng.random() < 0.5:
        pool.close()


def _settle(world: World, use: Use, counts: Counts) -> None:
    """The first use of forksafe, after which no inherited socket is open."""
    counts["inherited_sockets"] += len(sockets())
    use(world, counts)
    for number, meaning in sockets().items():
        counts.note("child_gained", f"{number} {meaning} is open after the first use")
        world.known.add(number)


@contextlib.contextmanager
def _used_from_threads(pool: Any, rng: random.Random, counts: Counts) -> Iterator[None]:
    counted = [Counts() for _ in range(THREADS)]
    threads = [
        threading.Thread(target=_use, args=(pool, random.Random(rng.random()), number, each))
        for number, each in enumerate(counted)
    ]
    for thread in threads:
        thread.start()
    yield
    for thread, each in zip(threads, counted, strict=True):
        thread.join()
        counts.add(each)


def _fork_again(world: World, rng: random.Random, counts: Counts) -> None:
    """A grandchild, made while this child's threads use the pool: it uses all pools, and ends."""
    reading, writing = os.pipe()
    if (pid := os.fork()) == 0:
        watch_for_a_hang(world.plan.child_timeout)
        world.known |= {reading, writing}
        os.write(writing, _of_grandchild(world, rng).to_report())
        os._exit(0)
    os.close(writing)
    with open(reading, "rb") as pipe:
        report = pipe.read()
    status = os.waitpid(pid, 0)[1]
    counts["forked_again"] += 1
    if status:
        counts.note("hung", f"a child's child, wait status {status}")
    else:
        counts.add(Counts.from_json(report))


def _of_grandchild(world: World, rng: random.Random) -> Counts:
    counts = Counts()
    try:
        _settle(world, _look, counts)  # the pinned ones may be gone by now
        for pool in world.pools:
            _use(pool, rng, THREADS, counts)
        _judge_descriptors(world, counts)
        for pool in world.pools:
            pool.close()
    except BaseException:
        counts.note("unexpected", f"in a child's child: {traceback.format_exc()[-1500:]}")
    return counts


def _use(pool: Any, rng: random.Random, thread: int, counts: Counts) -> None:
    try:
        for turn in range(rng.randint(1, 3)):
            with pool.connection() as connection:
                token = f"child-{os.getpid()}-{thread}-{turn}"
                check(connection, token, rng, counts, "child_checked")
                if rng.random() < 0.2:
                    _write(connection, thread, turn, counts)
    except Exception as error:
        provoked(error, (), counts, "a child's thread")


def _write(connection: Any, thread: int, turn: int, counts: Counts) -> None:
    with connection.cursor() as cursor:
        number = thread * 100 + turn
        cursor.execute(f"INSERT INTO {ROWS} VALUES (CONNECTION_ID(), {number})")
    connection.commit()
    counts["rows"] += 1


def _ask_for_a_cursor(world: World, counts: Counts) -> None:
    for pinned in world.pinned:
        try:
            pinned.connection.cursor().execute("SELECT 1")
            counts.note("wrong", "an inherited connection answered")
        except world.driver.Error as error:
            provoked(error, (INHERITED,), counts, "the use of an inherited connection")
            counts["refused"] += 1


def _close(world: World, counts: Counts) -> None:
    for pinned in world.pinned:
        pinned.connection.close()


def _roll_back(world: World, counts: Counts) -> None:
    for pinned in world.pinned:
        pinned.connection.rollback()


def _collect(world: World, counts: Counts) -> None:
    world.pinned.clear()
    gc.collect()


def _look(world: World, counts: Counts) -> None:
    world.shared.stats()


FIRST_USES: tuple[Use, ...] = (_look, _ask_for_a_cursor, _close, _roll_back, _collect)
LAST_USES: tuple[Use, ...] = (_look, _look, _ask_for_a_cursor, _close, _collect)


def _judge_descriptors(world: World, counts: Counts) -> None:
    """Only what was open before forksafe, and one socket for each session of this child's own."""
    more = open_descriptors().keys() - world.known
    own = sum(pool.stats()["pool_size"] for pool in world.pools)
    if len(more) != own:
        counts.note("child_gained", f"{own} sessions, but {more}", abs(len(more) - own))


def _without_goodbye(world: World, end: str, in_main_thread: bool) -> str:
    """How to count sessions that are left open: the server counts as aborted those that end so.

    A child that is finalised lets go of its pools and says goodbye. But where threads were using
    them at the fork, Python may leak what the frames of these threads refer to.
    """
    if end not in UNWINDING or not in_main_thread:
        return "aborted"
    return "perhaps_aborted" if world.plan.busy else "finalised"
