# SPDX-License-Identifier: MIT
"""Sealed files that are compressed: any tool reads them, and no answer of the daemon tells the difference."""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from livelogd_daemon import Daemon, run_livelogd, wait_until
from sse_client import Stream
from test_summaries import answers, records, wait_for_summaries
from waiting import wait_for_records

OPTIONS: dict[str, Any] = {
    "log_max_bytes": "64KiB",
    "log_backup_count": 1000,
    "sync_interval": "50ms",
    "max_record_bytes": "32KiB",
    "ring_bytes": "64KiB",
}
COUNT = 3000


@pytest.fixture(scope="module")
def has_zstd() -> bool:
    """Whether the daemon was built with zstd. If not, it says so."""
    told = run_livelogd("--log-compress", "--check-config")
    if told.returncode == 78 and "built without zstd" in told.stderr:
        return False
    assert told.returncode == 0, told.stderr
    return True


@pytest.fixture(autouse=True)
def kind_of_build(request: pytest.FixtureRequest, has_zstd: bool) -> None:
    """Tests of compressed files need a daemon with zstd, those named `..._without_zstd_...` one without."""
    if has_zstd == ("_without_zstd_" in request.node.name):
        pytest.skip(f"this livelogd was built {'with' if has_zstd else 'without'} zstd")


def test_a_livelogd_without_zstd_refuses_what_it_cannot_read_and_leaves_it_as_it_is() -> None:
    with Daemon() as daemon:
        daemon.send({"n": 1})
        wait_for_records(daemon, 1)
        daemon.stop()
        segment = daemon.segments()[0]
        subprocess.run(["zstd", "-q", "--rm", str(segment)], check=True)
        before = {p.name: p.read_bytes() for p in files(daemon)}
        refusal = run_livelogd(f"--log-dir={daemon.log_dir}", f"--socket={daemon.socket_path}", "--listen=127.0.0.1:0")
        assert refusal.returncode == 78
        assert f"{segment.name}.zst" in refusal.stderr and "zstd -d --rm" in refusal.stderr
        assert {p.name: p.read_bytes() for p in files(daemon)} == before
        subprocess.run(["zstd", "-q", "-d", "--rm", f"{segment}.zst"], check=True)
        daemon.start()
        assert daemon.recent()[0]["n"] == 1


def files(daemon: Daemon) -> list[Path]:
    return sorted(p for p in daemon.log_dir.glob("live-*.jsonl*"))


def sizes(daemon: Daemon) -> list[int]:
    """Of the files, while some of them may be going."""
    found = []
    for path in files(daemon):
        with contextlib.suppress(FileNotFoundError):
            found.append(path.stat().st_size)
    return found


def wait_for_compression(daemon: Daemon) -> None:
    """Until all but the active file are compressed, and nothing else is left."""

    def done() -> bool:
        found = files(daemon)
        return len(found) > 3 and found[-1].suffix == ".jsonl" and all(p.suffix == ".zst" for p in found[:-1])

    wait_until(done, timeout=30, what="all sealed files are compressed")


def as_tools_see_it(daemon: Daemon) -> list[Any]:
    """zstdcat and jq, as an operator would use them."""
    command = "zstdcat -f live-*.jsonl* | jq -c ."
    shown = subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=daemon.log_dir, capture_output=True, check=True)
    return [json.loads(line) for line in shown.stdout.splitlines()]


def searches(daemon: Daemon) -> list[Any]:
    """What goes through records and pairs."""
    pairs = daemon.get("/api/v1/logs/requests?lines=500").json()
    for pair in pairs:
        pair.pop("age_ms", None)
    return [
        pairs,
        daemon.recent(lines=COUNT, search="xxxx", type="errors"),
        daemon.recent(lines=7, q="status_code = 500"),
    ]


def ids(daemon: Daemon) -> list[int]:
    return [one["livelog_id"] for one in daemon.recent(lines=COUNT, ids="true")]


def test_answers_are_the_same_compressed_and_plain_with_summaries_and_without() -> None:
    sent = records(COUNT, seed=1)
    with Daemon(**OPTIONS, log_compress=False, orphan_after="100h") as daemon:
        daemon.send(sent)
        wait_for_records(daemon, COUNT)
        wait_for_summaries(daemon)
        plain = answers(daemon)
        plain_ids = ids(daemon)
        searched = searches(daemon)
        size = sum(p.stat().st_size for p in files(daemon))
        summaries = {p.name: p.read_bytes() for p in daemon.log_dir.glob("*.summary")}
        assert len(summaries) > 3

        daemon.restart(log_compress=True)
        wait_for_compression(daemon)
        assert as_tools_see_it(daemon) == sent
        assert sum(p.stat().st_size for p in files(daemon)) < size / 3
        assert answers(daemon) == plain
        # A summary is of what is in the file, compressed or not.
        assert {p.name: p.read_bytes() for p in daemon.log_dir.glob("*.summary")} == summaries
        assert ids(daemon) == plain_ids
        assert searches(daemon) == searched
        some = random.Random(2).sample(range(COUNT), 20)
        for n in some:
            assert daemon.get(f"/api/v1/logs/records/{plain_ids[n]}").json() == sent[n]

        # Made anew from the compressed files, and not used at all.
        for summary in daemon.log_dir.glob("*.summary"):
            summary.unlink()
        for options in ({"summaries": False}, {"summaries": True}):
            daemon.restart(log_compress=True, **options)
            if options["summaries"]:
                wait_until(lambda: len(list(daemon.log_dir.glob("*.summary"))) == len(summaries), timeout=30)
            assert answers(daemon) == plain
        assert {p.name for p in daemon.log_dir.glob("*.summary")} == set(summaries)


