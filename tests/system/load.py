# SPDX-License-Identifier: MIT
"""Senders of several kinds that go on while the daemon is restarted, and the count of what became of their records."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from machine import INGEST


class Outcome(NamedTuple):
    """What became of the records of one sender."""

    sent: int
    lost: int
    doubled: int


class Load(threading.Thread):
    """Sends numbered records until it is told to stop. A subclass knows how."""

    name = "load"

    def __init__(self, rate: float, occasion: str) -> None:
        """``occasion`` tells its records from those of another run."""
        super().__init__(daemon=True)
        self.sent = 0
        self._rate = rate
        self._mark = f"{occasion}, {self.name}"
        self._over = threading.Event()
        self.failure: BaseException | None = None

    def run(self) -> None:
        begun = time.monotonic()
        try:
            while not self._over.is_set():
                self.send({"level": "INFO", "load": self._mark, "n": self.sent})
                self.sent += 1
                ahead = self.sent / self._rate - (time.monotonic() - begun)
                if ahead > 0.002:
                    time.sleep(ahead)
            self.finish()
        except BaseException as error:  # noqa: BLE001  what a thread throws must not vanish
            self.failure = error

    def send(self, record: dict[str, Any]) -> None:
        raise NotImplementedError

    def finish(self) -> None:
        pass

    def end(self) -> None:
        self._over.set()
        self.join(60)
        assert not self.is_alive(), f"{self.name} does not end"
        if self.failure is not None:
            raise self.failure

    def outcome(self, records: Iterable[Any]) -> Outcome:
        seen = Counter(record["n"] for record in records if record.get("load") == self._mark)
        lost = sum(1 for number in range(self.sent) if number not in seen)
        return Outcome(self.sent, lost, sum(count - 1 for count in seen.values()))


class OneByOne(Load):
    """What a shell script does: a connection for each record. It never fails to connect, or the test fails."""

    name = "a connection a record"

    def send(self, record: dict[str, Any]) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(60)
            connection.connect(INGEST)
            connection.sendall(json.dumps(record).encode() + b"\n")


class Plain(Load):
    """One connection without acknowledgements; when it breaks, a new one, and the line that could not be sent goes again."""

    name = "one plain connection"
    _connection: socket.socket | None = None

    def send(self, record: dict[str, Any]) -> None:
        line = json.dumps(record).encode() + b"\n"
        while True:
            if self._connection is None:
                self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                self._connection.settimeout(60)
                self._connection.connect(INGEST)
            try:
                self._connection.sendall(line)
                return
            except (BrokenPipeError, ConnectionResetError):
                self._connection.close()
                self._connection = None

    def finish(self) -> None:
        if self._connection is not None:
            self._connection.close()


class Acknowledged(Load):
    """The package for Python apps, as installed: sends again what was not acknowledged."""

    name = "acknowledged"

    def __init__(self, rate: float, occasion: str) -> None:
        super().__init__(rate, occasion)
        from livelogd import Sender

        self._sender = Sender(ack="written")

    def send(self, record: dict[str, Any]) -> None:
        assert self._sender.send(record), "the sender's queue is full"

    def finish(self) -> None:
        assert self._sender.flush(30), self._sender.stats()
        self._sender.close()


def loads(rate: float, occasion: str) -> list[Load]:
    return [OneByOne(min(rate, 200), occasion), Plain(rate, occasion), Acknowledged(rate, occasion)]
