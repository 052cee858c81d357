# SPDX-License-Identifier: MIT
"""What is said on the socket beyond the records: the hello, the daemon's answers, and which line has which number.

Knows no threads and no queue; see docs/ingest-protocol.md for the protocol.
"""

from __future__ import annotations

import json
import socket as sockets
from collections import deque
from itertools import chain, islice
from typing import NamedTuple, Optional

#: When the daemon acknowledges: written to the file (survives the daemon's death), durable (survives a power cut).
ACKS = ("written", "durable")

#: An answer is short; whatever sends more than this without an LF is no daemon.
_LONGEST_ANSWER = 64 * 1024

_NO_SIGNAL = getattr(sockets, "MSG_NOSIGNAL", 0)


class Answer(NamedTuple):
    """One line of the daemon's; of ``have``, ``ack``, ``malformed`` and ``error`` alone, one is there."""

    have: Optional[int] = None
    """So many lines of this client the daemon has taken."""
    ack: Optional[int] = None
    """All lines up to this one are stored."""
    malformed: Optional[int] = None
    """The number of a line that is no JSON object."""
    more: int = 1
    """How many malformed lines are told of, the last one being ``malformed``."""
    error: Optional[str] = None
    """What is wrong with the malformed line, or else why the daemon closes the connection."""


class Broken(Exception):
    """The connection is of no use any more."""


def hello_line(ack: str, client: str) -> bytes:
    """The first line of a connection whose lines are to be acknowledged."""
    return json.dumps({"livelog": 1, "ack": ack, "client": client}, separators=(",", ":")).encode() + b"\n"


def parse_answer(line: bytes) -> Answer:
    """Reads a line of the daemon's. Members that are not known are passed over, so that later daemons may say more.
    Raises Broken if it is none."""
    try:
        told = json.loads(line)
        if not isinstance(told, dict):
            raise ValueError
        numbers = {name: told[name] for name in ("have", "ack", "malformed", "more") if name in told}
        if any(isinstance(number, bool) or not isinstance(number, int) or number < 0 for number in numbers.values()):
            raise ValueError
    except (ValueError, RecursionError):
        raise Broken("what answers there is no livelogd") from None
    error = told.get("error")
    return Answer(**numbers, error=error if isinstance(error, str) else None)


class Connection:
    """A connection to the daemon. Never waits; for use by one thread, ``close`` also in a child after a fork."""

    def __init__(self, path: str) -> None:
        """Connects; OSError if there is nobody, or more want to connect than are let in."""
        self._socket = sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM)
        self._rest = b""
        try:
            self._socket.setblocking(False)
            self._socket.connect(path)
        except BaseException:
            self._socket.close()
            raise

    def fileno(self) -> int:
        """For ``select.poll``."""
        return self._socket.fileno()

    def write(self, data: memoryview) -> int:
        """How many bytes the kernel takes now. OSError if the connection is broken."""
        try:
            return self._socket.send(data, _NO_SIGNAL)
        except BlockingIOError:
            return 0

    def read(self) -> tuple[list[Answer], bool]:
        """The answers that have come, and whether the daemon has closed the connection. Broken if it is no daemon."""
        answers: list[Answer] = []
        while True:
            try:
                data = self._socket.recv(65536)
            except BlockingIOError:
                return answers, False
            except OSError:  # reset: what had come before was read before
                data = b""
            if not data:
                return answers, True
            *lines, self._rest = (self._rest + data).split(b"\n")
            answers += map(parse_answer, lines)
            if len(self._rest) > _LONGEST_ANSWER:
                raise Broken("what answers there is no livelogd")

    def close(self) -> None:
        """Closes this process's end."""
        self._socket.close()


class Flight:
    """The lines that were handed to a connection and that may have to be sent again, as the daemon counts them.

    A line keeps its number over reconnects as long as the daemon remembers it: under its number it is sent again, and
    the daemon drops what it has already. A daemon that has been restarted begins at 0 again.
    """

    def __init__(self) -> None:
        self._written: deque[bytes] = deque()  # numbers _base + 1 and on: handed to the connection, not yet settled
        self._again: deque[bytes] = deque()  # the numbers after those: to be handed to it before anything new
        self._base = 0
        self._acknowledged = 0
        self._bytes_written = 0  # without acknowledgements: of the lines in _written

    def __len__(self) -> int:
        return len(self._written) + len(self._again)

    def has_again(self) -> bool:
        """Whether there are lines to write again."""
        return bool(self._again)

    def take_again(self, most_bytes: int) -> list[bytes]:
        """Lines to write again, at most so many bytes, or one larger one."""
        batch: list[bytes] = []
        size = 0
        while self._again and (not batch or size + len(self._again[0]) <= most_bytes):
            line = self._again.popleft()
            size += len(line)
            batch.append(line)
        self._written.extend(batch)
        return batch

    def add(self, lines: list[bytes]) -> None:
        """Counts new lines as handed over. Only when nothing is left to be sent again."""
        self._written.extend(lines)

    def acknowledge(self, number: int) -> tuple[int, int]:
        """The daemon has stored all lines up to ``number``. Returns how many, and how many bytes, are settled by it.

        It may have them from an earlier connection, while this one has not come to them. Those are written yet, for
        on this connection the daemon goes on counting; it drops them.
        """
        self._acknowledged = max(self._acknowledged, number)
        return self._settle(max(0, min(self._acknowledged - self._base, len(self._written))))

    def wrote(self, count: int) -> tuple[int, int]:
        """Without acknowledgements: the kernel has taken so many bytes more. Returns what is settled by it."""
        self._bytes_written += count
        whole = 0
        for line in self._written:
            if len(line) > self._bytes_written:
                break
            self._bytes_written -= len(line)
            whole += 1
        return self._settle(whole)

    def resume(self, have: int) -> int:
        """A new connection, over which the daemon has told what it has. Returns how many lines will be sent again."""
        taken = have - self._base
        if not 0 <= taken <= len(self):
            # It has been restarted, or has forgotten this client; lines are counted anew from what it has.
            self._base = self._acknowledged = have
            taken = 0
        return self._rewind(taken)

    def start_over(self) -> int:
        """A new connection without acknowledgements. Returns how many lines will be sent again."""
        self._bytes_written = 0
        return self._rewind(0)

    def _rewind(self, taken: int) -> int:
        was_written = len(self._written)
        lines = deque(chain(self._written, self._again))
        self._written = deque(islice(lines, taken))
        self._again = deque(islice(lines, taken, None))
        return max(0, was_written - taken)

    def _settle(self, count: int) -> tuple[int, int]:
        size = 0
        for _ in range(count):
            size += len(self._written.popleft())
        self._base += count
        return count, size
