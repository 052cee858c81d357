# SPDX-License-Identifier: MIT
"""The daemon under test with a shim between it and its log directory, in a mount namespace, or as the child of a tool."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import pytest
from fault_control import Faults, sanitizer_options, shim
from livelogd_daemon import Daemon, binary
from mount_space import MountSpace


class FaultDaemon(Daemon):
    """`faults=True` puts the shim before it. `space` is the mount namespace it runs in. `launcher` is put before the
    program, and must end by executing it."""

    def __init__(
        self,
        *,
        faults: bool = False,
        space: MountSpace | None = None,
        launcher: Sequence[str] = (),
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.space = space
        self._launcher = list(launcher)
        self._with_faults = faults
        self._faults: Faults | None = None

    @property
    def faults(self) -> Faults:
        """From the first start on."""
        assert self._faults is not None
        return self._faults

    @property
    def log_dir(self) -> Path:
        """As the test can see it: what is mounted for the daemon alone is reached through its namespace."""
        path = Path(self.options["log_dir"])
        return path if self.space is None else self.space.seen_from_outside(path)

    def start(self, **options: Any) -> "FaultDaemon":
        if self._with_faults and self._faults is None:
            if shim() is None:
                pytest.skip("there is no C compiler to build the shim with")
            self._faults = Faults(self.folder, Path(self.options["log_dir"]))
            self.environment.update(self._faults.environment() | sanitizer_options())
        with self._launched():
            super().start(**options)
        if self._faults is not None and self._faults.calls == 0:
            self.kill()
            pytest.skip("the program's system calls do not come by a preloaded library")
        return self

    def __enter__(self) -> Self:
        super().__enter__()
        return self

    def died(self, timeout: float = 20.0) -> None:
        """Waits for its death by a SIGKILL that has been arranged."""
        assert self.process is not None
        code = self.process.wait(timeout)
        assert code == -signal.SIGKILL, f"it ended with {code}; it said:\n{self.stderr}"
        self.kill()  # takes it out of the books

    def start_may_die(self) -> bool:
        """Starts it; False if it died of an arranged SIGKILL on the way."""
        try:
            self.start()
        except AssertionError:
            assert self.process is not None
            if self.process.returncode != -signal.SIGKILL:
                raise
            return False
        return True

    @contextlib.contextmanager
    def _launched(self) -> Iterator[None]:
        """The fixture module starts what LIVELOGD_BIN names: a script that puts the launcher before the program."""
        words = (self.space.enter() if self.space is not None else []) + self._launcher
        if not words:
            yield
            return
        program = binary()
        script = self.folder / "launch"
        # The environment of the daemon is not for the tools that start it.
        moved = {name: self.environment[name] for name in ("LD_PRELOAD",) if name in self.environment}
        if moved:
            words = words + ["env", *(f"{name}={value}" for name, value in moved.items())]
        script.write_text(f'#!/bin/sh\nexec {shlex.join(words)} {shlex.quote(str(program))} "$@"\n')
        script.chmod(0o755)
        before, kept = os.environ.get("LIVELOGD_BIN"), dict(self.environment)
        os.environ["LIVELOGD_BIN"] = str(script)
        for name in moved:
            del self.environment[name]
        try:
            yield
        finally:
            self.environment = kept
            if before is None:
                del os.environ["LIVELOGD_BIN"]
            else:
                os.environ["LIVELOGD_BIN"] = before

    def _remove(self) -> None:
        self.kill()
        if self.space is not None:
            self.space.close()
        super()._remove()

