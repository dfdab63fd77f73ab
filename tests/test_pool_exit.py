"""A program ends by itself, promptly and in silence, whatever its pool and threads are doing."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from textwrap import dedent

import pytest

from tests import watched
from tests.watched import Witness

witness = watched.witness

RunPython = Callable[..., "subprocess.CompletedProcess[str]"]
Table = Callable[[str], str]

TIMES = 3  # each program, for how a thread meets the end is a matter of luck
PATIENCE = 30.0  # seconds; what a program waits for takes longer, or is over by then

# The alarm: what hangs is ended, and then has another exit code than it should.
BEGIN = f"""
import atexit, os, signal, sys, threading, time
import forksafe

signal.alarm({int(PATIENCE)})
URL = os.environ["FORKSAFE_TEST_URL"]


def use(pool):
    with pool.connection() as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT 6 * 7")
        return cursor.fetchone()[0]


def start(*targets, daemon=True):
    for target in targets:
        threading.Thread(target=target, daemon=daemon).start()


def wait_until(happens):
    deadline = time.monotonic() + 10
    while not happens():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.002)


def wait_until_queued(pool, callers):
    wait_until(lambda: pool.stats()["requests_waiting"] == callers)
"""

# The last module to go keeps this until all threads that ask for the interpreter have been ended.
TAKE_TIME_TO_END = """
import builtins

class Slow:
    def __del__(self, sleep=time.sleep):
        sleep(0.3)

builtins.slow = Slow()
"""


def program(text: str) -> str:
    return BEGIN + dedent(text)


def ends(run_python: RunPython, source: str, *args: str, code: int = 0, says: str = "") -> None:
    """Each time with this exit code and output, and with nothing on stderr."""
    for _ in range(TIMES):
        done = run_python(source, *args, timeout=PATIENCE + 10, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (code, says, "")


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
    "waiting for a connection": """
        pool = forksafe.Pool(URL, max_size=1, timeout=60)
        held = pool.connect()
        start(*[pool.connect] * 4)
        wait_until_queued(pool, 4)
    """,
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


# Where a program may keep a pool until its end.
KEEPERS = {
    "a global": """
        pool = forksafe.Pool(URL)
        use(pool)
    """,
    "a global, two idle": """
        pool = forksafe.Pool(URL)
        for connection in [pool.connect(), pool.connect()]:
            connection.close()
    """,
    "a cycle": """
        class Application: pass

        application = Application()
        application.itself, application.pool = application, forksafe.Pool(URL)
        use(application.pool)
        del application
    """,
    "a class": """
        class Application:
            pool = forksafe.Pool(URL)

        use(Application.pool)
    """,
    "a module": """
        import types

        sys.modules["application"] = module = types.ModuleType("application")
        module.pool = forksafe.Pool(URL)
        use(module.pool)
    """,
    "a thread-local": """
        local = threading.local()
        local.pool = forksafe.Pool(URL)
        use(local.pool)
    """,
    "a daemon thread": """
        used = threading.Event()

        def hold():
            pool = forksafe.Pool(URL)
            use(pool)
            used.set()
            time.sleep(60)

        start(hold)
        used.wait()
    """,
    "a handler of atexit": """
        pool = forksafe.Pool(URL)
        use(pool)
        atexit.register(pool.close)
    """,
    "nobody": """
        use(forksafe.Pool(URL))
    """,
    "nobody, for it is closed twice": """
        pool = forksafe.Pool(URL)
        use(pool)
        pool.close()
        pool.close()
    """,
    "a global, and a lease with it": """
        pool = forksafe.Pool(URL)
        connection = pool.connect()
        connection.begin()
    """,
}


@pytest.mark.parametrize("keeper", KEEPERS.values(), ids=KEEPERS)
def test_idle_connections_get_their_goodbye(
    run_python: RunPython, witness: Witness, keeper: str
) -> None:
    before = witness.aborted_clients()
    ends(run_python, program(keeper))
    assert witness.sessions() == set()
    assert witness.aborted_clients() == before


USES_AT_THE_END = {
    "a handler of atexit": """
        pool = forksafe.Pool(URL, max_size=1)
        use(pool)
        atexit.register(lambda: print(use(pool)))
    """,
    "a handler of atexit that is older than the import": """
        import atexit

        atexit.register(lambda: print(use(pool)))
        {begin}
        pool = forksafe.Pool(URL, max_size=1)
        use(pool)
    """,
    "a finalizer of the main module": """
        pool = forksafe.Pool(URL, max_size=1)

        class User:
            def __del__(self):
                print(use(pool))

        user = User()
    """,
    "a finalizer that outlives the main module": """
        import builtins

        class User:
            pool = forksafe.Pool(URL, max_size=1)

            def __del__(self, use=use, print=print):
                print(use(self.pool))

        use(User.pool)
        builtins.user = User()
    """,
}


@pytest.mark.parametrize("source", USES_AT_THE_END.values(), ids=USES_AT_THE_END)
def test_a_pool_works_to_the_very_end(run_python: RunPython, witness: Witness, source: str) -> None:
    before = witness.aborted_clients()
    begins = "{begin}" in source
    text = dedent(source).replace("{begin}", BEGIN) if begins else program(source)
    ends(run_python, text, says="42\n")
    assert witness.sessions() == set()
    assert witness.aborted_clients() == before


LEAVES_ROWS = {
    "the main thread": """
        connection = pool.connect()
        connection.cursor().execute(INSERT)
    """,
    "a daemon thread": """
        inserted = threading.Event()

        def insert():
            connection = pool.connect()
            connection.cursor().execute(INSERT)
            inserted.set()
            time.sleep(60)

        start(insert)
        inserted.wait()
    """,
    "a block that exits": """
        with pool.connection() as connection:
            connection.cursor().execute(INSERT)
            sys.exit()
    """,
    "os._exit": """
        connection = pool.connect()
        connection.cursor().execute(INSERT)
        os._exit(0)
    """,
}


@pytest.mark.parametrize("source", LEAVES_ROWS.values(), ids=LEAVES_ROWS)
def test_what_was_not_committed_is_rolled_back(
    run_python: RunPython, witness: Witness, table: Table, source: str
) -> None:
    name = table("id INT")
    insert = f"INSERT = 'INSERT INTO {name} VALUES (1)'\npool = forksafe.Pool(URL)\n"
    ends(run_python, BEGIN + insert + dedent(source))
    witness.wait_until_quiet()
    assert witness.ask(f"SELECT * FROM {name}") == []


EXITS = {
    "sys.exit": ("sys.exit(3)", 3),
    "sys.exit in a block": ("with forksafe.Pool(URL).connection():\n    sys.exit(3)", 3),
    "os._exit": ("os._exit(4)", 4),
    "SIGTERM": ("os.kill(os.getpid(), signal.SIGTERM)\nsignal.pause()", -15),
}


@pytest.mark.parametrize(("source", "code"), EXITS.values(), ids=EXITS)
@pytest.mark.usefixtures("server")
def test_the_exit_code_is_the_programs(run_python: RunPython, source: str, code: int) -> None:
    ends(run_python, program(OCCUPATIONS["waiting for a connection"]) + source, code=code)


@pytest.mark.usefixtures("server")
def test_an_exception_at_the_top_is_all_that_stderr_tells(run_python: RunPython) -> None:
    waiting = program(OCCUPATIONS["waiting for a connection"])
    for _ in range(TIMES):
        done = run_python(f"{waiting}\nraise LookupError('lost')", check=False)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("Traceback")
        assert done.stderr.endswith("LookupError: lost\n")
        assert done.stderr.count("\n") == 4


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
