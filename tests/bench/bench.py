#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures the daemon against bare programs that do the least the job allows, in one run, and prints ratios.

    tests/bench/bench.py [GROUP...] [--runs 5] [--long] [--json FILE] [--check | --update]

    --check     compares the ratios with the table of docs/performance.md; exit code 1 if one is worse by more than a fifth
    --update    writes the rows that were measured into that table, and the lines of the README anew

Without groups all are measured but those that need --long. `make bench` builds what is needed first. The program is
$LIVELOGD_BIN, else build/release/livelogd.
"""

from __future__ import annotations

import argparse
import datetime
import json
import resource
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import bench_queries as queries  # noqa: E402
import bench_rows as rows  # noqa: E402
from bench_peers import SOURCE_ROOT, machine  # noqa: E402
from bench_table import Row, better_of, merge, parse_table, replace_block, summary, table, worse  # noqa: E402

GROUPS = {
    "ingest": rows.ingest,
    "fanout": rows.fanout,
    "flood": rows.flood,
    "latency": rows.latency,
    "stuck": rows.stuck,
    "filtered": rows.filtered,
    "stats": queries.stats,
    "recent": queries.recent,
    "mixed": queries.mixed,
    "memory": rows.memory,
    "loss": queries.loss,
    "history": queries.history,
}
LONG = {"history"}

DOCUMENT = SOURCE_ROOT / "docs/performance.md"
README = SOURCE_ROOT / "README.md"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measures the daemon against bare programs, in one run.")
    parser.add_argument("groups", nargs="*", metavar="GROUP", help="what to measure: " + ", ".join(GROUPS))
    parser.add_argument("--runs", type=int, default=5, help="of each kind, where a run is cheap")
    parser.add_argument("--long", action="store_true", help="also what takes minutes and 10 GiB of disk")
    parser.add_argument("--json", type=Path, help="also write the rows into this file")
    what_then = parser.add_mutually_exclusive_group()
    what_then.add_argument("--check", action="store_true", help="compare with docs/performance.md")
    what_then.add_argument("--update", action="store_true", help="write into docs/performance.md")
    chosen = parser.parse_args()
    unknown = set(chosen.groups) - set(GROUPS)
    if unknown:
        parser.error(f"no such group: {', '.join(sorted(unknown))} (there are {', '.join(GROUPS)})")
    return chosen


def check(bench: rows.Bench, groups: list[str], measured: list[Row]) -> tuple[list[Row], list[str]]:
    """What seems worse is measured once more, and the better counts: the machine may have been busy."""
    written = parse_table(DOCUMENT.read_text(encoding="utf-8"))
    if worse(written, measured):
        doubtful = [group for group in groups if worse(written, bench.by_group[group])]
        measured = better_of(measured, measure_groups(bench, doubtful))
    return measured, worse(written, measured)


def measure_groups(bench: rows.Bench, groups: list[str]) -> list[Row]:
    found: list[Row] = []
    for group in groups:
        begun = time.monotonic()
        bench.by_group[group] = GROUPS[group](bench)
        found += bench.by_group[group]
        for row in bench.by_group[group]:
            print(" | ".join(row.cells()), file=sys.stderr)
        print(f"{group}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    return found


def update(measured: list[Row], command: str) -> None:
    document = DOCUMENT.read_text(encoding="utf-8")
    merged = merge(parse_table(document), measured)
    kept = len(merged) - len(measured)
    others = f" {kept} rows are from an earlier run." if kept else ""
    block = f"{datetime.date.today().isoformat()}, {machine()}: `{command}`.{others}\n\n{table(merged)}"
    DOCUMENT.write_text(replace_block(document, block), encoding="utf-8")
    lines = summary(merged)
    if lines:
        readme = README.read_text(encoding="utf-8")
        README.write_text(replace_block(readme, "\n".join(lines)), encoding="utf-8")


def main() -> int:
    chosen = arguments()
    groups = chosen.groups or [group for group in GROUPS if group not in LONG or chosen.long]
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192) if hard != resource.RLIM_INFINITY else 8192, hard))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what has been started is ended too
    folder = Path(tempfile.mkdtemp(prefix="livelogd-bench-", dir="/tmp"))
    worsened: list[str] = []
    try:
        bench = rows.Bench(folder, chosen.runs)
        measured = measure_groups(bench, groups)
        if chosen.check:
            measured, worsened = check(bench, groups, measured)
    finally:
        shutil.rmtree(folder, ignore_errors=True)

    print(table(measured))
    if chosen.json:
        document = {"date": datetime.date.today().isoformat(), "machine": machine(),
                    "rows": [vars(row) for row in measured]}
        chosen.json.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    if chosen.update:
        update(measured, " ".join(["tests/bench/bench.py", *sys.argv[1:]]))
    for sentence in worsened:
        print(f"worse: {sentence}", file=sys.stderr)
    return 1 if worsened else 0


if __name__ == "__main__":
    sys.exit(main())
