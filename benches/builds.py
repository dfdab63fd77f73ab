"""Two builds of the same sources: with the fork checks, and without them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WITHOUT = "--cfg forksafe_no_fork_check"
BUILDS = ("with", "without")


def program(build: str) -> Path:
    """The compiled benches/cost.rs."""
    command = ["cargo", "bench", "--locked", "--no-default-features", "--bench", "cost"]
    command += ["--no-run", "--message-format=json-render-diagnostics"]
    done = subprocess.run(
        command, cwd=ROOT, env=_environment(build), check=True, stdout=subprocess.PIPE, text=True
    )
    messages = (json.loads(line) for line in done.stdout.splitlines())
    made = [Path(found) for message in messages if (found := message.get("executable"))]
    assert len(made) == 1, made
    return made[0]


def package(build: str) -> Path:
    """A directory for PYTHONPATH with the package of this build in it."""
    wheels, unpacked = _target(build) / "wheels", _target(build) / "package"
    maturin = Path(sys.executable).with_name("maturin")
    command = [str(maturin), "build", "--release", "--locked", "--quiet"]
    command += ["--interpreter", sys.executable, "--out", str(wheels)]
    for old in wheels.glob("*.whl"):
        old.unlink()
    subprocess.run(command, cwd=ROOT, env=_environment(build), check=True)
    (wheel,) = wheels.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked)
    return unpacked


def _target(build: str) -> Path:
    """Of its own for the build without: other flags would compile everything anew each time."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target if build == "with" else target / "no-fork-check"


def _environment(build: str) -> dict[str, str]:
    flags = os.environ.get("RUSTFLAGS", "")
    return {
        **os.environ,
        "RUSTFLAGS": f"{flags} {WITHOUT}".strip() if build == "without" else flags,
        "CARGO_TARGET_DIR": str(_target(build)),
    }
