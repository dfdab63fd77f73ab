"""README's examples work as written, but for the address of the server."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.mariadb_server import Server

README = Path(__file__).parent.parent / "README.md"
RunPython = Callable[..., "subprocess.CompletedProcess[str]"]


def block(marker: str) -> str:
    """The Python block of README that has `marker` in it."""
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    (found,) = (text for text in blocks if marker in text)
    return found


def with_address(text: str, server: Server) -> str:
    """`text` with the server of the tests in the place of README's, in URLs and in settings."""
    text = text.replace("mysql://app:secret@127.0.0.1/shop", server.url())
    text = text.replace(
        "mysql+forksafe://app:secret@127.0.0.1/shop", server.url(scheme="mysql+forksafe")
    )
    for key, was, value in [
        ("NAME", "shop", server.database),
        ("USER", "app", server.user),
        ("PASSWORD", "secret", server.password),
        ("HOST", "127.0.0.1", server.host),
    ]:
        text = text.replace(f'"{key}": "{was}"', f'"{key}": {value!r}')
    return text.replace('"OPTIONS"', f'"PORT": {server.port}, "OPTIONS"')


def test_the_plain_example_prints_what_it_says(server: Server, run_python: RunPython) -> None:
    # As at a terminal: else the child prints the parent's first line too, from the buffer it got.
    terminal = "import sys; sys.stdout.reconfigure(line_buffering=True)\n"
    said = run_python(terminal + with_address(block("os.fork()"), server)).stdout
    sessions = re.findall(r"^(parent|child) +\((\d+),\)$", said, re.MULTILINE)
    assert sorted(who for who, _ in sessions) == ["child", "parent", "parent"], said
    of_parent = {session for who, session in sessions if who == "parent"}
    of_child = {session for who, session in sessions if who == "child"}
    assert len(of_parent) == 1, said
    assert of_parent.isdisjoint(of_child), said


@pytest.mark.parametrize("pool", ["True", '{"max_size": 20, "timeout": 5}'])
def test_the_django_example_connects(server: Server, run_python: RunPython, pool: str) -> None:
    settings = with_address(block("DATABASES"), server).replace('"pool": True', f'"pool": {pool}')
    said = run_python(
        "from django.conf import settings\n"
        f"{settings}\n"
        "settings.configure(DATABASES=DATABASES)\n"
        "from django.db import connection\n"
        "with connection.cursor() as cursor:\n"
        "    cursor.execute('SELECT 6 * 7')\n"
        "    print(cursor.fetchone(), connection.pool.stats()['max_size'])\n"
    ).stdout
    assert said == f"(42,) {20 if '20' in pool else 10}\n"


def test_both_sqlalchemy_examples_connect(server: Server, run_python: RunPython) -> None:
    example = with_address(block("create_engine"), server)
    for program in (example.split("\npool = ")[0], example):
        said = run_python(
            f"{program}\n"
            "from sqlalchemy import text\n"
            "with engine.connect() as connection:\n"
            "    print(connection.scalar(text('SELECT 6 * 7')))\n"
        ).stdout
        assert said == "42\n"
