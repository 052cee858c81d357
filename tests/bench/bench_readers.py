#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What readers that never read cost the others: the time from the ingest socket to the streams, and memory.

    tests/bench/bench_readers.py [--readers 1000] [--stuck 200] [--rate 50] [--seconds 10] [--runs 3]

Runs with and without the stuck ones take turns, so that a change of the machine's mood meets both; the number of those
who read is the same in both. Prints each run and the medians. The program is $LIVELOGD_BIN, else build/release/livelogd.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

from livelogd_daemon import Daemon  # noqa: E402

MIB = 1 << 20
COLUMNS = ("p50_ms", "p99_ms", "max_ms", "rss_mib", "peak_mib", "missing")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measures what stuck readers cost the others.")
    parser.add_argument("--readers", type=int, default=1000, help="streams, the stuck ones among them")
    parser.add_argument("--stuck", type=int, default=200, help="streams of which nothing is read")
    parser.add_argument("--rate", type=int, default=50, help="records a second")
    parser.add_argument("--seconds", type=int, default=10, help="how long each run sends")
    parser.add_argument("--runs", type=int, default=3, help="of each kind")
    parser.add_argument("--preload", type=int, default=16_000, help="records of 1 KiB that are there before")
    return parser.parse_args()


def build_load(folder: Path) -> Path:
    program = folder / "reader_load"
    compiler = os.environ.get("CXX", "c++")
    subprocess.run(
        [compiler, "-O2", "-std=c++20", "-pthread", "-o", str(program), str(HERE / "reader_load.cpp")], check=True
    )
    return program


def allow_descriptors(count: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def peak_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def measure(load: Path, chosen: argparse.Namespace, stuck: int) -> dict[str, float]:
    # The stuck ones are to stay for the whole run, and to be behind the ring.
    with Daemon(stall_timeout="10min", max_record_bytes="1MiB", ring_bytes="8MiB", log_max_bytes="64MiB") as daemon:
        command = [load, daemon.port, daemon.socket_path, chosen.readers - chosen.stuck, stuck]
        command += [chosen.rate, chosen.seconds, chosen.preload]
        with subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as running:
            assert running.stdout and running.stdin
            line = running.stdout.readline()
            assert line, "the load ended early"
            result: dict[str, float] = json.loads(line)
            result["rss_mib"] = daemon.rss_bytes() / MIB
            result["peak_mib"] = peak_mib(daemon.pid)
            running.stdin.close()
        return result


def row(name: str, result: dict[str, float]) -> str:
    return f"{name:<24}" + "".join(f"{result[column]:>12.2f}" for column in COLUMNS)


def main() -> None:
    chosen = arguments()
    allow_descriptors(2 * chosen.readers + 200)
    kinds = {"without stuck readers": 0, f"with {chosen.stuck} of them": chosen.stuck}
    results: dict[str, list[dict[str, float]]] = {name: [] for name in kinds}
    print(
        f"{chosen.readers - chosen.stuck} readers, {chosen.rate} records a second for {chosen.seconds} s;"
        " milliseconds from socket to stream, MiB of memory"
    )
    print(f"{'':<24}" + "".join(f"{column:>12}" for column in COLUMNS))
    with tempfile.TemporaryDirectory(prefix="livelogd-bench-") as folder:
        load = build_load(Path(folder))
        for _ in range(chosen.runs):
            for name, stuck in kinds.items():
                result = measure(load, chosen, stuck)
                results[name].append(result)
                print(row(name, result), flush=True)
    print("medians")
    for name, runs in results.items():
        print(row(name, {column: statistics.median(run[column] for run in runs) for column in COLUMNS}))


if __name__ == "__main__":
    main()
