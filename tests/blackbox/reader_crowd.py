# SPDX-License-Identifier: MIT
"""Many streams at a time, each checked byte for byte against what was sent."""

from __future__ import annotations

import os
import resource
import selectors
import socket
import struct
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable

from livelogd_daemon import Daemon
from sse_client import Stream


class Script:
    """Numbered records that a test sends, and the frames that have to come of them. The ids follow each other: the first
    record is sent at once, and tells where they begin."""

    def __init__(self, daemon: Daemon, count: int, size: int) -> None:
        self.lines = [
            b'{"timestamp":"2025-06-26T10:30:45Z","n":%d,"p":"%s"}\n' % (n, b"x" * (size + n % 7)) for n in range(count)
        ]
        with Stream(daemon) as stream:
            daemon.send([self.lines[0]])
            first = stream.record().id
        assert first is not None
        self.first_id = first
        frames = [b"id: %d\ndata: %s\n" % (first + n, line) for n, line in enumerate(self.lines)]
        self.frames = b"".join(frames)
        self.starts = [0]
        for frame in frames:
            self.starts.append(self.starts[-1] + len(frame))

    @property
    def last_id(self) -> int:
        return self.first_id + len(self.lines) - 1

    def send(self, daemon: Daemon, parts: int = 1, between: Callable[[int], None] = lambda part: None) -> None:
        """Sends all but the first, in so many parts, and calls `between` after each."""
        rest = self.lines[1:]
        with daemon.connect() as connection:
            for part in range(parts):
                connection.sendall(b"".join(rest[len(rest) * part // parts : len(rest) * (part + 1) // parts]))
                between(part)


class Reader:
    """One stream. take() compares what has come with the script: any byte that is lost, doubled or out of place fails."""

    def __init__(self, daemon: Daemon, script: Script, last_id: int | None = None, receive_buffer: int | None = None) -> None:
        self._script = script
        self._after = last_id
        self.named: list[bytes] = []
        self.closed = False
        self._begun = False
        self._buffer = b""
        self.at = 0  # in the script's frames
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.connect(("127.0.0.1", daemon.port))
        resume = f"Last-Event-ID: {last_id}\r\n" if last_id is not None else ""
        self.socket.sendall(f"GET /api/v1/logs/stream HTTP/1.1\r\nHost: localhost\r\n{resume}\r\n".encode())
        self.socket.setblocking(False)

    @property
    def last_id(self) -> int:
        """Of the last whole record."""
        return self._script.first_id + bisect_right(self._script.starts, self.at) - 2

    @property
    def begun(self) -> bool:
        """Whether it has been told where it stands: what is sent from now on will come."""
        return self._begun

    @property
    def complete(self) -> bool:
        return self._begun and self.at == len(self._script.frames)

    def take(self) -> None:
        """Takes what there is."""
        try:
            data = self.socket.recv(1 << 18)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        if not data:
            self.closed = True
            return
        self._buffer += data
        if not self._begun and not self._begin():
            return
        while self._buffer:
            expected = self._script.frames[self.at : self.at + len(self._buffer)]
            if self._buffer == expected:
                self.at += len(self._buffer)
                self._buffer = b""
                return
            # Something else may stand between two records, nowhere else.
            same = len(os.path.commonprefix([self._buffer, expected]))
            self.at += same
            self._buffer = self._buffer[same:]
            where = self._script.starts[bisect_right(self._script.starts, self.at) - 1]
            assert where == self.at and b"event: ".startswith(self._buffer[:7]), (self.at - where, self._buffer[:200])
            event, found, rest = self._buffer.partition(b"\n\n")
            if not found:
                return
            self.named.append(event)
            self._buffer = rest

    def close(self, reset: bool = False) -> None:
        if reset:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def _begin(self) -> bool:
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        blocks = body.split(b"\n\n", 2)
        if not found or len(blocks) < 3:
            return False
        assert head.startswith(b"HTTP/1.1 200 "), head
        assert blocks[0].startswith(b"retry: ") and blocks[1].startswith(b"id: "), body[:200]
        position = int(blocks[1][4:])
        assert self._after is None or position == self._after
        self.at = self._script.starts[position + 1 - self._script.first_id]
        self._buffer = blocks[2]
        self._begun = True
        return True


def read_until(readers: Iterable[Reader], done: Callable[[Reader], bool], timeout: float = 60.0) -> None:
    """Reads all of them until `done` holds for each."""
    deadline = time.monotonic() + timeout
    with selectors.DefaultSelector() as selector:
        for reader in readers:
            if not done(reader):
                selector.register(reader.socket, selectors.EVENT_READ, reader)
        while selector.get_map():
            left = deadline - time.monotonic()
            assert left > 0, f"{len(selector.get_map())} streams have not got there"
            for key, _ in selector.select(left):
                reader = key.data
                reader.take()
                if done(reader):
                    selector.unregister(reader.socket)
                else:
                    assert not reader.closed, "the daemon has closed a stream that takes what comes"


def allow_descriptors(count: int) -> None:
    """So many for this process and for the daemons it starts from now on."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
