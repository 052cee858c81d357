# SPDX-License-Identifier: MIT
from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fake_daemon import FakeDaemon
from livelogd import Sender, set_default_sender


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path: that of a Unix socket has room for 107 bytes."""
    path = Path(tempfile.mkdtemp(prefix="livelogd-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def daemon(folder: Path) -> Iterator[FakeDaemon]:
    """A daemon that is not started yet."""
    fake = FakeDaemon(str(folder / "ingest.sock"))
    yield fake
    fake.stop()


@pytest.fixture
def sender(daemon: FakeDaemon) -> Iterator[Sender]:
    """A sender for that daemon, and the default one for as long as the test lasts."""
    made = Sender(daemon.path)
    set_default_sender(made)
    yield made
    set_default_sender(None)
    made.close(0.2)
