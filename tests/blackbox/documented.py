# SPDX-License-Identifier: MIT
"""What the documents tell their readers to type, taken from there and run as if somebody had typed it."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from livelogd_daemon import Daemon


class Block(NamedTuple):
    heading: str
    language: str
    text: str


def fenced_blocks(document: Path) -> list[Block]:
    """What stands between lines of three backquotes, under its nearest heading."""
    found = []
    heading = ""
    lines = iter(document.read_text().splitlines())
    for line in lines:
        if line.startswith("#"):
            heading = line.lstrip("# ").replace("`", "")
        elif line.startswith("```"):
            body = []
            for inner in lines:
                if inner == "```":
                    break
                body.append(inner)
            found.append(Block(heading, line[3:].strip(), "\n".join(body) + "\n"))
    return found


def indented_commands(document: Path, program: str) -> list[str]:
    """Lines that are indented by four spaces and call that program."""
    return re.findall(rf"^    ({re.escape(program)} .*)$", document.read_text(), re.MULTILINE)


def at(daemon: Daemon, text: str) -> str:
    """A document's text with this daemon's address."""
    return text.replace("localhost:5000", f"localhost:{daemon.port}")


def environment(daemon: Daemon, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    return {**os.environ, "LIVELOGD_SOCKET": str(daemon.socket_path), "PYTHONUNBUFFERED": "1", **(extra or {})}


def run(daemon: Daemon, command: str, extra: Mapping[str, str] | None = None) -> str:
    """What a command prints that comes to its end. Fails if any part of it does."""
    done = subprocess.run(
        ["/bin/bash", "-o", "pipefail", "-c", command],
        env=environment(daemon, extra),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


class Terminal:
    """A command whose output goes to a terminal, as when somebody types it: programs then write line by line."""

    def __init__(self, arguments: list[str], **options: Any) -> None:
        reading, writing = pty.openpty()
        self.process = subprocess.Popen(
            # curl's progress meter is not what is looked at.
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=writing,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            **options,
        )
        os.close(writing)
        self._output = bytearray()
        self._reader = threading.Thread(target=self._read, args=[reading])
        self._reader.start()

    def _read(self, terminal: int) -> None:
        # Reading fails with EIO once nobody holds the other end.
        try:
            while data := os.read(terminal, 65536):
                self._output += data
        except OSError:
            pass
        os.close(terminal)

    @property
    def output(self) -> str:
        return self._output.decode(errors="replace").replace("\r\n", "\n")

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self._reader.join()
