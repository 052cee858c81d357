# SPDX-License-Identifier: MIT
"""The rows of the benchmark that are about questions, starting, and what a crash leaves."""

from __future__ import annotations

import contextlib
import json
import shutil
import statistics
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bench_peers as peers
from bench_peers import Peer, wait_until
from bench_rows import Bench, quantity, rate
from bench_table import Row

GIB = 1 << 30
STATS = "/api/v1/logs/stats"
RECENT = "/api/v1/logs/recent"

# The same numbers as `stats`, as one would ask jq for them.
JQ_STATS = r"""
def counts(f): map(f) | map(select(. != null) | tostring) | group_by(.) | map({(.[0]): length}) | add;
(map(select(.type == "request"))) as $requests | (map(select(.type == "response"))) as $responses |
(map(select(.level == "ERROR" or (.status_code // 0) >= 400))) as $errors |
{ total: ($requests | length), endpoints: ($requests | counts(.endpoint)), methods: ($requests | counts(.method)),
  status_codes: ($responses | counts(.status_code)), avg: ($responses | map(.duration_ms) | add / length),
  response_times: ($responses | map(.duration_ms) | .[-1000:]),
  errors: ($errors | length), error_types: ($errors | counts(.error_type)), error_endpoints: ($errors | counts(.endpoint)) }
"""


def fill(peer: Peer, bench: Bench, size: int, span_s: int, **options: Any) -> None:
    """Sends `size` bytes of records whose times end now, in files of at most 1 GiB."""
    parts = max(1, round(size / GIB))
    end_us = int(time.time() * 1e6)
    for part in range(parts):
        file = bench.folder / "part.jsonl"
        part_span = span_s // parts
        peers.run("make_records", out=file, bytes=size // parts, seed=3 + part, first=part * 2_000_000, span_s=part_span,
                  end_us=end_us - (parts - 1 - part) * part_span * 1_000_000, **options)
        peers.send(peer, file, trust=True)
        file.unlink()


@contextlib.contextmanager
def big_log(bench: Bench) -> Iterator[Path]:
    """1 GiB within a day, one error in 100,000 records, summaries made. The folder is kept for the next group."""
    folder = bench.folder / "big"
    if not folder.exists():
        with peers.daemon(log_dir=folder) as peer:
            fill(peer, bench, GIB, 20 * 3600, error_every=100_000)
            wait_for_summaries(peer)
    yield folder


def wait_for_summaries(peer: Peer) -> None:
    """Until every sealed segment has its summary, and the one that grows has had the time to get one."""

    def all_there() -> bool:
        return len(list(peer.folder.glob("live-*.summary"))) >= len(list(peer.folder.glob("live-*.jsonl"))) - 1

    wait_until(all_there, timeout=300, what="summaries are made")
    time.sleep(1.5)


def log_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("live-*.jsonl"))


def ms(seconds: float) -> str:
    return f"{seconds * 1e3:.2f} ms" if seconds < 0.1 else f"{seconds * 1e3:,.0f} ms"


# --- questions ------------------------------------------------------------------------------------------------------


def stats(bench: Bench) -> list[Row]:
    rows = []
    jq = shutil.which("jq")
    with peers.daemon() as peer:
        fill(peer, bench, 60_000_000, 12 * 3600)
        wait_for_summaries(peer)
        seconds = statistics.median(peers.times_of(peer, STATS, 50))
        ratio = None
        said = ms(seconds)
        if jq:
            command = [jq, "-s", JQ_STATS, *map(str, sorted(peer.folder.glob("live-*.jsonl")))]
            other = peers.shell_seconds(command)
            ratio, said = other / seconds, f"{said} ({ms(other)})"
        met = seconds <= 0.002 and (ratio is None or ratio >= 1000)
        rows.append(Row("stats of 60 MB", "≤ 2 ms, ≥ 1,000 × jq -s", said, ratio, met))

    with big_log(bench) as folder:
        size = log_bytes(folder)
        with peers.daemon(log_dir=folder) as peer:
            wait_for_summaries(peer)
            seconds = statistics.median(peers.times_of(peer, STATS, 20))
        with peers.daemon(log_dir=folder, summaries=False, scan_threads=1) as peer:
            scanned = min(peers.times_of(peer, STATS, 2, warm_up="/healthz"))
            bound = peers.run("bare_scan", folder=folder)["seconds"]
        rows.append(Row("stats of 1 GiB", "≤ 20 ms, ≥ 50 × without summaries", f"{ms(seconds)} ({ms(scanned)})",
                        scanned / seconds, seconds <= 0.02 and scanned >= 50 * seconds))
        rows.append(Row("stats of 1 GiB without summaries, one scan thread", "≥ 1.5 GB/s (a bare search for line ends)",
                        f"{size / scanned / 1e9:.2f} GB/s ({size / bound / 1e9:.2f})", bound / scanned, size >= 1.5e9 * scanned))
    return rows


