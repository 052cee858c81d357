# SPDX-License-Identifier: MIT
"""Tells of the requests and responses of an ASGI app (FastAPI, Starlette, any other)::

    from livelogd.asgi import LiveLogsMiddleware

    app.add_middleware(LiveLogsMiddleware)      # or: app = LiveLogsMiddleware(app)

Only HTTP calls are told; WebSockets and the lifespan go by. Nothing here can make a request fail, nothing waits, and
nothing is read that the app does not read.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, MutableMapping
from typing import Any, Callable, Optional, Union
from urllib.parse import parse_qsl, quote

from livelogd import records
from livelogd.bodies import grouped
from livelogd.exchange import (
    DEFAULT_MAX_BODY_BYTES,
    Exchange,
    Options,
    enter,
    length_of,
    tell_own_failure,
)
from livelogd.sender import Sender
from livelogd.shared import get_sender, set_default_sender

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

#: Routes inside routes (mounted apps, routers) are looked into so many levels deep.
_MAX_ROUTE_DEPTH = 8


class LiveLogsMiddleware:
    """ASGI middleware. A call's id is in ``scope["livelogd.request_id"]`` and in ``livelogd.current_request_id()``."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        sender: Optional[Sender] = None,
        socket: Optional[str] = None,
        ack: Optional[str] = None,
        capture_bodies: bool = True,
        max_body_bytes: int = DEFAULT_MAX_BODY_BYTES,
        skip: Union[str, Iterable[str]] = (),
        omit_fields: Union[str, Iterable[str]] = (),
        endpoint: Optional[Callable[[Scope], Optional[str]]] = None,
    ) -> None:
        """``sender``: one to use instead of the process's sender for ``socket`` and ``ack``. ``endpoint``: what a call's
        ``endpoint`` is; by default the name of its route, or its path if the app shows no routes. The others: see
        ``livelogd.exchange.Options``."""
        self.app = app
        self.sender = sender or get_sender(socket, ack=ack)
        self.options = Options.of(capture_bodies, max_body_bytes, skip, omit_fields)
        self._endpoint = endpoint or self._route_name
        set_default_sender(self.sender, replace=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a call as the app does."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            headers = _headers(scope)
            telling = _Telling(self._exchange(scope, headers), scope, headers, receive, send)
        except Exception as error:
            tell_own_failure(self.sender, "request", error)
            await self.app(scope, receive, send)
            return
        outer = enter(telling.exchange)
        try:
            await self.app(scope, telling.receive, telling.send)
        except BaseException as error:
            telling.crashed(error)
            raise
        else:
            telling.ended()
        finally:
            enter(outer)

    def _exchange(self, scope: Scope, headers: dict[str, str]) -> Exchange:
        path = str(scope.get("path", ""))
        call = records.Call(
            request_id=records.request_id(headers.get("x-request-id")),
            method=str(scope.get("method", "")),
            url=_url(scope, headers),
            endpoint=self._endpoint(scope),
        )
        scope["livelogd.request_id"] = call.request_id
        return Exchange(self.sender, self.options, call, skipped=self.options.skips(path, call.endpoint))

    def _route_name(self, scope: Scope) -> Optional[str]:
        """The name of the route that will answer. The request is told before the app has chosen one, so it is asked."""
        app: Any = scope.get("app", self.app)
        for _ in range(_MAX_ROUTE_DEPTH):  # through other middlewares
            routes = getattr(app, "routes", None)
            if routes is not None:
                return _matching_route(routes, scope, _MAX_ROUTE_DEPTH)
            app = getattr(app, "app", None)
        return str(scope.get("path", ""))


class _Telling:
    """What goes to and fro between the server and the app in one call."""

    def __init__(
        self, exchange: Exchange, scope: Scope, headers: dict[str, str], receive: Receive, send: Send
    ) -> None:
        self.exchange = exchange
        self._receive = receive
        self._send = send
        self._encoding: Optional[str] = None
        client, query = scope.get("client"), scope.get("query_string", b"")
        self._request: dict[str, Any] = {
            "remote_addr": client[0] if client else None,
            "user_agent": headers.get("user-agent"),
            "content_type": headers.get("content-type"),
            "content_length": length_of(headers.get("content-length")),
            "args": grouped(parse_qsl(query.decode("latin-1"), keep_blank_values=True)) if query else {},
            "encoding": headers.get("content-encoding"),
        }
        self._request_told = False
        self._failed = False  # a status of 500 or above
        self._complete = False  # the whole response is out
        self._body = b""
        if not exchange.options.wants_request_body(
            self._request["content_type"], self._request["encoding"], self._request["content_length"]
        ):
            self._tell_request(None)

    async def receive(self) -> Message:
        message = await self._receive()
        try:
            self._came(message)
        except Exception as error:
            tell_own_failure(self.exchange.sender, "receive", error)
        return message

    async def send(self, message: Message) -> None:
        try:
            message = self._leaves(message)
        except Exception as error:
            tell_own_failure(self.exchange.sender, "send", error)
        try:
            await self._send(message)
        except BaseException as error:
            self._broken_off(error)
            raise
        try:
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                self._complete = True
                if not self._failed:  # else the app may raise what was the matter, after its answer
                    self.exchange.tell()
        except Exception as error:
            tell_own_failure(self.exchange.sender, "send", error)

    def crashed(self, error: BaseException) -> None:
        """The app has raised. A task that is cancelled while it answers, is so because the client has gone."""
        try:
            self._tell_request(None)
            if not isinstance(error, Exception) and self.exchange.answered:
                self.exchange.tell(records.Ending.BROKEN_OFF)
            else:
                self.exchange.tell_crash(error)
        except Exception as second:
            tell_own_failure(self.exchange.sender, "exception", second)

    def ended(self) -> None:
        """The app has returned: whatever it has not sent will not come."""
        try:
            self._tell_request(None)
            self.exchange.tell(records.Ending.COMPLETE if self._complete else records.Ending.BROKEN_OFF)
        except Exception as error:
            tell_own_failure(self.exchange.sender, "end", error)

    def _tell_request(self, body: Optional[bytes]) -> None:
        if not self._request_told:
            self._request_told = True
            self.exchange.request(**self._request, body=body)

    def _came(self, message: Message) -> None:
        if self._request_told or message["type"] != "http.request":
            return
        self._body += message.get("body", b"")
        if len(self._body) > self.exchange.options.body_limit:
            self._tell_request(None)
        elif not message.get("more_body", False):
            self._tell_request(self._body)

    def _leaves(self, message: Message) -> Message:
        exchange = self.exchange
        if message["type"] == "http.response.start":
            self._tell_request(None)
            headers = _headers(message)
            if "x-request-id" not in headers:
                given = list(message.get("headers", ()))
                message = {**message, "headers": [*given, (b"x-request-id", exchange.request_id.encode())]}
            self._encoding = headers.get("content-encoding")
            length = length_of(headers.get("content-length"))
            self._failed = int(message["status"]) >= 500
            exchange.answer(int(message["status"]), headers.get("content-type"), length)
        elif message["type"] == "http.response.body" and exchange.answered:
            body = message.get("body", b"")
            if exchange.streaming:
                exchange.portion(body)
            elif message.get("more_body", False):
                exchange.stream(self._encoding)
                exchange.portion(body)
            else:
                exchange.whole_answer(body, self._encoding)
        return message

    def _broken_off(self, error: BaseException) -> None:
        try:
            if self.exchange.answered:
                self.exchange.tell(records.Ending.BROKEN_OFF)
        except Exception as second:
            tell_own_failure(self.exchange.sender, "send", second)


def _headers(holder: MutableMapping[str, Any]) -> dict[str, str]:
    """The headers of a scope or a message by their names in lower case; of several of one name the first."""
    found: dict[str, str] = {}
    for name, value in holder.get("headers", ()):
        found.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
    return found


def _url(scope: Scope, headers: dict[str, str]) -> str:
    server = scope.get("server") or ("", None)
    host = headers.get("host") or (server[0] if server[1] is None else f"{server[0]}:{server[1]}")
    path = quote(str(scope.get("path", "")), safe="/:@!$&'()*+,;=~")
    query = scope.get("query_string", b"").decode("latin-1")
    return f"{scope.get('scheme', 'http')}://{host}{path}{'?' + query if query else ''}"


def _matching_route(routes: Iterable[Any], scope: Scope, depth: int) -> Optional[str]:
    """The name of the first route that takes the call, as Starlette's router chooses it: one that fits in all but the
    method stands in for a route where there is no better one."""
    partial: Optional[str] = None
    for route in routes:
        match, child = route.matches(scope)
        if match.value == 0:
            continue
        inner = getattr(route, "routes", None)
        if inner and depth > 0:
            name = _matching_route(inner, {**scope, **child}, depth - 1)
        else:
            name = getattr(route, "name", None) or getattr(route, "path", None)
        if match.value == 2:
            return str(name) if name else None
        partial = partial or (str(name) if name else None)
    return partial
