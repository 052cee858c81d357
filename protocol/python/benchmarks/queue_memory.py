# SPDX-License-Identifier: MIT
"""What a sender's queue takes of memory when the daemon is away for long.

    python3 benchmarks/queue_memory.py [--queue-mib 8]

Records are sent until ten times as much has been offered as the queue holds. Each size is tried in a process of its own.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "src"))

from livelogd import Sender  # noqa: E402


def resident() -> int:
    """Bytes of this process in memory."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.split("VmRSS:")[1].split()[0])


def try_size(size: int, queue_bytes: int) -> None:
    """Prints what a queue full of records of about ``size`` bytes takes."""
    sender = Sender("/nonexistent/livelogd.sock", max_queue_bytes=queue_bytes)
    sender.send({"text": "x"})
    before = resident()
    text = "x" * max(0, size - 70)
    for _ in range(10 * queue_bytes // size):
        sender.send({"level": "INFO", "text": text})
    stats = sender.stats()
    taken = resident() - before
    print(
        f"records of {size:6} bytes: {stats.accepted:7} queued ({stats.queued_bytes / 2**20:.2f} MiB), "
        f"{stats.dropped:8} dropped, memory {taken / 2**20:.1f} MiB"
    )
    sender.close(0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queue-mib", type=int, default=8)
    parser.add_argument("--size", type=int, help="only this size of records, in this process")
    options = parser.parse_args()
    if options.size is not None:
        try_size(options.size, options.queue_mib << 20)
        return
    for size in (100, 300, 1000, 10_000):
        arguments = [sys.executable, __file__, "--queue-mib", str(options.queue_mib), "--size", str(size)]
        subprocess.run(arguments, check=True)


if __name__ == "__main__":
    main()
