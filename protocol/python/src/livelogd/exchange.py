# SPDX-License-Identifier: MIT
"""One API call from its request to the end of its response: what the Flask extension and the middlewares share."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Callable, Optional

from livelogd import records
from livelogd.bodies import Kind, StreamReader, kind_of, whole_body
from livelogd.encode import timestamp_text, timestamp_text_ns
from livelogd.sender import Sender

DEFAULT_MAX_BODY_BYTES = 64 * 1024

#: What a call's record takes of memory before it is made, without its body.
_BYTES_OF_A_RECORD = 2048

#: The end of a traceback is kept; very deep recursion makes long ones.
_MAX_TRACEBACK_CHARACTERS = 32 * 1024

_current: ContextVar[Optional["Exchange"]] = ContextVar("livelogd_exchange", default=None)


@dataclass(frozen=True)
class Options:
    """What is told of calls."""

    capture_bodies: bool = True
    """Whether bodies are part of the records."""
    max_body_bytes: int = DEFAULT_MAX_BODY_BYTES
    """Larger bodies are told by their size; of streamed ones and of text so much is kept."""
    skip: tuple[str, ...] = ()
    """Endpoint names, and path prefixes that begin with ``/``, of which no records are made."""
    omit_fields: tuple[str, ...] = ()
    """Fields left out of the records: names, and paths into bodies (``request_body.messages``)."""

    @staticmethod
    def of(capture_bodies: Any, max_body_bytes: Any, skip: Any, omit_fields: Any) -> Options:
        """Options out of whatever a user has written."""
        return Options(bool(capture_bodies), max(0, int(max_body_bytes)), _names(skip), _names(omit_fields))

    @property
    def body_limit(self) -> int:
        """Most bytes of a body that go into a record; 0: none do."""
        return self.max_body_bytes if self.capture_bodies else 0

    def skips(self, path: str, endpoint: Optional[str]) -> bool:
        """Whether no records are made of a call."""
        return bool(self.skip) and any(
            path.startswith(name) if name.startswith("/") else endpoint == name for name in self.skip
        )

    def wants_request_body(self, content_type: Optional[str], encoding: Optional[str], length: Optional[int]) -> bool:
        """Whether the body of a request is worth reading."""
        return (
            length is not None and 0 < length <= self.body_limit and kind_of(content_type, encoding) is not Kind.OPAQUE
        )


def _names(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


class Exchange:
    """One call. Its methods are for one thread at a time; only ``fail`` may come from another."""

    def __init__(self, sender: Sender, options: Options, call: records.Call, *, skipped: bool = False) -> None:
        self.sender = sender
        self.options = options
        self.call = call
        self.skipped = skipped
        self.failure: Optional[records.Failure] = None
        self.outer: Optional[Exchange] = None
        """For whoever enters it and cannot keep the one before anywhere else."""
        self._started = time.perf_counter()
        self._answer: Optional[dict[str, Any]] = None  # the arguments of the response's record, until it can be told
        self._told = False
        self._reader: Optional[StreamReader] = None
        self._whole: Optional[tuple[bytes, Optional[str]]] = None  # a body that is all there, and its encoding
        self._bytes = 0
        self._first_byte_ms: Optional[float] = None
        self._first_token_ms: Optional[float] = None

    @property
    def request_id(self) -> str:
        """The id of the call."""
        return self.call.request_id

    @property
    def answered(self) -> bool:
        """Whether there is a response, or the beginning of one."""
        return self._answer is not None

    @property
    def streaming(self) -> bool:
        """Whether the response is told at the end of its body."""
        return self._answer is not None and self._reader is not None and not self._told

    def elapsed_ms(self) -> float:
        """Milliseconds since the request came."""
        return (time.perf_counter() - self._started) * 1000

    def request(self, *, body: Optional[bytes] = None, encoding: Optional[str] = None, **fields: Any) -> None:
        """Tells of the request. ``fields``: as ``records.request_record`` wants them."""
        if self.skipped:
            return
        call, now = self.call, time.time_ns()

        def make() -> dict[str, Any]:
            value = records.ABSENT if body is None else whole_body(kind_of(fields["content_type"], encoding), body)
            return records.request_record(call, **fields, body=value, timestamp=timestamp_text_ns(now))

        self._send(make, "request", 0 if body is None else len(body))

    def fail(self, failure: Optional[records.Failure]) -> None:
        """Notes the exception behind the response."""
        self.failure = failure

    def forget_answer(self) -> None:
        """What was about to be answered will not be."""
        self._answer = self._reader = self._whole = None

    def answer(self, status_code: int, content_type: Optional[str], content_length: Optional[int]) -> None:
        """The response is known, but for its body."""
        if self.skipped:
            return
        self._reader = self._whole = None
        self._answer = {
            "status_code": status_code,
            "content_type": content_type,
            "content_length": content_length,
            "duration_ms": self.elapsed_ms(),
        }

    def whole_answer(self, body: bytes, encoding: Optional[str]) -> None:
        """The whole body of the response."""
        if self._answer is None:
            return
        self._answer["content_length"] = len(body)
        if 0 < len(body) <= self.options.body_limit:
            self._whole = (body, encoding)

    def stream(self, encoding: Optional[str]) -> None:
        """The body of the response will come in portions, for ``portion``."""
        if self._answer is not None:
            self._reader = StreamReader(kind_of(self._answer["content_type"], encoding), self.options.max_body_bytes)

    def portion(self, data: bytes) -> None:
        """A portion of the body is about to leave."""
        if not data or self._reader is None:
            return
        self._bytes += len(data)
        said = self._reader.feed(data)
        if self._first_byte_ms is None:
            self._first_byte_ms = self.elapsed_ms()
        if said and self._first_token_ms is None:
            self._first_token_ms = self.elapsed_ms()

    def tell(self, ending: records.Ending = records.Ending.COMPLETE, *, begun: bool = True) -> None:
        """Sends the response's record; once. ``begun``: whether anybody has asked for the body."""
        if self._told or self.skipped or self._answer is None:
            return
        self._told = True
        answer, reader = self._answer, self._reader
        if reader is not None:
            answer["duration_ms"] = self.elapsed_ms()
            if answer["content_length"] is None and begun:
                answer["content_length"] = self._bytes
            self._add_what_was_read(answer, reader)
        call, failure, whole, now = self.call, self.failure, self._whole, time.time_ns()

        def make() -> dict[str, Any]:
            if whole is not None:
                self._add_whole(answer, *whole)
            timestamp = timestamp_text_ns(now)
            return records.response_record(call, **answer, failure=failure, ending=ending, timestamp=timestamp)

        self._send(make, "response", 0 if whole is None else len(whole[0]))

    def tell_crash(self, error: BaseException) -> None:
        """The app has raised instead of answering."""
        if self.failure is None or self.failure.traceback is None:
            self.failure = failure_of(error)
        if self._answer is None:
            self.answer(500, None, None)
            self.tell()
        else:
            self.tell(records.Ending.FAILED)

    def _add_whole(self, answer: dict[str, Any], body: bytes, encoding: Optional[str]) -> None:
        kind = kind_of(answer["content_type"], encoding)
        if kind is Kind.EVENTS or kind is Kind.LINES:
            reader = StreamReader(kind, self.options.body_limit)
            reader.feed(body)
            self._add_what_was_read(answer, reader)
        else:
            answer["body"] = whole_body(kind, body)

    def _add_what_was_read(self, answer: dict[str, Any], reader: StreamReader) -> None:
        reader.end()
        answer["stream"] = records.StreamFigures(
            self._first_byte_ms,
            self._first_token_ms,
            reader.pieces if reader.kind in (Kind.EVENTS, Kind.LINES) else None,
            reader.text() if self.options.capture_bodies else None,
            self.options.capture_bodies and reader.cut,
        )
        if self.options.capture_bodies:
            answer["body"] = reader.body()

    def _send(self, make: Callable[[], dict[str, Any]], what: str, body_bytes: int) -> None:
        """Sends the record that ``make`` makes, which holds nothing that anybody may still change."""
        omit_fields = self.options.omit_fields

        def made() -> dict[str, Any]:
            try:
                record = make()
                for path in omit_fields:
                    _omit(record, path)
                return record
            except Exception as error:
                return own_failure_record(what, error)

        self.sender.send_later(made, _BYTES_OF_A_RECORD + body_bytes)


