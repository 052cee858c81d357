# SPDX-License-Identifier: MIT
"""Fixtures of the fault suite: the real daemon, with the machine around it made to fail.

Quick by default; LIVELOGD_FAULTS=all makes the loops long. What a machine cannot do (root, loop devices) is skipped with a
reason."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
for folder in (HERE.parent / "blackbox", HERE.parent / "support", HERE):
    sys.path.insert(0, str(folder))

# Everything here talks to this machine; a proxy from the caller's environment has no part in it.
for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "https_proxy", "HTTPS_PROXY"):
    os.environ.pop(name, None)

# Read here, because the daemon's fixture passes no LIVELOGD_ variables on.
THOROUGH = os.environ.get("LIVELOGD_FAULTS", "") == "all"

from sanitized import pytest_collection_modifyitems, pytest_configure  # noqa: E402, F401

_counts: dict[str, int] = {}


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How much was really done: a loop that ends early would otherwise pass in silence."""
    if _counts:
        told = ", ".join(f"{count} {what}" for what, count in sorted(_counts.items()))
        terminalreporter.write_line(f"faults: {told}")


@pytest.fixture
def tally() -> Callable[[str, int], None]:
    """Adds to what the summary tells: tally("crash points", 120)."""

    def add(what: str, count: int) -> None:
        _counts[what] = _counts.get(what, 0) + count

    return add


@pytest.fixture
def thorough() -> bool:
    return THOROUGH
