"""A child of a program with a pool ends by itself too, and leaves its parent's pool alone."""

from __future__ import annotations

import pytest

from tests import watched
from tests.programs import RunPython, ends, program
from tests.watched import Witness

witness = watched.witness


@pytest.mark.usefixtures("server")
def test_a_child_exits_while_threads_of_its_parent_wait(run_python: RunPython) -> None:
    # Python 3.12+ warns of every fork beside threads; they are the point here.
    source = """
        import warnings
        warnings.filterwarnings("ignore", ".*multi-threaded", DeprecationWarning)
        pool = forksafe.Pool(URL, max_size=1, timeout=60)
        held = pool.connect()
        session = held.thread_id()
        start(*[pool.connect] * 4)
        wait_until_queued(pool, 4)
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            use(pool)
            sys.exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        assert pool.stats()["requests_waiting"] == 4
        cursor = held.cursor()
        cursor.execute("SELECT CONNECTION_ID()")
        assert cursor.fetchone() == (session,)
    """
    ends(run_python, program(source))


def test_an_idle_connection_of_a_child_gets_its_goodbye(
    run_python: RunPython, witness: Witness
) -> None:
    source = """
        pool = forksafe.Pool(URL)
        use(pool)
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            use(pool)
            sys.exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        assert use(pool) == 42
        assert pool.stats()["connections_num"] == 1
    """
    before = witness.aborted_clients()
    ends(run_python, program(source))
    assert witness.sessions() == set()
    assert witness.aborted_clients() == before


@pytest.mark.usefixtures("server")
def test_a_child_of_multiprocessing_ends_with_its_own_code(run_python: RunPython) -> None:
    source = """
        import multiprocessing

        pool = forksafe.Pool(URL)

        def work():
            signal.alarm(20)
            start(lambda: time.sleep(60), lambda: use(pool))
            use(pool)
            sys.exit(5)

        use(pool)
        children = [multiprocessing.get_context("fork").Process(target=work) for _ in range(3)]
        for child in children:
            child.start()
        for child in children:
            child.join()
        print([child.exitcode for child in children])
    """
    ends(run_python, program(source), says="[5, 5, 5]\n")
