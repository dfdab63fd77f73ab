"""Daemon threads do not disturb the end, whatever they do with a pool; others are waited for."""

from __future__ import annotations

import pytest

from tests.programs import WAITING, RunPython, ends, program

# The last module to go keeps this until all threads that ask for the interpreter have been ended.
TAKE_TIME_TO_END = """
import builtins

class Slow:
    def __del__(self, sleep=time.sleep):
        sleep(0.3)

builtins.slow = Slow()
"""


# What daemon threads may be doing when the main thread ends.


def busy_in(option: str) -> str:
    """A program whose threads are in a function of its own, given as an option of the pool."""
    return f"""
        begun = threading.Event()

        def take_time(_):
            begun.set()
            time.sleep(0.2)

        pool = forksafe.Pool(URL, {option}=take_time)
        start(*[lambda: use(pool)] * 3)
        begun.wait()
    """


OCCUPATIONS = {
    "waiting for a connection": WAITING,
    "giving up and waiting again": """
        pool = forksafe.Pool(URL, max_size=1, timeout=0.02)
        held = pool.connect(timeout=10)
        seen = []

        def wait():
            while True:
                try:
                    pool.connect()
                except forksafe.PoolTimeout:
                    seen.append(1)

        start(*[wait] * 4)
        wait_until(lambda: len(seen) > 8)
    """,
    "waiting for what the end itself gives back": """
        pool = forksafe.Pool(URL, max_size=1, timeout=60)
        atexit.register(pool.connect().close)
        taken = []
        start(*[lambda: taken.append(pool.connect())] * 4)
        wait_until_queued(pool, 4)
    """,
    "in a query": """
        pool = forksafe.Pool(URL, max_size=3)
        begun = []

        def query():
            with pool.connection() as connection:
                cursor = connection.cursor()
                begun.append(1)
                cursor.execute("SELECT SLEEP(0.2)")

        start(*[query] * 3)
        wait_until(lambda: len(begun) == 3)
    """,
    "in one query after the other": """
        pool = forksafe.Pool(URL, max_size=3)
        done = []

        def queries():
            while True:
                done.append(use(pool))

        start(*[queries] * 6)
        wait_until(lambda: len(done) > 60)
    """,
    "in the middle of a stream": """
        pool = forksafe.Pool(URL, max_size=3)
        done = []

        def stream():
            while True:
                with pool.connection() as connection:
                    cursor = connection.cursor(forksafe.cursors.SSCursor)
                    cursor.execute("SELECT seq, REPEAT('x', 100) FROM seq_1_to_10000")
                    done.extend(1 for _ in cursor)

        start(*[stream] * 3)
        wait_until(lambda: len(done) > 10000)
    """,
    "making pools": """
        done = []

        def make():
            while True:
                done.append(use(forksafe.Pool(URL)))

        start(*[make] * 3)
        wait_until(lambda: len(done) > 10)
    """,
    "dropping what they have": """
        pool = forksafe.Pool(URL, max_size=3)
        done = []

        def drop():
            while True:
                connection = pool.connect()
                connection.begin()
                del connection
                done.append(1)

        start(*[drop] * 6)
        wait_until(lambda: len(done) > 60)
    """,
    "idle with a lease": """
        pool = forksafe.Pool(URL)
        begun = threading.Event()

        def hold():
            connection = pool.connect()
            connection.begin()
            begun.set()
            time.sleep(60)

        start(hold)
        begun.wait()
    """,
    "in parameters that are made as they are sent": """
        pool = forksafe.Pool(URL)
        begun = threading.Event()

        def parameters():
            while True:
                begun.set()
                time.sleep(0.01)
                yield (1,)

        def send():
            with pool.connection() as connection:
                connection.cursor().executemany("DO %s", parameters())

        start(*[send] * 3)
        begun.wait()
    """,
    "in a parameter that is looked up": """
        pool = forksafe.Pool(URL)
        begun = threading.Event()

        class Parameters(dict):
            def __missing__(self, name):
                begun.set()
                time.sleep(0.2)
                return 1

        def send():
            with pool.connection() as connection:
                connection.cursor().execute("DO %(one)s", Parameters())

        start(*[send] * 3)
        begun.wait()
    """,
    "in a conversion": """
        begun = threading.Event()

        def convert(text):
            begun.set()
            time.sleep(0.01)
            return text

        pool = forksafe.Pool(URL, conv={forksafe.constants.FIELD_TYPE.LONGLONG: convert})

        def read():
            with pool.connection() as connection:
                cursor = connection.cursor()
                cursor.execute("SELECT seq FROM seq_1_to_1000")
                cursor.fetchall()

        start(*[read] * 3)
        begun.wait()
    """,
    "in a cursor's making": """
        begun = threading.Event()

        class Cursor(forksafe.Cursor):
            def __init__(self, *args, **kwargs):
                begun.set()
                time.sleep(0.2)
                super().__init__(*args, **kwargs)

        pool = forksafe.Pool(URL, cursorclass=Cursor)
        start(*[lambda: use(pool)] * 3)
        begun.wait()
    """,
    "in the hook that configures": busy_in("configure"),
    "in the hook that resets": busy_in("reset"),
    "in what is told of events": busy_in("on_event"),
    "in a password's making": """
        begun = threading.Event()

        def password():
            begun.set()
            time.sleep(0.2)
            return "wrong"

        pool = forksafe.Pool(URL, password=password)

        def connect():
            try:
                use(pool)
            except forksafe.OperationalError:
                pass

        start(*[connect] * 3)
        begun.wait()
    """,
}


@pytest.mark.parametrize("takes", ["no time", "some time"])
@pytest.mark.parametrize("occupation", OCCUPATIONS.values(), ids=OCCUPATIONS)
@pytest.mark.usefixtures("server")
def test_daemon_threads_do_not_disturb_the_end(
    run_python: RunPython, occupation: str, takes: str
) -> None:
    end = TAKE_TIME_TO_END if takes == "some time" else ""
    ends(run_python, program(occupation) + end)


@pytest.mark.usefixtures("server")
def test_a_thread_that_is_no_daemon_is_waited_for(run_python: RunPython) -> None:
    source = """
        pool = forksafe.Pool(URL, max_size=1)
        held = pool.connect()

        def wait():
            try:
                pool.connect(timeout=0.1)
            except forksafe.PoolTimeout as error:
                print(type(error).__name__)

        start(wait, daemon=False)
    """
    ends(run_python, program(source), says="PoolTimeout\n")
