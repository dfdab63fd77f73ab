"""`python -m benches.lending SUBJECT SOCKET`: measures one of CASES for each line that it reads.

Run by benches/cost_in_python.py, which decides by PYTHONPATH which build is measured.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from scripts.mariadb_server import Server

CALLS = 100  # a batch
BATCHES = 20  # of which the fastest is told: whatever else runs only ever makes one slower

CheckOut = Callable[[], Any]


def lend(check_out: CheckOut) -> None:
    """Check out, check in."""
    check_out().close()


def lend_and_ask(check_out: CheckOut) -> None:
    """Check out, one statement, check in."""
    connection = check_out()
    cursor = connection.cursor()
    cursor.execute("SELECT 1")
    cursor.fetchone()
    cursor.close()
    connection.close()


CASES: dict[str, Callable[[CheckOut], None]] = {
    "check out, check in": lend,
    "check out, SELECT 1, check in": lend_and_ask,
}


def main() -> None:
    """Say where the package is, then answer each line with microseconds a call."""
    subject, unix_socket = sys.argv[1:]
    home, check_out = (_peer if subject == "peer" else _forksafe)(unix_socket)
    print(home, flush=True)
    for line in sys.stdin:
        case = CASES[line.strip()]
        print(min(_batch(case, check_out) for _ in range(BATCHES)), flush=True)


def _batch(case: Callable[[CheckOut], None], check_out: CheckOut) -> float:
    began = time.perf_counter_ns()
    for _ in range(CALLS):
        case(check_out)
    return (time.perf_counter_ns() - began) / CALLS / 1000


def _account(unix_socket: str) -> dict[str, str]:
    account = {"user": Server.user, "password": Server.password, "database": Server.database}
    return {"unix_socket": unix_socket, **account}


def _forksafe(unix_socket: str) -> tuple[str, CheckOut]:
    import forksafe

    return forksafe.__file__, forksafe.Pool(**_account(unix_socket)).connect


def _peer(unix_socket: str) -> tuple[str, CheckOut]:
    """SQLAlchemy's pool as its manual has it: a rollback at each check-in, no test of any kind."""
    from sqlalchemy.pool import QueuePool

    try:
        from MySQLdb import connect
    except ImportError:
        from pymysql import connect
    return "", QueuePool(lambda: connect(**_account(unix_socket))).connect


if __name__ == "__main__":
    main()
