# SPDX-License-Identifier: MIT
"""A mount namespace in which file systems can be mounted, filled, cut off and mounted again without anybody else noticing.

A process holds it open, and ends when the test does, however that ends; with it go all the mounts. The daemon is started
inside; the test reads its files through /proc/PID/root of the holder.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from livelogd_daemon import wait_until


class MountSpace:
    def __init__(self) -> None:
        if os.geteuid() != 0:
            pytest.skip("mounting needs root")
        for tool in ("unshare", "nsenter", "mount"):
            if shutil.which(tool) is None:
                pytest.skip(f"there is no {tool}")
        self._holder = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", "echo ready; exec cat >/dev/null"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self._holder.stdout is not None
        if self._holder.stdout.readline() != b"ready\n":
            self.close()
            pytest.skip("no mount namespace of our own may be made here")

    def enter(self) -> list[str]:
        """The words to put before a command that is to run inside."""
        return ["nsenter", f"--mount=/proc/{self._holder.pid}/ns/mnt"]

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.enter(), *map(str, command)], capture_output=True, text=True, check=False, timeout=30
        )

    def do(self, *command: str | Path) -> None:
        """As run(), for what must succeed."""
        done = self.run(*command)
        assert done.returncode == 0, f"{command}: {done.stderr}"

    def unmount(self, path: Path) -> None:
        """Of a daemon that runs on: what reads its files, summaries and queries, has one open there for a moment."""
        wait_until(lambda: self.run("umount", path).returncode == 0, what=f"nothing is open on {path}")

    def do_or_skip(self, *command: str | Path) -> None:
        """As run(), for what this machine may not offer."""
        done = self.run(*command)
        if done.returncode != 0:
            self.close()
            pytest.skip(f"{' '.join(map(str, command))}: {done.stderr.strip()}")

    def seen_from_outside(self, path: Path) -> Path:
        return Path(f"/proc/{self._holder.pid}/root{path}")

    def close(self) -> None:
        if self._holder.stdin is not None and not self._holder.stdin.closed:
            self._holder.stdin.close()
        self._holder.wait(10)
        for pipe in (self._holder.stdout, self._holder.stderr):
            if pipe is not None:
                pipe.close()
