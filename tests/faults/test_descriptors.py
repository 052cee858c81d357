# SPDX-License-Identifier: MIT
"""Out of descriptors: those who are there are served, those who come have to wait, and nothing spins."""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Callable

import pytest
from accounting import check_accounting
from fault_daemon import FaultDaemon
from livelogd_daemon import wait_until
from oracle import History, keys_in_order
from proc import cpu_seconds, open_descriptors
from reader import Reader
from trouble import Batch

Tally = Callable[[str, int], None]

LIMIT = 64


@pytest.mark.memory
def test_more_connections_than_descriptors(tally: Tally) -> None:
    prlimit = shutil.which("prlimit")
    if prlimit is None:
        pytest.skip("there is no prlimit")
    history = History()
    launcher = [prlimit, f"--nofile={LIMIT}:{LIMIT}"]
    with FaultDaemon(launcher=launcher, log_max_bytes=5000, log_backup_count=1000) as daemon:
        with Reader(daemon, history) as reader, Batch(daemon, history, "b", size=200) as batch:
            batch.send(3)
            batch.wait()
            waiting = []
            for _ in range(LIMIT):
                one = socket.create_connection(("127.0.0.1", daemon.port))
                one.sendall(b"GET /api/v1/logs/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
                waiting.append(one)
                waiting.append(daemon.connect())
            wait_until(lambda: open_descriptors(daemon.pid) >= LIMIT - 8, what="it has hardly a descriptor left")

            time.sleep(0.3)
            before = cpu_seconds(daemon.pid)
            time.sleep(1.5)
            spent = cpu_seconds(daemon.pid) - before
            assert spent < 0.3, f"{spent} s of processor time in 1.5 s of waiting"

            # Those who are connected go on, over several segments.
            for _ in range(10):
                batch.send(20)
                batch.wait()
            wait_until(lambda: len(reader.ids) == 203, what="the stream shows them")

            for one in waiting:
                one.close()
            wait_until(lambda: open_descriptors(daemon.pid) < LIMIT - 8, what="descriptors are free again")
            wait_until(lambda: daemon.get("/readyz").status == 200, what="/readyz is content")
            batch.send(20)
            batch.wait()
            stored = history.check(daemon.log_dir)
            assert keys_in_order(stored) == batch.keys
            reader.check(stored)
            check_accounting(daemon)
        tally("connections beyond the descriptors", LIMIT)
