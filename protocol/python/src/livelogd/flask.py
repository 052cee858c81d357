# SPDX-License-Identifier: MIT
"""Tells of a Flask app's requests and responses::

    from livelogd.flask import LiveLogs

    app = Flask(__name__)
    LiveLogs(app)

Config keys: ``LIVELOGD_SOCKET`` (path; default as ``Sender`` finds it), ``LIVELOGD_ACK`` ("written", "durable", "none";
default "written"), ``LIVELOGD_CAPTURE_BODIES`` (default True: bodies are part of the records),
``LIVELOGD_MAX_BODY_BYTES`` (default 65536; larger bodies and binary ones are told by their size alone), ``LIVELOGD_SKIP``
(endpoint names, and path prefixes that begin with ``/``, of which no records are made; default none),
``LIVELOGD_OMIT_FIELDS`` (fields left out of the records; default none).

Nothing here can make a request fail: each hook keeps its errors to itself and tells them as a record.
"""

from __future__ import annotations

from typing import Any, Optional

from flask import Flask, Request, Response, current_app, g, got_request_exception, request
from werkzeug.wsgi import ClosingIterator

from livelogd import records
from livelogd.exchange import (
    DEFAULT_MAX_BODY_BYTES,
    Exchange,
    Options,
    current_request_id,
    enter,
    failure_of,
    length_of,
    note_exception,
    tell_own_failure,
)
from livelogd.sender import Sender
from livelogd.shared import get_sender, set_default_sender
from livelogd.wsgi import MeasuredBody, arguments_of, read_ahead, url_of

__all__ = ["LiveLogs", "note_exception"]

_ENVIRON_KEY = "livelogd.exchange"

