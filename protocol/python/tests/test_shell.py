# SPDX-License-Identifier: MIT
"""The commands of docs/ingest-protocol.md, run as they are printed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fake_daemon import eventually

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "ingest-protocol.md"

if not DOCUMENT.exists():
    pytest.skip("the documents are part of the source tree", allow_module_level=True)


def commands() -> list[str]:
    section = DOCUMENT.read_text().split("## From the shell")[1].split("\n## ")[0]
    return re.findall(r"```bash\n(.*?)```", section, re.DOTALL)


def test_the_commands_send_records(real: Callable[..., Any]) -> None:
    for program in ("socat", "jq", "bash"):
        if shutil.which(program) is None:
            pytest.skip(f"there is no {program}")
    daemon = real()
    answers = []
    for command in commands():
        before = len(daemon.stored_lines())
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command, "nightly.sh"], capture_output=True, text=True, timeout=30,
            env={**os.environ, "LIVELOGD_SOCKET": str(daemon.socket_path)},
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, ""), command
        answers.append(done.stdout)
        eventually(lambda: len(daemon.stored_lines()) > before)
    assert len(answers) == 6
    assert [answer for answer in answers if answer] == ['{"have":0}\n{"ack":1}\n']
    eventually(lambda: len(daemon.stored_lines()) > 10)
    records = [json.loads(line) for line in daemon.stored_lines()]
    assert not [record for record in records if record.get("type") == "malformed"]
    modules = [record["module"] for record in records]
    assert (modules.count("backup"), modules.count("disk"), modules[-1]) == (3, 1, "nightly.sh")
    assert modules.count("ls") > 5 and any(" etc" in record["message"] for record in records)
    (disk,) = [record for record in records if record["module"] == "disk"]
    assert re.fullmatch(r"disk at +\d+%", disk["message"]) and disk["level"] == "WARNING"
