"""One storm, in this process: `python -m tests.storm.process PLAN COUNTS STACKS`.

The plan is JSON, the server is named by FORKSAFE_TEST_DSN. The counts are written to the file
COUNTS when it is over, the stacks of what hung to the file STACKS.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import time
import warnings
from pathlib import Path

from tests.given_server import GivenServer
from tests.storm.alarm import dump_on_alarm, watch_for_a_hang
from tests.storm.counts import Counts
from tests.storm.ends import RunsOffItsEnd
from tests.storm.forker import Forker
from tests.storm.hammer import Hammer
from tests.storm.judge import Books, Samples, judge_parent
from tests.storm.plan import Plan
from tests.storm.world import World, make_tables


def main(plan_text: str, counts_path: str, stacks_path: str) -> None:
    """Run the storm, and write what it counted."""
    plan = Plan.from_json(plan_text)
    # Python 3.12 and newer warn of every fork beside threads; they are the point here.
    warnings.filterwarnings("ignore", ".*multi-threaded.*fork", DeprecationWarning)
    # Left open: a child that unwinds to its end may still hang after this.
    stacks = open(stacks_path, "a")  # noqa: SIM115
    dump_on_alarm(stacks)
    watch_for_a_hang()
    server = GivenServer(os.environ["FORKSAFE_TEST_DSN"])
    make_tables(server)
    books = Books(server)
    world = World(plan, server, stacks)
    counts = _as_grandchild(world) if plan.variant == "grandchild" else _storm(world)
    books.judge(counts)
    Path(counts_path).write_text(counts.to_json())


def _storm(world: World, counts: Counts | None = None) -> Counts:
    counts = counts or Counts()
    counts["seed"] = world.plan.seed
    began = time.monotonic()
    world.pin()
    gc.collect()
    gc.freeze()  # or each child that is finalised would walk all of it, and copy its pages
    hammer = Hammer(world) if world.plan.busy else None
    if hammer:
        hammer.start()
    samples = Samples(world, counts)

    def at_tenth(tenth: int) -> None:
        for pinned in world.pinned:
            pinned.check(counts)
        samples.at_tenth(tenth)

    Forker(world, counts).fork_all(at_tenth)
    if hammer:
        counts.add(hammer.stop())
    counts["seconds"] = round(time.monotonic() - began)
    counts["forks_per_second"] = round(counts["forks"] / (time.monotonic() - began))
    judge_parent(world, counts)
    return counts


def _as_grandchild(world: World) -> Counts:
    """The storm in a child that inherits the world; its parent's sessions must outlive it too."""
    world.pin()
    reading, writing = os.pipe()
    if (pid := os.fork()) == 0:
        counts = _storm(world, world.settle_in_child())
        os.write(writing, counts.to_json().encode())
        os._exit(0)
    os.close(writing)
    watch_for_a_hang(0)  # the storm has an alarm of its own
    with open(reading, "rb") as pipe:
        report = pipe.read()
    if os.waitpid(pid, 0)[1] or not report:
        raise RuntimeError("the storm's parent died")
    watch_for_a_hang()
    counts = Counts.from_json(report)
    judge_parent(world, counts)
    return counts


if __name__ == "__main__":
    # A child that is told to runs off its end here.
    with contextlib.suppress(RunsOffItsEnd):
        main(*sys.argv[1:])
