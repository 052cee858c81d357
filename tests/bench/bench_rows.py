# SPDX-License-Identifier: MIT
"""The rows of the benchmark that are about records coming in and events going out. bench_queries.py has the others.

Each function measures one group and returns its rows. Daemon and bound take turns, so that a change of the machine's mood
meets both.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any, ContextManager

import bench_peers as peers
from bench_peers import Peer
from bench_table import Row

Measure = dict[str, Any]
Kind = tuple[Callable[[], ContextManager[Peer]], Callable[[Peer], Measure]]


class Bench:
    """What all groups share: files of records, made once, and how often a cheap run is repeated."""

    def __init__(self, folder: Path, runs: int) -> None:
        self.folder = folder
        self.runs = runs
        self.by_group: dict[str, list[Row]] = {}  # what has been measured last

    def records(self, name: str, **options: Any) -> Path:
        file = self.folder / f"{name}.jsonl"
        if not file.exists():
            peers.run("make_records", out=file, **options)
        return file

    def small(self) -> Path:
        """What streams are fed with, again and again."""
        return self.records("small", count=20_000, seed=2)

    def in_turns(self, kinds: dict[str, Kind], runs: int | None = None) -> dict[str, list[Measure]]:
        """Starts each kind of peer anew for each run, in an order that is turned round every time."""
        results: dict[str, list[Measure]] = {name: [] for name in kinds}
        for number in range(runs or self.runs):
            for name in sorted(kinds, reverse=number % 2 == 1):
                start, measure = kinds[name]
                with start() as peer:
                    results[name].append(measure(peer))
        return results


def rate(result: Measure, what: str = "records") -> float:
    return float(result[what]) / float(result["seconds"])


def best(results: list[Measure], what: str = "records") -> float:
    return max(rate(result, what) for result in results)


def median(results: list[Measure], what: str = "events") -> float:
    return statistics.median(rate(result, what) for result in results)


def cpu_us(results: list[Measure]) -> float:
    """Least CPU time of a record, microseconds."""
    return min(float(result["cpu_s"]) / float(result["records"]) * 1e6 for result in results)


def quantity(number: float) -> str:
    if number >= 995_000:
        return f"{number / 1e6:.2f} M"
    return f"{number:,.0f}"


def warm_memory() -> None:
    """A virtual machine gives memory back to its host; the first use of it again costs extra, which is not the daemon's."""
    block = bytearray(1_500 * peers.MIB)
    for at in range(0, len(block), 4096):
        block[at] = 1


# --- ingest ---------------------------------------------------------------------------------------------------------


def ingest(bench: Bench) -> list[Row]:
    warm_memory()
    bulk = 200_000
    compact = bench.records("compact", count=bulk)
    spaced = bench.records("spaced", count=bulk, spaced=True)
    bound = "of the bare sink"

    def compare(runs: int, file: Path, expect: Path | None = None, **how: Any) -> dict[str, list[Measure]]:
        # The bare sink does not take the white space out.
        kinds: dict[str, Kind] = {
            "bare": (lambda: peers.bare("bare_sink"), lambda peer: peers.send(peer, file, **how)),
            "daemon": (peers.daemon, lambda peer: peers.send(peer, file, expect=expect, **how)),
        }
        return bench.in_turns(kinds, runs)

    def row(what: str, least: float, found: dict[str, list[Measure]]) -> Row:
        ours, theirs = best(found["daemon"]), best(found["bare"])
        return Row(what, f"≥ {least:.2f} {bound}", f"{quantity(ours)} records/s ({quantity(theirs)})", ours / theirs,
                   ours / theirs >= least)

    rows = []
    one = compare(bench.runs, compact)
    rows.append(row("ingest, 1 connection, blocks", 0.4, one))
    ours, theirs = cpu_us(one["daemon"]), cpu_us(one["bare"])
    rows.append(Row("ingest, CPU time of a record", f"≥ 0.40 {bound}", f"{ours:.2f} µs ({theirs:.2f} µs)", theirs / ours,
                    theirs / ours >= 0.4))
    rows.append(row("ingest, 4 connections, blocks", 0.4, compare(bench.runs, compact, connections=4)))
    rows.append(row("ingest, one record a write", 0.6, compare(bench.runs, compact, each=True, count=200_000)))
    white = best(bench.in_turns({
        "spaced": (peers.daemon, lambda peer: peers.send(peer, spaced, expect=compact)),
    })["spaced"])
    compact_rate = best(one["daemon"])
    rows.append(Row("ingest, blocks, Python's white space", "≥ 0.75 of without it",
                    f"{quantity(white)} records/s ({quantity(compact_rate)})", white / compact_rate,
                    white >= 0.75 * compact_rate))
    return rows


# --- fan-out --------------------------------------------------------------------------------------------------------


