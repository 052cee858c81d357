# SPDX-License-Identifier: MIT
"""How many durable acknowledgements a second, and how near that is to a bare program that does the same group commit.

    python3 tests/bench/bench_durable.py [--runs 5] [--seconds 2] [--folder DIR]

Each connection sends a record of 300 bytes and waits for its acknowledgement before the next. The daemon and the bare program
take turns on the same disk; the medians and their ratio are printed. $LIVELOGD_BIN, else build/release/livelogd, is measured.
`--folder` should be on the disk that is meant: what fdatasync costs is most of the result.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

from livelogd_daemon import Daemon, wait_until  # noqa: E402

CONNECTIONS = (1, 8, 64)


def build(folder: Path) -> Path:
    program = folder / "group_commit"
    compiler = os.environ.get("CXX", "c++")
    subprocess.run([compiler, "-std=c++20", "-O2", "-pthread", "-o", program, HERE / "group_commit.cpp"], check=True)
    return program


@contextlib.contextmanager
def bare_server(program: Path, folder: Path) -> Iterator[Path]:
    socket = folder / "bare.sock"
    with subprocess.Popen([program, "serve", socket, folder / "bare.jsonl"]) as process:
        try:
            wait_until(socket.exists, what="the bare program listens")
            time.sleep(0.05)
            yield socket
        finally:
            process.kill()


@contextlib.contextmanager
def daemon_server(folder: Path) -> Iterator[Path]:
    with Daemon(log_dir=folder / "logs", log_max_bytes="1GiB") as daemon:
        yield daemon.socket_path


def measure(program: Path, socket: Path, connections: int, seconds: float, *words: str) -> float:
    done = subprocess.run(
        [program, "load", socket, str(connections), str(seconds), *words],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=seconds + 60,
    )
    return float(done.stdout.split()[2])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--folder", type=Path, default=Path("/tmp"))
    given = parser.parse_args()

    folder = Path(tempfile.mkdtemp(prefix="livelogd-bench-", dir=given.folder))
    try:
        program = build(folder)
        rates: dict[tuple[str, int], list[float]] = {}

        def once(name: str, connections: int, server: Callable[[], contextlib.AbstractContextManager[Path]], *words: str) -> None:
            with server() as socket:
                measure(program, socket, connections, 0.2, *words)  # warm
                rates.setdefault((name, connections), []).append(
                    measure(program, socket, connections, given.seconds, *words)
                )

        for _ in range(given.runs):
            for connections in CONNECTIONS:
                once("daemon", connections, lambda: daemon_server(folder), "hello")
                once("bare", connections, lambda: bare_server(program, folder))
        print(f"{'connections':>11} {'daemon':>10} {'bare':>10} {'ratio':>6}   durable records/s, medians of {given.runs}")
        for connections in CONNECTIONS:
            daemon, bare = (statistics.median(rates[name, connections]) for name in ("daemon", "bare"))
            print(f"{connections:>11} {daemon:>10.0f} {bare:>10.0f} {daemon / bare:>6.2f}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
