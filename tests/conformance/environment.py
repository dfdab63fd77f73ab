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
    """A virtual environment for one suite, kept from run to run.

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

    def ready(self) -> Environment:
        """Make it, where it is not there or has other requirements.

        Raises RuntimeError with what was said when a requirement does not install.
        """
        stamp = self.directory / STAMP
        wanted = "\n".join([self.base, *self.requirements])
        if not stamp.exists() or stamp.read_text() != wanted:
            shutil.rmtree(self.directory, ignore_errors=True)
            self.directory.parent.mkdir(parents=True, exist_ok=True)
            _run(str(REPOSITORY / "scripts" / "venv.sh"), self.base, str(self.directory))
            self._pip("install", *self.requirements)
            _run(str(REPOSITORY / "scripts" / "mysqlclient-install.sh"), str(self.python))
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

    def _put_forksafe(self) -> None:
        if self.wheel:
            self._pip("install", "--force-reinstall", "--no-deps", str(self.wheel))
            return
        (packages,) = self.directory.glob("lib/python*/site-packages")
        ours = Path(forksafe.__file__).parent.parent
        (packages / "forksafe.pth").write_text(f"{ours}\n")
        self._describe(packages)

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
