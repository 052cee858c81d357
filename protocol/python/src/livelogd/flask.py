# SPDX-License-Identifier: MIT
"""Tells of a Flask app's requests and responses::

    from livelogd.flask import LiveLogs

    app = Flask(__name__)
    LiveLogs(app)

Config keys: ``LIVELOGD_SOCKET`` (path; default as ``Sender`` finds it), ``LIVELOGD_CAPTURE_BODIES`` (default True: JSON
bodies are part of the records), ``LIVELOGD_MAX_BODY_BYTES`` (default 65536; larger bodies, streamed ones and those that
are not JSON are told by their size alone), ``LIVELOGD_SKIP`` (endpoint names, and path prefixes that begin with ``/``,
of which no records are made; default none).

Nothing here can make a request fail: each hook keeps its errors to itself and tells them as a record.
"""

from __future__ import annotations

import io
import json
import time
import traceback
from collections.abc import Iterable, Iterator
from typing import Any, Optional, Union

from flask import Flask, Request, Response, current_app, g, got_request_exception, has_request_context, request
from werkzeug.wsgi import ClosingIterator

from livelogd import records
from livelogd.encode import timestamp_text
from livelogd.sender import Sender
from livelogd.shared import get_sender, set_default_sender

DEFAULT_MAX_BODY_BYTES = 64 * 1024

#: The end of a traceback is kept; very deep recursion makes long ones.
_MAX_TRACEBACK_CHARACTERS = 32 * 1024

_ENVIRON_KEY = "livelogd.exchange"


class _Exchange:
    """One request on its way to its response. Lives in the WSGI environment of the request."""

    def __init__(self, sender: Sender, call: records.Call, skipped: bool) -> None:
        self.sender = sender
        self.call = call
        self.skipped = skipped
        self.started = time.perf_counter()
        self.failure: Optional[records.Failure] = None
        self.answer: Optional[dict[str, Any]] = None
        """The arguments of the response's record, kept until it can be told."""
        self.streamed = False
        self.told = False

    def elapsed_ms(self) -> float:
        return (time.perf_counter() - self.started) * 1000

    def tell(self, ending: records.Ending = records.Ending.COMPLETE) -> None:
        """Sends the response's record; once."""
        if self.told or self.skipped or self.answer is None:
            return
        self.told = True
        self.sender.send(records.response_record(self.call, **self.answer, failure=self.failure, ending=ending))


