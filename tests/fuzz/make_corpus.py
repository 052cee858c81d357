#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes what a fuzz target begins with: the golden cases, and requests of every form.

    tests/fuzz/make_corpus.py TARGET FOLDER      (TARGET: scan_fuzz, session_fuzz, …)

A file's name is made from its content, so that writing again into a folder that has grown adds nothing twice.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

VECTORS = Path(__file__).resolve().parents[2] / "protocol/vectors"

LOGS = "/api/v1/logs"
TARGETS: list[str] = [
    "/", "*", LOGS, f"{LOGS}/", f"{LOGS}/stream", f"{LOGS}/recent", f"{LOGS}/stats", "/healthz", "/readyz", "/favicon.ico",
    f"{LOGS}/assets/viewer.js", f"{LOGS}/recent?lines=5", f"{LOGS}/recent?lines=0", f"{LOGS}/recent?lines=", f"{LOGS}/recent?lines=1e18",
    f"{LOGS}/recent?type=errors&type=x", f"{LOGS}/recent?type=api", f"{LOGS}/recent?type=", f"{LOGS}/recent?lines=1&lines=2",
    f"{LOGS}/stats?hours=0.5", f"{LOGS}/stats?hours=87600&response_times=3", f"{LOGS}/stats?hours=nan", f"{LOGS}/stream?after=0",
    f"{LOGS}/stream?replay=3&type=x", f"{LOGS}/stream?after=9007199254740991", f"{LOGS}/stream?after=9007199254740992",
    f"{LOGS}/%72ecent?%6cines=%35", f"{LOGS}/recent?lines=%", f"{LOGS}/recent?lines=%zz", f"{LOGS}/recent?type=%c3%a9", f"{LOGS}/recent?type=%ff",
    f"{LOGS}/recent?type=a+b%2Bc", f"{LOGS}/recent?=&&a&=b", f"{LOGS}/recent%00", f"{LOGS}%2frecent", "/../../etc/passwd", f"{LOGS}/recent#x?lines=2",
    f"http://localhost{LOGS}/recent?lines=1", "http://evil.example/", "https://127.0.0.1:5000", "localhost:5000", "/" + "a" * 300,
    f"{LOGS}/recent?lines=" + "%c3%a9" * 30,
]  # fmt: skip
EXPRESSIONS: list[str] = [
    "", "timeout", '"a phrase"', r'"a \"quote\" and \\"', "-word", "/reg(ex|ular)/", r"/a\/b \d+/", "-/(?i)x/", "field:value", "-a.b.c:-1", 'f:"a b"',
    "endpoint:/api/*", "f:*x*", "f:*", "f:**", "f:/^re$/", 'f:(a|"b c"|/d/|e*)', "f:( a | b )", "duration_ms>400", "n<=-1.5e3", "level>=warning",
    "level:(error|50)", "type:errors -type:api type:(request|x)", 'model:"m:8b"', "model:/b$/", "status:4xx status:400-499 status:ok status>=500",
    "café 日本 -ß", "- x", "--x", '"open', "/open", "f:", "f:(a", "f:(a|)", "f:>4", "a>b", "level:loud", "/(/", "f:/[/", "since:2h", "http://x", "//", "(a|b)",
    "a > 5", 'x"y', "w " * 101, "/r/ " * 9, "x:(" + "v|" * 100 + "v)", "endpoint:/health /ready /time out/", "/(a{30}){30}/", "/(x+x+)+y/",
    "2026-11-27T10:30:00+01:00", "2026-11-27 10:30 01:00", "2026-11-27", "15m", "99999999999w", "4xx", "404", "400-499", "WARN", "30", "errors", "all",
]  # fmt: skip
FIELDS: list[list[str]] = [
    ["Host: localhost"], ["Host: 127.0.0.1:5000"], ["Host: [::1]:5000"], ["Host: LOGS.example."], ["Host: evil.example"], ["Host: caf\xe9"], ["Host:"], [],
    ["Host: localhost", "Host: evil.example"], ["Host: localhost", "Connection: close"], ["Host: localhost", "Connection: keep-alive"],
    ["Host: localhost", "Content-Length: 0"], ["Host: localhost", "Content-Length: 5"], ["Host: localhost", "Content-Length: 1, 1"],
    ["Host: localhost", "Transfer-Encoding: chunked"], ["Host: localhost", "Transfer-Encoding: xchunked"],
    ["Host: localhost", "Transfer-Encoding: chunked", "Content-Length: 3"], ["Host: localhost", "X-A: b", " folded: c"], ["Host: localhost", "X-A : b"],
    ["Host: localhost", "Last-Event-ID: 5"], ["Host: localhost", "Last-Event-ID: x"], ["Host: localhost", "Last-Event-ID:"],
    ["Host: localhost", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate"],
    ["Host: localhost", "Sec-Fetch-Site: cross-site", "Origin: http://app.example"], ["Host: localhost", "Origin: null"],
    ["Host: localhost", "Expect: 100-continue"], ["Host: localhost", "Content-Encoding: gzip"], ["Host: localhost", "Upgrade: h2c", "Connection: Upgrade"],
    ["Host: localhost", "X-A: " + "b" * 400],
]  # fmt: skip
METHODS = ["GET", "HEAD", "OPTIONS", "POST", "BREW"]
FIRST_LINES = [f"{method} {{}} HTTP/1.1" for method in METHODS]
FIRST_LINES += ["GET {} HTTP/1.0", "GET {} HTTP/2.0", "GET {} x", "GET {}"]
# How a target's input begins: limits and pieces (see the targets).
FRONTS = [b"\xff\xff\xff\xff", b"\x20\x02\x06\x03", b"\x04\x01\x00\x10"]


def cases(name: str) -> Iterator[dict[str, object]]:
    for line in (VECTORS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def bytes_of(case: dict[str, object], member: str) -> bytes:
    spelled = case.get(f"{member}_hex")
    return bytes.fromhex(str(spelled)) if spelled is not None else str(case[member]).encode("utf-8", "surrogatepass")


def records() -> list[bytes]:
    lines = [bytes_of(case, "line") for name in ("records", "redaction", "malformed") for case in cases(name)]
    lines += [b'{"level":%s}' % str(case["token"]).encode() for case in cases("levels")]
    lines += [b'{"type":"request"}', b'{"type":"re\\u0073ponse","n":1}', b"[" * 200]
    lines += [b'{"a":' * depth + b"1" + b"}" * depth for depth in (128, 129)]
    lines += [b'{"a":' + b"[" * depth + b"]" * depth + b"}" for depth in (127, 128)]
    for outer, inner in (("exception", "type"), ("error", "type"), ("response_body", "error_type")):
        for last in ("5", "{}", '{"x":{"%s":"no"}}' % inner, '{ "%s" : [ 1 ] }' % inner, '"%s"' % inner):
            lines.append(('{"%s":{"%s":"first"},"%s":%s}' % (outer, inner, outer, last)).encode())
            lines.append(('{"%s.%s":%s, "%s":{"%s":"first"}}' % (outer, inner, last, outer, inner)).encode())
    return lines


def in_groups(lines: list[bytes], front_bytes: int) -> Iterator[bytes]:
    """Several lines in one input, with different ends, after the bytes that choose limits and pieces."""
    for number in range(0, len(lines), 3):
        front = FRONTS[number % len(FRONTS)].ljust(front_bytes, b"\x07")[:front_bytes]
        yield front + b"\n".join(lines[number : number + 3]) + (b"\n", b"\r\n", b"", b"\n\n \r\n")[number % 4]


def request(first: str, target: str, fields: list[str]) -> bytes:
    return "\r\n".join([first.format(target), *fields, "", ""]).encode("latin-1")


def conversations() -> Iterator[bytes]:
    plain = request(FIRST_LINES[0], f"{LOGS}/recent?lines=2", FIELDS[0])
    asked = [request(FIRST_LINES[0], target, FIELDS[0]) for target in TARGETS]
    asked += [request(FIRST_LINES[0], f"{LOGS}/stream?replay=2", fields) for fields in FIELDS]
    asked += [request(FIRST_LINES[0], f"{LOGS}/recent", fields) + b"hello" for fields in FIELDS]
    asked += [request(first, f"{LOGS}/recent", FIELDS[0]) for first in FIRST_LINES]
    asked += [b"\r\n" + plain, plain.replace(b"\r\n", b"\n"), plain[:-2]]
    asked += [b"\x16\x03\x01\x02\x00" + bytes(40), b"hello\r\n\r\n"]
    for number, one in enumerate(asked):
        front = FRONTS[number % len(FRONTS)][:3]
        yield front + one
        yield front + one + plain
        yield front + plain + one


def inputs(target: str) -> Iterator[bytes]:
    if target == "scan_fuzz":
        yield from records()
    elif target == "secrets_fuzz":
        for name in ("secrets", "llm", "streams"):
            yield from (bytes((number % 256,)) + bytes_of(case, "line") for number, case in enumerate(cases(name)))
    elif target == "llm_fuzz":
        yield from (bytes_of(case, "line") for case in cases("llm"))
    elif target == "framer_fuzz":
        yield from in_groups(records(), 7)
    elif target == "intake_fuzz":
        yield from in_groups(records(), 4)
    elif target == "timestamp_fuzz":
        yield from (bytes_of(case, "text") for case in cases("timestamps"))
    elif target == "filter_fuzz":
        yield from (one.encode() for one in EXPRESSIONS)
    elif target == "query_fuzz":
        yield from (one.encode() for one in TARGETS)
        for number, one in enumerate(EXPRESSIONS):
            name = ("q", "search", "since", "status", "level", "type")[number % 6]
            yield f"{LOGS}/recent?q={quote(one)}&{name}={quote_plus(one)}".encode()
    elif target == "session_fuzz":
        yield from conversations()
    else:
        sys.exit(f"make_corpus.py: nothing is known of a target {target}")


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit("usage: make_corpus.py TARGET FOLDER")
    target, folder = sys.argv[1], Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for data in inputs(target):
        (folder / hashlib.sha1(data, usedforsecurity=False).hexdigest()).write_bytes(data)


if __name__ == "__main__":
    main()
