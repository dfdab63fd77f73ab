"""One pool, two processes, no hook: python examples/plain.py mysql://user:password@host:3306/database

The URL may also stand in FORKSAFE_URL.
"""

from __future__ import annotations

import os
import sys

import forksafe


def ask(pool: forksafe.Pool, who: str) -> None:
    """Print the session of the server that answers."""
    with pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT CONNECTION_ID()")
        for (session,) in cursor:
            print(f"{who}, pid {os.getpid()}: CONNECTION_ID() = {session}", flush=True)


def main(url: str) -> None:
    """Ask in the parent, in its child, and in the parent again."""
    pool = forksafe.Pool(url, max_size=5)
    ask(pool, "parent before the fork")
    child = os.fork()
    if child == 0:
        ask(pool, "child")  # a session of its own
        sys.exit(0)  # the parent's session does not notice
    os.waitpid(child, 0)
    ask(pool, "parent after the child")  # the same session as before the fork
    pool.close()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else os.environ["FORKSAFE_URL"])