def recent(bench: Bench) -> list[Row]:
    rows = []
    jq = shutil.which("jq")
    with big_log(bench) as folder:
        size = log_bytes(folder)
        with peers.daemon(log_dir=folder) as peer:
            seconds = statistics.median(peers.times_of(peer, f"{RECENT}?lines=100", 200))
            ratio = None
            said = ms(seconds)
            if jq:
                other = peers.shell_seconds(f"tail -q -n 100 '{folder}/current' | jq -s .", runs=10)
                ratio, said = other / seconds, f"{said} ({ms(other)})"
            rows.append(Row("the newest 100 records", "≤ 1 ms, ≥ 20 × tail | jq -s", said, ratio,
                            seconds <= 0.001 and (ratio is None or ratio >= 20)))

            wait_for_summaries(peer)
            seconds = statistics.median(peers.times_of(peer, f"{RECENT}?type=errors&lines=25", 20))
            bound = peers.run("bare_scan", folder=folder, text='"level":"ERROR"', runs=3)["seconds"]
            rows.append(Row("the newest 25 errors, 1 in 100,000 of 1 GiB", "≤ 2 ms, ≥ 20 × a bare search",
                            f"{ms(seconds)} ({ms(bound)})", bound / seconds, seconds <= 0.002 and bound >= 20 * seconds))
        with peers.daemon(log_dir=folder, scan_threads=1) as peer:
            searched = min(peers.times_of(peer, f"{RECENT}?search=not+to+be+found", min(bench.runs, 3)))
            bound = peers.run("bare_scan", folder=folder, text="not to be found", runs=3)["seconds"]
            rows.append(Row("search of 1 GiB, one scan thread", "≥ 2 GB/s (a bare search)",
                            f"{size / searched / 1e9:.2f} GB/s ({size / bound / 1e9:.2f})", bound / searched,
                            size >= 2e9 * searched))
    return rows


def mixed(bench: Bench) -> list[Row]:
    """Searches that read everything, one after the other, while records come in one by one. Both alone as well."""
    compact = bench.records("compact", count=200_000)
    rates: dict[bool, list[float]] = {False: [], True: []}
    speeds: dict[bool, list[float]] = {False: [], True: []}
    with big_log(bench) as folder, peers.daemon(log_dir=folder) as peer:
        for number in range(min(bench.runs, 3)):
            for both in (False, True) if number % 2 == 0 else (True, False):
                ended = threading.Event()
                searching = threading.Thread(target=keep_searching, args=(peer, ended, speeds[both]))
                if both:
                    searching.start()
                try:
                    rates[both].append(rate(peers.send(peer, compact, each=True, count=200_000, trust=True)))
                finally:
                    if not both:
                        searching.start()
                        time.sleep(1)
                    ended.set()
                    searching.join()
    rows = []
    for what, measured, unit in (
        ("ingest, one record a write, while searches run", rates, "records/s"),
        ("search of 1 GiB while records come in one by one", speeds, "GB/s"),
    ):
        ours, theirs = (statistics.median(measured[both]) for both in (True, False))
        said = f"{quantity(ours)} {unit} ({quantity(theirs)})" if unit == "records/s" else f"{ours:.2f} {unit} ({theirs:.2f})"
        rows.append(Row(what, "≥ 0.70 of alone", said, ours / theirs, ours / theirs >= 0.7))
    return rows


