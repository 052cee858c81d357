# SPDX-License-Identifier: MIT
from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fake_daemon import FakeDaemon
from livelogd import Sender, set_default_sender

ROOT = Path(__file__).resolve().parents[3]

# Where this package lies in the source tree of the daemon, the real one is what some tests talk to.
sys.path.append(str(ROOT / "tests" / "support"))

#: LIVELOGD_FAULTS=all makes the loops over restarts and kills as long as the promises are.
THOROUGH = os.environ.get("LIVELOGD_FAULTS") == "all"

for name in ("LIVELOGD_SOCKET", "LIVELOGD_ACK"):
    os.environ.pop(name, None)


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


@pytest.fixture
def app(daemon: FakeDaemon, sender: Sender) -> Any:
    """A Flask app that tells the daemon, which is started."""
    from flask_app import make_app

    daemon.start()
    return make_app(sender)


@pytest.fixture
def real(request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """Starts real daemons: ``real(sync="none")``; they end with the test."""
    if not (ROOT / "tests" / "support" / "livelogd_daemon.py").exists():
        pytest.skip("the real daemon is part of the source tree")
    from livelogd_daemon import Daemon

    started: list[Any] = []

    def start(**options: Any) -> Any:
        made = Daemon(**options)
        made.__enter__()
        started.append(made)
        return made

    yield start
    for made in started:
        made.__exit__(None, None, None)
