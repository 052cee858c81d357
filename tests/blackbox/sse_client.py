# SPDX-License-Identifier: MIT
"""A client of the live stream that forgives nothing: what is not exactly as promised fails the test at once.

Events are read as the HTML standard says ("Interpreting an event stream"), on a socket of our own, so that no library's
leniency or buffering stands between the daemon's bytes and the test.
"""

from __future__ import annotations

import json
import re
import select
import socket
import time
from collections import deque
from collections.abc import Mapping
from types import TracebackType
from typing import Any, NamedTuple

_RECORD_FRAME = re.compile(rb"id: (0|[1-9][0-9]*)\ndata: (\{[^\r\n]*\})\n\n")
_FIELDS = ("id", "data", "event", "retry")


class Event(NamedTuple):
    """One dispatched event. `id` is that of its own `id:` line, None without one."""

    name: str  # "message" where the stream names none
    id: int | None
    data: str
    raw: bytes  # the whole frame, with the blank line

    def json(self) -> Any:
        return json.loads(self.data)


class Closed(Exception):
    """The daemon ended the stream."""


class Stream:
    """One request to /api/v1/logs/stream. `named` collects pings, gaps and the like as they are passed over."""

    def __init__(
        self,
        daemon: Any,
        query: str = "",
        headers: Mapping[str, str] | None = None,
        receive_buffer: int | None = None,
    ) -> None:
        self.named: list[Event] = []
        self.retry: int | None = None
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer is not None:
            # Before connecting: it also bounds the window that is announced.
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(30)
        self.socket.connect(("127.0.0.1", daemon.port))
        target = "/api/v1/logs/stream" + (f"?{query}" if query else "")
        lines = [f"GET {target} HTTP/1.1", f"Host: localhost:{daemon.port}", "Accept: text/event-stream"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        self._wire = b""  # received, not yet taken out of the transfer coding
        self._body = b""  # of the body, not yet cut into frames
        self._frames: deque[bytes] = deque()
        self._ended = False
        self.cut_off = False  # whether it ended in the middle of the transfer coding
        self._chunked = False
        self._read_head()

    def __enter__(self) -> "Stream":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def close(self) -> None:
        self.socket.close()

    # --- events -----------------------------------------------------------------------------------------------------

    def next(self, timeout: float = 10.0) -> Event:
        """The next event of any name. Raises Closed at the end of the stream, TimeoutError if none comes."""
        deadline = time.monotonic() + timeout
        while True:
            if self._frames:
                event = self._parse(self._frames.popleft())
                if event is not None:
                    return event
            elif b"\n\n" in self._body:
                *frames, self._body = self._body.split(b"\n\n")
                self._frames.extend(frame + b"\n\n" for frame in frames)
            else:
                self._more(deadline)

    def record(self, timeout: float = 10.0) -> Event:
        """The next record. Other events on the way are put into `named`."""
        deadline = time.monotonic() + timeout
        while True:
            event = self.next(max(0.0, deadline - time.monotonic()))
            if event.name == "message":
                return event
            self.named.append(event)

    def records(self, count: int, timeout: float = 30.0) -> list[Event]:
        deadline = time.monotonic() + timeout
        return [self.record(max(0.0, deadline - time.monotonic())) for _ in range(count)]

    def event(self, name: str, timeout: float = 10.0) -> Event:
        """The next event of that name; records before it are passed over."""
        deadline = time.monotonic() + timeout
        while True:
            event = self.next(max(0.0, deadline - time.monotonic()))
            if event.name == name:
                return event

    def silent_for(self, seconds: float) -> bool:
        """Whether no record comes for a while. For what must not come there is no other way than to wait."""
        try:
            self.record(seconds)
        except TimeoutError:
            return True
        return False

    def rest(self, timeout: float = 10.0) -> list[Event]:
        """All events up to the end of the stream."""
        events = []
        deadline = time.monotonic() + timeout
        while True:
            try:
                events.append(self.next(max(0.0, deadline - time.monotonic())))
            except Closed:
                assert self._body == b"", f"the stream ends within an event: {self._body[:200]!r}"
                return events

    # --- bytes ------------------------------------------------------------------------------------------------------

    def _parse(self, frame: bytes) -> Event | None:
        assert b"\r" not in frame and b"\0" not in frame, frame
        values: dict[str, str] = {}
        for line in frame.decode("utf-8", "strict").split("\n"):
            if line == "":
                continue
            field, colon, value = line.partition(":")
            assert colon and value.startswith(" "), f"not `field: value`: {line!r}"
            assert field in _FIELDS, f"unknown field {field!r}"
            assert field not in values, f"{field} twice in one event: {frame!r}"
            values[field] = value[1:]
        if "retry" in values:
            assert values["retry"].isascii() and values["retry"].isdigit(), frame
            self.retry = int(values["retry"])
        if "data" not in values:
            assert "event" not in values, f"an event without data is never dispatched: {frame!r}"
            return None
        event_id = int(values["id"]) if "id" in values else None
        name = values.get("event", "message")
        if name == "message":
            found = _RECORD_FRAME.fullmatch(frame)
            assert found, f"not the exact frame of a record: {frame!r}"
        json.loads(values["data"])
        return Event(name, event_id, values["data"], frame)

    def _read_head(self) -> None:
        deadline = time.monotonic() + 10
        while b"\r\n\r\n" not in self._wire:
            self._receive(deadline)
        head, self._wire = self._wire.split(b"\r\n\r\n", 1)
        status, *fields = head.decode("latin-1").split("\r\n")
        self.status = int(status.split(" ")[1])
        self.headers = {name.lower(): value.strip() for name, value in (field.split(":", 1) for field in fields)}
        coding = self.headers.get("transfer-encoding")
        assert coding in (None, "chunked"), coding
        self._chunked = coding == "chunked"
        self._length = int(self.headers["content-length"]) if "content-length" in self.headers else None
        self._decode()

    def whole_body(self, timeout: float = 10.0) -> bytes:
        """The body of an answer that is no stream (an error)."""
        deadline = time.monotonic() + timeout
        while not self._ended and (self._length is None or len(self._body) < self._length):
            try:
                self._more(deadline)
            except Closed:
                break
        return self._body

    def _more(self, deadline: float) -> None:
        if self._ended:
            raise Closed
        self._receive(deadline)
        self._decode()

    def _receive(self, deadline: float) -> None:
        if not select.select([self.socket], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise TimeoutError("nothing more on the stream")
        try:
            data = self.socket.recv(1 << 18)
        except ConnectionResetError:
            data = b""
        if not data:
            self.cut_off = self._chunked
            self._ended = True
            raise Closed
        self._wire += data

    def _decode(self) -> None:
        """Moves what is complete from the wire to the body."""
        if not self._chunked:
            self._body += self._wire
            self._wire = b""
            return
        while not self._ended:
            size_line, found, rest = self._wire.partition(b"\r\n")
            if not found:
                return
            size = int(size_line, 16)
            if len(rest) < size + 2:
                return
            assert rest[size : size + 2] == b"\r\n", "a chunk does not end where it says"
            self._body += rest[:size]
            self._wire = rest[size + 2 :]
            self._ended = size == 0
