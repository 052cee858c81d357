# SPDX-License-Identifier: MIT
"""The shapes of the records: their fields, in their order. Knows no framework."""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple, Optional

from livelogd.encode import timestamp_text

#: The value of ``module`` in records of API calls and events.
MODULE = "logger"

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


class _Absent:
    """The type of ABSENT, told apart from a body that is null."""


#: Stands for a body that is not shown, because there is none, it is binary, or it is too large.
ABSENT = _Absent()


class Call(NamedTuple):
    """What the records of one API call have in common."""

    request_id: str
    method: str
    url: str
    endpoint: Optional[str]


@dataclass(frozen=True)
class Failure:
    """An error behind a response: its class name and, where it was not expected, its traceback."""

    error_type: str
    traceback: Optional[str] = None


@dataclass(frozen=True)
class StreamFigures:
    """What is known of a body that has left in portions. Times in milliseconds since the request came."""

    first_byte_ms: Optional[float]
    first_token_ms: Optional[float]
    """When the first thing left that a model has said."""
    pieces: Optional[int]
    """How many events or lines it was."""
    text: Optional[str]
    """What the model has said, put together."""
    cut: bool
    """Whether the record has not all of it."""


class Ending(Enum):
    """How the body of a response came to its end."""

    COMPLETE = "complete"
    FAILED = "failed"
    """What makes the body raised an exception on the way."""
    BROKEN_OFF = "broken_off"
    """The client went away."""


def request_id(offered: Optional[str]) -> str:
    """The id that a caller offers if it is harmless, else a new one: the time in microseconds, to be found easily, and
    random digits, because two requests can come within the same microsecond."""
    if offered is not None and _REQUEST_ID.fullmatch(offered):
        return offered
    return f"req_{time.time_ns() // 1000}_{_random.getrandbits(32):08x}"


# Not os.urandom: a system call lets another thread have the interpreter, in each request.
_random = random.Random()
os.register_at_fork(after_in_child=_random.seed)


def request_record(
    call: Call,
    *,
    remote_addr: Optional[str],
    user_agent: Optional[str],
    content_type: Optional[str],
    content_length: Optional[int],
    args: Mapping[str, Any],
    body: Any = ABSENT,
    timestamp: Optional[str] = None,
) -> dict[str, Any]:
    """The record of an incoming request. ``timestamp``: default now."""
    record = {
        "timestamp": timestamp or timestamp_text(),
        "level": "INFO",
        "message": "Incoming request",
        "module": MODULE,
        "type": "request",
        "request_id": call.request_id,
        "method": call.method,
        "url": call.url,
        "endpoint": call.endpoint,
        "remote_addr": remote_addr,
        "user_agent": user_agent,
        "content_type": content_type,
        "content_length": content_length,
        "args": args,
    }
    if body is not ABSENT:
        record["request_body"] = body
    return record


def response_record(
    call: Call,
    *,
    status_code: int,
    content_type: Optional[str],
    content_length: Optional[int],
    duration_ms: float,
    body: Any = ABSENT,
    failure: Optional[Failure] = None,
    ending: Ending = Ending.COMPLETE,
    stream: Optional[StreamFigures] = None,
    timestamp: Optional[str] = None,
) -> dict[str, Any]:
    """The record of an outgoing response. Of a streamed one, ``duration_ms`` and ``content_length`` are those at its
    end, and ``stream`` tells of its way."""
    level, message = "INFO", "Outgoing response"
    if status_code >= 400:
        level, message = "ERROR", _error_message(body) or f"Error response - {status_code}"
    elif ending is Ending.FAILED:
        level, message = "ERROR", "The response failed on its way" + (f": {failure.error_type}" if failure else "")
    record = {
        "timestamp": timestamp or timestamp_text(),
        "level": level,
        "message": message,
        "module": MODULE,
        "type": "response",
        "request_id": call.request_id,
        "method": call.method,
        "url": call.url,
        "endpoint": call.endpoint,
        "status_code": status_code,
        "content_type": content_type,
        "content_length": content_length,
        "duration_ms": round(duration_ms, 3),
    }
    if stream is not None:
        if stream.first_byte_ms is not None:
            record["time_to_first_byte_ms"] = round(stream.first_byte_ms, 3)
        if stream.first_token_ms is not None:
            record["time_to_first_token_ms"] = round(stream.first_token_ms, 3)
        if stream.pieces is not None:
            record["pieces"] = stream.pieces
    if body is not ABSENT:
        record["response_body"] = body
    if stream is not None:
        if stream.text is not None:
            record["response_text"] = stream.text
        if stream.cut:
            record["response_cut"] = True
    if failure is not None:
        record["error_type"] = failure.error_type
        if failure.traceback is not None:
            record["traceback"] = failure.traceback
    if ending is Ending.BROKEN_OFF:
        record["broken_off"] = True
    return record


def event_record(
    event_type: str, message: str, fields: Mapping[str, Any], level: str = "INFO", request_id: Optional[str] = None
) -> dict[str, Any]:
    """The record of an event of the app's own. A field with the name of one of the record's gets a trailing ``_``.
    ``request_id``: of the request that is being answered, for fields that have none."""
    record = {
        "timestamp": timestamp_text(),
        "level": level,
        "message": message,
        "module": MODULE,
        "type": "custom_event",
        "event_type": event_type,
    }
    add_fields(record, fields)
    if request_id is not None:
        record.setdefault("request_id", request_id)
    return record


def add_fields(record: dict[str, Any], fields: Mapping[str, Any]) -> None:
    """Adds fields behind those of the record and never in place of one: a name that is taken gets a trailing ``_``."""
    for name, value in fields.items():
        while name in record:
            name = f"{name}_"
        record[name] = value


def _error_message(body: Any) -> Optional[str]:
    """The sentence of an error body: ``{"error": "…"}`` or ``{"error": {"message": "…"}}``."""
    if not isinstance(body, dict):
        return None
    error = body.get("error")
    if isinstance(error, dict):
        error = error.get("message")
    return error if isinstance(error, str) and error else None
