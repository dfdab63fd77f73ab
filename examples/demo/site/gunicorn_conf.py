"""How gunicorn serves the site, and when its master does its own work.

The hooks write the master's ledger and start its job. None of them touches a connection for the
workers' sake: no `close_all()`, no `post_fork`.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import Any

wsgi_app = "examples.demo.site.wsgi:application"
preload_app = True
worker_class = os.environ["DEMO_WORKER_CLASS"]
workers = int(os.environ["DEMO_WORKERS"])
threads = int(os.environ["DEMO_THREADS"])
max_requests = int(os.environ["DEMO_MAX_REQUESTS"])
max_requests_jitter = max_requests // 4
# A worker that hangs on a shared socket is killed after this; clients have given up before.
timeout = 8
graceful_timeout = 3
control_socket_disable = True
loglevel = "warning"  # the end of the log is shown if forksafe fails

_children_forked = 0


def when_ready(server: Any) -> None:
    """Start the master's background job, before the first worker is forked."""
    from examples.demo.site import job

    threading.Thread(target=job.run_for_ever, args=("master",), daemon=True).start()


def child_exit(server: Any, worker: Any) -> None:
    """A worker has retired: note it, and the first time have a child that only exits."""
    global _children_forked
    from examples.demo.site import ledger

    ledger.write(f"worker {worker.pid} retired")
    if not _children_forked:
        _children_forked += 1
        _fork_a_child_that_exits()


def on_exit(server: Any) -> None:
    """The master leaves: last row, commit."""
    from examples.demo.site import ledger

    ledger.write("end of the shift")
    ledger.close_shift()


def _fork_a_child_that_exits() -> None:
    """A child that uses no connection and leaves normally, so that its interpreter is finalised."""
    from examples.demo.site.report import report

    child = os.fork()
    if child == 0:
        sys.exit(0)
    status = os.waitpid(child, 0)[1]
    report("child exited", code=os.waitstatus_to_exitcode(status))