def keep_searching(peer: Peer, ended: threading.Event, speeds: list[float]) -> None:
    """Adds the speed of each search, GB/s of the log as it is then."""
    connection = peers.HttpConnection(peer.port)
    try:
        while not ended.is_set():
            size = log_bytes(peer.folder)
            begun = time.monotonic()
            connection.get(f"{RECENT}?search=not+to+be+found")
            speeds.append(size / (time.monotonic() - begun) / 1e9)
    finally:
        connection.close()


# --- life -----------------------------------------------------------------------------------------------------------


def loss(bench: Bench) -> list[Row]:
    """kill -9 in the middle of a flood with acknowledgements: is everything in the files that was acknowledged?"""
    lost = 0
    acknowledged = 0
    kills = max(5, bench.runs)
    for _ in range(kills):
        with peers.daemon() as peer:
            assert peer.daemon
            confirmed = send_until_killed(peer)
            peer.daemon.restart()
            numbers = {json.loads(line)["n"] for line in peer.daemon.stored_lines() if line.startswith(b'{"n":')}
            lost += sum(number not in numbers for number in range(1, confirmed + 1))
            acknowledged += confirmed
    return [Row("acknowledged records lost by kill -9", "0", f"{lost:,} of {acknowledged:,} records ({kills} kills)",
                1.0 if lost == 0 else 0.0, lost == 0)]


def send_until_killed(peer: Peer) -> int:
    """The last line that was acknowledged as written. The kill comes while the sender is in full flow."""
    assert peer.daemon
    connection = peer.daemon.connect()
    connection.sendall(b'{"livelog":1,"ack":"written","client":"bench-loss"}\n')
    answers = connection.makefile("rb")
    assert json.loads(answers.readline()) == {"have": 0}

    def flow() -> None:
        number = 1
        with contextlib.suppress(OSError):
            while True:
                block = [f'{{"n":{n},"timestamp":"2025-01-01T00:00:00Z","message":"{"x" * 400}"}}\n' for n in
                         range(number, number + 100)]
                connection.sendall("".join(block).encode())
                number += 100

    sender = threading.Thread(target=flow)
    sender.start()
    confirmed = 0
    with contextlib.suppress(OSError, ValueError):
        while line := answers.readline():
            answer = json.loads(line)
            confirmed = max(confirmed, answer.get("ack", 0))
            if confirmed >= 20_000 and peer.daemon.running:
                peer.daemon.kill()
    connection.close()
    sender.join()
    return confirmed


def history(bench: Bench, gib: int = 10) -> list[Row]:
    """10 GiB over two days: how soon the daemon answers after its start, and what stats of the last day costs."""
    folder = bench.folder / "history"
    with peers.daemon(log_dir=folder) as peer:
        fill(peer, bench, gib * GIB, 48 * 3600)
        wait_for_summaries(peer)
        seconds = statistics.median(peers.times_of(peer, STATS, 20))
    starts = []
    for _ in range(3):
        begun = time.perf_counter()
        with peers.daemon(log_dir=folder):
            starts.append(time.perf_counter() - begun)
    bound = peers.run("bare_scan", folder=folder, runs=1)["seconds"]
    shutil.rmtree(folder)
    start = min(starts)
    return [
        Row("stats of the last 24 h of 10 GiB", "≤ 20 ms, ≥ 40 × a bare search for line ends", f"{ms(seconds)} ({ms(bound)})",
            bound / seconds, seconds <= 0.02 and bound >= 40 * seconds),
        Row("start with 10 GiB of history", "≤ 200 ms, ≥ 2 × a bare search for line ends", f"{ms(start)} ({ms(bound)})",
            bound / start, start <= 0.2 and bound >= 2 * start),
    ]
