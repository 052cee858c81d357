# SPDX-License-Identifier: MIT
"""How the daemon tells that storing fails, and that it works again."""

from __future__ import annotations

import json
from typing import Any

from livelogd_daemon import Daemon, wait_until
from oracle import History, make_line
from reader import Reader
from sender import Broken, Connection


def wait_until_failing(daemon: Daemon, reader: Reader | None = None, reason: str = "") -> None:
    """/readyz and the streams say so, with the reason; the daemon is alive all the same."""

    def told() -> bool:
        answer = daemon.get("/readyz")
        return answer.status == 503 and reason in answer.json()["error"]

    wait_until(told, what=f"/readyz tells of the trouble ({reason})")
    assert daemon.get("/healthz").status == 200
    if reader is not None:
        event = wait_for_state(reader, "failing")
        assert reason in event["reason"], event
        assert event["since"], event


def wait_until_recovered(daemon: Daemon, reader: Reader | None = None, timeout: float = 20.0) -> None:
    """/readyz is content, the streams were told, and a record says what happened."""
    wait_until(lambda: daemon.get("/readyz").status == 200, timeout, "/readyz is content again")
    wait_until(lambda: recovered_records(daemon), what="a record tells what happened")
    if reader is not None:
        wait_for_state(reader, "ok")


def wait_for_state(reader: Reader, state: str) -> dict[str, Any]:
    """The newest `status` event with that state, once there is one."""
    wait_until(lambda: reader.error or of_state(reader, state), what=f"a status event: {state}")
    if reader.error is not None:
        raise reader.error
    return of_state(reader, state)[-1]


def of_state(reader: Reader, state: str) -> list[dict[str, Any]]:
    told = [json.loads(event.data) for event in reader.events("status")]
    return [one for one in told if one["storing"] == state]


def recovered_records(daemon: Daemon) -> list[dict[str, Any]]:
    return [r for r in daemon.recent(100_000, type="livelogd") if r.get("event") == "storing_recovered"]


class Batch:
    """Records that are sent one by one on an acknowledged connection, and noted in the history."""

    def __init__(self, daemon: Daemon, history: History, name: str, ack: str = "written", size: int = 0) -> None:
        self.history, self.name, self.ack, self.size = history, name, ack, size
        self.connection = Connection(daemon, ack)
        self.sent = 0
        self._noted = 0

    def __enter__(self) -> "Batch":
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    @property
    def keys(self) -> list[str]:
        return [self.key(n) for n in range(self.sent)]

    def key(self, n: int) -> str:
        return f"{self.name}{n}"

    def send(self, count: int = 1) -> None:
        lines = [make_line(self.key(n), self.size) for n in range(self.sent, self.sent + count)]
        for n, line in enumerate(lines, self.sent):
            self.history.note_sent(self.key(n), line, self.history.life)
        self.sent += count
        self.connection.send(b"".join(lines))

    def flood(self, most: int, quiet: float = 1.0) -> int:
        """Sends until the socket has been full for `quiet` seconds, at most so many bytes. Returns how many bytes that were.
        The last record may be half out: finish() sends the rest."""
        self._rest = b""
        total = 0
        while total < most:
            line = make_line(self.key(self.sent), self.size)
            self.history.note_sent(self.key(self.sent), line, self.history.life)
            self.sent += 1
            total += len(line)
            while line:
                done = self.connection.send_some(line)
                line = line[done:]
                if done == 0:
                    try:
                        wait_until(lambda: self.connection.send_some(line[:1]) == 1, quiet)
                    except AssertionError:
                        self._rest = line
                        return total
                    line = line[1:]
        return total

    def finish(self) -> None:
        self.connection.send(self._rest)

    def wait(self, timeout: float = 20.0) -> None:
        """All are acknowledged."""
        arrived = self.connection.wait_for_ack(self.sent, timeout)
        self.note()
        assert arrived, f"{self.connection.acked} of {self.sent} are acknowledged"

    def acked_within(self, seconds: float) -> int:
        """How many are acknowledged by then: for acknowledgements that must not come."""
        self.connection.wait_for_ack(self.sent, seconds)
        self.note()
        return self.connection.acked

    def note(self) -> None:
        try:
            while self.connection.read(0.0):
                pass
        except Broken:
            pass
        while self._noted < self.connection.acked:
            self.history.note_acked(self.key(self._noted), self.ack)
            self._noted += 1


def found_by_recent(daemon: Daemon, keys: list[str]) -> bool:
    """Whether the newest records that were sent are these, in this order."""
    found = [record["key"] for record in daemon.recent(100_000) if "key" in record]
    return found[-len(keys) :] == keys
