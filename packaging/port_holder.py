#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Whether a TCP port of 127.0.0.1 can be listened on. If not, prints who does, as far as this user may know: ` by NAME
(pid N)`, and ends with exit code 1.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def listening_sockets(port: int) -> set[str]:
    """`socket:[INODE]` of those that listen on the port, whatever the address."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for fields in (line.split() for line in lines):
            if int(fields[1].rpartition(":")[2], 16) == port and fields[3] == "0A":
                found.add(f"socket:[{fields[9]}]")
    return found


def holder(port: int) -> str:
    sockets = listening_sockets(port)
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(os.readlink(one) in sockets for one in (process / "fd").iterdir()):
                return f" by {(process / 'comm').read_text().strip()} (pid {process.name})"
        except OSError:
            continue  # another user's, or gone
    return ""


if __name__ == "__main__":
    wanted = int(sys.argv[1])
    if not is_free(wanted):
        print(holder(wanted))
        sys.exit(1)
