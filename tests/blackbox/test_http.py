# SPDX-License-Identifier: MIT
"""HTTP: paths, methods, parameters, headers, errors. Malice is in test_http_hostile.py, access in test_http_access.py."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from livelogd_daemon import Daemon
from raw_http import RawAnswer, RawConnection, get
from waiting import wait_for_newest, wait_for_records

LOGS = "/api/v1/logs"


@pytest.fixture(scope="module")
def filled() -> Iterator[Daemon]:
    """A daemon with 30 records: n = 0…29, in turn a request, a response 404, and an event of level ERROR."""
    with Daemon() as daemon:
        kinds: list[dict[str, Any]] = [
            {"level": "INFO", "type": "request", "method": "GET", "endpoint": "e"},
            {"level": "INFO", "type": "response", "status_code": 404, "duration_ms": 1.5},
            {"level": "ERROR", "type": "custom_event"},
        ]
        daemon.send([{**kinds[n % 3], "n": n} for n in range(30)])
        wait_for_records(daemon, 30)
        yield daemon


def check_security_headers(answer: RawAnswer, *, cache: str = "no-store") -> None:
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == cache
    assert "access-control-allow-origin" not in answer.headers


def check_error(answer: RawAnswer, status: int, parameter: str | None = None) -> None:
    assert answer.status == status, (answer.status, answer.body)
    assert answer.headers["content-type"].split(";")[0] == "application/json"
    check_security_headers(answer)
    told = answer.json()
    assert isinstance(told["error"], str) and len(told["error"]) > 5
    assert told.get("parameter") == parameter, told
    assert set(told) <= {"error", "parameter"}


# --- paths and methods --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [f"{LOGS}/recent", f"{LOGS}/stats", "/healthz", "/readyz"])
def test_json_answers(filled: Daemon, path: str) -> None:
    answer = get(filled, path)
    assert answer.status == 200
    assert answer.headers["content-type"].split(";")[0] == "application/json"
    check_security_headers(answer)
    answer.json()


def test_the_viewer(filled: Daemon) -> None:
    answer = get(filled, LOGS)
    assert answer.status == 200
    assert re.fullmatch(r"text/html; ?charset=utf-8", answer.headers["content-type"], re.IGNORECASE)
    assert re.match(rb"(?:<!--[^>]*-->)?\s*<!doctype html>", answer.body, re.IGNORECASE)
    policy = {
        name: values
        for name, *values in (part.split() for part in answer.headers["content-security-policy"].split(";"))
    }
    assert policy["default-src"] == ["'none'"]
    assert policy["base-uri"] == ["'none'"] and policy["frame-ancestors"] == ["'none'"]
    assert policy["connect-src"] == ["'self'"]
    for name, values in policy.items():
        assert set(values) <= {"'self'", "'none'", "'script'"} | ({"data:"} if name == "img-src" else set()), name
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/", f"{LOGS}/"])
def test_redirects_to_the_viewer(filled: Daemon, path: str) -> None:
    answer = get(filled, path)
    assert answer.status in (301, 302, 303, 307, 308)
    assert answer.headers["location"] == LOGS


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/api",
        "/api/v1",
        "/api/v2/logs",
        f"{LOGS}/nothing",
        f"{LOGS}/recent/x",
        "/API/V1/LOGS",
        "/.",
    ],
)
def test_unknown_paths(filled: Daemon, path: str) -> None:
    check_error(get(filled, path), 404)


@pytest.mark.parametrize("path", [LOGS, f"{LOGS}/stream", f"{LOGS}/recent", f"{LOGS}/stats", "/healthz", "/readyz"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND", "get", "BREW"])
def test_other_methods(filled: Daemon, path: str, method: str) -> None:
    answer = get(filled, path, method)
    if method in ("get", "BREW", "CONNECT"):
        # No method of HTTP's (they are in capitals), or one whose target has another form: 400, 405 and 501 all say no.
        assert answer.status in (400, 405, 501)
        return
    check_error(answer, 405)
    assert {one.strip() for one in answer.headers["allow"].split(",")} == {"GET", "HEAD", "OPTIONS"}


def test_other_methods_with_a_body_do_not_confuse_the_connection(filled: Daemon) -> None:
    with RawConnection(filled) as connection:
        body = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
        connection.send(
            b"POST %s/recent HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % (LOGS.encode(), len(body))
        )
        connection.send(body)
        answer = connection.answer()
        assert answer is not None
        check_error(answer, 405)
        # The body is either skipped or the connection closed: it is never taken for a request.
        assert connection.closed_by_peer() if answer.closes else True


@pytest.mark.parametrize(
    "path", [LOGS, f"{LOGS}/recent?lines=3", f"{LOGS}/stats", "/healthz", "/nothing", f"{LOGS}/recent?lines=x"]
)
def test_head_is_get_without_body(filled: Daemon, path: str) -> None:
    with RawConnection(filled) as connection:
        for method in ("HEAD", "GET", "HEAD"):
            connection.send(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        first, full, second = [connection.answer(to_head=method == "HEAD") for method in ("HEAD", "GET", "HEAD")]
    assert first and full and second
    varies = ("date", "content-length", "transfer-encoding")
    for head in (first, second):
        assert head.status == full.status
        assert {k: v for k, v in head.headers.items() if k not in varies} == {
            k: v for k, v in full.headers.items() if k not in varies
        }


def test_head_of_the_stream_ends(filled: Daemon) -> None:
    with RawConnection(filled) as connection:
        connection.send(f"HEAD {LOGS}/stream HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = connection.answer(to_head=True)
        assert answer and answer.status == 200 and answer.headers["content-type"].startswith("text/event-stream")
        assert connection.closed_by_peer()


@pytest.mark.parametrize("path", [LOGS, f"{LOGS}/stream", f"{LOGS}/recent", f"{LOGS}/stats", "/healthz", "/readyz"])
def test_options(filled: Daemon, path: str) -> None:
    answer = get(filled, path, "OPTIONS")
    assert answer.status in (200, 204)
    assert {one.strip() for one in answer.headers["allow"].split(",")} == {"GET", "HEAD", "OPTIONS"}
    check_security_headers(answer)


# --- parameters ---------------------------------------------------------------------------------------------------

BAD = [
    *[(f"recent?lines={value}", "lines") for value in
      ("0", "-1", "abc", "", "1e3", "1.0", "+5", "%205", "0x10", "100001", "1000000000000000000", "18446744073709551617")],
    ("recent?lines=5&lines=6", "lines"),
    ("recent?nothing=1", "nothing"),
    ("recent?Lines=5", "Lines"),
    ("recent?hours=5", "hours"),
    ("recent?type=", "type"),
    *[(f"stats?hours={value}", "hours") for value in
      ("0", "-1", "abc", "", "nan", "inf", "87600.1", "87601", "1e400", "0x10", "-0", "24h", "1,5")],
    ("stats?hours=1&hours=1", "hours"),
    ("stats?lines=5", "lines"),
    ("stats?response_times=-1", "response_times"),
    ("stats?response_times=x", "response_times"),
    *[(f"stream?after={value}", "after") for value in ("x", "-1", "", "1.5", "9007199254740992", "99999999999999999999")],
    *[(f"stream?replay={value}", "replay") for value in ("x", "-1", "", "1.5", "99999999999999999999")],
    ("stream?lines=5", "lines"),
    ("stream?after=1&after=2", "after"),
]  # fmt: skip


@pytest.mark.parametrize("query, parameter", BAD)
def test_bad_parameters(filled: Daemon, query: str, parameter: str) -> None:
    check_error(get(filled, f"{LOGS}/{query}"), 400, parameter)


@pytest.mark.parametrize(
    "query",
    ["lines=%", "lines=%4", "lines=%zz", "type=%ff", "%ff=1", "lines=%ff", "%22%0a%00=1", "type=a%00b", "%zz=5", "=5"],
)
def test_queries_that_are_none(filled: Daemon, query: str) -> None:
    """Refused, and the answer is JSON whatever it quotes."""
    answer = get(filled, f"{LOGS}/recent?{query}")
    assert answer.status == 400 and answer.json()["error"]


@pytest.mark.parametrize("query", ["nothing=1", "lines=5"])
def test_parameters_where_there_are_none(filled: Daemon, query: str) -> None:
    check_error(get(filled, f"/healthz?{query}"), 400, query.split("=")[0])


def newest(filled: Daemon, query: str) -> list[int]:
    answer = get(filled, f"{LOGS}/recent?{query}")
    assert answer.status == 200, answer.body
    return [record["n"] for record in answer.json()]


def test_lines(filled: Daemon) -> None:
    assert newest(filled, "") == list(range(30))
    assert newest(filled, "lines=1") == [29]
    assert newest(filled, "lines=7") == list(range(23, 30))
    assert newest(filled, "lines=100000") == list(range(30))


@pytest.mark.parametrize(
    "query, wanted",
    [
        ("type=all", {0, 1, 2}),
        ("type=api", {0, 1}),
        ("type=errors", {1, 2}),
        ("type=request", {0}),
        ("type=custom_event", {2}),
        ("type=nothing_has_this", set()),
        ("type=request&type=custom_event", {0, 2}),
        ("type=errors&type=request", {0, 1, 2}),
        ("type=all&type=request", {0, 1, 2}),
        ("type=%65rrors", {1, 2}),
        ("type=custom%5Fevent", {2}),
        ("%74ype=api", {0, 1}),
        ("type=Errors", set()),
    ],
)
def test_types(filled: Daemon, query: str, wanted: set[int]) -> None:
    assert newest(filled, query) == [n for n in range(30) if n % 3 in wanted]
    assert newest(filled, f"{query}&lines=4") == [n for n in range(30) if n % 3 in wanted][-4:]
    answer = get(filled, f"{LOGS}/stats?{query}")
    assert answer.json()["total_logs"] == 10 * len(wanted)


def test_an_empty_log() -> None:
    with Daemon() as daemon:
        assert get(daemon, f"{LOGS}/recent").json() == []
        stats = get(daemon, f"{LOGS}/stats").json()
        assert stats["total_logs"] == 0 and stats["api_stats"]["avg_response_time"] == 0


def test_a_large_answer_arrives_whole() -> None:
    with Daemon(log_max_bytes="64MiB") as daemon:
        daemon.send([{"n": n, "p": "x" * 1000} for n in range(20_000)])
        wait_for_newest(daemon, 19_999)
        assert [record["n"] for record in daemon.recent(100_000)] == list(range(20_000))


# --- connections --------------------------------------------------------------------------------------------------


def test_keep_alive_and_pipelining(filled: Daemon) -> None:
    with RawConnection(filled) as connection:
        for n in range(1, 4):
            connection.send(f"GET {LOGS}/recent?lines={n} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            answer = connection.answer()
            assert answer and len(answer.json()) == n
        requests = "".join(f"GET {LOGS}/recent?lines={n} HTTP/1.1\r\nHost: localhost\r\n\r\n" for n in range(1, 21))
        connection.send(requests.encode())
        for n in range(1, 21):
            answer = connection.answer()
            assert answer and len(answer.json()) == n


@pytest.mark.parametrize(
    "request_text",
    [
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        "GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n",
    ],
)
def test_connections_that_end_with_the_answer(filled: Daemon, request_text: str) -> None:
    with RawConnection(filled) as connection:
        connection.send(request_text.encode())
        answer = connection.answer()
        assert answer and answer.status == 200
        assert connection.closed_by_peer()


def test_requests_in_single_bytes(filled: Daemon) -> None:
    with RawConnection(filled) as connection:
        for byte in b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2:
            connection.send(bytes([byte]))
        for _ in range(2):
            answer = connection.answer()
            assert answer and answer.status == 200


def test_absolute_form(filled: Daemon) -> None:
    answer = get(filled, f"http://localhost:{filled.port}{LOGS}/recent?lines=1")
    assert answer.status == 200 and len(answer.json()) == 1


def test_the_unix_socket(filled: Daemon) -> None:
    path = filled.folder / "http.sock"
    with Daemon(listen=["127.0.0.1:0", f"unix:{path}"]) as daemon:
        daemon.send([{"n": 1}])
        wait_for_records(daemon, 1)
        done = subprocess.run(
            ["curl", "-sS", "--unix-socket", str(path), f"http://localhost{LOGS}/recent"],
            capture_output=True,
            timeout=20,
            check=True,
        )
        assert [record["n"] for record in json.loads(done.stdout)] == [1]
        stream = subprocess.run(
            ["curl", "-sSN", "--max-time", "1", "--unix-socket", str(path), f"http://localhost{LOGS}/stream?after=0"],
            capture_output=True,
            timeout=20,
            check=False,
        )
        assert b'"n":1}\n\n' in stream.stdout
    assert not path.exists(), "a clean stop takes the socket away"


def test_several_listeners() -> None:
    with Daemon(listen=["127.0.0.1:0", "127.0.0.1:0", "[::1]:0"]) as daemon:
        addresses = re.findall(r"listening on (http://\S+)", daemon.stderr)
        assert len(addresses) == 3 and addresses[2].startswith("http://[::1]:")
        for address in addresses:
            subprocess.run(["curl", "-sSf", "-o", "/dev/null", address], timeout=20, check=True)
