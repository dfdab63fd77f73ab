"""README's examples work as written, but for the server's address, and its tables are whole."""

from __future__ import annotations

import ast
import inspect
import logging
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import forksafe
import forksafe.events
from scripts.mariadb_server import Server

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
STUB = ROOT / "python" / "forksafe" / "_forksafe.pyi"
NOWHERE = "mysql://nobody@127.0.0.1:1/"
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
        "    print(cursor.fetchone(), connection.pool.stats()['pool_max'])\n"
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


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its head."""
    _, below = README.read_text().split(f"\n{heading}\n", 1)
    lines = below.split("\n#", 1)[0].splitlines()
    table = [line for line in lines if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]


def named(heading: str) -> list[str]:
    """The names in the first column of such a table, without parentheses and what is in them."""
    return [name for first, *_ in rows(heading) for name in re.findall(r"`(\w+)[^`]*`", first)]


def members(of: str) -> list[str]:
    """What the stub's class `of` has of its own and public."""
    (body,) = (
        node.body
        for node in ast.parse(STUB.read_text()).body
        if isinstance(node, ast.ClassDef) and node.name == of
    )
    names = []
    for node in body:
        if isinstance(node, ast.FunctionDef):
            names.append(node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.append(node.target.id)
    return sorted({name for name in names if not name.startswith("_")})


def default_of(source: str) -> Any:
    """A default as src/pool/options.rs writes it, as Python has it."""
    if found := re.search(r"from_(secs|millis)\((\d+)\)", source):
        return int(found[2]) / {"secs": 1, "millis": 1000}[found[1]]
    words = {"Reset::Rollback": "rollback", "None": None, "true": True, "false": False}
    return words[source] if source in words else int(source)


def test_the_table_of_pool_options_is_whole() -> None:
    options = named("### Of a pool")
    assert sorted(options) == members("_PoolOptions")
    assert len(set(options)) == len(options)


def test_each_pool_option_has_a_unit_and_three_other_names() -> None:
    for heading in ("### Of a pool", "### Methods of a pool"):
        for cells in rows(heading):
            assert len(cells) == 7, cells
            assert all(cells[4:]), cells


def test_the_defaults_of_pool_options_hold() -> None:
    source = (ROOT / "src" / "pool" / "options.rs").read_text()
    fitted = re.search(r"Self::Fitted\((.*?)\)\n", source)
    begin = source.index("impl Default for PoolOptions")
    body = source[begin : source.index("\n}\n", begin)]
    native = dict(re.findall(r"^ {12}(\w+): (.*),$", body, re.MULTILINE))
    assert fitted is not None
    native["max_idle"] = fitted[1]
    told = {name.strip("`"): default.strip("`") for name, _, default, *_ in rows("### Of a pool")}
    assert told.pop("name") == "made up"
    assert native.pop("name") == "None"
    assert native.keys() <= told.keys()
    for name, text in told.items():
        default = eval(text, {"forksafe": forksafe})
        if name in native:
            assert default == default_of(native[name]), name
        with forksafe.Pool(NOWHERE, **{name: default}):  # type: ignore[misc]
            pass


def test_the_table_of_a_pools_methods_is_whole() -> None:
    public = sorted(name for name in dir(forksafe.Pool) if not name.startswith("_"))
    assert public == members("Pool")
    assert sorted(named("### Methods of a pool")) == sorted([*public, "len", "repr"])


def test_the_table_of_stats_is_whole() -> None:
    stats: Any = forksafe.Pool(NOWHERE).stats()
    assert named("### Stats") == list(dict.fromkeys(named("### Stats")))
    assert set(named("### Stats")) == stats.keys()
    (discards,) = (cells[1] for cells in rows("### Stats") if cells[0] == "`discards`")
    outside = re.sub(r"\([^)]*\)", "", discards)
    assert set(re.findall(r"`(\w+)`", outside)) == stats["discards"].keys()


def test_the_table_of_events_is_whole() -> None:
    kinds = re.findall(r"^(\w+): ", inspect.getdoc(forksafe.events.Event) or "", re.MULTILINE)
    assert sorted(named("### Hooks and events")) == sorted(kinds)
    for kind, _, level in rows("### Hooks and events"):
        number = forksafe.events.LEVELS.get(kind.strip("`"), logging.DEBUG)
        assert logging.getLevelName(number) == level, kind
