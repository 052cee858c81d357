# SPDX-License-Identifier: MIT
"""These tests change the system they run on: only in a machine of machine.sh do they run at all."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from machine import in_a_machine  # noqa: E402


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents and not in_a_machine():
            item.add_marker(pytest.mark.skip(reason="runs only in a machine: packaging/test.sh system"))