def fan_kinds(bench: Bench, **how: Any) -> dict[str, Kind]:
    file = bench.small()
    return {
        "bare": (lambda: peers.bare("bare_fanout"), lambda peer: peers.stream(peer, file, **how)),
        "daemon": (peers.daemon, lambda peer: peers.stream(peer, file, **how)),
    }


def fan_row(what: str, found: dict[str, list[Measure]], least: float = 0.6) -> Row:
    ours, theirs = median(found["daemon"]), median(found["bare"])
    return Row(what, f"≥ {least:.2f} of the bare fan-out", f"{quantity(ours)} events/s ({quantity(theirs)})",
               ours / theirs, ours / theirs >= least)


def fanout(bench: Bench) -> list[Row]:
    rows = []
    for streams, count in ((10, 150_000), (100, 20_000), (1_000, 3_000)):
        found = bench.in_turns(fan_kinds(bench, streams=streams, count=count))
        rows.append(fan_row(f"fan-out, {streams:,} streams", found))
    return rows


def flood(bench: Bench) -> list[Row]:
    """The bound does what it does at any length: a quarter of it tells its rate."""
    kinds = {
        "bare": fan_kinds(bench, streams=100, count=250_000)["bare"],
        "daemon": fan_kinds(bench, streams=100, count=1_000_000)["daemon"],
    }
    return [fan_row("flood, 1,000,000 records to 100 streams, none missing", bench.in_turns(kinds, runs=1), 0.4)]


def latency(bench: Bench) -> list[Row]:
    found = bench.in_turns(fan_kinds(bench, streams=100, count=4_000, rate=1_000))
    rows = []
    for quantile, least in (("p50", 0.67), ("p99", 0.5)):
        ours, theirs = (
            statistics.median(float(run[f"{quantile}_ms"]) for run in found[name]) for name in ("daemon", "bare")
        )
        rows.append(Row(f"live {quantile}, 1,000 records/s to 100 streams", f"≥ {least:.2f} of the bare fan-out (times as speed)",
                        f"{ours:.2f} ms ({theirs:.2f} ms)", theirs / ours, theirs / ours >= least))
    return rows


def stuck(bench: Bench) -> list[Row]:
    file = bench.small()
    options: Measure = {"stall_timeout": "10min"}
    kinds: dict[str, Kind] = {
        name: (lambda: peers.daemon(**options), lambda peer, k=count: peers.stream(peer, file, streams=800, stuck=k, count=5_000))
        for name, count in (("none", 0), ("stuck", 200))
    }
    found = bench.in_turns(kinds)
    ours, theirs = median(found["stuck"]), median(found["none"])
    return [Row("200 of 1,000 streams stuck: what the others get", "≥ 0.90 of without them, nothing missing later",
                f"{quantity(ours)} events/s ({quantity(theirs)})", ours / theirs, ours / theirs >= 0.9)]


def filtered(bench: Bench) -> list[Row]:
    """Records a second, because a filter lets fewer events through."""
    file = bench.small()
    count = 4_000
    path = "/api/v1/logs/stream?q=status_code:200%20duration_ms%3E100"

    def accepted(result: Measure) -> Measure:
        return {"records": count, **result}

    kinds: dict[str, Kind] = {
        "all": (peers.daemon, lambda peer: accepted(peers.stream(peer, file, streams=1_000, count=count))),
        "filtered": (
            peers.daemon,
            lambda peer: accepted(peers.stream(peer, file, streams=1_000, count=count, path=path, partial=True)),
        ),
    }
    found = bench.in_turns(kinds, min(bench.runs, 3))
    ours, theirs = (median(found[name], "records") for name in ("filtered", "all"))
    share = found["filtered"][0]["events"] / found["all"][0]["events"]
    return [Row("1,000 streams with one filter", "≥ 0.80 of 1,000 without",
                f"{quantity(ours)} records/s, {share:.0%} of them streamed ({quantity(theirs)})", ours / theirs,
                ours / theirs >= 0.8)]


# --- memory ---------------------------------------------------------------------------------------------------------


def memory(bench: Bench) -> list[Row]:
    """Under load: a flood to 100 streams, then 200,000 records over 4 connections. ring_bytes is 32 MiB."""
    with peers.daemon() as peer:
        idle = peers.memory_mib(peer.pid, "VmRSS")
        peers.stream(peer, bench.small(), streams=100, count=60_000)
        peers.send(peer, bench.records("compact", count=200_000), connections=4, trust=True)
        peak = peers.memory_mib(peer.pid, "VmHWM")
    return [
        Row("memory, idle", "≤ 12 MiB", f"{idle:.1f} MiB", 12 / idle, idle <= 12),
        Row("memory, peak under a flood", "≤ 64 MiB, the ring of 32 MiB included", f"{peak:.0f} MiB", 64 / peak,
            peak <= 64),
    ]