def _omit(record: dict[str, Any], path: str) -> None:
    if path in record:
        del record[path]
        return
    name, _, rest = path.partition(".")
    inner = record.get(name)
    if rest:
        for each in inner if isinstance(inner, list) else [inner]:
            if isinstance(each, dict):
                _omit(each, rest)


def enter(exchange: Optional[Exchange]) -> Optional[Exchange]:
    """Makes a call the current one of this thread or task. Returns the one before, to be entered again afterwards: an app
    may call itself."""
    outer = _current.get()
    _current.set(exchange)
    return outer


def current_exchange() -> Optional[Exchange]:
    """The call that is being answered in this thread or task."""
    return _current.get()


def current_request_id() -> Optional[str]:
    """The id of the request that is being answered in this thread or task; None outside of one."""
    exchange = _current.get()
    return exchange.call.request_id if exchange is not None else None


def note_exception(error: BaseException) -> None:
    """Tells which exception is behind the error response that a view is about to give, where the view caught it itself:
    its class name becomes the record's ``error_type``. Does nothing outside a request."""
    exchange = _current.get()
    if exchange is not None:
        exchange.fail(records.Failure(type(error).__name__))


def failure_of(error: BaseException) -> records.Failure:
    """An exception that nobody had expected."""
    return records.Failure(type(error).__name__, traceback_text(error))


def traceback_text(error: BaseException) -> str:
    """The traceback of an exception, or its end if it is very long."""
    try:
        text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    except Exception as second:  # an exception whose text cannot be made
        return f"<no traceback: {type(second).__name__}>"
    return text if len(text) <= _MAX_TRACEBACK_CHARACTERS else "…" + text[-_MAX_TRACEBACK_CHARACTERS:]


def tell_own_failure(sender: Sender, where: str, error: BaseException) -> None:
    """An error of this package itself: it is told, for it hides records, but it goes no further."""
    sender.send(own_failure_record(where, error))


def own_failure_record(where: str, error: BaseException) -> dict[str, Any]:
    """The record of an error of this package itself."""
    return {
        "timestamp": timestamp_text(),
        "level": "WARNING",
        "message": f"a request could not be told in full: {type(error).__name__} in {where}",
        "module": "livelogd",
        "type": "livelogd",
        "event": "hook_failed",
        "error_type": type(error).__name__,
        "traceback": traceback_text(error),
    }


def header_value(headers: Iterable[tuple[str, str]], name: str) -> Optional[str]:
    """The value of a header by its name in lower case."""
    return next((value for key, value in headers if key.lower() == name), None)


def length_of(value: Optional[str]) -> Optional[int]:
    """A Content-Length; None if there is none, or it is no number."""
    return int(value) if value is not None and value.isascii() and value.isdigit() and len(value) < 20 else None

