# SPDX-License-Identifier: MIT
"""What the suites leave out when the program under test is built with a sanitizer. A plugin's hooks: import them in a conftest."""

from __future__ import annotations

import mmap

import pytest
from livelogd_daemon import binary


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
