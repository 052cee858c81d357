# SPDX-License-Identifier: MIT
"""More of what comes over HTTP from those who mean harm: bytes that break answers, heads that do not end, names that
stand for this machine, slow and many clients. What must be refused line by line is in test_http_hostile.py."""

from __future__ import annotations

import json
import random
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from livelogd_daemon import Daemon, wait_until
from proc import cpu_seconds, open_sockets, peak_rss_bytes, reset_peak
from raw_http import RawConnection, ask, get

LOGS = "/api/v1/logs"
HOST = b"Host: localhost\r\n"
FINE = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"


@pytest.fixture(scope="module")
def daemon() -> Iterator[Daemon]:
    with Daemon() as one:
        yield one


# --- what an answer quotes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [b"\xff", b"caf\xe9", b"\xed\xa0\x80.example", b'"\\', b"<script>", "ⓛocalhost".encode(), b"local\xc2\xadhost", b"a" * 4000],
    ids=["no UTF-8", "Latin-1", "half a pair", "quotes", "markup", "a look-alike", "a soft hyphen", "long"],
)  # fmt: skip
def test_a_host_that_is_no_text_is_refused_in_json(daemon: Daemon, host: bytes) -> None:
    answer = ask(daemon, b"GET /healthz HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
    assert answer is not None and answer.status in (400, 403)
    assert json.loads(answer.body.decode("utf-8", "strict"))["error"]


@pytest.mark.parametrize("character", ["é", "€", "😀"])
@pytest.mark.parametrize("shift", range(4))
def test_a_long_value_is_quoted_in_whole_characters(daemon: Daemon, character: str, shift: int) -> None:
    """However a quotation is shortened, the answer stays JSON in UTF-8."""
    escaped = "a" * shift + "".join(f"%{byte:02x}" for byte in character.encode()) * 60
    for query in ("recent?lines=%s", "stats?hours=%s", "recent?%s=1", "stream?after=%s"):
        answer = get(daemon, f"{LOGS}/{query.replace('%s', escaped)}")
        assert answer.status == 400
        told = json.loads(answer.body.decode("utf-8", "strict"))
        assert character in told["error"] and "\ufffd" not in told["error"], told


def test_nothing_that_is_asked_becomes_a_header(daemon: Daemon) -> None:
    inserted = "%0d%0aSet-Cookie:%20a=b%0d%0a%0d%0a"
    for target in ("/", "/?x=", f"{LOGS}/?x=", f"{LOGS}/recent?lines=", f"{LOGS}/recent?type=", "http://localhost"):
        answer = get(daemon, target + inserted)
        assert "set-cookie" not in answer.headers, target
    for path in ("/", f"{LOGS}/"):
        for query in ("", "?next=//evil.example", "?x=http://evil.example"):
            assert get(daemon, path + query).headers["location"] == LOGS
    for target in ("//evil.example", "//evil.example/", "/\\evil.example", "/%5cevil.example"):
        assert get(daemon, target).status == 404
    for value in ("a\tb", "x" * 3000, "http://evil.example"):
        assert "evil" not in str(get(daemon, "/healthz", Origin=value, Referer=value, X_Request_Id=value).headers)


# --- names ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1.nip.io", "localhost.localdomain.evil.example", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "127.0.0.01", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
     "[::]", "[::1", "[::1]evil", "[::1].evil", "[::1]:80:80", "localhost..", ".localhost", "a.localhost", "localhost%00", "localhost%2eevil", "localhost:80@evil.example",
     "evil@localhost", "evil.example:localhost", "localhost#", "localhost?", "localhost/", "localhost,evil.example", "xn--localhost", "evil.example\tlocalhost", "127.0.0.1:-1"],
)  # fmt: skip
def test_names_that_only_look_like_this_machine(daemon: Daemon, host: str) -> None:
    for target in ("/healthz", f"{LOGS}/recent"):
        answer = get(daemon, target, host=host)
        assert answer.status in (400, 403), host
        assert answer.json()["error"]
    # In an absolute address these three end the name, and what follows is something else.
    if host[-1] not in "#?/":
        assert get(daemon, f"http://{host}/healthz").status in (400, 403)


def test_both_names_count(daemon: Daemon) -> None:
    """A proxy may look at the one and the daemon at the other: neither may be foreign."""
    for host, target in (("evil.example", "http://localhost/healthz"), ("localhost", "http://evil.example/healthz")):
        assert get(daemon, target, host=host).status == 403
    assert get(daemon, "http://localhost/healthz").status == 200
    assert get(daemon, "http://localhost@evil.example/healthz").status in (400, 403)
    assert get(daemon, "http://evil.example#@localhost/healthz").status in (400, 403)


