# SPDX-License-Identifier: MIT
"""Tells of the requests and responses of any WSGI app::

    from livelogd.wsgi import LiveLogsMiddleware

    application = LiveLogsMiddleware(application)

For Flask there is ``livelogd.flask``, which knows endpoints and exceptions better. Nothing here can make a request fail.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any, Callable, Optional, Union
from urllib.parse import parse_qsl, quote

from livelogd import records
from livelogd.bodies import grouped
from livelogd.exchange import (
    DEFAULT_MAX_BODY_BYTES,
    Exchange,
    Options,
    current_exchange,
    enter,
    failure_of,
    header_value,
    length_of,
    tell_own_failure,
)
from livelogd.sender import Sender
from livelogd.shared import get_sender, set_default_sender

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
WSGIApp = Callable[[Environ, StartResponse], Iterable[bytes]]


class LiveLogsMiddleware:
    """WSGI middleware. A call's id is in ``environ["livelogd.request_id"]`` and in ``livelogd.current_request_id()``."""

    def __init__(
        self,
        app: WSGIApp,
        *,
        sender: Optional[Sender] = None,
        socket: Optional[str] = None,
        ack: Optional[str] = None,
        capture_bodies: bool = True,
        max_body_bytes: int = DEFAULT_MAX_BODY_BYTES,
        skip: Union[str, Iterable[str]] = (),
        omit_fields: Union[str, Iterable[str]] = (),
        endpoint: Optional[Callable[[Environ], Optional[str]]] = None,
    ) -> None:
        """``sender``: one to use instead of the process's sender for ``socket`` and ``ack``. ``endpoint``: what a call's
        ``endpoint`` is; by default its path. The others: see ``livelogd.exchange.Options``."""
        self.app = app
        self.sender = sender or get_sender(socket, ack=ack)
        self.options = Options.of(capture_bodies, max_body_bytes, skip, omit_fields)
        self._endpoint = endpoint or _path
        set_default_sender(self.sender, replace=False)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answers a call as the app does."""
        try:
            exchange = self._begin(environ)
        except Exception as error:
            tell_own_failure(self.sender, "request", error)
            return self.app(environ, start_response)
        answering = _Answering(exchange, start_response)
        outer = enter(exchange)
        try:
            body = self.app(environ, answering.start_response)
        except BaseException as error:
            exchange.tell_crash(error)
            raise
        finally:
            enter(outer)
        return answering.measured(body, environ)

    def _begin(self, environ: Environ) -> Exchange:
        call = records.Call(
            request_id=records.request_id(environ.get("HTTP_X_REQUEST_ID")),
            method=str(environ.get("REQUEST_METHOD", "")),
            url=url_of(environ),
            endpoint=self._endpoint(environ),
        )
        exchange = Exchange(self.sender, self.options, call, skipped=self.options.skips(_path(environ), call.endpoint))
        environ["livelogd.request_id"] = call.request_id
        content_type = environ.get("CONTENT_TYPE") or None
        length = length_of(environ.get("CONTENT_LENGTH"))
        encoding = environ.get("HTTP_CONTENT_ENCODING")
        if exchange.skipped:
            return exchange
        wanted = self.options.wants_request_body(content_type, encoding, length)
        exchange.request(
            remote_addr=environ.get("REMOTE_ADDR"),
            user_agent=environ.get("HTTP_USER_AGENT"),
            content_type=content_type,
            content_length=length,
            args=arguments_of(environ),
            body=read_ahead(environ, length) if wanted and length is not None else None,
            encoding=encoding,
        )
        return exchange


class _Answering:
    """What the app answers to one call."""

    def __init__(self, exchange: Exchange, start_response: StartResponse) -> None:
        self._exchange = exchange
        self._start_response = start_response
        self._encoding: Optional[str] = None

    def start_response(self, status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Callable[[bytes], Any]:
        try:
            if header_value(headers, "x-request-id") is None:
                headers = [*headers, ("X-Request-ID", self._exchange.request_id)]
            self._encoding = header_value(headers, "content-encoding")
            self._exchange.answer(
                int(status[:3]),
                header_value(headers, "content-type"),
                length_of(header_value(headers, "content-length")),
            )
            if exc_info and exc_info[0] and isinstance(exc_info[0][1], Exception):
                self._exchange.fail(failure_of(exc_info[0][1]))
        except Exception as error:
            tell_own_failure(self._exchange.sender, "start_response", error)
        write: Callable[[bytes], Any] = self._start_response(status, headers, *exc_info)
        return write

    def measured(self, body: Iterable[bytes], environ: Environ) -> Iterable[bytes]:
        """The body, to be told of at its end, or at once if it is there already."""
        exchange = self._exchange
        try:
            wrapper = environ.get("wsgi.file_wrapper")
            if isinstance(body, (list, tuple)) and exchange.answered:
                exchange.whole_answer(b"".join(body), self._encoding)
                exchange.tell()
                return body
            if isinstance(wrapper, type) and isinstance(body, wrapper):
                exchange.tell()  # a file, which the server may send by itself, without a word at its end
                return body
        except Exception as error:
            tell_own_failure(exchange.sender, "response", error)
            return body
        # An app may also answer only when its body is asked for.
        return MeasuredBody(body, exchange, lambda: exchange.stream(self._encoding))


class MeasuredBody:
    """The body of a response: passed on as it is, and told of at its end. Code in it finds its call as the current one."""

    def __init__(
        self,
        chunks: Union[Iterable[str], Iterable[bytes]],
        exchange: Exchange,
        on_first: Callable[[], None] = lambda: None,
    ) -> None:
        """``on_first``: called when the response's headers are known and no byte of the body has been passed on."""
        self._chunks = chunks
        self._iterator: Optional[Iterator[Any]] = None
        self._exchange = exchange
        self._on_first: Optional[Callable[[], None]] = on_first
        self._closed = False

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        exchange = self._exchange
        outer = enter(exchange)
        try:
            if self._iterator is None:
                self._iterator = iter(self._chunks)
            chunk = next(self._iterator)
        except StopIteration:
            self._end(records.Ending.COMPLETE)
            raise
        except BaseException as error:
            exchange.fail(failure_of(error))
            self._end(records.Ending.FAILED)
            raise
        finally:
            self._leave(outer)
        try:
            self._begin()
            exchange.portion(chunk.encode("utf-8", "replace") if isinstance(chunk, str) else chunk)
        except Exception as error:
            tell_own_failure(exchange.sender, "body", error)
        return chunk

    def close(self) -> None:
        """Ends the body; called by the server, also when the client has gone."""
        if self._closed:
            return
        self._closed = True
        outer = enter(self._exchange)
        try:
            close = getattr(self._chunks, "close", None)
            if close is not None:
                close()
        finally:
            self._leave(outer)
            self._end(records.Ending.COMPLETE if self._iterator is None else records.Ending.BROKEN_OFF)

    def _leave(self, outer: Optional[Exchange]) -> None:
        # The request may have ended in the body, as it does in Flask's stream_with_context.
        if current_exchange() is self._exchange:
            enter(outer)

    def _end(self, ending: records.Ending) -> None:
        try:
            self._begin()
            self._exchange.tell(ending, begun=self._iterator is not None)
        except Exception as error:
            tell_own_failure(self._exchange.sender, "close", error)

    def _begin(self) -> None:
        if self._on_first is not None and self._exchange.answered:
            on_first, self._on_first = self._on_first, None
            on_first()


