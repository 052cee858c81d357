# SPDX-License-Identifier: MIT
"""Connects Python's logging to the daemon."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Optional

from livelogd.encode import safe_text, timestamp_text
from livelogd.exchange import current_request_id
from livelogd.records import add_fields
from livelogd.sender import Sender
from livelogd.shared import get_sender

#: The attributes that every LogRecord has. What a record has beyond them came in with ``extra``.
_OWN_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "livelogd"}

_traceback_formatter = logging.Formatter()


class LiveLogHandler(logging.Handler):
    """Sends log records to the daemon. Never blocks and never raises.

    Fields: ``timestamp``, ``level``, ``message``, ``module``, ``type`` ("log"), ``logger``; with an exception
    ``error_type`` and ``traceback``; then what came in with ``extra``. Structured fields go into one reserved extra,
    ``extra={"livelogd": {"filename": …}}``, because logging itself refuses extras named like its own attributes
    (``args``, ``module``, ``message``, ``filename``, …). They replace fields of the record that have the same name, so
    that ``type`` can be chosen. Other extras are added as they are; one with a name that is taken gets a trailing ``_``.
    What is logged while a request is answered has its ``request_id``.

    A formatter is not used: the fields are sent apart. In ``logging.config.dictConfig``::

        "handlers": {"livelogd": {"class": "livelogd.LiveLogHandler", "level": "INFO"}}
    """

    def __init__(
        self,
        level: int = logging.NOTSET,
        *,
        socket: Optional[str] = None,
        ack: Optional[str] = None,
        sender: Optional[Sender] = None,
        flush_timeout: float = 1.0,
    ) -> None:
        """``socket``, ``ack``: as for ``Sender``. ``sender``: one to use instead of the process's sender for these.
        ``flush_timeout``: how many seconds ``flush`` waits at most."""
        super().__init__(level)
        self.sender = sender if sender is not None else get_sender(socket, ack=ack)
        self.flush_timeout = flush_timeout

    def emit(self, record: logging.LogRecord) -> None:
        """Hands a record to the sender."""
        try:
            self.sender.send(record_fields(record))
        except Exception:
            try:
                self.handleError(record)
            except Exception:  # not even the complaint about a log line may reach the caller
                pass

    def flush(self) -> None:
        """Waits until what was logged has been handed over, ``flush_timeout`` at most."""
        self.sender.flush(self.flush_timeout)


def record_fields(record: logging.LogRecord) -> dict[str, Any]:
    """The fields that are sent of a LogRecord."""
    own_words = ""
    try:
        message = record.getMessage()
    except Exception as error:  # a format that does not fit its arguments: better raw than lost
        message = safe_text(record.msg)
        own_words = f"{type(error).__name__}: {safe_text(error)}"
    fields: dict[str, Any] = {
        "timestamp": timestamp_text(record.created),
        "level": record.levelname,
        "message": message,
        "module": record.module,
        "type": "log",
        "logger": record.name,
    }
    if own_words:
        fields["logging_error"] = own_words
    _add_exception(fields, record)
    structured = getattr(record, "livelogd", None)
    if isinstance(structured, Mapping):
        fields.update(structured)
    elif structured is not None:
        fields["livelogd"] = structured
    add_fields(fields, {name: value for name, value in list(vars(record).items()) if name not in _OWN_ATTRIBUTES})
    if "request_id" not in fields:
        request_id = current_request_id()
        if request_id is not None:
            fields["request_id"] = request_id
    return fields


def _add_exception(fields: dict[str, Any], record: logging.LogRecord) -> None:
    kind = record.exc_info[0] if isinstance(record.exc_info, tuple) else None
    if record.exc_info and kind is not None:
        fields["error_type"] = kind.__name__
        try:
            fields["traceback"] = record.exc_text or _traceback_formatter.formatException(record.exc_info)
        except Exception as error:  # an exception whose text cannot be made
            fields["traceback"] = f"<no traceback: {type(error).__name__}>"
    if record.stack_info:
        fields["stack"] = record.stack_info
