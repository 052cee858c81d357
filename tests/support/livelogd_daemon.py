# SPDX-License-Identifier: MIT
"""The real daemon, started for a test, with everything it touches in a temporary folder.

    from livelogd_daemon import Daemon

    with Daemon(log_max_bytes=65536) as daemon:          # started, its port answers
        daemon.send([{"level": "INFO", "message": "hello"}])
        wait_until(lambda: len(daemon.recent()) == 1)
        daemon.kill()                                    # as if it had crashed
        daemon.restart()                                 # same folder, same port, same socket
    # left without an exception: stopped with SIGTERM, exit code 0 asserted, folder removed

The program is $LIVELOGD_BIN, else build/release/livelogd of this source tree. Options are those of the daemon, in
snake case: `log_max_bytes=65536` becomes `--log-max-bytes=65536`, a bool becomes `true` or `false`, a list repeats the flag,
None leaves out what this module would have set (log_dir, socket, listen). Variables LIVELOGD_* of the caller are not
passed on; `environment={...}` adds some.

Not safe for use by several threads at once, apart from send(), get() and recent().
"""

from __future__ import annotations

import atexit
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.parse
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Union

Record = Union[Mapping[str, Any], str, bytes]

SOURCE_ROOT = Path(__file__).resolve().parents[2]

# Sanitizer builds on a busy machine are slow to start; a test that passes never waits this long.
START_TIMEOUT = 30.0
# The daemon promises to be gone 5 s after SIGTERM; the rest is for a loaded machine.
STOP_TIMEOUT = 10.0

_LISTENING = re.compile(r"listening on (http://\S+?)/api/v1/logs\b")
_SANITIZER = re.compile(r"(ERROR|WARNING): \w+Sanitizer|: runtime error: ")

_running: set[subprocess.Popen[bytes]] = set()


@atexit.register
def _kill_left_overs() -> None:
    """A test run that is interrupted leaves no daemon behind."""
    for process in list(_running):
        process.kill()
        process.wait()


