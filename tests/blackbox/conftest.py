# SPDX-License-Identifier: MIT
"""Fixtures of the black-box suite: the real daemon, and nothing but what a user of it can see."""

from __future__ import annotations

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

from livelogd_daemon import Daemon  # noqa: E402
from sanitized import pytest_collection_modifyitems, pytest_configure  # noqa: E402, F401


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    """A daemon with default options, for one test alone."""
    with Daemon() as one:
        yield one
