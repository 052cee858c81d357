# SPDX-License-Identifier: MIT
"""Every command, snippet and sample of docs/guide.md, taken from there and tried.

A command that this file does not know how to check fails its test, so that nothing in the guide goes untried. The
JavaScript example needs a page to run on: tests/browser runs it.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from documented import Block, Terminal, at, environment, fenced_blocks, run
from livelogd_daemon import SOURCE_ROOT, Daemon, run_livelogd, wait_until
from waiting import wait_for_records

GUIDE = SOURCE_ROOT / "docs/guide.md"
PYTHON = "/usr/bin/python3"

REQUEST = {
    "level": "INFO",
    "message": "Incoming request",
    "type": "request",
    "method": "GET",
    "endpoint": "list_models",
}
RESPONSE = {
    "level": "INFO",
    "message": "Outgoing response",
    "type": "response",
    "status_code": 200,
    "duration_ms": 45.67,
}
ERROR = {"level": "ERROR", "message": "Model not found", "type": "response", "status_code": 404, "duration_ms": 12.34}


def shell_commands() -> list[tuple[str, str]]:
    """(id, command): a script as a whole, of other blocks each command for itself."""
    found = []
    for block in fenced_blocks(GUIDE):
        if block.language != "bash":
            continue
        if block.text.startswith("#!"):
            found.append((block.heading, block.text))
            continue
        joined = block.text.replace("\\\n", "\\\n\0")  # a continued line is one command
        for command in re.split(r"\n(?!\0)", joined):
            command = command.replace("\0", "")
            if command.strip() and not command.startswith("#"):
                found.append((f"{block.heading}: {command[:60]}", command))
    return found


@pytest.fixture(scope="module")
def filled() -> Iterator[Daemon]:
    """A daemon with 40 requests, 40 responses and 40 errors."""
    with Daemon() as daemon:
        for _ in range(40):
            daemon.send([REQUEST, RESPONSE, ERROR])
        wait_for_records(daemon, 120)
        yield daemon


def check_stream(daemon: Daemon, command: str) -> None:
    """Runs a command that never ends while records come in, until it has shown what it should."""
    only_errors = "ERROR" in command
    with Terminal(["/bin/bash", "-c", command], env=environment(daemon)) as terminal:

        def fed_until_seen() -> bool:
            assert terminal.process.poll() is None, terminal.output
            daemon.send([RESPONSE, ERROR])
            return "Model not found" in terminal.output and (only_errors or "Outgoing response" in terminal.output)

        wait_until(fed_until_seen, 20, f"the records from: {command}")
        shown = terminal.output
    if only_errors:
        assert "Outgoing response" not in shown
        # The last line may be cut off where the command was stopped.
        for line in shown.splitlines()[:-1]:
            assert ('"level":"ERROR"' in line) and ("data: {" in line), line
    else:
        assert re.search(
            r'^data: \{"timestamp":"[^"]+","level":"ERROR","message":"Model not found",', shown, re.MULTILINE
        )
        assert re.search(r"^id: \d+$", shown, re.MULTILINE)
    if "echo" in command:
        assert re.search(r"\d\d:\d\d:\d\d.*: ERROR detected: data: \{", shown)


def check_app(daemon: Daemon, command: str) -> None:
    """`python main.py`: the application. Here it is the sample one, told where the daemon is by its environment."""
    assert command.split() == ["python", "main.py"]
    program = SOURCE_ROOT / "protocol/python/examples/sample_app.py"
    last = daemon.recent(1)
    with Terminal([PYTHON, str(program), "--port", "0"], env=environment(daemon)) as terminal:
        # Its own small traffic shows up without anybody asking.
        wait_until(lambda: daemon.recent(1) != last or terminal.process.poll() is not None, 20, "a record of the app")
        assert terminal.process.poll() is None, terminal.output


def check_answer(daemon: Daemon, command: str) -> None:
    shown = run(daemon, command)
    if "/recent" in command:
        records = json.loads(shown)
        wanted = re.search(r"lines=(\d+)", command)
        assert wanted and len(records) == int(wanted.group(1))
        if "type=errors" in command:
            assert all(record["level"] == "ERROR" for record in records)
    elif ".error_summary" in command:
        summary = json.loads(shown)
        assert summary["error_types"]["HTTP 404"] >= 40
        assert summary["total_errors"] == sum(summary["error_types"].values())
    elif "/stats" in command:
        hours = re.search(r"hours=(\d+)", command)
        stats = json.loads(shown)
        assert stats["timeframe_hours"] == (int(hours.group(1)) if hours else 24)
        assert stats["api_stats"]["total_requests"] >= 40
    elif command.rstrip().endswith("/api/v1/logs"):
        assert re.match(r"(?:<!--[^>]*-->)?\s*<!doctype html>", shown, re.IGNORECASE)
    else:
        pytest.fail(f"a command that no test knows how to check: {command}")


@pytest.mark.parametrize("command", [pytest.param(text, id=name) for name, text in shell_commands()])
def test_command(filled: Daemon, command: str) -> None:
    command = at(filled, command)
    if "/stream" in command:
        check_stream(filled, command)
    elif command.startswith("python"):
        check_app(filled, command)
    else:
        check_answer(filled, command)


@pytest.mark.parametrize(
    "block",
    [pytest.param(one, id=one.heading) for one in fenced_blocks(GUIDE) if one.language == "python" and "import" in one.text],
)
def test_python(filled: Daemon, block: Block) -> None:
    done = subprocess.run(
        [PYTHON, "-c", at(filled, block.text)], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    if "Counter" in block.text:
        assert re.search(r"^Most used endpoints:\n  list_models: \d\d", done.stdout, re.MULTILINE), done.stdout
    else:
        assert len(re.findall(r"^\[\d{4}-\d\d-\d\dT[^]]+\] (?:INFO|ERROR): \w", done.stdout, re.MULTILINE)) == 10
        assert re.search(r"^Total requests in last 24h: \d+$", done.stdout, re.MULTILINE)
        assert re.search(r"^Total errors in last 24h: [1-9]\d*$", done.stdout, re.MULTILINE)


def test_config_py_names_the_options_and_their_defaults(tmp_path: Path) -> None:
    """The settings of a config.py, as options, are what the daemon has anyway."""
    (snippet,) = [block.text for block in fenced_blocks(GUIDE) if block.language == "python" and "LOG_DIR" in block.text]
    settings: dict[str, Any] = {}
    exec(snippet, {"__builtins__": {}}, settings)
    assert set(settings) == {"LOG_DIR", "LOG_MAX_BYTES", "LOG_BACKUP_COUNT", "LOG_API_CALLS"}
    flags = [
        f"--{name.lower().replace('_', '-')}={str(value).lower() if isinstance(value, bool) else value}"
        for name, value in settings.items()
    ]
    given = run_livelogd(*flags, "--print-config", cwd=tmp_path)
    default = run_livelogd("--print-config", cwd=tmp_path)
    assert given.returncode == default.returncode == 0, given.stderr
    assert given.stdout == default.stdout


def json_blocks(kind: str) -> list[Any]:
    parsed = [json.loads(block.text) for block in fenced_blocks(GUIDE) if block.language == "json"]
    records = [one for one in parsed if isinstance(one, dict) and "timestamp" in one]
    if kind == "records":
        return records + [record for one in parsed if isinstance(one, list) for record in one]
    return [one for one in parsed if isinstance(one, dict) and "timestamp" not in one]


def test_sample_records_come_back_as_they_are(daemon: Daemon) -> None:
    samples = json_blocks("records")
    assert len(samples) == 7
    # json.dumps with its default separators, as an application would send them: with white space.
    daemon.send([json.dumps(sample) for sample in samples])
    wait_for_records(daemon, len(samples))
    assert daemon.recent() == samples
    assert daemon.stored_lines() == [json.dumps(sample, separators=(",", ":")).encode() for sample in samples]


def test_sample_statistics_have_the_shape_of_the_real_ones(filled: Daemon) -> None:
    (sample,) = json_blocks("answers")
    real = filled.get("/api/v1/logs/stats").json()
    assert set(sample) == set(real)
    for part in ("api_stats", "error_summary"):
        assert set(sample[part]) == set(real[part])
        for name, value in sample[part].items():
            number = (int, float)
            assert isinstance(real[part][name], number if isinstance(value, number) else type(value)), (part, name)
    counts = list(sample["api_stats"]["endpoints"].values())
    assert counts == sorted(counts, reverse=True)


def test_sample_events_have_the_form_of_the_real_ones(daemon: Daemon) -> None:
    (text,) = [block.text for block in fenced_blocks(GUIDE) if block.language == "text" and "data: " in block.text]
    frames = [frame.split("\n") for frame in text.strip().split("\n\n")]
    daemon.send([frame[1].removeprefix("data: ") for frame in frames])
    wait_for_records(daemon, len(frames))
    with Terminal(["curl", "-sN", f"{daemon.url}/stream?after=0"]) as terminal:
        wait_until(lambda: frames[-1][1] in terminal.output)
        for frame in frames:
            assert re.search(
                rf"^id: \d{{{len(frame[0]) - 4}}}\n{re.escape(frame[1])}\n$", terminal.output, re.MULTILINE
            )


def test_the_address_in_the_guide_is_the_default_one() -> None:
    done = run_livelogd("--print-config")
    assert "127.0.0.1:5000" in done.stdout
    addresses = set(re.findall(r"(?:localhost|127\.0\.0\.1):(\d+)", GUIDE.read_text()))
    assert addresses == {"5000"}


def test_the_javascript_example_is_the_one_that_the_browser_runs() -> None:
    """A page is needed to run it: the browser tests do that, with these lines."""

    def bare(text: str) -> str:
        return "\n".join(line.rstrip() for line in text.splitlines())

    (example,) = [block.text for block in fenced_blocks(GUIDE) if block.language == "javascript"]
    runner = (SOURCE_ROOT / "tests/browser/example.test.ts").read_text()
    assert bare(example) in bare(runner) or "docs/guide.md" in runner
