"""`help()` on every public name tells what it is, and what it takes."""

from __future__ import annotations

import ast
import importlib
import inspect
import pydoc
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import forksafe

STUB = Path(__file__).parent.parent / "python" / "forksafe" / "_forksafe.pyi"

MODULES = [
    forksafe,
    *(
        importlib.import_module(f"forksafe.{name}")
        for name in (
            *("constants", "converters", "cursors", "events", "exceptions", "times", "types"),
            *("mysqldb", "mysqldb._mysql", "mysqldb.connections", "mysqldb.cursors"),
        )
    ),
]

#: What says nothing of what is asked for, where a name could be told.
ANYTHING = re.compile(r"\*args|\*\*kw|\*\*keywords|Unpack|\(\.\.\.\)|[( ]_[a-z]+[,)=]")

#: They take whatever another callable takes, which their help names.
PASS_ON = {
    f"forksafe.mysqldb.{name}" for name in ("connect", "Connect", "Connection", "_mysql.connect")
}


def is_ours(thing: Any) -> bool:
    return str(getattr(thing, "__module__", "")).partition(".")[0] == "forksafe"


def names_of(module: ModuleType) -> list[str]:
    return [name for name in dir(module) if not name.startswith("_")]


def public() -> Iterator[tuple[str, Any]]:
    """Each function and class that is reached by a public name, and what the classes have."""
    for module in MODULES:
        for name in getattr(module, "__all__", names_of(module)):
            thing = getattr(module, name)
            if isinstance(thing, ModuleType) or not callable(thing) or not is_ours(thing):
                continue
            yield f"{module.__name__}.{name}", thing
            if inspect.isclass(thing) and not issubclass(thing, BaseException):
                yield from members(f"{module.__name__}.{name}", thing)


def members(of: str, thing: type) -> Iterator[tuple[str, Any]]:
    for name, member in vars(thing).items():
        if not name.startswith("_") and (callable(member) or inspect.isdatadescriptor(member)):
            yield f"{of}.{name}", member


PUBLIC = dict(public())


def test_every_name_that_is_promised_is_there() -> None:
    for module in MODULES:
        for name in getattr(module, "__all__", ()):
            assert hasattr(module, name), f"{module.__name__}.{name}"
    assert len(PUBLIC) > 150


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_says_what_it_is(name: str) -> None:
    text = inspect.getdoc(PUBLIC[name]) or ""
    assert len(text.split()) >= 1, "no docstring"
    assert text.rstrip()[-1] in ".:)`", text
    assert PUBLIC[name].__doc__, "it has that of its base alone"


@pytest.mark.parametrize(
    "name", [name for name, thing in PUBLIC.items() if inspect.isroutine(thing)]
)
def test_a_public_function_names_its_parameters(name: str) -> None:
    thing = PUBLIC[name]
    if not callable(thing) or inspect.isdatadescriptor(thing):
        return
    signature = str(inspect.signature(thing))
    assert name in PASS_ON or not ANYTHING.search(signature), signature


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_a_public_module_says_what_it_is_for(module: ModuleType) -> None:
    assert (module.__doc__ or "").strip()
    assert pydoc.render_doc(module, renderer=pydoc.plaintext)


def options_of(kind: str) -> set[str]:
    """The options that the stub knows."""
    (found,) = (
        node
        for node in ast.parse(STUB.read_text()).body
        if isinstance(node, ast.ClassDef) and node.name == kind
    )
    return {node.target.id for node in found.body if isinstance(node, ast.AnnAssign)}  # type: ignore[union-attr]


def test_help_on_connect_has_every_option() -> None:
    text = forksafe.connect.__doc__ or ""
    assert not options_of("_ConnectOptions") - set(re.findall(r"\w+", text))


def test_help_on_pool_has_every_option() -> None:
    text = forksafe.Pool.__doc__ or ""
    assert not options_of("_PoolOptions") - set(re.findall(r"\w+", text))
