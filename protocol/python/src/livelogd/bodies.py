# SPDX-License-Identifier: MIT
"""What of a body goes into a record: parsed JSON, form fields, text, and of a streamed answer its pieces that matter."""

from __future__ import annotations

import json
from collections import deque
from enum import Enum
from typing import Any, Optional, Union
from urllib.parse import parse_qsl

from livelogd.records import ABSENT

#: Of a streamed answer the first piece is kept (it may name the model and count the input) and so many of the last
#: ones: usage and timings come with the last, or next to it, in every interface of a model server.
_LAST_PIECES = 3

_LINE_TYPES = frozenset(
    f"application/{name}" for name in ("x-ndjson", "ndjson", "jsonl", "x-jsonlines", "json-seq")
)
_REASONING = ("reasoning_content", "reasoning", "thinking")
_PAGE_TYPES = frozenset(("text/html", "text/css", "text/javascript", "text/ecmascript"))


class Kind(Enum):
    """What a body is made of, by its Content-Type."""

    JSON = "json"
    FORM = "form"
    TEXT = "text"
    EVENTS = "events"
    """Server-Sent Events."""
    LINES = "lines"
    """A JSON value a line."""
    OPAQUE = "opaque"
    """Told by its size: binary, compressed, or a page for a browser."""


def kind_of(content_type: Optional[str], content_encoding: Optional[str] = None) -> Kind:
    """The kind of a body with these headers."""
    if not content_type or (content_encoding or "identity").lower() != "identity":
        return Kind.OPAQUE
    media = content_type.partition(";")[0].strip().lower()
    if media == "application/json" or media.endswith("+json"):
        return Kind.JSON
    if media == "text/event-stream":
        return Kind.EVENTS
    if media in _LINE_TYPES:
        return Kind.LINES
    if media == "application/x-www-form-urlencoded":
        return Kind.FORM
    return Kind.TEXT if media.startswith("text/") and media not in _PAGE_TYPES else Kind.OPAQUE


def whole_body(kind: Kind, data: bytes) -> Any:
    """The value of a body that is all there; ABSENT if it is not what its headers say."""
    if kind is Kind.OPAQUE or not data:
        return ABSENT
    try:
        if kind is Kind.JSON:
            return json.loads(data)
        text = data.decode("utf-8", "replace")
        if kind is Kind.FORM:
            return grouped(parse_qsl(text, keep_blank_values=True, max_num_fields=1000))
        if kind is Kind.LINES:
            return [json.loads(line) for line in text.splitlines() if line]
        return text
    except (ValueError, RecursionError):
        return ABSENT


def grouped(pairs: list[tuple[str, str]]) -> dict[str, Union[str, list[str]]]:
    """Names with their values: a value that is alone stands for itself, several are a list."""
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return {name: found[0] if len(found) == 1 else found for name, found in values.items()}


class StreamReader:
    """Reads a body while it goes by, in whatever portions it comes, and keeps at most ``limit`` bytes of it."""

    def __init__(self, kind: Kind, limit: int) -> None:
        self.kind = kind
        self.pieces = 0
        """Events or lines that have gone by."""
        self.cut = False
        """Whether something was left out because of the limit."""
        self._limit = limit
        self._rest = b""
        self._skipping = False  # in the middle of a line that is too long
        self._data: list[bytes] = []  # the data lines of the event that is coming
        self._first: Optional[tuple[int, Any]] = None
        self._last: deque[tuple[int, Any]] = deque(maxlen=_LAST_PIECES)
        self._text: list[str] = []
        self._kept = 0

    def feed(self, chunk: bytes) -> bool:
        """Takes the next portion. Returns whether there was something in it that a model has said."""
        if self.kind is Kind.OPAQUE or self.kind is Kind.FORM or not chunk:
            return False
        if self.kind in (Kind.EVENTS, Kind.LINES):
            return self._feed_lines(chunk)
        room = self._limit - self._kept
        self.cut = self.cut or len(chunk) > room
        self._rest += chunk[:room]
        self._kept = len(self._rest)
        return self.kind is Kind.TEXT

    def end(self) -> None:
        """The body is at its end; a last line may have no LF."""
        if self.kind in (Kind.EVENTS, Kind.LINES):
            self._feed_lines(b"\n\n")

    def body(self) -> Any:
        """The value for ``response_body``: of events and lines the list of the pieces kept; else text, or the JSON value
        if it fits into the limit."""
        if self.kind is Kind.TEXT:
            return self._rest.decode("utf-8", "replace") if self._rest else ABSENT
        if self.kind is Kind.JSON:
            return ABSENT if self.cut else whole_body(self.kind, self._rest)
        room = self._limit
        kept: list[Any] = []
        for size, piece in reversed(self._last):
            if size <= room:
                kept.append(piece)
                room -= size
        if self._first is not None and self._first[0] <= room:
            kept.append(self._first[1])
        return kept[::-1] if kept else ABSENT

    def text(self) -> Optional[str]:
        """What the model has said, put together from the pieces; None if there is nothing of the kind."""
        return "".join(self._text) if self._text else None

    def _feed_lines(self, chunk: bytes) -> bool:
        said = False
        *lines, rest = chunk.split(b"\n")
        for line in lines:
            whole, self._rest = self._rest + line, b""
            if self._skipping or len(whole) > self._limit:
                self._skipping, self.cut = False, True
                self.pieces += 1
                continue
            said = self._take_line(whole.rstrip(b"\r")) or said
        if not self._skipping:
            self._rest += rest
            if len(self._rest) > self._limit:
                self._skipping, self._rest = True, b""
        return said

    def _take_line(self, line: bytes) -> bool:
        if self.kind is Kind.LINES:
            return bool(line) and self._take_piece(line.lstrip(b"\x1e"))
        if line.startswith(b"data:"):
            self._data.append(line[6:] if line.startswith(b"data: ") else line[5:])
            return False
        if line or not self._data:
            return False
        data, self._data = b"\n".join(self._data), []
        return self._take_piece(data)

    def _take_piece(self, data: bytes) -> bool:
        if data == b"[DONE]":  # the end of an OpenAI stream
            return False
        self.pieces += 1
        try:
            piece = json.loads(data)
        except (ValueError, RecursionError):
            piece = data.decode("utf-8", "replace")
        if isinstance(piece, dict):
            if self._first is None:
                self._first = (len(data), piece)
            else:
                self._last.append((len(data), piece))
            text, said = said_in(piece)
        else:
            text = piece if isinstance(piece, str) else ""
            said = bool(text)
        if text:
            room = self._limit - self._kept
            self.cut = self.cut or len(text) > room
            if room > 0:
                self._text.append(text[:room])
                self._kept += len(text)
        return said


def said_in(piece: dict[str, Any]) -> tuple[str, bool]:
    """The text in a piece of a streamed answer, in the forms of OpenAI, Ollama, llama.cpp, Anthropic and TGI, and
    whether the piece brings a token at all: reasoning is one that is not part of the answer."""
    choices = piece.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    delta = piece.get("delta")
    parts: list[dict[str, Any]] = [
        part for part in (choice.get("delta"), choice, delta, piece.get("message"), piece.get("token"), piece)
        if isinstance(part, dict)
    ]  # fmt: skip
    for part in parts:
        for name in ("content", "text", "response", "token"):
            value = part.get(name)
            if isinstance(value, str) and value:
                return value, True
    if isinstance(delta, str) and delta:
        return (delta, True) if "reasoning" not in str(piece.get("type")) else ("", True)
    for part in parts:
        if any(isinstance(part.get(name), str) and part[name] for name in _REASONING):
            return "", True
    return "", False
