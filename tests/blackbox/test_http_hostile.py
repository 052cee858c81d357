# SPDX-License-Identifier: MIT
"""HTTP from those who mean harm or know no better: malformed requests, smuggling, slowness, too many connections."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest
from livelogd_daemon import Daemon, wait_until
from proc import open_sockets, peak_rss_bytes, reset_peak
from raw_http import RawConnection, ask, get
from waiting import wait_for_newest

LOGS = "/api/v1/logs"
SECOND = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def daemon() -> Iterator[Daemon]:
    with Daemon() as one:
        yield one


def request(*fields: bytes, line: bytes = b"GET /healthz HTTP/1.1") -> bytes:
    return b"\r\n".join([line, *fields, b"", b""])


HOST = b"Host: localhost"

# Each is refused with one answer, and nothing after it is read as a request.
REFUSED = {
    "no Host": request(),
    "two Hosts": request(HOST, b"Host: evil.example"),
    "the same Host twice": request(HOST, HOST),
    "Content-Length twice in one field": request(HOST, b"Content-Length: 1, 1") + b"x",
    "Content-Length twice": request(HOST, b"Content-Length: 1", b"Content-Length: 1") + b"x",
    "two different Content-Lengths": request(HOST, b"Content-Length: 1", b"Content-Length: 2") + b"x",
    "Content-Length +1": request(HOST, b"Content-Length: +1") + b"x",
    "Content-Length -1": request(HOST, b"Content-Length: -1"),
    "Content-Length 2^64": request(HOST, b"Content-Length: 18446744073709551616"),
    "Content-Length in hex": request(HOST, b"Content-Length: 0x1") + b"x",
    "an empty Content-Length": request(HOST, b"Content-Length:"),
    "a body on GET": request(HOST, b"Content-Length: 5") + b"hello",
    "a chunked body on GET": request(HOST, b"Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "a folded header": request(HOST, b"X-A: b", b" c: d"),
    "a header folded with a tab": request(HOST, b"X-A: b", b"\tTransfer-Encoding: chunked"),
    "bytes above 127 in the target": request(HOST, line=b"GET /health\xff HTTP/1.1"),
    "Transfer-Encoding xchunked": request(HOST, b"Transfer-Encoding: xchunked") + b"0\r\n\r\n",
    "Transfer-Encoding chunked, identity": request(HOST, b"Transfer-Encoding: chunked, identity") + b"0\r\n\r\n",
    "Transfer-Encoding twice": request(HOST, b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked")
    + b"0\r\n\r\n",
    "Transfer-Encoding gzip": request(HOST, b"Transfer-Encoding: gzip") + b"0\r\n\r\n",
    "Transfer-Encoding with a tab": request(HOST, b"Transfer-Encoding:\tchunked") + b"0\r\n\r\n",
    "Content-Length, then chunked": request(HOST, b"Content-Length: 5", b"Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "chunked, then Content-Length": request(HOST, b"Transfer-Encoding: chunked", b"Content-Length: 5") + b"0\r\n\r\n",
    "POST, chunked and Content-Length": request(
        HOST, b"Content-Length: 5", b"Transfer-Encoding: chunked", line=b"POST /healthz HTTP/1.1"
    )
    + b"0\r\n\r\n",
    "POST, xchunked": request(HOST, b"Transfer-Encoding: xchunked", line=b"POST /healthz HTTP/1.1") + b"0\r\n\r\n",
    "a space before the colon": request(HOST, b"Transfer-Encoding : chunked") + b"0\r\n\r\n",
    "a space in a name": request(HOST, b"X A: b"),
    "no colon": request(HOST, b"X-A"),
    "an empty name": request(HOST, b": b"),
    "lines that end in LF": request(HOST).replace(b"\r\n", b"\n"),
    "one line that ends in LF": b"GET /healthz HTTP/1.1\r\nX-A: b\nHost: localhost\r\n\r\n",
    "a CR in a value": request(HOST, b"X-A: b\rc"),
    "NUL in a value": request(HOST, b"X-A: b\0c"),
    "NUL in the target": request(HOST, line=b"GET /health\0z HTTP/1.1"),
    "a space in the target": request(HOST, line=b"GET /health z HTTP/1.1"),
    "two spaces": request(HOST, line=b"GET  /healthz HTTP/1.1"),
    "no target": request(HOST, line=b"GET HTTP/1.1"),
    "no version": request(HOST, line=b"GET /healthz"),
    "HTTP/9.9": request(HOST, line=b"GET /healthz HTTP/9.9"),
    "HTTP/2.0": request(HOST, line=b"GET /healthz HTTP/2.0"),
    "http/1.1": request(HOST, line=b"GET /healthz http/1.1"),
    "a TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200 + b"\r\n\r\n",
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "no HTTP": b"hello\r\n\r\n",
}


@pytest.mark.parametrize("bad", [pytest.param(one, id=name) for name, one in REFUSED.items()])
def test_refused_and_closed(daemon: Daemon, bad: bytes) -> None:
    with RawConnection(daemon) as connection:
        connection.send(bad + SECOND)
        answer = connection.answer()
        assert answer is not None
        assert answer.status in (400, 403, 501, 505), answer
        assert answer.closes
        assert answer.json()["error"] and answer.headers["x-content-type-options"] == "nosniff"
        assert connection.closed_by_peer(), "what follows a refused request is never read as another one"


def test_a_plain_content_length_of_zero_is_fine(daemon: Daemon) -> None:
    with RawConnection(daemon) as connection:
        connection.send(request(HOST, b"Content-Length: 0") + SECOND)
        for _ in range(2):
            answer = connection.answer()
            assert answer and answer.status == 200


@pytest.mark.parametrize(
    "path",
    ["/../../etc/passwd", f"{LOGS}/../../../etc/passwd", f"{LOGS}/..%2f..%2f..%2fetc%2fpasswd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd",
     f"{LOGS}/%2e%2e/healthz", f"{LOGS}/current", f"{LOGS}/.lock", "/logs/current", f"{LOGS}/..\\..\\x", f"{LOGS}/recent%00", f"{LOGS}%2frecent",
     f"{LOGS}/./recent", f"{LOGS}//recent", f"{LOGS}/recent;x=1"],
)  # fmt: skip
def test_paths_lead_nowhere_else(daemon: Daemon, path: str) -> None:
    answer = get(daemon, path)
    assert answer.status in (400, 404), path
    assert answer.json()["error"]
    assert b"root:" not in answer.body


# --- limits -------------------------------------------------------------------------------------------------------


def test_header_limit(daemon: Daemon) -> None:
    def of_size(size: int) -> bytes:
        start, end = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: ", b"\r\n\r\n"
        return start + b"x" * (size - len(start) - len(end)) + end

    fits = ask(daemon, of_size(8192))
    assert fits is not None and fits.status == 200
    for size in (8193, 9000, 100_000):
        answer = ask(daemon, of_size(size))
        assert answer is not None and answer.status == 431 and answer.closes
        assert answer.json()["error"]


def test_many_header_fields(daemon: Daemon) -> None:
    answer = ask(daemon, request(HOST, *[b"A: b"] * 10_000))
    assert answer is not None and answer.status == 431


def test_a_long_target(daemon: Daemon) -> None:
    answer = ask(daemon, request(HOST, line=b"GET /" + b"a" * 20_000 + b" HTTP/1.1"))
    assert answer is not None and answer.status in (414, 431) and answer.json()["error"]


def test_a_header_that_never_ends_is_not_kept() -> None:
    with Daemon(header_limit="4KiB") as daemon, RawConnection(daemon) as connection:
        connection.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: " + b"x" * 5000)
        answer = connection.answer()
        assert answer and answer.status == 431
        assert connection.closed_by_peer()


def test_slow_headers_run_out_of_time() -> None:
    with Daemon(header_timeout="500ms") as daemon, RawConnection(daemon) as connection:
        started = time.monotonic()
        # A byte now and then does not buy more time.
        connection.socket.settimeout(0.05)
        answered = b""
        for byte in request(HOST, b"X-A: " + b"x" * 200):
            try:
                connection.send(bytes([byte]))
                answered = connection.socket.recv(1, socket.MSG_PEEK)
            except TimeoutError:
                continue
            except OSError:
                break
            break
        connection.socket.settimeout(10)
        assert answered, "no answer to a request that never comes to its end"
        answer = connection.answer()
        assert answer and answer.status == 408 and answer.closes and answer.json()["error"]
        assert connection.closed_by_peer()
        assert 0.4 < time.monotonic() - started < 5


def test_a_connection_without_a_request_is_closed() -> None:
    with Daemon(header_timeout="300ms") as daemon, RawConnection(daemon) as connection:
        answer = connection.answer()
        assert answer is None or answer.status == 408
        assert connection.closed_by_peer()


def test_slow_senders_do_not_slow_others_down(daemon: Daemon) -> None:
    slow = [RawConnection(daemon) for _ in range(200)]
    try:
        for one in slow:
            one.send(b"GET /healthz HT")
        started = time.monotonic()
        for _ in range(20):
            assert get(daemon, "/healthz").status == 200
        assert time.monotonic() - started < 5
    finally:
        for one in slow:
            one.socket.close()


def test_max_http_connections() -> None:
    with Daemon(max_http_connections=3) as daemon:
        # A connection that has closed may still be counted for a moment.
        def open_one() -> RawConnection | None:
            connection = RawConnection(daemon)
            connection.send(SECOND)
            answer = connection.answer()
            if answer and answer.status == 200:
                return connection
            assert answer and answer.status == 503, answer
            assert answer.json()["error"] and answer.closes
            connection.socket.close()
            return None

        held = [wait_until(open_one) for _ in range(3)]
        assert open_one() is None
        assert open_one() is None
        # Those that are in go on.
        held[0].send(SECOND)
        answer = held[0].answer()
        assert answer and answer.status == 200
        held.pop().socket.close()
        held.append(wait_until(open_one))
        for connection in held:
            connection.socket.close()


def test_ingest_goes_on_when_http_is_full() -> None:
    with Daemon(max_http_connections=1) as daemon:
        connection = wait_until(lambda: in_alone(daemon))
        daemon.send([{"n": 1}])
        wait_until(lambda: len(daemon.stored_lines()) == 1)
        connection.socket.close()


def in_alone(daemon: Daemon) -> RawConnection | None:
    connection = RawConnection(daemon)
    connection.send(SECOND)
    answer = connection.answer()
    return connection if answer and answer.status == 200 else None


@pytest.mark.memory
def test_a_client_that_takes_nothing_costs_nothing_and_is_closed() -> None:
    with Daemon(stall_timeout="2s", log_max_bytes="64MiB") as daemon:
        daemon.send([{"n": n, "p": "x" * 1000} for n in range(40_000)])
        wait_for_newest(daemon, 39_999)
        daemon.recent(100_000)
        before = daemon.rss_bytes()
        reset_peak(daemon.pid)
        stuck = []
        for _ in range(20):
            one = socket.socket()
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.connect(("127.0.0.1", daemon.port))
            one.sendall(f"GET {LOGS}/recent?lines=100000 HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            stuck.append(one)
        # Each of them is answered with 40 MB; others get theirs meanwhile.
        for _ in range(10):
            assert get(daemon, f"{LOGS}/recent?lines=5").status == 200
        wait_until(lambda: open_sockets(daemon.pid) == 2, 20, "only those that listen are left")
        assert peak_rss_bytes(daemon.pid) - before < 64 << 20
        for one in stuck:
            one.close()


def test_clients_that_leave_in_the_middle(daemon: Daemon) -> None:
    daemon.send([{"n": n, "p": "x" * 1000} for n in range(2000)])
    wait_for_newest(daemon, 1999)
    wait_until(lambda: open_sockets(daemon.pid) == 2, what="only those that listen")
    for path in (f"{LOGS}/recent?lines=100000", f"{LOGS}/stats", f"{LOGS}/stream?after=0", f"{LOGS}/stream"):
        for _ in range(25):
            connection = RawConnection(daemon)
            connection.send(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            # A reset instead of an orderly end.
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            connection.socket.close()
    wait_until(lambda: open_sockets(daemon.pid) == 2, 20, "their sockets are given back")
    assert get(daemon, "/healthz").status == 200
