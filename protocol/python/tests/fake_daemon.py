# SPDX-License-Identifier: MIT
"""The daemon's end of the socket, as far as a sender can see it: takes connections, keeps their lines, acknowledges."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from typing import Any, Callable, Optional


class FakeDaemon:
    """Listens at ``path`` from ``start`` to ``stop``. Lines are kept over restarts, in the order of arrival; what it knows of
    its clients is not."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.lines: list[bytes] = []
        self.torn: list[bytes] = []
        """What connections had sent after their last LF when they ended."""
        self.connections = 0
        self.reading = threading.Event()
        """While clear, connections are accepted and not read."""
        self.reading.set()
        self.storing = threading.Event()
        """While clear, lines are taken and not acknowledged."""
        self.storing.set()
        self.hellos: list[dict[str, Any]] = []
        self._taken: dict[str, int] = {}
        self._changed = threading.Condition()
        self._listener: Optional[socket.socket] = None
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def start(self) -> FakeDaemon:
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(self.path)
        self._listener.listen(16)
        self._spawn(self._accept, self._listener)
        return self

    def stop(self) -> None:
        """Ends as a killed daemon does: what is unread in the sockets is gone, the path goes with the next start."""
        listener, self._listener = self._listener, None
        if listener is None:
            return
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        self.reading.set()
        for connection in self._open:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for thread in self._threads:
            thread.join(5)
        self._open, self._threads, self._taken = [], [], {}
        os.unlink(self.path)

    def records(self) -> list[dict[str, Any]]:
        with self._changed:
            return [json.loads(line) for line in self.lines]

    def wait_for(self, condition: Callable[[], bool], timeout: float = 10.0) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, timeout), f"{len(self.lines)} lines after {timeout} s"

    def wait_for_lines(self, count: int, timeout: float = 10.0) -> list[dict[str, Any]]:
        self.wait_for(lambda: len(self.lines) >= count, timeout)
        return self.records()

    def _spawn(self, target: Callable[[socket.socket], None], argument: socket.socket) -> None:
        thread = threading.Thread(target=target, args=(argument,), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with self._changed:
                self.connections += 1
                self._open.append(connection)
                self._changed.notify_all()
            self._spawn(self._read, connection)

    def hang_up(self) -> None:
        """Breaks all connections, without forgetting anything."""
        with self._changed:
            broken, self._open = self._open, []
        for connection in broken:
            connection.shutdown(socket.SHUT_RDWR)

    def _read(self, connection: socket.socket) -> None:
        rest = b""
        client: Optional[str] = None
        number = acknowledged = 0
        with connection:
            while True:
                self.reading.wait()
                try:
                    data = connection.recv(65536)
                except OSError:
                    data = b""
                if not data:
                    break
                *whole, rest = (rest + data).split(b"\n")
                answer = b""
                if whole and whole[0].startswith(b'{"livelog":') and client is None:
                    hello = json.loads(whole.pop(0))
                    client = hello["client"]
                    with self._changed:
                        self.hellos.append(hello)
                        number = self._taken.setdefault(client, 0)
                    answer = b'{"have":%d}\n' % number
                with self._changed:
                    if client is not None and client not in self._taken:
                        break  # it was stopped in the middle of this
                    for line in whole:
                        number += 1
                        if client is None or number > self._taken[client]:
                            self.lines.append(line)
                            if client is not None:
                                self._taken[client] = number
                    self._changed.notify_all()
                if client is not None:
                    if self.storing.is_set() and number > acknowledged:
                        acknowledged = number
                        answer += b'{"ack":%d}\n' % number
                    try:
                        connection.sendall(answer)
                    except OSError:
                        break
        if rest:
            self.torn.append(rest)


def eventually(condition: Callable[[], bool], timeout: float = 5.0) -> None:
    """Waits for something that tells nobody when it happens."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)
