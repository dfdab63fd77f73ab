"""Which descriptors this process has."""

from __future__ import annotations

import os

DIRECTORY = "/proc/self/fd"


def open_descriptors() -> dict[int, str]:
    """Number and meaning ("socket:[4711]", "/dev/null") of each."""
    found = {}
    for name in os.listdir(DIRECTORY):
        try:
            found[int(name)] = os.readlink(f"{DIRECTORY}/{name}")
        except FileNotFoundError:
            continue  # that of the listing itself, or one that another thread closed meanwhile
    return found


def sockets() -> dict[int, str]:
    """The sockets among them."""
    return {
        number: meaning
        for number, meaning in open_descriptors().items()
        if meaning.startswith("socket:")
    }
