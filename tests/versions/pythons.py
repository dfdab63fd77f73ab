"""A wheel for each release of Python that can be had here, and the core tests with it.

Interpreters come by scripts/python-fetch.sh. Each gets an environment of its own, in which forksafe
is the wheel, as a user installs it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.versions.run import HEADER, ROOT, core, options, publish

VERSIONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
KEPT = ROOT / "target" / "pythons"


class FailedError(RuntimeError):
    """What a step said that did not succeed."""


class NotToBeHadError(RuntimeError):
    """An interpreter that this machine cannot have; the text says why."""


def main() -> int:
    """The exit code."""
    asked = options("pythons", "version", VERSIONS)
    rows, well = [], True
    for version in asked.version:
        row, fine = _try(version, asked.pytest.split())
        rows.append(row)
        well = well and fine
        # After each: what was counted by then outlives a run that is cut short.
        publish("pythons", ("Python", "wheel"), rows, asked.record)
    return int(not well)


def _try(version: str, arguments: Sequence[str]) -> tuple[list[str], bool]:
    """Its row, and whether it is well; an interpreter that cannot be had is."""
    print(f"\nPython {version}: building a wheel", flush=True)
    try:
        python = _environment(version, _interpreter(version))
        wheel = _install_wheel(version, python)
    except NotToBeHadError as reason:
        print(reason, flush=True)
        return [version, str(reason), *("",) * len(HEADER)], True
    except FailedError as error:
        print(error, file=sys.stderr)
        return [version, "failed: no wheel", *("",) * len(HEADER)], False
    print(f"{wheel}: the core tests", flush=True)
    count = core(python, *arguments)
    return [_run(python, "-c", FULL_VERSION), wheel, *count.cells()], count.well


def _interpreter(version: str) -> Path:
    script = ROOT / "scripts" / "python-fetch.sh"
    done = subprocess.run([script, version, KEPT / version], capture_output=True, text=True)
    if done.returncode:
        silent = f"{script.name} ended with code {done.returncode} and said nothing"
        reason = (done.stderr.strip().splitlines() or [silent])[-1]
        raise NotToBeHadError(f"no Python {version} here: {reason}")
    return Path(done.stdout.strip())


def _environment(version: str, interpreter: Path) -> Path:
    """The interpreter of an environment that has what the tests want."""
    directory = KEPT / f"environment-{version}"
    _run(ROOT / "scripts" / "venv.sh", interpreter, directory)
    python = directory / "bin" / "python"
    _pip(python, "-r", ROOT / "requirements-dev.txt")
    return python


def _install_wheel(version: str, python: Path) -> str:
    """Build it, install it, and answer its file's name."""
    wheels = KEPT / f"wheel-{version}"
    for old in wheels.glob("*.whl"):
        old.unlink()
    maturin = [Path(sys.executable).parent / "maturin", "build", "--release", "--locked"]
    _run(*maturin, "--interpreter", python, "--out", wheels)
    (wheel,) = wheels.glob("*.whl")
    _pip(python, "--force-reinstall", "--no-deps", wheel)
    return wheel.name


FULL_VERSION = "import platform; print(platform.python_version())"


def _pip(python: Path, *arguments: str | Path) -> None:
    _run(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *arguments)


def _run(*command: str | Path) -> str:
    # PyO3 asks this one first, and it may name another interpreter.
    clean = {name: value for name, value in os.environ.items() if name not in OTHERS}
    done = subprocess.run(command, cwd=ROOT, env=clean, capture_output=True, text=True)
    if done.returncode:
        raise FailedError(f"{' '.join(map(str, command))}:\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


OTHERS = ("PYO3_PYTHON", "VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")


if __name__ == "__main__":
    sys.exit(main())