_DEFAULTS: dict[str, Any] = {
    "LIVELOGD_SOCKET": None,
    "LIVELOGD_ACK": None,
    "LIVELOGD_CAPTURE_BODIES": True,
    "LIVELOGD_MAX_BODY_BYTES": DEFAULT_MAX_BODY_BYTES,
    "LIVELOGD_SKIP": (),
    "LIVELOGD_OMIT_FIELDS": (),
}


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
        for key, default in _DEFAULTS.items():
            app.config.setdefault(key, default)
        self.sender = self._given_sender or get_sender(app.config["LIVELOGD_SOCKET"], ack=app.config["LIVELOGD_ACK"])
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
            return self.sender.send(records.event_record(event_type, message, fields, level, current_request_id()))
        except Exception:
            return False

    # Hooks

    def _before_request(self) -> None:
        try:
            # Not the proxies: each look through one costs as much as a small record.
            self._begin(request._get_current_object())  # type: ignore[attr-defined]
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
                exchange.fail(failure_of(exception))
                exchange.forget_answer()
        except Exception as error:
            self._tell_own_failure("got_request_exception", error)

    def _teardown_request(self, exception: Optional[BaseException]) -> None:
        try:
            self._end(exception)
        except Exception as error:
            self._tell_own_failure("teardown_request", error)

    # What they do

    def _begin(self, incoming: Request) -> None:
        environ = incoming.environ
        call = records.Call(
            request_id=records.request_id(environ.get("HTTP_X_REQUEST_ID")),
            method=incoming.method,
            url=url_of(environ),
            endpoint=incoming.endpoint,
        )
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        g.request_id = call.request_id
        options = _options(app.config)
        sender: Sender = app.extensions["livelogd_sender"]
        exchange = Exchange(sender, options, call, skipped=options.skips(incoming.path, call.endpoint))
        environ[_ENVIRON_KEY] = exchange
        exchange.outer = enter(exchange)
        if exchange.skipped:
            return
        content_type, encoding = environ.get("CONTENT_TYPE") or None, environ.get("HTTP_CONTENT_ENCODING")
        content_length = length_of(environ.get("CONTENT_LENGTH"))
        body = None
        if options.wants_request_body(content_type, encoding, content_length):
            body = _request_body(incoming, content_length, app.config.get("MAX_CONTENT_LENGTH"))
        exchange.request(
            remote_addr=incoming.remote_addr,
            user_agent=environ.get("HTTP_USER_AGENT"),
            content_type=content_type,
            content_length=content_length,
            args=arguments_of(environ),
            body=body,
            encoding=encoding,
        )

    def _answer(self, response: Response) -> None:
        exchange = _current_exchange()
        if exchange is None:
            return
        request_id = content_type = encoding = content_length = None
        for name, value in response.headers:  # once through them: each look-up goes through them all
            name = name.lower()
            if name == "content-type":
                content_type = value
            elif name == "content-length":
                content_length = length_of(value)
            elif name == "content-encoding":
                encoding = value
            elif name == "x-request-id":
                request_id = value
        if request_id is None:
            response.headers.add("X-Request-ID", exchange.request_id)
        if exchange.skipped:
            return
        exchange.answer(response.status_code, content_type, content_length)
        if response.status_code >= 300 and _is_page_of_http_exception(response, content_length):
            response.make_sequence()
        if response.direct_passthrough:
            pass  # a file, which the server may send by itself, without a word at its end
        elif response.is_streamed:
            exchange.stream(encoding)
            body = MeasuredBody(response.response, exchange)
            response.response = body
            # For a response whose body is never asked for (HEAD, 204).
            response.call_on_close(body.close)
        else:
            exchange.whole_answer(response.get_data(), encoding)

    def _end(self, exception: Optional[BaseException]) -> None:
        """The response is ready and no other hook can change it any more: it is told, unless it is streamed."""
        exchange = _current_exchange()
        if exchange is not None:
            enter(exchange.outer)
        if exchange is None or exchange.skipped or exchange.streaming:
            return
        if exchange.answered and exception is None:
            exchange.tell()
        elif exception is not None:
            # The exception has left the app, as in tests, or there are no signals to tell of it.
            if not exchange.answered:
                exchange.answer(500, None, None)
            if exchange.failure is None or exchange.failure.traceback is None:
                exchange.fail(failure_of(exception))
            exchange.tell()
        else:
            # No response came through: another hook failed.
            exchange.answer(500, None, None)
            exchange.tell()

    def _tell_own_failure(self, where: str, error: Exception) -> None:
        try:
            tell_own_failure(_app_sender(), where, error)
        except Exception:
            pass


def _options(config: Any) -> Options:
    """The options as the app's config has them now; made anew only where it has changed."""
    wished = (
        config["LIVELOGD_CAPTURE_BODIES"],
        config["LIVELOGD_MAX_BODY_BYTES"],
        config["LIVELOGD_SKIP"],
        config["LIVELOGD_OMIT_FIELDS"],
    )
    known = config.get("_LIVELOGD_OPTIONS")
    if known is None or known[0] != wished:
        known = config["_LIVELOGD_OPTIONS"] = (wished, Options.of(*wished))
    options: Options = known[1]
    return options


def _request_body(incoming: Request, length: Optional[int], most: Optional[int]) -> Optional[bytes]:
    if length is None or (most is not None and length > most) or "stream" in vars(incoming):
        return None  # the app will refuse it, or somebody is reading it already
    return read_ahead(incoming.environ, length)


def _current_exchange() -> Optional[Exchange]:
    try:
        exchange = request._get_current_object().environ.get(_ENVIRON_KEY)  # type: ignore[attr-defined]
    except RuntimeError:  # there is no request
        return None
    return exchange if isinstance(exchange, Exchange) else None


def _app_sender() -> Sender:
    sender: Sender = current_app.extensions["livelogd_sender"]
    return sender


def _is_page_of_http_exception(response: Response, length: Optional[int]) -> bool:
    """Whether the response is what ``abort()`` and its like gave. Flask runs that as a WSGI app, so that its body,
    though all there, comes as an iterator like that of a stream."""
    return isinstance(response.response, ClosingIterator) and length is not None and length <= DEFAULT_MAX_BODY_BYTES