# --- heads that do not come to their end ---------------------------------------------------------------------------

# Their end is there, and still there is no request in them.
SHORT = {
    "no version": b"GET /healthz \r\n\r\n",
    "a short version": b"GET /healthz x\r\n\r\n",
    "half a version": b"GET /healthz HTTP/1\r\n\r\n",
    "a short version and fields": b"GET /healthz H\r\n" + HOST + b"\r\n",
    "only a method": b"GET\r\n\r\n",
    "a method and a space": b"GET \r\n\r\n",
    "only a letter": b"G\r\n\r\n",
    "only a space": b" \r\n\r\n",
}


@pytest.mark.parametrize("head", [pytest.param(one, id=name) for name, one in SHORT.items()])
def test_a_head_that_ends_too_soon_is_refused_at_once(head: bytes) -> None:
    """Not waited for until its time runs out: everything it was to have is there."""
    with Daemon(header_timeout="30s") as daemon, RawConnection(daemon) as connection:
        connection.send(head + FINE)
        answer = connection.answer()
        assert answer is not None and answer.status == 400 and answer.closes and answer.json()["error"]
        assert connection.closed_by_peer()


@pytest.mark.memory
@pytest.mark.parametrize(
    "head",
    [b"GET /healthz x\r\n\r\n", b"GET /healthz HTTP/1.1\r\n" + HOST + b"X-A: ", b"POST /healthz HTTP/1.1\r\n" + HOST + b"Content-Length: 1000000000\r\n\r\n",
     b"POST /healthz HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n", FINE[:-2], b"\r\n" * 1000, b"G"],
    ids=["a head that ends too soon", "a value without end", "a long body", "a chunked body", "fields without end", "empty lines", "a method without end"],
)  # fmt: skip
def test_what_follows_a_head_is_not_kept(daemon: Daemon, head: bytes) -> None:
    before = daemon.rss_bytes()
    reset_peak(daemon.pid)
    with RawConnection(daemon) as connection:
        connection.socket.settimeout(2)
        block = b"x: y\r\n"[: 2 if head.startswith(b"\r\n") else 6] * 50_000 if head != b"G" else b"G" * 300_000
        try:
            connection.send(head)
            for _ in range(400):
                connection.send(block)
        except OSError:
            pass  # refused and closed, or not read any further: either will do
    assert peak_rss_bytes(daemon.pid) - before < 32 << 20
    assert get(daemon, "/healthz").status == 200


def test_empty_lines_between_requests_are_ignored_however_they_come(daemon: Daemon) -> None:
    """As RFC 9112 asks: before the first request, between two that were sent at once, and cut in the middle."""
    with RawConnection(daemon) as connection:
        connection.send(b"\r\n" + FINE + b"\r\n\r\n" + FINE)
        for _ in range(2):
            answer = connection.answer()
            assert answer is not None and answer.status == 200
        for piece in (b"\r", b"\n\r", b"\n", FINE[:1], FINE[1:]):
            connection.send(piece)
            time.sleep(0.05)
        answer = connection.answer()
        assert answer is not None and answer.status == 200


@pytest.mark.parametrize(
    "fields",
    [b"".join(b"X-%d: y\r\n" % n for n in range(10_000)), b"X: " + b"y" * 100_000 + b"\r\n", b"y" * 100_000 + b": x\r\n", b"Cookie: a=b\r\n" * 10_000,
     b"".join(b"%d: \r\n" % n for n in range(2000)), b"Host: localhost\r\n" * 2000],
    ids=["many names", "a long value", "a long name", "cookies", "empty values", "hosts"],
)  # fmt: skip
def test_floods_of_fields(daemon: Daemon, fields: bytes) -> None:
    """Refused as too long, whoever sends them, and as often as it is sent."""
    for _ in range(20):
        answer = ask(daemon, b"GET /healthz HTTP/1.1\r\n" + HOST + fields + b"\r\n")
        assert answer is not None and answer.status in (400, 431) and answer.closes