class Answer(NamedTuple):
    """An HTTP answer: status code, header fields (look-up in any case), whole body."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def binary() -> Path:
    """The program under test."""
    path = Path(os.environ.get("LIVELOGD_BIN") or SOURCE_ROOT / "build/release/livelogd").resolve()
    assert os.access(path, os.X_OK), f"{path} is not there: build it, or set LIVELOGD_BIN"
    return path


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The caller's environment without options for the daemon, plus `extra`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LIVELOGD_")}
    kept.update(extra or {})
    return kept


def run_livelogd(
    *arguments: str, environment: Mapping[str, str] | None = None, cwd: Path | None = None, timeout: float = 30.0
) -> subprocess.CompletedProcess[str]:
    """Runs the program to its end (--version, a configuration that must be refused, ...) and returns what it said."""
    return subprocess.run(
        [str(binary()), *arguments],
        env=clean_environment(environment),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout,
        check=False,
    )


def wait_until(condition: Callable[[], Any], timeout: float = 10.0, what: str = "") -> Any:
    """Calls `condition` until it gives something true, and returns that. Fails after `timeout` seconds, naming `what`."""
    deadline = time.monotonic() + timeout
    pause = 0.005
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < deadline, f"not within {timeout} s: {what or condition}"
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)


def to_line(record: Record) -> bytes:
    """One line for the ingest socket: a mapping as JSON, text and bytes as they are; ended by LF if it is not yet."""
    if isinstance(record, bytes):
        line = record
    elif isinstance(record, str):
        line = record.encode()
    else:
        # Compact, non-ASCII as it is: what the daemon stores is then byte for byte what was sent.
        line = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return line if line.endswith(b"\n") else line + b"\n"


class Daemon:
    """One daemon and its folder. `with Daemon(option=value, ...) as daemon:` starts and stops it."""

    def __init__(self, *, environment: Mapping[str, str] | None = None, **options: Any) -> None:
        # Below /tmp whatever $TMPDIR says: the path of a Unix socket holds at most 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="livelogd-", dir="/tmp"))
        self.environment = dict(environment or {})
        self.options: dict[str, Any] = {
            "log_dir": self.folder / "logs",
            "socket": self.folder / "ingest.sock",
            "listen": "127.0.0.1:0",
        }
        self.options.update(options)
        self.process: subprocess.Popen[bytes] | None = None
        self._base_url = ""
        self._starts = 0

    # --- life -----------------------------------------------------------------------------------------------------

    def start(self, **options: Any) -> "Daemon":
        """Starts the daemon, with `options` added to those given before, and waits until its port answers."""
        assert not self.running, "the daemon is running already"
        self.options.update(options)
        self._starts += 1
        with open(self._stderr_path, "wb") as err, open(self.folder / "stdout.txt", "ab") as out:
            self.process = subprocess.Popen(
                [str(binary()), *self.arguments()],
                env=clean_environment(self.environment),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )
        _running.add(self.process)
        try:
            wait_until(self._answers, START_TIMEOUT, "the daemon answers")
        except AssertionError as error:
            self.kill()
            raise AssertionError(f"{error}; it said:\n{self.stderr}") from None
        return self

    def stop(self, *, exit_code: int = 0, timeout: float = STOP_TIMEOUT) -> str:
        """SIGTERM, then waits. Fails unless it ends in time with `exit_code` and no sanitizer had to complain.
        Returns what it said on stderr."""
        assert self.process is not None, "the daemon was never started"
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.wait(exit_code=exit_code, timeout=timeout)

    def wait(self, *, exit_code: int = 0, timeout: float = STOP_TIMEOUT) -> str:
        """As stop(), for a daemon that has been told to end in another way."""
        assert self.process is not None, "the daemon was never started"
        process = self.process
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the daemon did not end within {timeout} s; it said:\n{self.stderr}") from None
        _running.discard(process)
        said = self.stderr
        assert code == exit_code, f"exit code {code} instead of {exit_code}; it said:\n{said}"
        assert not _SANITIZER.search(said), said
        return said

    def kill(self) -> None:
        """SIGKILL: no chance to clean up. Does nothing when it is not running."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            _running.discard(self.process)

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def restart(self, **options: Any) -> "Daemon":
        """Stops it cleanly if it runs, and starts it again on the same folder, port and socket."""
        if self.running:
            self.stop()
        if self.options.get("listen") == "127.0.0.1:0" and self._base_url:
            options.setdefault("listen", f"127.0.0.1:{self.port}")
        return self.start(**options)

    def __enter__(self) -> "Daemon":
        try:
            return self if self.running else self.start()
        except BaseException:
            self._remove()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is not None:
                # pytest shows this under the failure.
                print(f"livelogd said:\n{self.stderr}")
            elif self.running:
                self.stop()
        finally:
            self._remove()

    # --- where it is ----------------------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def base_url(self) -> str:
        """Scheme, host and port, without a slash at the end."""
        assert self._base_url, "the daemon does not listen on TCP"
        return self._base_url

    @property
    def url(self) -> str:
        """The viewer's address; `daemon.url + "/stream"` and so on for the rest."""
        return f"{self.base_url}/api/v1/logs"

    @property
    def port(self) -> int:
        port = urllib.parse.urlsplit(self.base_url).port
        assert port
        return port

    @property
    def socket_path(self) -> Path:
        """The ingest socket."""
        return Path(self.options["socket"])

    @property
    def log_dir(self) -> Path:
        return Path(self.options["log_dir"])

    @property
    def stderr(self) -> str:
        """What the daemon has said since its last start."""
        try:
            return self._stderr_path.read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def arguments(self) -> list[str]:
        """The flags it is started with."""
        flags = []
        for name, value in self.options.items():
            if value is None:
                continue
            for one in value if isinstance(value, (list, tuple)) else [value]:
                text = ("true" if one else "false") if isinstance(one, bool) else str(one)
                flags.append(f"--{name.replace('_', '-')}={text}")
        return flags

    def rss_bytes(self) -> int:
        """Resident memory now."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)
        assert found
        return int(found.group(1)) * 1024

    def segments(self) -> list[Path]:
        """The log's files, oldest first."""
        return sorted(self.log_dir.glob("live-*.jsonl"))

    def stored_lines(self) -> list[bytes]:
        """Every stored record as its bytes, oldest first, without LF."""
        return [line for path in self.segments() for line in path.read_bytes().splitlines()]

    # --- in and out -----------------------------------------------------------------------------------------------

    def connect(self) -> socket.socket:
        """A new connection to the ingest socket; the caller closes it."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(str(self.socket_path))
        except BaseException:
            connection.close()
            raise
        return connection

    def send(self, records: Iterable[Record] | Mapping[str, Any]) -> None:
        """Sends records, or one given as a mapping, over a connection of their own, and closes it.
        Returns when the kernel has them: the daemon may not have read them yet (see wait_until)."""
        many: Iterable[Record] = [records] if isinstance(records, Mapping) else records
        assert not isinstance(many, (str, bytes)), "a list of lines, please"
        self.send_bytes(b"".join(map(to_line, many)))

    def send_bytes(self, data: bytes) -> None:
        """As send(), with the bytes exactly as given."""
        with self.connect() as connection:
            connection.sendall(data)

    def get(
        self,
        path: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout: float = 30.0,
    ) -> Answer:
        """One request to `path` (from the root: "/healthz", "/api/v1/logs/recent?lines=5"), answered in whole. Not for the
        stream, which has no end. Content is left as it came, also when compressed."""
        where = urllib.parse.urlsplit(self.base_url)
        assert where.hostname
        connection = http.client.HTTPConnection(where.hostname, where.port, timeout=timeout)
        try:
            connection.request(method, path, body=body, headers=dict(headers or {}))
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def recent(self, lines: int = 100, **parameters: Any) -> list[Any]:
        """The newest records, oldest first, parsed."""
        query = urllib.parse.urlencode({"lines": lines, **parameters}, doseq=True)
        answer = self.get(f"/api/v1/logs/recent?{query}")
        assert answer.status == 200, (answer.status, answer.body)
        records = answer.json()
        assert isinstance(records, list)
        return records

    # --- details --------------------------------------------------------------------------------------------------

    @property
    def _stderr_path(self) -> Path:
        return self.folder / f"stderr-{self._starts}.txt"

    def _answers(self) -> bool:
        """It has told its address (or needs none of TCP) and takes a connection there and at the ingest socket."""
        assert self.process is not None
        code = self.process.poll()
        assert code is None, f"it ended with exit code {code}"
        found = _LISTENING.search(self.stderr)
        if found:
            self._base_url = found.group(1)
            try:
                self.get("/healthz", timeout=5.0)
            except OSError:
                return False
        elif self._wants_tcp():
            return False
        try:
            self.connect().close()
        except OSError:
            return False
        return True

    def _wants_tcp(self) -> bool:
        listen = self.options.get("listen")
        several = listen if isinstance(listen, (list, tuple)) else [listen]
        return any(one is None or not str(one).startswith("unix:") for one in several)

    def _remove(self) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
