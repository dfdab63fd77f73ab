"""A server that goes away under load and comes back: how often it is asked meanwhile, what callers
are told and how soon, and that all is well again without anybody's doing. And one beside which
there is a second.

What it measures is printed by `pytest -s`; `make soak` keeps the server away for longer. The bounds
follow from the pool's rules: see `attempts_within`.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator

import pytest

from scripts.mariadb_server import Server
from scripts.throwaway import Throwaway
from tests import pool_load
from tests.pool_load import HANG, SIZE, THREADS, Load, Outage, Report, Start
from tests.proxy import FaultProxy

CAP = 5.0  # seconds: the pool's attempts come no further apart than this
RISING = 6  # attempts until their distance is drawn from 0 to CAP
A_WHILE = 4.0  # seconds

start = pool_load.start

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(0),  # an outage is as long as its caller wants; what hangs is found
]


@pytest.fixture
def own_server(server: Server) -> Iterator[Throwaway]:
    """A server that no other test knows."""
    if not isinstance(server, Throwaway):
        pytest.skip("needs a server of its own to kill: unset FORKSAFE_TEST_DSN")
    with server.another(tls=False) as own:
        yield own


def attempts_within(seconds: float) -> int:
    """How many attempts a pool makes, one after the other, while its server is away for so long.

    The delay before each is drawn from 0 to CAP once RISING attempts have failed. That `n` of these
    add up to no more than `seconds` has a chance of at most (seconds / CAP)^n / n!: more than this
    many attempts will be seen once in a thousand million times.
    """
    chance, attempts = 1.0, 0
    while chance > 1e-9:
        attempts += 1
        chance *= seconds / CAP / attempts
    return RISING + attempts


@pytest.mark.parametrize("processes", [1, 4])
def test_a_server_killed_under_load_is_asked_seldom_and_found_again(
    own_server: Throwaway, start: Start, pool_seconds: float, processes: int
) -> None:
    # The proxy takes every attempt, and ends it where the server does not answer.
    proxy = FaultProxy(own_server.host, own_server.port)
    load = start(processes, **own_server.connect_kwargs(host=proxy.host, port=proxy.port))
    time.sleep(1)
    assert len(own_server.session_ids()) == processes * SIZE
    began = time.monotonic()
    own_server.kill()
    time.sleep(pool_seconds)
    own_server.start()
    ended = time.monotonic()
    load.wait_for_answers()
    time.sleep(1)
    sessions = len(own_server.session_ids())
    outage = Outage(began, ended, proxy.arrivals(), load.end())
    proxy.close()
    print(outage.table())

    before, down, back = outage.attempts()
    # As many as there may be; those under way at the end, then one at a time; as many again.
    assert before == processes * SIZE
    assert down <= processes * (SIZE + attempts_within(outage.over - began))
    assert back <= processes * SIZE
    assert sessions <= processes * SIZE
    assert_callers_fail_fast(outage, {2006, 2013}, attempts=down)
    assert_all_is_well_again(outage)
    # The pools know of every attempt that the network has seen.
    pools = [report.stats for report in outage.reports]
    assert sum(stats["connections_num"] for stats in pools) == len(outage.arrivals)


def test_where_nobody_listens_any_more_callers_are_refused_at_once(
    server: Server, proxy: FaultProxy, start: Start
) -> None:
    load = start(1, **server.connect_kwargs(host=proxy.host, port=proxy.port))
    outage = outage_of(proxy, proxy.refuse, load)

    (report,) = outage.reports
    refused = report.stats["connections_num"] - len(outage.arrivals)
    assert refused <= SIZE + attempts_within(outage.over - outage.began)
    assert sum(outage.attempts()) <= 2 * SIZE
    assert_callers_fail_fast(outage, {2003, 2006, 2013}, attempts=refused)
    assert_all_is_well_again(outage)


def test_a_server_that_accepts_and_never_answers_holds_up_one_caller_at_a_time(
    server: Server, proxy: FaultProxy, start: Start
) -> None:
    patience = 1.0
    options = {"host": proxy.host, "port": proxy.port, "connect_timeout": patience}
    load = start(1, **server.connect_kwargs(**options))
    outage = outage_of(proxy, proxy.hang, load)

    # Those that began before the first had failed, and then each after the end of the last.
    down = [moment for moment in outage.arrivals if outage.began <= moment < outage.ended]
    alone = [moment for moment in down if moment >= down[0] + patience]
    assert len(down) - len(alone) <= SIZE
    # Half of it: on a busy machine the proxy notes an arrival some tenths of a second late.
    assert all(later - sooner >= patience / 2 for sooner, later in itertools.pairwise(alone))
    assert_callers_fail_fast(outage, {2006, 2013}, attempts=len(down))
    # Only they have waited, and those who had queued up before the first had failed.
    waited = [failure for failure in outage.failures if failure.took >= patience * 0.9]
    assert len(waited) <= THREADS + len(alone)
    assert_all_is_well_again(outage)


def test_where_the_first_of_two_hosts_goes_away_the_second_takes_over(
    server: Server, proxy: FaultProxy, start: Start
) -> None:
    second = FaultProxy(server.host, server.port)
    hosts = ",".join(f"{one.host}:{one.port}" for one in (proxy, second))
    load = start(1, **server.connect_kwargs(host=hosts, port=None))
    assert (len(proxy.arrivals()), second.arrivals()) == (SIZE, [])
    began = time.monotonic()
    proxy.cut(0)
    proxy.rst()
    time.sleep(A_WHILE)
    outage = Outage(began, began, second.arrivals(), load.end())
    tried_in_vain = len(proxy.arrivals()) - SIZE
    second.close()
    print(outage.table(), f"attempts at the first host: {tried_in_vain}", sep="\n")

    # What was under way is lost; then the first host is left alone, and nobody is told of it.
    assert {failure.errno for failure in outage.failures} <= {2006, 2013}
    assert len(outage.failures) <= SIZE
    assert 1 <= tried_in_vain <= SIZE
    assert len(outage.arrivals) == SIZE
    (report,) = outage.reports
    assert (report.events, set(report.down_for)) == ([], {None})
    assert (report.stats["pool_size"], report.stats["timeouts"]) == (SIZE, 0)


def outage_of(proxy: FaultProxy, fault: Callable[[], None], load: Load) -> Outage:
    """What is seen of a fault that lasts for a while, and of what comes after it."""
    began = time.monotonic()
    fault()
    proxy.rst()
    time.sleep(A_WHILE)
    # Before it is said: the attempt under way goes on at once, and with it all the others.
    ended = time.monotonic()
    proxy.pass_()
    load.wait_for_answers()
    time.sleep(1)
    outage = Outage(began, ended, proxy.arrivals(), load.end())
    print(outage.table())
    return outage


def assert_callers_fail_fast(outage: Outage, causes: set[int], attempts: int) -> None:
    """They are told the cause and do not wait: far more calls fail than attempts are made."""
    failures = outage.failures
    assert {failure.kind for failure in failures} == {"OperationalError"}
    assert {failure.errno for failure in failures} <= causes
    assert max(failure.took for failure in failures) < HANG / 3
    assert len(failures) > 10 * attempts


def assert_all_is_well_again(outage: Outage) -> None:
    """Every pool has noticed that its server went and came, and has lost nothing by it."""
    for report in outage.reports:
        assert_is_well_again(report)
    assert not [one for one in outage.failures if one.began > outage.over + 1]


def assert_is_well_again(report: Report) -> None:
    stats = report.stats
    assert [seconds for seconds in report.down_for if seconds is not None]
    assert (stats["down_for"], report.down_for[-1]) == (None, None)
    assert (stats["in_use"], stats["requests_waiting"], stats["timeouts"]) == (0, 0, 0)
    assert 1 <= stats["pool_available"] <= SIZE
    assert report.events[0] == "server_down"
    # A server that is starting may fail once more what it has just let in.
    turns = [kind for kind, _ in itertools.groupby(report.events)]
    assert (turns[-1], len(turns) % 2) == ("server_back", 0)
