"""The same with SQLAlchemy: python examples/sqlalchemy_app.py mysql://user:password@host/database

The URL may also stand in FORKSAFE_URL. forksafe pools, so SQLAlchemy need not: NullPool.
"""

from __future__ import annotations

import os
import sys

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

import forksafe


def ask(engine: Engine, who: str) -> None:
    """Print the session of the server that answers."""
    with engine.connect() as connection:
        session = connection.scalar(text("SELECT CONNECTION_ID()"))
        print(f"{who}, pid {os.getpid()}: CONNECTION_ID() = {session}", flush=True)


def main(url: str) -> None:
    """Ask in the parent, in its child, and in the parent again."""
    pool = forksafe.Pool(url, max_size=5)
    engine = create_engine("mysql+forksafe://", creator=pool.connect, poolclass=NullPool)
    ask(engine, "parent before the fork")
    child = os.fork()
    if child == 0:
        ask(engine, "child")  # a session of its own
        sys.exit(0)  # the parent's session does not notice
    os.waitpid(child, 0)
    ask(engine, "parent after the child")  # the same session as before the fork


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else os.environ["FORKSAFE_URL"])
