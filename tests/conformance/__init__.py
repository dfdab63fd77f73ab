"""The suites of those who use a driver, run unmodified on forksafe and on mysqlclient.

`python -m tests.conformance --suite django` downloads the suite's source distribution, makes an
environment for it, runs it against a server, and compares: what passes on mysqlclient must pass on
forksafe. Read it from the ground up:

    sources.py      the source distribution of a project, unpacked, from PyPI or from Debian
    environment.py  an interpreter with forksafe, mysqlclient and what the suite wants
    inside/         what runs in that environment: it writes down how each test ended
    outcome.py      how each test of a run ended; two runs compared
    suite.py        what a suite has to tell; run.py runs it
    *_suite.py      the suites; `__main__.py` lists them
    report.py       the table in tests/CONFORMANCE.md
"""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
#: Sources, environments and outcomes are kept here from run to run.
KEPT = REPOSITORY / "target" / "conformance"
