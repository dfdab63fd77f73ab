"""A program ends by itself, in silence, wherever it keeps its pool and however it exits."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pytest

from tests import watched
from tests.programs import BEGIN, TIMES, WAITING, RunPython, ends, program
from tests.watched import Witness

witness = watched.witness
Table = Callable[[str], str]

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
    ends(run_python, program(WAITING) + source, code=code)


@pytest.mark.usefixtures("server")
def test_an_exception_at_the_top_is_all_that_stderr_tells(run_python: RunPython) -> None:
    waiting = program(WAITING)
    for _ in range(TIMES):
        done = run_python(f"{waiting}\nraise LookupError('lost')", check=False)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("Traceback")
        assert done.stderr.endswith("LookupError: lost\n")
        assert done.stderr.count("\n") == 4
