"""An interpreter with forksafe, mysqlclient and what a suite wants, and nothing else."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import distribution
from pathlib import Path

import forksafe
from tests.conformance import KEPT, REPOSITORY

STAMP = "installed.txt"


class Environment:
    """A virtual environment for the suites of one source, kept from run to run.

    `python` is the interpreter to make it of. `wheel` is forksafe as a user installs it; without
    one, the environment uses the very package that this process has imported.
    """

    def __init__(
        self,
        name: str,
        requirements: Sequence[str],
        *,
        python: str = sys.executable,
        wheel: Path | None = None,
    ) -> None:
        self.requirements = list(requirements)
        self.base = python
        self.wheel = wheel
        version = ".".join(map(str, version_of(python)))
        self.directory = KEPT / "environments" / f"{name}-py{version}"
        self.python = self.directory / "bin" / "python"

    def ready(self, *, mysqlclient: bool = False) -> Environment:
        """Make it, where it is not there or has other requirements.

        Raises RuntimeError with what was said when a requirement does not install, and when
        `mysqlclient` is what will run, and does not.
        """
        stamp = self.directory / STAMP
        wanted = "\n".join([self.base, *self.requirements])
        fresh = not stamp.exists() or stamp.read_text() != wanted
        if fresh:
            self._make()
        # First of all, for with it go the packages that lie beside it: one may be mysqlclient.
        self._remove_forksafe()
        # Where it did not install, it is tried again once it is needed: the stamp does not name it.
        if fresh or mysqlclient:
            self._put_mysqlclient(needed=mysqlclient)
        stamp.write_text(wanted)
        self._put_forksafe()
        return self

    def version_of(self, name: str) -> str | None:
        """The version of an installed distribution, or None."""
        code = f"from importlib.metadata import version; print(version({name!r}))"
        with contextlib.suppress(RuntimeError):
            return _run(str(self.python), "-c", code)
        return None

    def version_of_python(self) -> str:
        """Of the interpreter, such as "3.11.7"."""
        return _run(str(self.python), "-c", "import platform; print(platform.python_version())")

    def _make(self) -> None:
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.parent.mkdir(parents=True, exist_ok=True)
        _run(str(REPOSITORY / "scripts" / "venv.sh"), self.base, str(self.directory))
        self._pip("install", *self.requirements)

    def _put_mysqlclient(self, *, needed: bool) -> None:
        # The script never fails: it says what is missing.
        said = _run(str(REPOSITORY / "scripts" / "mysqlclient-install.sh"), str(self.python))
        if not needed:
            return
        try:
            _run(str(self.python), "-c", "import MySQLdb")
        except RuntimeError as error:
            why = f"{said} ({str(error).splitlines()[-1]})"
            raise RuntimeError(f"no run on mysqlclient here: {why}") from None

    def _put_forksafe(self) -> None:
        if self.wheel:
            self._pip("install", "--force-reinstall", "--no-deps", str(self.wheel))
            return
        packages = self._packages()
        ours = Path(forksafe.__file__).parent.parent
        (packages / "forksafe.pth").write_text(f"{ours}\n")
        self._describe(packages)

    def _remove_forksafe(self) -> None:
        """By hand: pip does not know how to take away what `_describe` has written."""
        for old in self._packages().glob("forksafe*"):
            if old.is_dir():
                shutil.rmtree(old)
            else:
                old.unlink()

    def _packages(self) -> Path:
        (packages,) = self.directory.glob("lib/python*/site-packages")
        return packages

    def _describe(self, packages: Path) -> None:
        """Have the entry points found, by which SQLAlchemy comes to its dialects."""
        ours = distribution("forksafe")
        described = packages / f"forksafe-{ours.version}.dist-info"
        described.mkdir(exist_ok=True)
        for name in ("METADATA", "entry_points.txt"):
            (described / name).write_text(ours.read_text(name) or "")

    def _pip(self, *arguments: str) -> None:
        _run(str(self.python), "-m", "pip", "-q", "--disable-pip-version-check", *arguments)


def version_of(python: str) -> tuple[int, int]:
    """Of an interpreter, such as (3, 12)."""
    major, minor = _run(python, "-c", "import sys; print(*sys.version_info[:2])").split()
    return int(major), int(minor)


def _run(*command: str) -> str:
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, env=clean, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}:\n{done.stdout}{done.stderr}")
    return done.stdout.strip()
