# SPDX-License-Identifier: MIT
"""Every curl line of docs/http-api.md, run against a real daemon: each is checked for what it is there to show.

A line that no check knows fails, and so does a check whose line is gone.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from documented import Terminal, at, environment, indented_commands, run
from exposition import parse
from livelogd_daemon import SOURCE_ROOT, Daemon, wait_until
from sample_log import IMAGE, ROWS, filled_daemon

COMMANDS = indented_commands(SOURCE_ROOT / "docs/http-api.md", "curl")
UNIX_SOCKET = "/run/livelogd/http.sock"  # in the document


class Filled(NamedTuple):
    daemon: Daemon
    records: list[dict[str, Any]]
    http_socket: Path

    def typed(self, command: str) -> str:
        return at(self.daemon, command).replace(UNIX_SOCKET, str(self.http_socket))

    def run(self, command: str, **variables: str) -> str:
        shown = run(self.daemon, self.typed(command), variables)
        assert shown.strip(), "it shows something"
        return shown

    def ids(self) -> list[int]:
        """Of the records, oldest first."""
        records = self.daemon.get("/api/v1/logs/recent?ids=true").json()
        assert len(records) == len(self.records)
        return [record["livelog_id"] for record in records]

    def shows(self, command: str, wanted: list[dict[str, Any]]) -> None:
        """A stream that begins with these records, and no other between them."""
        with Terminal(["/bin/bash", "-c", self.typed(command)], env=environment(self.daemon)) as terminal:
            last = wanted[-1]["message"]
            wait_until(lambda: last in terminal.output or terminal.process.poll() is not None, 20, command)
            assert terminal.process.poll() is None, "a stream does not end"
            lines = wait_until(lambda: terminal.output.endswith("\n\n") and terminal.output.split("\n"))
        assert [json.loads(line[6:]) for line in lines if line.startswith('data: {"timestamp"')] == wanted
        numbers = [line for line in lines if line.startswith("id: ")]
        assert len(numbers) >= len(wanted) and all(re.fullmatch(r"id: \d+", one) for one in numbers)


@pytest.fixture(scope="module")
def filled() -> Iterator[Filled]:
    with tempfile.TemporaryDirectory(prefix="livelogd-", dir="/tmp") as folder:
        http_socket = Path(folder) / "http.sock"
        with filled_daemon(listen=["127.0.0.1:0", f"unix:{http_socket}"]) as (daemon, records):
            yield Filled(daemon, records, http_socket)


# --- checks ---------------------------------------------------------------------------------------------------------


def text_of(record: dict[str, Any]) -> str:
    return json.dumps(record).lower()


def severity(record: dict[str, Any]) -> int:
    name = {"WARN": "WARNING"}.get(record["level"], record["level"])
    return ["TRACE", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"].index(name)


def is_error(record: dict[str, Any]) -> bool:
    return severity(record) >= 4 or record.get("status_code", 0) >= 400


def unix_socket(filled: Filled, command: str) -> None:
    assert json.loads(filled.run(command)) == filled.records


def with_a_token(_: Filled, command: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        token = Path(folder) / "token"
        token.write_text("0123456789abcdef\n")
        token.chmod(0o600)
        with Daemon(auth_token_file=token) as daemon:
            daemon.send([{"n": 1}])
            typed = at(daemon, command).replace("/etc/livelogd/token", str(token))
            wait_until(lambda: '"n":1' in run(daemon, typed))
            assert "error" in run(daemon, re.sub('-H "[^"]*"', "", typed))


def expression(filled: Filled, command: str) -> None:
    wanted = [
        record
        for record in filled.records
        if severity(record) >= 3 and record.get("endpoint", "").startswith("/api/") and "timeout" not in text_of(record)
    ]
    assert 0 < len(wanted) < len(filled.records)
    assert json.loads(filled.run(command)) == wanted


def messages_of_errors(filled: Filled, command: str) -> None:
    wanted = [record["message"] for record in filled.records if is_error(record)]
    assert len(wanted) == 3
    assert [json.loads(line) for line in filled.run(command).splitlines()] == wanted


def lines_of_the_last_hours(filled: Filled, command: str) -> None:
    # The oldest, of three hours ago, is a warning too.
    assert severity(filled.records[0]) == 3
    wanted = [record for record in filled.records[1:] if severity(record) >= 3]
    assert [json.loads(line) for line in filled.run(command).splitlines()] == wanted
    # All at once in an array they would be something else.
    with pytest.raises(json.JSONDecodeError):
        json.loads(filled.run(command))


def elided(filled: Filled, command: str) -> None:
    shown = json.loads(filled.run(command))
    assert [record.pop("livelog_id") for record in shown] == filled.ids()[-5:]
    assert shown == filled.records[-5:], "these are short"
    # The record with a long string is further back.
    everything = json.loads(filled.run(command.replace("lines=5", "lines=100")))
    cut, whole = everything[1], filled.records[1]
    assert list(cut)[:2] == ["livelog_id", "livelog_elided"]
    assert cut["livelog_elided"] == {"request_body.images.0": len(IMAGE)}
    assert cut["request_body"]["images"] == [IMAGE[:200] + "…"]
    assert {**cut, "request_body": 0} == {**whole, "request_body": 0} | {
        name: cut[name] for name in ("livelog_id", "livelog_elided")
    }


def one_record(filled: Filled, command: str) -> None:
    for number, record in zip(filled.ids(), filled.records):
        assert json.loads(filled.run(command, ID=str(number))) == record
    missing = subprocess.run(
        ["/bin/bash", "-o", "pipefail", "-c", filled.typed(command)],
        env=environment(filled.daemon, {"ID": "1"}),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "error" in json.loads(missing.stdout), "a sentence says that it is not there"


def table_of_requests(filled: Filled, command: str) -> None:
    rows = [line.split("\t") for line in filled.run(command).splitlines()]
    assert len(rows) == len(ROWS)
    for row, wanted in zip(rows, ROWS):
        assert [row[0], row[1], row[3]] == [wanted[0], wanted[1], wanted[3] or ""]
        assert row[2] == "" if wanted[2] is None else float(row[2]) == wanted[2]


def summary_of_errors(filled: Filled, command: str) -> None:
    assert json.loads(filled.run(command)) == {
        "total_errors": 3,
        "error_types": {"HTTP 500": 1, "HTTP 503": 1, "not_found": 1},
        "endpoints_with_errors": {"/api/chat": 1, "/api/models": 1, "/health": 1},
        "status_codes": {"404": 1, "500": 1, "503": 1},
    }


def documents(text: str) -> list[Any]:
    """JSON values one after another."""
    found, at_ = [], 0
    while text[at_:].strip():
        at_ += len(text[at_:]) - len(text[at_:].lstrip())
        value, at_ = json.JSONDecoder().raw_decode(text, at_)
        found.append(value)
    return found


def timeline_and_facets(filled: Filled, command: str) -> None:
    timeline, facets = documents(filled.run(command))
    young = filled.records[1:]
    assert len(timeline) == 12
    assert sum(part["total"] for part in timeline) == len(young)
    assert sum(part["requests"] for part in timeline) == len([r for r in young if r.get("type") == "request"])
    assert sum(part["errors"] for part in timeline) == 3
    assert [part["start"] for part in timeline] == sorted(part["start"] for part in timeline)
    assert {"llama3", "qwen"} <= {model for part in timeline for model in part["models"]}
    assert set(facets) == {"level", "model"}
    levels = [severity(record) for record in young]
    assert sum(facets["level"].values()) == len(young)
    assert facets["level"]["ERROR"] == levels.count(4) == 3 and facets["level"]["INFO"] == levels.count(2)
    assert {"llama3", "qwen"} <= set(facets["model"])


def replayed_errors(filled: Filled, command: str) -> None:
    filled.shows(command, [record for record in filled.records if is_error(record)])


def expression_on_a_stream(filled: Filled, command: str) -> None:
    # Live only: nothing of what is in the log, and of what comes only what fits.
    unwanted = [
        {"timestamp": "2026-01-01T00:00:00Z", "message": "good", "status_code": 200, "endpoint": "/api/chat"},
        {"timestamp": "2026-01-01T00:00:00Z", "message": "unwell", "status_code": 503, "endpoint": "/health"},
    ]
    wanted = {"timestamp": "2026-01-01T00:00:00Z", "message": "broken", "status_code": 502, "endpoint": "/api/chat"}
    with Daemon() as daemon:
        typed = at(daemon, command)
        with Terminal(["/bin/bash", "-c", typed], env=environment(daemon)) as terminal:
            wait_until(lambda: "id: " in terminal.output or terminal.process.poll() is not None, 20, "it begins")
            assert terminal.process.poll() is None, terminal.output
            daemon.send([*unwanted, wanted])
            wait_until(lambda: "broken" in terminal.output, 20, "the record that fits")
            shown = terminal.output
    assert json.dumps(wanted, separators=(",", ":")) in shown
    assert "good" not in shown and "unwell" not in shown


def metrics(filled: Filled, command: str) -> None:
    families = parse(filled.run(command))
    stored = families["livelogd_ingest_lines_total"].samples
    assert stored[("livelogd_ingest_lines_total", (("outcome", "stored"),))] == len(filled.records)


def description(filled: Filled, command: str) -> None:
    paths = json.loads(filled.run(command))
    assert {"/api/v1/logs/recent", "/api/v1/logs/requests", "/metrics"} <= set(paths)


Check = Callable[[Filled, str], None]
CHECKS: dict[str, Check] = {
    r"curl -H \"Authorization: Bearer \$\(cat /etc/livelogd/token\)\" \S+/recent": with_a_token,
    r"curl --unix-socket \S+ http://localhost/api/v1/logs/recent": unix_socket,
    r"curl -G \S+/recent\" --data-urlencode 'q=level>=warning endpoint:/api/\* -timeout'": expression,
    r"curl \S+/recent\?type=errors&lines=25\" \| jq '\.\[\]\.message'": messages_of_errors,
    r"curl \S+/recent\?format=ndjson&level=warning&since=2h\"": lines_of_the_last_hours,
    r"curl \S+/recent\?lines=5&ids=true&elide=200\" \| jq \.": elided,
    r"curl \S+/records/\$ID\" \| jq \.": one_record,
    r"curl \S+/requests\?lines=20\" \| jq -r '.*\[\.state, .*\.model\] \| @tsv'": table_of_requests,
    r"curl \S+/stats\?hours=6\" \| jq '\.error_summary'": summary_of_errors,
    r"curl \S+/stats\?hours=1&buckets=12&facets=level,model\" \| jq '\.timeline, \.facets'": timeline_and_facets,
    r"curl -N \S+/stream\?replay=10&type=errors\"": replayed_errors,
    r"curl -N -G \S+/stream\" --data-urlencode \"q=status:5xx -endpoint:/health\"": expression_on_a_stream,
    r"curl \S+/metrics": metrics,
    r"curl \S+/openapi\.json \| jq '\.paths \| keys'": description,
}


def check_of(command: str) -> Check | None:
    known = [check for pattern, check in CHECKS.items() if re.fullmatch(pattern, command)]
    assert len(known) <= 1, f"several checks know {command}"
    return known[0] if known else None


@pytest.mark.parametrize("command", COMMANDS)
def test_command(filled: Filled, command: str) -> None:
    check = check_of(command)
    if check is None:
        pytest.fail(f"a command that no check knows: {command}")
    check(filled, command)


def test_every_check_has_its_line() -> None:
    used = {check_of(command) for command in COMMANDS}
    assert [check.__name__ for check in CHECKS.values() if check not in used] == []
    assert len(COMMANDS) == len(set(COMMANDS)) == len(CHECKS)


def test_no_other_command_stands_in_the_document() -> None:
    """A line that calls curl in another way than indented by four spaces would go untried."""
    lines = (SOURCE_ROOT / "docs/http-api.md").read_text().splitlines()
    calls = [line for line in lines if re.match(r"\s*[$`]*\s*curl\b", line)]
    assert [line.strip() for line in calls] == COMMANDS
