"""The core tests on other servers and other releases of Python, and the tables of what passed.

`python -m tests.versions.servers` and `python -m tests.versions.pythons`, or `make servers` and
`make pythons`. What this machine cannot have is named with the reason, and is no failure.
"""
