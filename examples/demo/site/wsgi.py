"""What gunicorn imports: with `--preload` in its master, before any worker is forked.

Like many sites it asks the database while it is imported, so the master's main thread has an open
connection at every fork. Here it also opens the ledger. Nothing in it knows of forks.
"""

from __future__ import annotations

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()

from examples.demo.site import ledger  # noqa: E402  models need the line above
from examples.demo.site.echo import echo  # noqa: E402
from examples.demo.site.report import report  # noqa: E402

sessions = {alias: echo(alias, "import")[1] for alias in ("default", "ledger")}
report("master", sessions=sessions)
ledger.open_shift()