def test_a_stream_resumes_in_compressed_files_and_goes_on_live() -> None:
    sent = records(COUNT, seed=3)
    with Daemon(**OPTIONS, log_compress=True) as daemon:
        daemon.send(sent)
        wait_for_records(daemon, COUNT)
        wait_for_compression(daemon)
        all_ids = ids(daemon)
        chance = random.Random(4)
        for live, after in enumerate([0, all_ids[chance.randrange(COUNT // 2)], all_ids[COUNT - 500]]):
            with Stream(daemon, headers={"Last-Event-ID": str(after)}) as stream:
                wanted = [n for n in range(COUNT) if all_ids[n] > after]
                events = stream.records(len(wanted))
                assert [e.id for e in events] == [all_ids[n] for n in wanted]
                assert [e.json() for e in events] == [sent[n] for n in wanted]
                daemon.send({"n": live})
                assert [e.json()["n"] for e in stream.records(live + 1)] == list(range(live + 1))
        with Stream(daemon, "replay=2500&type=errors") as stream:
            errors = [r for r in sent if r["level"] == "ERROR" or r.get("status_code", 0) >= 400]
            assert [e.json() for e in stream.records(len(errors))] == errors


def test_killed_in_the_middle_of_compressing_nothing_is_lost_or_doubled() -> None:
    chance = random.Random(5)
    sent: list[dict[str, Any]] = []
    with Daemon(**OPTIONS, log_compress=True, timezone="UTC") as daemon:
        for _ in range(5):
            more = records(600, seed=len(sent))
            daemon.send(more)
            sent += more
            wait_for_records(daemon, len(sent))
            time.sleep(chance.random() * 0.05)
            daemon.kill()
            daemon.start()
            assert len(daemon.recent(lines=len(sent) + 10)) == len(sent)
        wait_for_compression(daemon)
        assert as_tools_see_it(daemon) == sent
        assert not list(daemon.log_dir.glob("*.new"))
        assert daemon.recent(lines=len(sent)) == sent


def test_a_damaged_file_is_told_and_its_records_are_missing_but_nothing_else() -> None:
    sent = [{"timestamp": "t", "n": n, "p": "x" * 100} for n in range(COUNT)]
    with Daemon(**OPTIONS, log_compress=True) as daemon:
        daemon.send(sent)
        wait_for_records(daemon, COUNT)
        wait_for_compression(daemon)
        all_ids = ids(daemon)
        first, second, third = files(daemon)[:3]
        daemon.stop()
        # In one the frame is damaged, in the other the table at the end.
        bent = bytearray(first.read_bytes())
        bent[40] ^= 1
        first.write_bytes(bent)
        os.truncate(second, second.stat().st_size - 3)
        border = int(third.name[5:25])
        daemon.start()
        left = [r for n, r in enumerate(sent) if all_ids[n] >= border]
        assert daemon.recent(lines=COUNT) == left
        assert daemon.get(f"/api/v1/logs/records/{all_ids[3]}").status == 404
        with Stream(daemon, headers={"Last-Event-ID": "0"}) as stream:
            assert [e.json() for e in stream.records(len(left))] == left
            gaps = [e.json() for e in stream.named if e.name == "gap"]
            assert [(g["from"], g["to"]) for g in gaps][-1] == (int(second.name[5:25]), border - 1)
        told = daemon.stderr
        assert f"{first} is damaged" in told and f"{second} cannot be read" in told
        assert daemon.get("/api/v1/logs/stats").status == 200


def test_reloading_turns_compression_on_and_limits_the_log() -> None:
    options: dict[str, Any] = OPTIONS | {"log_max_bytes": "16KiB"}
    with Daemon(**options) as daemon:
        config = daemon.folder / "live.toml"
        config.write_text("")
        daemon.restart(config=config)
        daemon.send(records(COUNT, seed=6))
        wait_for_records(daemon, COUNT)
        assert all(p.suffix == ".jsonl" for p in files(daemon))
        config.write_text("log_compress = true\n")
        daemon.signal(1)
        wait_for_compression(daemon)
        full = sum(p.stat().st_size for p in files(daemon)[:-1])
        limit = 16 * 1024 + full // 2
        config.write_text(f"log_compress = true\nlog_total_bytes = {limit}\n")
        daemon.signal(1)
        wait_until(lambda: sum(sizes(daemon)) <= limit, what="the log fits its limit")
        assert len(files(daemon)) > 2
        # A file may still have been on its way into its compressed form.
        def metrics() -> str:
            return daemon.get("/metrics").body.decode()

        wait_until(lambda: f"livelogd_log_compressed_segments {len(files(daemon)) - 1}\n" in metrics())
        wait_until(lambda: f"livelogd_log_disk_bytes {sum(sizes(daemon))}\n" in metrics())
        config.write_text("log_compress = true\nlog_max_age = '1s'\n")
        daemon.signal(1)
        wait_until(lambda: sizes(daemon) == [0], timeout=15, what="all is too old")
        assert daemon.recent() == []
        daemon.send({"n": 1})
        assert wait_until(lambda: daemon.recent() and daemon.recent()[0]["n"] == 1)