def read_ahead(environ: Environ, length: int) -> bytes:
    """Reads the body and puts it back, so that the app finds it as it came, by whichever way it reads it."""
    source = environ["wsgi.input"]
    data = b""
    try:
        while len(data) < length:
            chunk = source.read(length - len(data))
            if not chunk:
                break
            data += chunk
    finally:
        environ["wsgi.input"] = io.BytesIO(data)
    return data


def url_of(environ: Environ) -> str:
    """The address that was asked for."""
    host = environ.get("HTTP_HOST") or f"{environ.get('SERVER_NAME', '')}:{environ.get('SERVER_PORT', '')}"
    path = quote(_path(environ), safe="/:@!$&'()*+,;=~")
    query = environ.get("QUERY_STRING", "")
    return f"{environ.get('wsgi.url_scheme', 'http')}://{host}{path}{'?' + query if query else ''}"


def arguments_of(environ: Environ) -> dict[str, Any]:
    """The arguments in the address."""
    query = environ.get("QUERY_STRING")
    return dict(grouped(parse_qsl(query, keep_blank_values=True))) if query else {}


def _path(environ: Environ) -> str:
    raw = str(environ.get("SCRIPT_NAME", "")) + str(environ.get("PATH_INFO", ""))
    # PEP 3333: the bytes of the path, as if they were Latin-1.
    return raw if raw.isascii() else raw.encode("latin-1", "replace").decode("utf-8", "replace")
