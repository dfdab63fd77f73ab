"""Which tests are core: what `make servers` and `make pythons` run on each.

All are, but those here: they are long, and neither the kind of server nor the release of Python is
what they are about.
"""

from __future__ import annotations

from pathlib import Path

NOT_CORE = {
    "test_matrix.py": "every way to fork; the cells are the same on each server",
    "test_storm.py": "a thousand forks",
    "test_generations.py": "children of children, by the hundred",
    "test_gunicorn.py": "starts gunicorn",
    "test_uwsgi.py": "compiles uWSGI",
    "test_celery.py": "starts Celery",
    "test_strace.py": "every system call of a child, the slow way",
    "test_trace_reader.py": "what strace writes",
    "test_pool_fairness.py": "200 threads for some seconds",
    "test_pool_restart.py": "servers killed under load",
    "test_readme.py": "the text of the README",
}


def is_core(path: Path) -> bool:
    """Whether the tests of this file are."""
    return path.name not in NOT_CORE
