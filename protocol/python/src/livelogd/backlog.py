# SPDX-License-Identifier: MIT
"""What waits in a sender's queue, and the count of what found no room in it."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any, Callable, NamedTuple, Optional, Union

from livelogd.encode import encode_record, timestamp_text, unencodable_line


class SenderStats(NamedTuple):
    """Counts since the sender was made (in a forked child: since the fork)."""

    accepted: int
    """Records taken into the queue, with those that tell of dropped ones."""
    sent: int
    """Records that have arrived: acknowledged by the daemon or, without acknowledgements, taken whole by the kernel."""
    resent: int
    """Records that were sent again after a connection broke; the daemon may have had some of them."""
    dropped: int
    """Records not taken, because the queue was full or the sender closed."""
    refused: int
    """Records that the daemon could not read, and has stored as records of type ``malformed``."""
    queued_bytes: int
    """Bytes of the lines that wait to be sent or to be acknowledged."""
    connections: int
    """Connections made."""
    connected: bool
    """Whether there is a connection."""
    last_error: Optional[str]
    """Why the last attempt to connect or to write failed; None after a success."""


class Dropped:
    """Records dropped since the last time that this was told."""

    def __init__(self, now: float) -> None:
        self.count = 0
        self.first = now
        self.last = now
        self.since = time.monotonic()

    def notice_line(self) -> bytes:
        """The line of the record that tells of them."""
        noun = "record was" if self.count == 1 else "records were"
        notice = {
            "timestamp": timestamp_text(),
            "level": "WARNING",
            "message": f"{self.count} {noun} dropped: the queue to the daemon was full",
            "module": "livelogd",
            "type": "livelogd",
            "event": "records_dropped",
            "count": self.count,
            "first": timestamp_text(self.first),
            "last": timestamp_text(self.last),
            "pid": os.getpid(),
        }
        return encode_record(notice)


class Unmade(NamedTuple):
    """A record that the sender's thread will make."""

    make: Callable[[], Mapping[str, Any]]
    size: int


def size_of(item: Union[bytes, Unmade]) -> int:
    """What a line, made or not, counts for."""
    return len(item) if isinstance(item, bytes) else item.size


def made_lines(items: list[Union[bytes, Unmade]]) -> tuple[list[bytes], int, int]:
    """Makes the lines that are not made yet. Also returns for how many bytes these have counted, and how many they are."""
    lines: list[bytes] = []
    estimated = made = 0
    for item in items:
        if isinstance(item, bytes):
            lines.append(item)
        else:
            lines.append(_made(item))
            estimated += item.size
            made += len(lines[-1])
    return lines, estimated, made


def _made(item: Unmade) -> bytes:
    try:
        return encode_record(item.make())
    except Exception as error:  # against the rules, but no reason to lose those beside it
        return unencodable_line(f"a record could not be made: {type(error).__name__}")