class LiveLogs:
    """The Flask extension, for one app or several. ``app.extensions["livelogd"]`` is the one of an app."""

    sender: Sender
    """The sender of the app connected last."""

    def __init__(self, app: Optional[Flask] = None, *, sender: Optional[Sender] = None) -> None:
        """``sender``: one to use instead of the process's sender for ``LIVELOGD_SOCKET``."""
        self._given_sender = sender
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Connects the extension to an app; a second time for the same app does nothing."""
        if "livelogd" in app.extensions:
            return
        app.config.setdefault("LIVELOGD_SOCKET", None)
        app.config.setdefault("LIVELOGD_CAPTURE_BODIES", True)
        app.config.setdefault("LIVELOGD_MAX_BODY_BYTES", DEFAULT_MAX_BODY_BYTES)
        app.config.setdefault("LIVELOGD_SKIP", ())
        self.sender = self._given_sender or get_sender(app.config["LIVELOGD_SOCKET"])
        app.extensions["livelogd"] = self
        app.extensions["livelogd_sender"] = self.sender
        set_default_sender(self.sender, replace=False)
        # In front of the app's own: Flask runs before_request functions in this order, so that a request is told even
        # if one of them turns it away, and the others in reverse, so that the response is told as it leaves.
        app.before_request_funcs.setdefault(None, []).insert(0, self._before_request)
        app.after_request_funcs.setdefault(None, []).insert(0, self._after_request)
        app.teardown_request_funcs.setdefault(None, []).insert(0, self._teardown_request)
        try:
            # An error handler would change what the app answers; the signal only listens.
            got_request_exception.connect(self._on_exception, app)
        except RuntimeError:
            pass  # without blinker; then the teardown learns of the exception

    def log_event(self, event_type: str, message: str, /, *, level: str = "INFO", **fields: Any) -> bool:
        """``livelogd.log_event`` through this extension's sender."""
        try:
            return self.sender.send(records.event_record(event_type, message, fields, level))
        except Exception:
            return False

    # Hooks

    def _before_request(self) -> None:
        try:
            self._begin(request)
        except Exception as error:
            self._tell_own_failure("before_request", error)

    def _after_request(self, response: Response) -> Response:
        try:
            self._answer(response)
        except Exception as error:
            self._tell_own_failure("after_request", error)
        return response

    def _on_exception(self, _app: Flask, exception: BaseException, **_extra: Any) -> None:
        try:
            exchange = _current_exchange()
            if exchange is not None:
                exchange.failure = _failure(exception)
                exchange.answer = None  # what was about to be answered will not be
        except Exception as error:
            self._tell_own_failure("got_request_exception", error)

    def _teardown_request(self, exception: Optional[BaseException]) -> None:
        try:
            self._end(exception)
        except Exception as error:
            self._tell_own_failure("teardown_request", error)

    # What they do

    def _begin(self, incoming: Request) -> None:
        call = records.Call(
            request_id=records.request_id(incoming.headers.get("X-Request-ID")),
            method=incoming.method,
            url=_url(incoming),
            endpoint=incoming.endpoint,
        )
        g.request_id = call.request_id
        exchange = _Exchange(_app_sender(), call, self._is_skipped(incoming))
        incoming.environ[_ENVIRON_KEY] = exchange
        if exchange.skipped:
            return
        exchange.sender.send(
            records.request_record(
                call,
                remote_addr=incoming.remote_addr,
                user_agent=incoming.headers.get("User-Agent"),
                content_type=incoming.content_type or None,
                content_length=incoming.content_length,
                args={name: values[0] if len(values) == 1 else values for name, values in incoming.args.lists()},
                body=self._request_body(incoming),
            )
        )

    def _answer(self, response: Response) -> None:
        exchange = _current_exchange()
        if exchange is None:
            return
        response.headers.setdefault("X-Request-ID", exchange.call.request_id)
        if exchange.skipped:
            return
        exchange.streamed = False
        exchange.answer = {
            "status_code": response.status_code,
            "content_type": response.content_type or None,
            "content_length": response.content_length,
            "duration_ms": exchange.elapsed_ms(),
        }
        if _is_page_of_http_exception(response):
            response.make_sequence()
        if response.direct_passthrough:
            pass  # a file, which the server may send by itself, without a word at its end
        elif response.is_streamed:
            exchange.streamed = True
            stream = _Stream(response.response, exchange)
            response.response = stream
            # For a response whose body is never asked for (HEAD, 204).
            response.call_on_close(stream.close)
        else:
            exchange.answer["content_length"] = response.calculate_content_length()
            exchange.answer["body"] = self._response_body(response)

    def _end(self, exception: Optional[BaseException]) -> None:
        """The response is ready and no other hook can change it any more: it is told, unless it is streamed."""
        exchange = _current_exchange()
        if exchange is None or exchange.told or exchange.skipped:
            return
        if exchange.answer is not None and exchange.streamed:
            return
        if exception is not None and (exchange.failure is None or exchange.failure.traceback is None):
            exchange.failure = _failure(exception)
        if exchange.answer is None:
            # No response came through: the exception left the app (as in tests), or another hook failed.
            exchange.answer = {
                "status_code": 500,
                "content_type": None,
                "content_length": None,
                "duration_ms": exchange.elapsed_ms(),
            }
        exchange.tell()

    def _tell_own_failure(self, where: str, error: Exception) -> None:
        try:
            _tell_own_failure(_app_sender(), where, error)
        except Exception:
            pass

    def _is_skipped(self, incoming: Request) -> bool:
        skip = current_app.config["LIVELOGD_SKIP"]
        names = (skip,) if isinstance(skip, str) else tuple(skip)
        return any(
            incoming.path.startswith(name) if name.startswith("/") else incoming.endpoint == name for name in names
        )

    def _body_limit(self) -> int:
        """Most bytes of a body that goes into a record; 0: none does."""
        config = current_app.config
        return int(config["LIVELOGD_MAX_BODY_BYTES"]) if config["LIVELOGD_CAPTURE_BODIES"] else 0

    def _request_body(self, incoming: Request) -> Any:
        length = incoming.content_length
        most = incoming.max_content_length
        if not incoming.is_json or length is None or not 0 < length <= self._body_limit():
            return records.ABSENT
        if (most is not None and length > most) or "stream" in vars(incoming):
            return records.ABSENT  # the app will refuse it, or somebody is reading it already
        return _parsed(_read_ahead(incoming, length))

    def _response_body(self, response: Response) -> Any:
        length = response.calculate_content_length()
        encoded = response.headers.get("Content-Encoding", "identity") != "identity"
        if not response.is_json or encoded or length is None or not 0 < length <= self._body_limit():
            return records.ABSENT
        return _parsed(response.get_data())


