# SPDX-License-Identifier: MIT
"""HTTP by hand, for requests that no library would send, and answers read to the byte."""

from __future__ import annotations

import json
import socket
from typing import Any, NamedTuple


class RawAnswer(NamedTuple):
    status: int
    reason: str
    headers: dict[str, str]  # names in lower case
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def closes(self) -> bool:
        return self.headers.get("connection", "").lower() == "close"


class RawConnection:
    """One TCP connection to the daemon."""

    def __init__(self, daemon: Any, timeout: float = 10.0) -> None:
        self.socket = socket.create_connection(("127.0.0.1", daemon.port), timeout)
        self._buffer = b""

    def __enter__(self) -> "RawConnection":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self, *, to_head: bool = False) -> RawAnswer | None:
        """The next answer, or None if the daemon closed the connection instead."""
        while b"\r\n\r\n" not in self._buffer:
            if not self._receive():
                assert not self._buffer, f"cut off: {self._buffer[:200]!r}"
                return None
        head, self._buffer = self._buffer.split(b"\r\n\r\n", 1)
        status_line, *fields = head.decode("latin-1").split("\r\n")
        version, status, reason = status_line.split(" ", 2)
        assert version == "HTTP/1.1", status_line
        names = [field.split(":", 1)[0].lower() for field in fields]
        assert len(set(names)) == len(names) or names.count("set-cookie") > 1, f"a field twice: {names}"
        headers = {name.lower(): value.strip() for name, value in (field.split(":", 1) for field in fields)}
        code = int(status)
        if to_head or code == 204 or code == 304:
            return RawAnswer(code, reason, headers, b"")
        return RawAnswer(code, reason, headers, self._body(headers))

    def closed_by_peer(self) -> bool:
        """Whether the daemon closes the connection without another answer. A reset counts."""
        try:
            data = self.socket.recv(1)
        except ConnectionResetError:
            return True
        self._buffer += data
        return data == b""

    def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while True:
                size = int(self._line(), 16)
                chunk = self._exactly(size + 2)
                assert chunk.endswith(b"\r\n")
                body += chunk[:-2]
                if size == 0:
                    return body
        if "content-length" in headers:
            return self._exactly(int(headers["content-length"]))
        while self._receive():
            pass
        body, self._buffer = self._buffer, b""
        return body

    def _line(self) -> bytes:
        while b"\r\n" not in self._buffer:
            assert self._receive(), "cut off"
        line, self._buffer = self._buffer.split(b"\r\n", 1)
        return line

    def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            assert self._receive(), f"cut off {size - len(self._buffer)} bytes before the end of the body"
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    def _receive(self) -> bool:
        try:
            data = self.socket.recv(1 << 18)
        except ConnectionResetError:
            return False
        self._buffer += data
        return bool(data)


def ask(daemon: Any, request: bytes, *, to_head: bool = False) -> RawAnswer | None:
    """Sends a request on a connection of its own and returns the answer, None if there is none."""
    with RawConnection(daemon) as connection:
        connection.send(request)
        return connection.answer(to_head=to_head)


def get(daemon: Any, target: str, method: str = "GET", host: str = "localhost", **fields: str) -> RawAnswer:
    """A plain request; `fields` with `_` for `-`."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    answer = ask(daemon, ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"), to_head=method == "HEAD")
    assert answer is not None, f"no answer to {method} {target}"
    return answer
