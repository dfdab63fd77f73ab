"""What a figure was measured with: nothing is quoted without it."""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def header(packages: Iterable[str], server: str | None = None) -> str:
    """Date, load before the run, versions of all that takes part; no path, no host name."""
    load, cpus = os.getloadavg()[0], os.cpu_count() or 1
    today = datetime.datetime.now(datetime.timezone.utc).date()
    parts = [
        f"{today}, load {load:.1f} on {cpus} CPUs before the run",
        f"{_cpu()}, {platform.system()} {'.'.join(platform.release().split('.')[:2])}",
        f"{platform.python_implementation()} {platform.python_version()}",
        *([server] if server else []),
        *(f"{package} {found}" for package in packages if (found := installed(package))),
    ]
    return "; ".join(parts)


def installed(package: str) -> str | None:
    """The version of a Python package, or None where it is not there."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cpu() -> str:
    known = Path("/proc/cpuinfo")
    lines = known.read_text().splitlines() if known.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
