# SPDX-License-Identifier: MIT
"""Fixtures of the black-box suite: the real daemon, and nothing but what a user of it can see."""

from __future__ import annotations

import mmap
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "support"))

# Everything here talks to this machine; a proxy from the caller's environment has no part in it.
for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "https_proxy", "HTTPS_PROXY"):
    os.environ.pop(name, None)

from livelogd_daemon import Daemon, binary  # noqa: E402


def is_sanitized() -> bool:
    """Whether the program under test is built with a sanitizer, which takes many times the memory and time."""
    with open(binary(), "rb") as program, mmap.mmap(program.fileno(), 0, access=mmap.ACCESS_READ) as code:
        return any(code.find(symbol) >= 0 for symbol in (b"__asan_init", b"__tsan_init"))


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "memory: measures memory or time, which means nothing under a sanitizer")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    try:
        binary()
    except AssertionError as error:
        pytest.exit(str(error), pytest.ExitCode.USAGE_ERROR)
    if not is_sanitized():
        return
    for item in items:
        if item.get_closest_marker("memory"):
            item.add_marker(pytest.mark.skip(reason="memory and time are not measured under a sanitizer"))


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    """A daemon with default options, for one test alone."""
    with Daemon() as one:
        yield one
