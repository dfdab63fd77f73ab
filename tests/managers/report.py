"""What the application tells the test outside of its answers: a line of JSON each time."""

from __future__ import annotations

import json
import os
from typing import Any

from tests.managers.given import given


def report(kind: str, **facts: Any) -> None:
    """Append one line. A short write with O_APPEND is whole, whichever process makes it."""
    descriptor = os.open(given().report, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, (json.dumps({"kind": kind, **facts}) + "\n").encode())
    finally:
        os.close(descriptor)