class _Stream:
    """The body of a streamed response: passed on as it is, counted, and told of at its end."""

    def __init__(self, chunks: Union[Iterable[str], Iterable[bytes]], exchange: _Exchange) -> None:
        self._chunks = chunks
        self._iterator: Optional[Iterator[Any]] = None
        self._exchange = exchange
        self._ending = records.Ending.BROKEN_OFF
        self._bytes = 0
        self._closed = False

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        try:
            if self._iterator is None:
                self._iterator = iter(self._chunks)
            chunk = next(self._iterator)
        except StopIteration:
            self._ending = records.Ending.COMPLETE
            raise
        except Exception as error:
            self._exchange.failure = _failure(error)
            self._ending = records.Ending.FAILED
            raise
        self._bytes += len(chunk.encode("utf-8", "replace")) if isinstance(chunk, str) else len(chunk)
        return chunk

    def close(self) -> None:
        """Ends the body; called by the server, also when the client has gone."""
        if self._closed:
            return
        self._closed = True
        try:
            close = getattr(self._chunks, "close", None)
            if close is not None:
                close()
        finally:
            try:
                self._tell()
            except Exception as error:
                _tell_own_failure(self._exchange.sender, "close", error)

    def _tell(self) -> None:
        answer = self._exchange.answer
        started = self._iterator is not None
        if answer is None:
            return
        answer["duration_ms"] = self._exchange.elapsed_ms()
        if answer["content_length"] is None and started:
            answer["content_length"] = self._bytes
        self._exchange.tell(self._ending if started else records.Ending.COMPLETE)


def note_exception(error: BaseException) -> None:
    """Tells which exception is behind the error response that a view is about to give, where the view caught it itself:
    its class name becomes the record's ``error_type``. Does nothing outside a request."""
    try:
        exchange = _current_exchange()
        if exchange is not None:
            exchange.failure = records.Failure(type(error).__name__)
    except Exception:
        pass


def _current_exchange() -> Optional[_Exchange]:
    if not has_request_context():
        return None
    exchange = request.environ.get(_ENVIRON_KEY)
    return exchange if isinstance(exchange, _Exchange) else None


def _app_sender() -> Sender:
    sender: Sender = current_app.extensions["livelogd_sender"]
    return sender


def _tell_own_failure(sender: Sender, where: str, error: Exception) -> None:
    """An error of this module itself: it is told, for it hides records, but it goes no further."""
    sender.send(
        {
            "timestamp": timestamp_text(),
            "level": "WARNING",
            "message": f"a request could not be told in full: {type(error).__name__} in {where}",
            "module": "livelogd",
            "type": "livelogd",
            "event": "hook_failed",
            "error_type": type(error).__name__,
            "traceback": _traceback_text(error),
        }
    )


def _is_page_of_http_exception(response: Response) -> bool:
    """Whether the response is what ``abort()`` and its like gave. Flask runs that as a WSGI app, so that its body,
    though all there, comes as an iterator like that of a stream."""
    length = response.content_length
    return (
        response.status_code >= 300
        and isinstance(response.response, ClosingIterator)
        and length is not None
        and length <= DEFAULT_MAX_BODY_BYTES
    )


def _url(incoming: Request) -> str:
    try:
        return incoming.url
    except Exception:  # a Host that the app does not trust
        return incoming.full_path if incoming.query_string else incoming.path


def _failure(error: BaseException) -> records.Failure:
    return records.Failure(type(error).__name__, _traceback_text(error))


def _traceback_text(error: BaseException) -> str:
    try:
        text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    except Exception as second:  # an exception whose text cannot be made
        return f"<no traceback: {type(second).__name__}>"
    return text if len(text) <= _MAX_TRACEBACK_CHARACTERS else "…" + text[-_MAX_TRACEBACK_CHARACTERS:]


def _read_ahead(incoming: Request, length: int) -> bytes:
    """Reads the body and puts it back, so that the app finds it as it came, by whichever way it reads it."""
    source = incoming.environ["wsgi.input"]
    data = b""
    try:
        while len(data) < length:
            chunk = source.read(length - len(data))
            if not chunk:
                break
            data += chunk
    finally:
        incoming.environ["wsgi.input"] = io.BytesIO(data)
    return data


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return records.ABSENT
