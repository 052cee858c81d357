# SPDX-License-Identifier: MIT
"""What the kernel knows about a process."""

from __future__ import annotations

import os
import re
from pathlib import Path


def peak_rss_bytes(pid: int) -> int:
    """The most memory it has had resident since it started, or since reset_peak()."""
    found = re.search(r"^VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found
    return int(found.group(1)) * 1024


def reset_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def open_descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def open_sockets(pid: int) -> int:
    """Different sockets, a listening one among them counted once however often it is held."""
    links = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            links.add(os.readlink(descriptor))
        except FileNotFoundError:
            continue  # closed since it was listed
    return sum(link.startswith("socket:") for link in links)


def cpu_seconds(pid: int) -> float:
    """User and system time of all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
