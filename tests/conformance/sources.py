"""Source distributions: what a project's own tests come in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from scripts.servers import SCRIPTS, NotToBeHadError
from tests.conformance import KEPT

#: mysqlclient's set-up asks for its C library even where nothing is built; an answer.
UNASKED = {"MYSQLCLIENT_CFLAGS": "-I.", "MYSQLCLIENT_LDFLAGS": "-L."}
ARCHIVES = (".tar.gz", ".tar.xz", ".zip")


@dataclass(frozen=True)
class DebianSource:
    """A source package of Debian's: for tests that a project leaves out of what it puts on PyPI."""

    suite: str
    package: str

    def download(self, version: str, into: Path) -> Path:
        """The project's archive of this version; NotToBeHadError where there is none to be had."""
        command = [SCRIPTS / "debian-source.sh", self.suite, self.package, into]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise NotToBeHadError(f"no source of {self.package} here: {done.stderr.strip()}")
        archive = _archive(into)
        if not archive.name.startswith(f"{self.package}_{version}.orig."):
            raise NotToBeHadError(f"Debian {self.suite} has {archive.name}, and not {version}")
        return archive


def fetch(
    requirement: str, python: str = sys.executable, debian: DebianSource | None = None
) -> Path:
    """The unpacked source distribution of "Name==version"; downloaded once.

    It is from PyPI, by pip of `python`, or the one that `debian` has. Raises RuntimeError with what
    was said when it cannot be had; NotToBeHadError where that is Debian's.
    """
    home = KEPT / "sources" / requirement.replace("==", "-")
    if not home.exists():
        home.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home.parent) as scratch:
            unpacked, into = Path(scratch, "unpacked"), Path(scratch, "archive")
            if debian:
                archive = debian.download(requirement.partition("==")[2], into)
            else:
                archive = _download(requirement, into, python)
            shutil.unpack_archive(archive, unpacked)
            # An archive holds one directory; moved as a whole, so that it is there or not.
            (inner,) = unpacked.iterdir()
            inner.rename(home)
    return home


def _download(requirement: str, into: Path, python: str) -> Path:
    name = requirement.partition("==")[0]
    command = [python, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", name]
    done = subprocess.run(
        [*command, "--dest", str(into), requirement],
        capture_output=True,
        text=True,
        env={**os.environ, **UNASKED},
    )
    if done.returncode:
        raise RuntimeError(f"the source of {requirement} cannot be had:\n{done.stderr.strip()}")
    return _archive(into)


def _archive(directory: Path) -> Path:
    found = [path for path in directory.iterdir() if path.name.endswith(ARCHIVES)]
    if len(found) != 1:
        raise RuntimeError(f"one archive was to be had, and these are: {found}")
    return found[0]
