# SPDX-License-Identifier: MIT
"""Faults for one directory of a running program: the test's side of shim.c.

    faults = Faults(folder, log_dir)
    daemon = FaultDaemon(faults=faults, ...)         # its environment preloads the shim
    rule = faults.fail(SYNC, errno.EIO, first=2)     # from the second sync of a segment on
    ...
    rule.clear()                                     # healed

A rule counts the calls that match it from the moment it is made. Several may hold at a time.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import mmap
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent

# Calls.
CREATE, WRITE, SYNC, TRUNCATE, RENAME, UNLINK, SYMLINK, MKDIR = (1 << bit for bit in range(8))
ANY_CALL = 255
# All that changes names or forces to the disk, without plain writes.
ALL_BUT_WRITE = ANY_CALL & ~WRITE

# Files.
SEGMENT, STATE, CURRENT, TORN, DIRECTORY, OTHER = (1 << bit for bit in range(6))
ANY_FILE = 63

_FAIL, _KILL_BEFORE, _KILL_AFTER, _DELAY, _ROOM, _ROOM_THEN_KILL = range(1, 7)
_RULES = 8


class _Rule(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_int64)
        for name in ("active", "ops", "kinds", "start", "times", "action", "value", "room", "seen", "hits")
    ]


class _Control(ctypes.Structure):
    _fields_ = [
        ("attached", ctypes.c_int64),
        ("calls", ctypes.c_int64),
        ("bytes", ctypes.c_int64),
        ("reserved", ctypes.c_int64),
        ("rules", _Rule * _RULES),
    ]


@functools.lru_cache(maxsize=None)
def shim() -> Path | None:
    """The compiled library, in a folder that is removed at the end; None where there is no C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    folder = tempfile.TemporaryDirectory(prefix="livelogd-shim-")
    _kept.append(folder)
    library = Path(folder.name) / "shim.so"
    subprocess.run(
        [compiler, "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", library, HERE / "shim.c", "-ldl"],
        check=True,
    )
    return library


_kept: list[tempfile.TemporaryDirectory[str]] = []


class Rule:
    """One fault that has been arranged."""

    def __init__(self, raw: _Rule) -> None:
        self._raw = raw

    @property
    def hits(self) -> int:
        """How many calls have come to harm."""
        return int(self._raw.hits)

    @property
    def seen(self) -> int:
        """How many calls have matched."""
        return int(self._raw.seen)

    def clear(self) -> int:
        """Ends it. Returns how many calls have come to harm, which is final."""
        self._raw.active = 0
        time.sleep(0.001)  # for a call that is just being judged
        return self.hits


class Faults:
    """The rules for one directory. `directory` need not exist yet."""

    def __init__(self, folder: Path, directory: Path) -> None:
        self.directory = directory
        self.path = folder / "faults"
        self.path.write_bytes(b"\0" * max(mmap.PAGESIZE, ctypes.sizeof(_Control)))
        with open(self.path, "r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 0)
        self._control = _Control.from_buffer(self._memory)

    def environment(self) -> dict[str, str]:
        """What the program has to be started with."""
        library = shim()
        assert library is not None
        return {"LD_PRELOAD": str(library), "FAULT_DIR": str(self.directory), "FAULT_CONTROL": str(self.path)}

    @property
    def calls(self) -> int:
        """Calls on the directory that the shim has seen; 0 if the program's calls do not come by it."""
        return int(self._control.calls)

    @property
    def bytes_written(self) -> int:
        """To segments, since this object was made."""
        return int(self._control.bytes)

    # --- faults -----------------------------------------------------------------------------------------------------

    def fail(self, ops: int, error: int, *, first: int = 1, times: int = -1, kinds: int = SEGMENT) -> Rule:
        """Matching calls return -1 with `error`, `times` of them (-1: all) from the `first` on."""
        return self._add(ops, kinds, _FAIL, first, times, value=error)

    def slow(self, ops: int, seconds: float, *, kinds: int = SEGMENT) -> Rule:
        """Matching calls take so long, or until the rule is cleared."""
        return self._add(ops, kinds, _DELAY, value=round(seconds * 1e6))

    def room(self, count: int, error: int = errno.ENOSPC, *, kinds: int = SEGMENT) -> Rule:
        """After `count` bytes more a write stops short, and each one after it fails with `error`."""
        return self._add(WRITE, kinds, _ROOM, value=error, room=count)

    def kill_at_byte(self, count: int, *, kinds: int = SEGMENT) -> Rule:
        """SIGKILL once exactly `count` bytes more have been written."""
        return self._add(WRITE, kinds, _ROOM_THEN_KILL, value=errno.EIO, room=count)

    def kill_at_call(self, ops: int, nth: int, *, after: bool = False, kinds: int = ANY_FILE) -> Rule:
        """SIGKILL before or after the `nth` matching call."""
        return self._add(ops, kinds, _KILL_AFTER if after else _KILL_BEFORE, nth, 1)

    def heal(self) -> None:
        """All rules are cleared."""
        for raw in self._control.rules:
            raw.active = 0

    def _add(
        self, ops: int, kinds: int, action: int, first: int = 1, times: int = -1, value: int = 0, room: int = 0
    ) -> Rule:
        for raw in self._control.rules:
            if not raw.active:
                raw.ops, raw.kinds, raw.start, raw.times = ops, kinds, first, times
                raw.action, raw.value, raw.room, raw.seen, raw.hits = action, value, room, 0, 0
                raw.active = 1
                return Rule(raw)
        raise AssertionError("more rules than the shim knows")


def sanitizer_options() -> dict[str, str]:
    """With the address sanitizer the shim comes before its library; it only passes calls on, so that is no harm."""
    given = os.environ.get("ASAN_OPTIONS")
    return {"ASAN_OPTIONS": (given + ":" if given else "") + "verify_asan_link_order=0"}