def test_noise(daemon: Daemon) -> None:
    """Any bytes, from the first on or in the middle of a good request: an error or the end of the connection."""
    chance = random.Random(2)
    for number in range(200):
        noise = chance.randbytes(chance.randrange(1, 3000))
        if number % 2:
            at = chance.randrange(len(FINE))
            noise = FINE[:at] + noise[:20] + FINE[at:]
        with RawConnection(daemon) as connection:
            connection.send(noise)
            connection.socket.shutdown(socket.SHUT_WR)
            answer = connection.answer()
            assert answer is None or answer.status == 200 or answer.json()["error"]
    assert get(daemon, "/healthz").status == 200


# --- slow and many -------------------------------------------------------------------------------------------------


def test_hundreds_of_slow_clients() -> None:
    """Each sends a byte now and then, at different places of a request: they run out of time, others do not notice."""
    with Daemon(header_timeout="3s", stall_timeout="3s") as daemon:
        long = b"GET /healthz HTTP/1.1\r\n" + HOST + b"X-A: " + b"x" * 500
        heads = [FINE, long, b"\r\n\r\n" + FINE, FINE + FINE[:30]]
        slow = [(RawConnection(daemon), heads[number % len(heads)]) for number in range(300)]
        try:
            worst = 0.0
            for step in range(20):
                for connection, head in slow:
                    try:
                        connection.send(head[step : step + 1])
                    except OSError:
                        pass  # closed already
                started = time.monotonic()
                assert get(daemon, f"{LOGS}/recent").status == 200
                worst = max(worst, time.monotonic() - started)
            assert worst < 2.0
            wait_until(lambda: open_sockets(daemon.pid) == 2, 30, "the slow ones are closed")
        finally:
            for connection, _ in slow:
                connection.socket.close()


@pytest.mark.memory
def test_idle_clients_cost_no_processor_time(daemon: Daemon) -> None:
    connections = [RawConnection(daemon) for _ in range(500)]
    try:
        for connection in connections:
            connection.send(FINE)
        for connection in connections:
            answer = connection.answer()
            assert answer is not None and answer.status == 200
        before = cpu_seconds(daemon.pid)
        time.sleep(1)
        assert cpu_seconds(daemon.pid) - before < 0.2
    finally:
        for connection in connections:
            connection.socket.close()


def test_a_storm_of_connections() -> None:
    """Thousands connect and leave: silent, in the middle of a request, without reading the answer, with a reset."""
    with Daemon(max_http_connections=200) as daemon:
        wait_until(lambda: open_sockets(daemon.pid) == 2, what="only those that listen")
        sent = [b"", b"GET /hea", FINE, FINE * 50, f"GET {LOGS}/stream HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()]
        refused: list[OSError] = []

        def storm(seed: int) -> None:
            chance = random.Random(seed)
            for _ in range(1000):
                try:
                    with socket.create_connection(("127.0.0.1", daemon.port), 10) as connection:
                        connection.sendall(chance.choice(sent))
                        if chance.random() < 0.5:
                            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                except ConnectionError:
                    continue  # one too many: answered and closed before all was sent
                except OSError as error:
                    refused.append(error)

        threads = [threading.Thread(target=storm, args=[number]) for number in range(4)]
        for thread in threads:
            thread.start()
        # Records are taken in meanwhile.
        daemon.send([{"n": n} for n in range(100)])
        wait_until(lambda: len(daemon.stored_lines()) == 100, 30)
        for thread in threads:
            thread.join(120)
        assert not refused
        wait_until(lambda: open_sockets(daemon.pid) == 2, 30, "their sockets are given back")
        assert len(daemon.recent(1000)) == 100


def test_more_connections_than_may_be_open_wait_or_are_told() -> None:
    """Held open, not closed: those over the limit get 503 or are turned away, those within go on, records come in."""
    with Daemon(max_http_connections=100) as daemon:
        held = [RawConnection(daemon) for _ in range(1500)]
        try:
            statuses = []
            for connection in held[:150]:
                try:
                    connection.send(FINE)
                    answer = connection.answer()
                except ConnectionError:
                    answer = None
                statuses.append(answer.status if answer else 503)
            assert statuses.count(200) <= 100 and set(statuses) == {200, 503}
            daemon.send([{"n": 1}])
            wait_until(lambda: len(daemon.stored_lines()) == 1)
        finally:
            for connection in held:
                connection.socket.close()
        wait_until(lambda: len(daemon_recent(daemon)) == 1, 20)


def daemon_recent(daemon: Daemon) -> list[object]:
    """The records, or none while the daemon is still busy with those that have just left."""
    answer = daemon.get(f"{LOGS}/recent")
    records = answer.json() if answer.status == 200 else []
    assert isinstance(records, list)
    return records
