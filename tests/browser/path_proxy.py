# SPDX-License-Identifier: MIT
"""A small reverse proxy that serves the daemon under a path of its own, and can fail in the ways that proxies do."""

from __future__ import annotations

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

PREFIX = "/llm/tools"


class PathProxy:
    """`with PathProxy(port) as proxy:` forwards proxy.url + path to 127.0.0.1:port. Only GET."""

    def __init__(self, daemon_port: int) -> None:
        self.daemon_port = daemon_port
        # Answer everything with 502, as while the daemon restarts.
        self.broken = False
        # The paths (with query) that were asked for, in order.
        self.asked: list[str] = []
        # Streams opened under an older generation get nothing more, but stay open: a connection that died on the way.
        self._generation = 0
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                proxy._forward(self)

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}{PREFIX}/api/v1/logs"

    def streams(self) -> list[str]:
        return [path for path in self.asked if "/stream?" in path]

    def silence_open_streams(self) -> None:
        self._generation += 1

    def __enter__(self) -> "PathProxy":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _forward(self, handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        self.asked.append(handler.path)
        generation = self._generation
        if self.broken or not handler.path.startswith(PREFIX):
            handler.send_error(502)
            return
        connection = http.client.HTTPConnection("127.0.0.1", self.daemon_port, timeout=60)
        try:
            kept = {name: value for name, value in handler.headers.items() if name.lower() not in ("host", "connection")}
            connection.request("GET", handler.path.removeprefix(PREFIX), headers=kept)
            answer = connection.getresponse()
        except OSError:
            handler.send_error(502)
            return
        try:
            handler.send_response(answer.status)
            for name, value in answer.headers.items():
                if name.lower() not in ("transfer-encoding", "connection", "date", "server"):
                    handler.send_header(name, value)
            handler.send_header("Connection", "close")
            handler.end_headers()
            while part := answer.read1(65536):
                if generation == self._generation:
                    handler.wfile.write(part)
        except OSError:
            pass  # one of the two has gone
        finally:
            connection.close()
