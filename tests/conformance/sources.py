"""Source distributions: what a project's own tests come in."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.conformance import KEPT


def fetch(requirement: str, python: str = sys.executable) -> Path:
    """The unpacked source distribution of "Name==version"; downloaded once, by pip of `python`.

    Raises RuntimeError with what pip said when it cannot be had.
    """
    home = KEPT / "sources" / requirement.replace("==", "-")
    if not home.exists():
        home.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home.parent) as scratch:
            unpacked = Path(scratch, "unpacked")
            shutil.unpack_archive(_download(requirement, Path(scratch), python), unpacked)
            # An archive holds one directory; moved as a whole, so that it is there or not.
            (inner,) = unpacked.iterdir()
            inner.rename(home)
    return home


def _download(requirement: str, into: Path, python: str) -> Path:
    name = requirement.partition("==")[0]
    command = [python, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", name]
    done = subprocess.run(
        [*command, "--dest", str(into), requirement], capture_output=True, text=True
    )
    found = [path for path in into.iterdir() if path.name.endswith((".tar.gz", ".zip"))]
    if done.returncode or len(found) != 1:
        raise RuntimeError(f"the source of {requirement} cannot be had:\n{done.stderr.strip()}")
    return found[0]
