# SPDX-License-Identifier: MIT
"""GET /metrics: the format, as Prometheus' own tool and a strict reader see it, and numbers that are true."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from exposition import Scrape
from file_limit import TOO_SMALL, UNLIMITED, limit_files, record
from livelogd_daemon import SOURCE_ROOT, Daemon, run_livelogd, wait_until
from sse_client import Stream
from waiting import wait_for_newest, wait_for_records

RECENT, STATS = "/api/v1/logs/recent", "/api/v1/logs/stats"

# Of what a process can be asked, what every system that the tests run on tells.
PROCESS = {"resident_memory_bytes", "open_fds", "max_fds", "cpu_seconds_total", "start_time_seconds"}


def promtool() -> str | None:
    """The one that packaging/promtool.sh has fetched, or one that is installed."""
    fetched = SOURCE_ROOT / "build/tools/promtool"
    return str(fetched) if os.access(fetched, os.X_OK) else shutil.which("promtool")


def load(daemon: Daemon) -> None:
    """Every outcome that a line can have, apart from those that only a configuration makes."""
    levels = ["TRACE", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
    daemon.send([{"level": level, "n": n} for n, level in enumerate(levels)])
    daemon.send([{"type": "response", "status_code": 404}, {"level": 30}, b"no JSON\n"])
    hello = b'{"livelog":1,"client":"metrics","next":1}\n'
    for _ in range(2):  # the second time they are recognised
        with daemon.connect() as sender:
            sender.sendall(hello + b'{"n":6}\n{"n":7}\n{"unfinished"')
            sender.shutdown(socket.SHUT_WR)
            while sender.recv(4096):
                pass
    wait_for_records(daemon, 11)


# --- the format ---------------------------------------------------------------------------------------------------


def test_promtool_finds_nothing_to_complain_about(daemon: Daemon) -> None:
    tool = promtool()
    if tool is None:
        pytest.skip("there is no promtool: packaging/promtool.sh fetches it, unless SKIP_DEPS=1 or without a network")
    load(daemon)
    with Stream(daemon, "after=0") as stream:
        stream.records(11)
        daemon.get(f"{STATS}?hours=0")
        text = Scrape(daemon).text
    checked = subprocess.run([tool, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
    # It does complain where there is something: a counter without the ending that counters have.
    broken = "# HELP livelogd_lines Lines.\n# TYPE livelogd_lines counter\nlivelogd_lines 1\n"
    checked = subprocess.run([tool, "check", "metrics"], input=broken, capture_output=True, text=True, check=False)
    assert checked.returncode != 0


def test_it_can_be_asked_like_every_address(daemon: Daemon) -> None:
    head = daemon.get("/metrics", method="HEAD")
    assert head.status == 200 and head.body == b"" and int(head.headers["Content-Length"]) > 1000
    assert daemon.get("/metrics", method="POST").status == 405
    refused = daemon.get("/metrics?format=json")
    assert refused.status == 400 and refused.json()["parameter"] == "format"
    assert daemon.get("/metrics", headers={"Host": "elsewhere.example"}).status == 403


def test_every_family_is_explained_and_has_the_daemons_prefix(daemon: Daemon) -> None:
    for name, family in Scrape(daemon).families.items():
        assert name.startswith("livelogd_"), name
        assert family.help.endswith(".") and len(family.help) > 10, (name, family.help)


# --- the numbers --------------------------------------------------------------------------------------------------


def test_lines_are_counted_as_stats_counts_them(daemon: Daemon) -> None:
    load(daemon)
    told = daemon.get(STATS).json()["daemon"]
    seen = Scrape(daemon)
    assert told == {
        "lines": 15,
        "stored": 11,
        "malformed": 1,
        "deduplicated": 2,
        "dropped_by_configuration": 0,
        "unfinished": 2,
        "waiting": 0,
        "own_records": 0,
    }
    assert seen.value("ingest_received_lines_total") == told["lines"]
    for outcome in ("stored", "deduplicated", "dropped_by_configuration", "unfinished"):
        assert seen.value("ingest_lines_total", outcome=outcome) == told[outcome], outcome
    assert seen.value("ingest_waiting_lines") == told["waiting"]
    assert seen.value("ingest_malformed_lines_total") == told["malformed"]
    assert seen.value("log_own_records_total") == told["own_records"]


def test_records_are_counted_by_severity(daemon: Daemon) -> None:
    load(daemon)
    seen = Scrape(daemon)
    # WARNING: the number 30, and the record that tells of the malformed line. INFO: three without a level.
    counts = {"TRACE": 1, "DEBUG": 1, "INFO": 4, "WARNING": 3, "ERROR": 1, "CRITICAL": 1}
    assert {level: seen.value("log_records_total", level=level) for level in counts} == counts
    assert seen.label_values("level") == set(counts)
    errors = daemon.get(STATS).json()["error_summary"]["total_errors"]
    assert seen.value("log_error_records_total") == errors == 3


def test_what_the_configuration_leaves_out_is_counted() -> None:
    with Daemon(log_api_calls=False) as daemon:
        daemon.send([{"type": "request"}, {"type": "response"}, {"n": 1}])
        wait_for_records(daemon, 1)
        seen = Scrape(daemon)
        assert seen.value("ingest_lines_total", outcome="dropped_by_configuration") == 2
        assert seen.value("ingest_lines_total", outcome="stored") == 1


def test_bytes_and_connections_of_senders() -> None:
    with Daemon(max_ingest_connections=7) as daemon:
        before = Scrape(daemon)
        lines = b'{"n":1}\n\n{"n":2}\n'
        with daemon.connect() as sender:
            sender.sendall(lines)
            wait_for_records(daemon, 2)
            seen = Scrape(daemon)
            assert seen.value("ingest_connections") == 1
            assert seen.value("ingest_connections_limit") == 7
            assert seen.value("ingest_bytes_total") - before.value("ingest_bytes_total") == len(lines)
            total = "ingest_connections_total"
            assert seen.value(total) - before.value(total) == 1
        wait_until(lambda: Scrape(daemon).value("ingest_connections") == 0, what="the sender is gone")


def test_the_log_is_told_as_it_is() -> None:
    with Daemon(log_max_bytes="4KiB", log_backup_count=3, sync="none") as daemon:
        for n in range(10):
            daemon.send([record(n)])  # each is larger than a file should be: it gets one of its own
            wait_for_newest(daemon, n)
        seen = Scrape(daemon)
        files = daemon.segments()
        assert seen.value("log_segments") == len(files) == 4
        assert seen.value("log_removed_segments_total") == 10 - 4
        assert seen.value("log_bytes") == sum(file.stat().st_size for file in files)
        assert seen.value("log_oldest_id") == int(files[0].name[5:25])
        assert seen.value("log_pending_bytes") == 0
        with Stream(daemon, "replay=1") as stream:
            assert stream.record().id == seen.value("log_next_id") - 1


def test_what_is_not_synced_is_told() -> None:
    with Daemon(sync="interval", sync_interval="1h") as daemon:
        daemon.send([{"n": 1}])
        wait_for_newest(daemon, 1)
        assert Scrape(daemon).value("log_unsynced_bytes") == sum(file.stat().st_size for file in daemon.segments()) > 0
        with daemon.connect() as sender:
            sender.sendall(b'{"livelog":1,"ack":"durable"}\n{"n":2}\n')
            wait_for_newest(daemon, 2)
            wait_until(lambda: Scrape(daemon).value("log_unsynced_bytes") == 0, what="somebody waited for the sync")


def test_an_outage_is_told_while_it_lasts_and_counted_for_good(daemon: Daemon) -> None:
    daemon.send([record(0)])
    wait_for_newest(daemon, 0)
    seen = Scrape(daemon)
    assert (seen.value("log_storing_failing"), seen.value("log_outages_total")) == (0, 0)
    for outage in (1, 2):
        limit_files(daemon, TOO_SMALL)
        daemon.send([record(outage)])
        wait_until(lambda: Scrape(daemon).value("log_storing_failing") == 1, what="storing fails")
        seen = Scrape(daemon)
        assert seen.value("log_outages_total") == outage
        assert seen.value("log_pending_bytes") > 5000
        assert seen.value("ingest_waiting_lines") == 1
        limit_files(daemon, UNLIMITED)
        wait_until(lambda: Scrape(daemon).value("log_storing_failing") == 0, what="storing works again")
        # The daemon has written a record of its own about it.
        wait_until(lambda: Scrape(daemon).value("log_own_records_total") == outage)
    seen = Scrape(daemon)
    assert seen.value("log_outages_total") == 2 and seen.value("log_pending_bytes") == 0


def test_requests_are_counted_by_endpoint_and_code(daemon: Daemon) -> None:
    before = Scrape(daemon)
    for path, count in ((RECENT, 3), (f"{RECENT}?lines=0", 2), (f"{STATS}?hours=1", 1), ("/nowhere", 4), ("/", 1)):
        for _ in range(count):
            daemon.get(path)
    daemon.get(RECENT, method="HEAD")
    daemon.get(RECENT, method="OPTIONS")
    daemon.get(RECENT, method="DELETE")
    daemon.get(RECENT, headers={"Host": "elsewhere.example"})
    with socket.create_connection(("127.0.0.1", daemon.port)) as connection:
        connection.sendall(b"nonsense\r\n\r\n")
        while connection.recv(4096):
            pass
    seen = Scrape(daemon)

    def counted(endpoint: str, code: int) -> float:
        return seen.value("http_requests_total", endpoint=endpoint, code=str(code))

    codes = {200: 4, 204: 1, 400: 2, 403: 1, 405: 1}
    assert {code: counted(RECENT, code) for code in codes} == codes
    assert counted(STATS, 200) == 1
    assert counted("/", 302) == 1
    assert counted("other", 404) == 4
    assert counted("other", 400) == 1
    # The answer to one scrape is counted by the next.
    assert counted("/metrics", 200) - before.value("http_requests_total", endpoint="/metrics", code="200") == 1


def test_queries_are_timed(daemon: Daemon) -> None:
    load(daemon)
    name = "http_query_duration_seconds"
    before = Scrape(daemon)
    began = time.monotonic()
    for _ in range(5):
        daemon.get(f"{STATS}?hours=1")
        daemon.get(f"{STATS}?hours=no")  # refused: says nothing about how long queries take
    took = time.monotonic() - began
    seen = Scrape(daemon)

    def grown(suffix: str, **labels: str) -> float:
        now, then = (one.value(name, suffix, endpoint=STATS, **labels) for one in (seen, before))
        return now - then

    assert grown("_count") == grown("_bucket", le="+Inf") == 5
    assert 0 < grown("_sum") < took
    bounds = [dict(labels)["le"] for _, labels in seen.families[f"livelogd_{name}"].samples if "le" in dict(labels)]
    assert (bounds[0], bounds[-2:]) == ("0.001", ["10", "+Inf"])
    endpoints = {dict(labels)["endpoint"] for _, labels in seen.families[f"livelogd_{name}"].samples}
    assert endpoints >= {RECENT, STATS} and "/metrics" not in endpoints


def test_connections_and_streams_of_clients() -> None:
    with Daemon(max_http_connections=3) as daemon:
        daemon.send([{"n": n} for n in range(10)])
        wait_for_records(daemon, 10)
        first = Scrape(daemon)
        assert (first.value("streams"), first.value("http_connections_limit")) == (0, 3)
        with Stream(daemon, "after=0") as one, Stream(daemon, "replay=4") as two:
            assert len(one.records(10)) == 10 and len(two.records(4)) == 4
            seen = Scrape(daemon)
            assert seen.value("streams") == 2
            assert seen.value("http_connections") == 3
            assert seen.value("streamed_records_total") == 14
            with socket.create_connection(("127.0.0.1", daemon.port)) as third:
                # It is taken once what the scrapes had open is gone.
                third.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                wait_until(lambda: third.recv(4096), what="an answer to the third")
                assert daemon.get("/metrics").status == 503
        wait_until(lambda: daemon.get("/metrics").status == 200, what="the connections are gone")
        wait_until(lambda: Scrape(daemon).value("streams") == 0, what="the streams are gone")
        last = Scrape(daemon)
        assert last.value("http_refused_connections_total") >= 1
        assert last.value("http_connections_total") > first.value("http_connections_total") + 3
        assert last.value("http_requests_total", endpoint="/metrics", code="503") >= 1


def test_streams_behind_the_ring_and_clients_that_stall() -> None:
    small_ring: dict[str, Any] = {"max_record_bytes": "32KiB", "ring_bytes": "64KiB"}
    with Daemon(stall_timeout="1s", log_max_bytes="64MiB", sync="none", **small_ring) as daemon:
        daemon.send([{"n": n, "message": "x" * 10_000} for n in range(600)])
        wait_for_newest(daemon, 599)
        seen = Scrape(daemon)
        assert seen.value("ring_limit_bytes") == 64 << 10
        # The newest batch stays whatever its size.
        assert 0 < seen.value("ring_bytes") < 2 << 20
        assert (seen.value("catch_up_blocks_total"), seen.value("http_stalled_clients_total")) == (0, 0)
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", daemon.port))
            client.sendall(b"GET /api/v1/logs/stream?after=0 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            wait_until(lambda: Scrape(daemon).value("http_stalled_clients_total") == 1, what="it is closed")
            seen = Scrape(daemon)
            assert seen.value("catch_up_blocks_total") > 0
            assert 0 < seen.value("streamed_records_total") < 600
        wait_until(lambda: Scrape(daemon).value("streams") == 0)


def test_the_process_is_told_as_the_system_knows_it() -> None:
    started = time.time()
    with Daemon() as daemon:
        seen = Scrape(daemon)
        assert {name.removeprefix("livelogd_process_") for name in seen.families if "_process_" in name} == PROCESS
        assert started - 2 < seen.value("process_start_time_seconds") <= time.time()
        told, known = seen.value("process_resident_memory_bytes"), daemon.rss_bytes()
        assert known / 2 < told < known * 2
        # Its two ends of this connection are gone by now, or not yet.
        assert abs(seen.value("process_open_fds") - len(os.listdir(f"/proc/{daemon.pid}/fd"))) <= 2
        fields = Path(f"/proc/{daemon.pid}/stat").read_text().rpartition(")")[2].split()
        ticks = sum(map(int, fields[11:13]))
        assert seen.value("process_cpu_seconds_total") <= ticks / os.sysconf("SC_CLK_TCK") + 1
        version = run_livelogd("--version").stdout.split()[-1]
        assert seen.value("build_info", version=version) == 1


# --- over time, and under attack ------------------------------------------------------------------------------------


def test_counters_never_fall(daemon: Daemon) -> None:
    last = Scrape(daemon)
    for round_ in range(5):
        load(daemon) if round_ == 0 else daemon.send([{"n": round_}, b"{broken\n"])
        daemon.recent()
        daemon.get("/nowhere")
        seen = Scrape(daemon)
        for name, family in last.families.items():
            for key, value in family.samples.items():
                if family.kind != "gauge":
                    assert seen.families[name].samples[key] >= value, key
        last = seen


def test_labels_are_the_daemons_own_whatever_it_is_sent(daemon: Daemon) -> None:
    daemon.get("/")
    quiet = Scrape(daemon)
    evil = 'evil"} 1\nlivelogd_x{a="b\\'
    daemon.send(
        [
            {name: evil for name in ("level", "type", "endpoint", "method", "model", "request_id", "error_type")},
            {"type": "response", "status_code": 999, "endpoint": evil, "timestamp": evil},
            {"level": "EVIL", "type": "evil", "livelogd": evil},
            b'evil"} 1\n',
        ]
    )
    with daemon.connect() as sender:
        sender.sendall(b'{"livelog":1,"client":"evil"}\n{"n":1}\n')
        wait_for_records(daemon, 5)
    for path in (
        "/evil",
        "/evil%22%7D%201%0Alivelogd_x%201",
        "/metrics/evil",
        "/api/v1/logs/evil",
        "/api/v1/logs/recent/evil",
        "/api/v1/logs/records/evil",
        "/api/v1/logs/records/1%2Fevil",
        "/api/v1/logs/assets/evil.js",
        "/api/v1/logs/recent?type=evil",
        "/api/v1/logs/recent?evil=evil",
        "/api/v1/logs/stats?type=evil&hours=evil",
        "/%00%FFevil",
    ):
        for method in ("GET", "HEAD", "OPTIONS", "EVIL"):
            assert daemon.get(path, method=method, headers={"Last-Event-ID": "evil", "Origin": "evil"}).status
    seen = Scrape(daemon)
    assert "evil" not in seen.text.lower() and "livelogd_x" not in seen.text
    # Not one more label value than before, apart from codes; and of these only those that the daemon answers with.
    for label in ("endpoint", "outcome", "level", "version", "le", "rule", "reason"):
        assert seen.label_values(label) == quiet.label_values(label), label
    assert seen.label_values("code") <= {"200", "204", "302", "400", "403", "404", "405", "500", "503"}
    names = {name for family in seen.families.values() for _, labels in family.samples for name, _ in labels}
    assert names == {"endpoint", "outcome", "level", "version", "le", "rule", "reason", "code"}
    assert seen.value("http_requests_total", endpoint="other", code="404") > 10
