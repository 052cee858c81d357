# SPDX-License-Identifier: MIT
"""Senders for the fault suite: one connection driven step by step, and a thread that keeps sending whatever happens.

Written from the protocol alone, so that a mistake of the daemon is not shared by its package for apps.
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
import threading
import time
import uuid
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from livelogd_daemon import Daemon, wait_until
from oracle import History, make_line


class Broken(Exception):
    """The daemon has gone, or has closed the connection."""


class Connection:
    """One connection to the ingest socket, with acknowledgements if `ack` is given. Lines are numbered here; what came back is
    in `acked` (the last number) and `malformed`."""

    def __init__(
        self, daemon: Daemon, ack: str | None = None, client: str | None = None, next_line: int | None = None
    ) -> None:
        try:
            self.socket = daemon.connect()
        except OSError as error:
            raise Broken from error
        self.acked = 0
        self.have: int | None = None
        self.malformed: list[dict[str, Any]] = []
        self._received = b""
        if ack is not None:
            hello: dict[str, Any] = {"livelog": 1, "ack": ack}
            if client is not None:
                hello["client"] = client
            if next_line is not None:
                hello["next"] = next_line
            self.send(json.dumps(hello).encode() + b"\n")
            while self.have is None:
                self.read(10.0)  # and perhaps an acknowledgement of what is stored already

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Blocks while the daemon does not read."""
        self.socket.settimeout(30)
        try:
            self.socket.sendall(data)
        except OSError as error:
            raise Broken from error

    def send_some(self, data: bytes) -> int:
        """As much as the socket takes now."""
        self.socket.setblocking(False)
        try:
            return self.socket.send(data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise Broken from error

    def read(self, timeout: float) -> bool:
        """Takes in what the daemon says, waiting for the first byte up to `timeout`. False if nothing came."""
        if not select.select([self.socket], [], [], timeout)[0]:
            return False
        try:
            data = self.socket.recv(65536)
        except OSError as error:
            raise Broken from error
        if not data:
            raise Broken
        *lines, self._received = (self._received + data).split(b"\n")
        for line in lines:
            self._take(json.loads(line))
        return True

    def wait_for_ack(self, number: int, timeout: float = 10.0) -> bool:
        """Until all lines up to `number` are acknowledged; False if that takes longer."""
        deadline = time.monotonic() + timeout
        while self.acked < number:
            left = deadline - time.monotonic()
            if left <= 0 or not self.read(left):
                return False
        return True

    def until_closed(self, timeout: float = 20.0) -> None:
        """Takes in what the daemon says to the end of the connection."""
        try:
            while self.read(timeout):
                pass
        except Broken:
            return
        raise AssertionError("the connection stays open")

    def _take(self, told: dict[str, Any]) -> None:
        if "have" in told:
            assert self.have is None, f"a second {told}"
            self.have = told["have"]
        elif "ack" in told:
            assert told["ack"] > self.acked, f"{told} after {self.acked}"
            self.acked = told["ack"]
        elif "malformed" in told:
            self.malformed.append(told)
        else:
            raise Broken(told)


class Sender(threading.Thread):
    """Sends numbered records from `with` on until stop() or its end, through the daemon's deaths. With `ack` it sends again what was not acknowledged;
    without, what was under way when the daemon died is given up. Everything is noted in the history."""

    def __init__(
        self,
        daemon: Daemon,
        history: History,
        name: str,
        ack: str | None = "written",
        *,
        size: int = 150,
        window: int = 300,
        batch: int = 10,
        pause: float = 0.0,
        breaks_after: int = 0,
    ) -> None:
        super().__init__(daemon=True, name=name)
        self.server, self.history, self.ack = daemon, history, ack
        self.size, self.window, self.batch, self.pause = size, window, batch, pause
        self.breaks_after = breaks_after  # so many acknowledgements it breaks its connection; 0: never
        self.client = uuid.uuid4().hex
        self.produced = 0
        self.acks = 0  # records acknowledged
        self.connections = 0
        self.error: BaseException | None = None
        self._unacked: deque[tuple[str, bytes]] = deque()
        self._first_number: int | None = None  # the number of _unacked[0], while the daemon knows this client
        self._life = -1
        self._enough = threading.Event()
        self._end = threading.Event()

    # --- by the test ------------------------------------------------------------------------------------------------

    def __enter__(self) -> "Sender":
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._end.set()
        self.join(10.0)
        if kind is None and self.error is not None:
            raise self.error

    def stop(self, timeout: float = 30.0) -> None:
        """No new records; returns once all are acknowledged (without acks: handed to the kernel)."""
        self._enough.set()
        self.join(timeout)
        assert not self.is_alive(), f"{len(self._unacked)} of {self.produced} records of {self.name} are not acknowledged"
        if self.error is not None:
            raise self.error

    @property
    def unacked(self) -> int:
        return len(self._unacked)

    # --- in the thread ----------------------------------------------------------------------------------------------

    def run(self) -> None:
        try:
            while not self._done():
                try:
                    with self._connect() as connection:
                        self.connections += 1
                        self._converse(connection)
                except Broken:
                    time.sleep(0.005)
        except BaseException as error:
            self.error = error

    def _done(self) -> bool:
        return self._end.is_set() or (self._enough.is_set() and not self._unacked)

    def _connect(self) -> Connection:
        life = self.history.life
        if self.ack is None:
            self._unacked.clear()
            self._life = life
            return Connection(self.server)
        if self._first_number is not None and life == self._life:
            connection = Connection(self.server, self.ack, self.client, self._first_number)
            assert connection.have is not None and connection.have >= self._first_number - 1, connection.have
        else:
            # It has died and knows nobody: all that is unacknowledged gets new numbers.
            connection = Connection(self.server, self.ack, self.client)
            assert connection.have is not None
            self._first_number = connection.have + 1
            self._life = life
        return connection

    def _converse(self, connection: Connection) -> None:
        for key, line in self._unacked:
            self.history.note_sent(key, line, self._life)
        out = b"".join(line for _, line in self._unacked)
        base = self._first_number or 1  # the number of _unacked[0]
        # An acknowledgement may have come with the answer to the hello.
        connection.acked = max(connection.acked, base - 1)
        first = base
        while not self._done():
            if self.breaks_after and base - first >= self.breaks_after and not self._enough.is_set():
                return  # with records under way
            if not out and not self._enough.is_set() and len(self._unacked) < self.window:
                out = self._produce()
            if out:
                # The daemon may wait for us to read, or not read because storing fails.
                select.select([connection.socket], [connection.socket], [], 0.02)
                out = out[connection.send_some(out) :]
            if self.ack is None:
                if not out:
                    self._unacked.clear()
                continue
            connection.read(0.0 if out or len(self._unacked) < self.window else 0.02)
            assert connection.acked < base + len(self._unacked), "more acknowledged than was sent"
            assert not connection.malformed, connection.malformed
            while base <= connection.acked:
                self.history.note_acked(self._unacked.popleft()[0], self.ack)
                self.acks += 1
                base += 1
            self._first_number = base

    def _produce(self) -> bytes:
        if self.pause:
            time.sleep(self.pause)
        lines = []
        for _ in range(self.batch):
            key = f"{self.name}-{self.produced}"
            line = make_line(key, self.size)
            self.produced += 1
            self.history.note_sent(key, line, self._life)
            self._unacked.append((key, line))
            lines.append(line)
        return b"".join(lines)


@contextlib.contextmanager
def sending(*senders: Sender) -> Iterator[None]:
    """All of them at once."""
    with contextlib.ExitStack() as stack:
        for sender in senders:
            stack.enter_context(sender)
        yield


def wait_for_acks(senders: Iterable[Sender], more: int = 1, timeout: float = 30.0) -> None:
    """Until each has had so many more records acknowledged."""
    wanted = [(sender, sender.acks + more) for sender in senders]
    wait_until(lambda: all(s.error or s.acks >= acks for s, acks in wanted), timeout, "acknowledgements")
    for sender, _ in wanted:
        if sender.error is not None:
            raise sender.error
