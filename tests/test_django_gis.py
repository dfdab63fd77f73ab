"""GeoDjango on `ENGINE = "forksafe.django.gis"`."""

from __future__ import annotations

import ctypes.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.mariadb_server import Server

PROGRAM = Path(__file__).parent / "djangosite" / "scenarios" / "geometries.py"
DATABASE = "forksafe_gis"

needs_libraries = pytest.mark.skipif(
    not (ctypes.util.find_library("gdal") and ctypes.util.find_library("geos_c")),
    reason="GeoDjango needs the libraries GDAL and GEOS (Debian: libgdal32 libgeos-c1v5)",
)


@pytest.fixture
def empty_database(server: Server) -> Iterator[str]:
    server.execute_as_root(f"DROP DATABASE IF EXISTS {DATABASE}; CREATE DATABASE {DATABASE}")
    yield DATABASE
    server.execute_as_root(f"DROP DATABASE {DATABASE}")


@needs_libraries
@pytest.mark.parametrize("way", ["alone", "pool"])
def test_geometries_are_saved_found_indexed_and_told(
    run_python: Any, server: Server, empty_database: str, way: str
) -> None:
    run_python(PROGRAM.read_text(), empty_database, way)
