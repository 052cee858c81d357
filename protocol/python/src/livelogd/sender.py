# SPDX-License-Identifier: MIT
"""The way of the records to the daemon: a bounded queue and a thread that writes it to the Unix socket."""

from __future__ import annotations

import atexit
import os
import random
import socket as sockets
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Mapping
from types import TracebackType
from typing import Any, NamedTuple, Optional, Union

from livelogd.encode import encode_record, timestamp_text
from livelogd.locate import socket_places, trust_problem

DEFAULT_QUEUE_BYTES = 8 * 1024 * 1024

#: Lines are joined up to this size for one write; a longer line goes alone.
_BATCH_BYTES = 64 * 1024

#: Seconds between attempts to connect: the first, and the most.
_FIRST_DELAY, _LONGEST_DELAY = 0.1, 5.0

#: A connection that held this many seconds was a good one: after it the first new attempt comes at once.
_GOOD_SECONDS = 1.0

#: Seconds that one attempt to connect may take (the daemon may be there and not accept).
_CONNECT_SECONDS = 2.0

#: Dropped records are told of once half the queue is free again, or after this many seconds, if it stays fuller.
_NOTICE_SECONDS = 5.0

#: Seconds that the end of the process may be delayed to send what is queued.
_EXIT_SECONDS = 2.0

_NO_SIGNAL = getattr(sockets, "MSG_NOSIGNAL", 0)


class SenderStats(NamedTuple):
    """Counts since the sender was made (in a forked child: since the fork)."""

    accepted: int
    """Records taken into the queue, with those that tell of dropped ones."""
    sent: int
    """Records handed to the kernel whole."""
    dropped: int
    """Records not taken, because the queue was full or the sender closed."""
    queued_bytes: int
    """Bytes waiting, with those of the batch being written."""
    connections: int
    """Connections made."""
    connected: bool
    """Whether there is a connection, as far as the last write could tell."""
    last_error: Optional[str]
    """Why the last attempt to connect or to write failed; None after a success."""


class _Dropped:
    """Records dropped since the last time that this was told."""

    def __init__(self, now: float) -> None:
        self.count = 0
        self.first = now
        self.last = now
        self.since = time.monotonic()


class Sender:
    """Sends records to the daemon, in the order in which ``send`` was called.

    ``send`` only encodes the record and puts it into a queue, bounded in bytes of lines; it neither waits for the
    daemon nor raises. When the queue is full the newest record is dropped and counted, and once there is room again a
    record tells how many (``"type":"livelogd","event":"records_dropped"``). A thread of the sender's own, started with
    the first record, connects (again and again, if need be) and writes.

    What arrives. The protocol as spoken here has no acknowledgements: a line counts as sent when the kernel has taken
    all of it.

    * Daemon absent, restarting while nothing is being sent, or slow: nothing is lost as long as the queue has room.
    * The connection breaks during a write: the line that was cut and all after it are sent again on the next
      connection, from the start of that line. Nothing is glued together; if the daemon has read the first part it
      tells it as a malformed record. If only the LF was missing, it may take the first part for the record and so
      have it twice: one record at most.
    * The daemon dies or closes while lines that the kernel took are still unread in the socket: these are lost. That is
      what fits into a socket buffer, usually some 200 KiB.
    * This process is killed: what is queued is lost. On a normal exit up to 2 seconds are spent to send it.

    After ``os.fork`` the child starts with an empty queue and a connection of its own; what was queued stays with the
    parent. All methods may be called from any thread, ``send`` from signal handlers and finalizers too.
    """

    def __init__(
        self, socket: Union[str, os.PathLike[str], None] = None, *, max_queue_bytes: int = DEFAULT_QUEUE_BYTES
    ) -> None:
        """``socket``: path of the daemon's socket. By default LIVELOGD_SOCKET, else /run/livelogd/ingest.sock, else
        $XDG_RUNTIME_DIR/livelogd/ingest.sock; the latter two only in a folder that nobody else can write."""
        if max_queue_bytes <= 0:
            raise ValueError("max_queue_bytes must be positive")
        self._places = socket_places(socket)
        self._max_queue_bytes = max_queue_bytes
        self._closed = False
        self._connection: Optional[sockets.socket] = None
        self._complained: set[str] = set()
        self._reset()
        _senders.add(self)

    def _reset(self) -> None:
        # Reentrant, because a signal handler or a finalizer may log in the middle of a send of the same thread.
        self._lock = threading.RLock()
        self._progress = threading.Condition(self._lock)
        # A binary semaphore that the thread sleeps on: acquired by the thread, released to wake it. Unlike an Event it
        # may be released in the middle of another release.
        self._wake = threading.Lock()
        self._wake.acquire()
        self._sleeping = False
        self._thread: Optional[threading.Thread] = None
        self._given_up = False

        # Guarded by the lock. _batch holds the lines being written, taken from the head of _queue; only the thread
        # changes it. _held_bytes counts both.
        self._queue: deque[bytes] = deque()
        self._batch: list[bytes] = []
        self._held_bytes = 0
        self._accepted = 0
        self._sent = 0
        self._dropped_total = 0
        self._dropped: Optional[_Dropped] = None
        self._last_error: Optional[str] = None
        self._connections = 0
        self._failures = 0

        # The thread's own.
        self._connected_at = 0.0
        self._delay = _FIRST_DELAY

    # What callers use

    @property
    def places(self) -> list[str]:
        """The paths at which the daemon's socket is looked for, in order."""
        return [place.path for place in self._places]

    @property
    def closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._closed

    def send(self, record: Mapping[str, Any]) -> bool:
        """Queues a record; one without ``timestamp`` gets one, first in the object. Returns whether it was taken."""
        try:
            if "timestamp" not in record:
                record = {"timestamp": timestamp_text(), **record}
        except Exception:
            pass  # whatever it is, its encoding tells
        try:
            line = encode_record(record)
            with self._lock:
                return self._take(line)
        except Exception:
            return False

    def flush(self, timeout: float = 5.0) -> bool:
        """Waits until all that was queued before the call is sent, ``timeout`` seconds at most. Returns whether it is.
        A pause between two attempts to connect is cut short."""
        return self._wait_for_sent(timeout if not _exiting else 0.0, patient=True)

    def close(self, timeout: float = 2.0) -> bool:
        """Takes no more records, sends what is queued, ``timeout`` seconds at most, and ends the thread. Returns
        whether everything was sent; what was not is given up."""
        deadline = time.monotonic() + timeout
        with self._lock:
            self._closed = True
            thread = self._thread
            self._nudge()
        if thread is not None:
            thread.join(max(0.0, timeout))
            if thread.is_alive():
                with self._lock:
                    self._given_up = True
                    self._nudge()
                    self._shut_connection()
                thread.join(max(0.1, deadline - time.monotonic()))
        with self._lock:
            self._progress.notify_all()
            return self._held_bytes == 0 and self._dropped is None

    def stats(self) -> SenderStats:
        """How much was taken, sent and dropped, and how the connection is."""
        with self._lock:
            return SenderStats(
                accepted=self._accepted,
                sent=self._sent,
                dropped=self._dropped_total,
                queued_bytes=self._held_bytes,
                connections=self._connections,
                connected=self._connection is not None,
                last_error=self._last_error,
            )

    def __enter__(self) -> Sender:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    # In the caller's thread, with the lock held

    def _take(self, line: bytes) -> bool:
        if self._closed or self._held_bytes + len(line) > self._max_queue_bytes:
            self._dropped_total += 1
            if self._closed:
                return False
            now = time.time()
            if self._dropped is None:
                self._dropped = _Dropped(now)
            self._dropped.count += 1
            self._dropped.last = now
            self._alert()
            return False
        self._append(line)
        self._alert()
        return True

    def _append(self, line: bytes) -> None:
        self._queue.append(line)
        self._held_bytes += len(line)
        self._accepted += 1

    def _alert(self) -> None:
        """Makes sure that the thread will look at the queue."""
        if self._thread is None:
            self._start_thread()
        elif self._sleeping:
            self._sleeping = False
            self._nudge()

    def _start_thread(self) -> None:
        self._thread = threading.Thread(target=self._run, name="livelogd-sender", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # no more threads, or the interpreter is going down; the next record tries again
            self._thread = None

    def _nudge(self) -> None:
        try:
            self._wake.release()
        except RuntimeError:  # somebody did already
            pass

    def _wait_for_sent(self, timeout: float, patient: bool) -> bool:
        """``patient``: whether to go on waiting for a daemon that has never been there."""
        deadline = time.monotonic() + timeout
        with self._lock:
            target, failures = self._accepted, self._failures
            if self._sent < target:
                self._nudge()
            while self._sent < target:
                remaining = deadline - time.monotonic()
                hopeless = not patient and self._connections == 0 and self._failures > failures
                if remaining <= 0 or self._thread is None or self._given_up or hopeless:
                    return False
                self._progress.wait(remaining)
            return True

    # In the sender's thread

    def _run(self) -> None:
        while True:
            try:
                if not self._wait_for_work():
                    break
                if not self._connect():
                    self._back_off()
                elif self._fill_batch():
                    self._write_batch()
            except Exception as error:  # whatever it was, it must not end the sending for good
                self._fail(f"{type(error).__name__}: {error}")
                self._back_off()
        self._disconnect()

    def _wait_for_work(self) -> bool:
        """Sleeps until there is something to send. False: the thread is to end."""
        while True:
            with self._lock:
                if self._given_up:
                    return False
                if self._batch or self._queue or self._dropped is not None:
                    return True
                if self._closed:
                    return False
                self._sleeping = True
            self._wake.acquire()
            self._sleeping = False

    def _connect(self) -> bool:
        if self._connection is not None:
            return True
        problem = "there is no socket at " + " or ".join(self.places)
        for place in self._places:
            try:
                distrust = None if place.chosen else trust_problem(place.path)
                if distrust is not None:
                    problem = f"{place.path} is not used: {distrust}"
                    self._complain(problem)
                    continue
                # Kept at once, so that a fork in this very moment finds it and closes the child's copy.
                self._connection = sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM)
                self._connection.settimeout(_CONNECT_SECONDS)
                self._connection.connect(place.path)
                self._connection.settimeout(None)
            except FileNotFoundError:
                self._disconnect()
            except OSError as error:
                self._disconnect()
                problem = f"{place.path}: {error}"
            else:
                self._connected_at = time.monotonic()
                with self._lock:
                    self._connections += 1
                    self._last_error = None
                return True
        self._fail(problem)
        return False

    def _fill_batch(self) -> bool:
        """Takes lines from the queue, unless a broken connection has left some. False: there is none to take."""
        with self._lock:
            self._tell_of_dropped()
            if not self._batch:
                size = 0
                while self._queue and (not self._batch or size + len(self._queue[0]) <= _BATCH_BYTES):
                    self._batch.append(self._queue.popleft())
                    size += len(self._batch[-1])
            return bool(self._batch)

    def _tell_of_dropped(self) -> None:
        """Queues the record of what was dropped, if there is room again, or if it has been going on for a while."""
        dropped = self._dropped
        if dropped is None:
            return
        if self._held_bytes > self._max_queue_bytes // 2 and time.monotonic() - dropped.since < _NOTICE_SECONDS:
            return
        self._dropped = None
        noun = "record was" if dropped.count == 1 else "records were"
        notice = {
            "timestamp": timestamp_text(),
            "level": "WARNING",
            "message": f"{dropped.count} {noun} dropped: the queue to the daemon was full",
            "module": "livelogd",
            "type": "livelogd",
            "event": "records_dropped",
            "count": dropped.count,
            "first": timestamp_text(dropped.first),
            "last": timestamp_text(dropped.last),
            "pid": os.getpid(),
        }
        self._append(encode_record(notice))

    def _write_batch(self) -> None:
        connection = self._connection
        if connection is None:
            return
        data = memoryview(b"".join(self._batch))
        written = 0
        try:
            # Not sendall: it does not tell how far it came when it fails.
            while written < len(data):
                written += connection.send(data[written:], _NO_SIGNAL)
        except OSError as error:
            self._settle(written)
            self._fail(f"the connection broke: {error}")
            self._disconnect()
            if time.monotonic() - self._connected_at >= _GOOD_SECONDS:
                self._delay = _FIRST_DELAY
            else:
                self._back_off()
        else:
            self._settle(written)

    def _settle(self, written: int) -> None:
        """Takes the lines out of the batch that were written whole."""
        with self._lock:
            ends = 0
            whole = 0
            for line in self._batch:
                ends += len(line)
                if ends > written:
                    break
                whole += 1
                self._held_bytes -= len(line)
            del self._batch[:whole]
            self._sent += whole
            self._progress.notify_all()

    def _back_off(self) -> None:
        """Waits before the next attempt: 0.1 s, doubling to 5 s, each up to half shorter by chance, so that many
        senders do not come back at the same moment."""
        delay, self._delay = self._delay, min(2 * self._delay, _LONGEST_DELAY)
        self._wake.acquire(timeout=delay * random.uniform(0.5, 1.0))

    def _fail(self, problem: str) -> None:
        with self._lock:
            self._failures += 1
            self._last_error = problem
            self._progress.notify_all()

    def _complain(self, problem: str) -> None:
        """Says on stderr, once, what only the user can put right."""
        if problem not in self._complained and sys.stderr is not None:
            self._complained.add(problem)
            try:
                sys.stderr.write(f"livelogd: {problem}\n")
            except Exception:
                pass

    def _disconnect(self) -> None:
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    # In whichever thread

    def _shut_connection(self) -> None:
        """Ends a write that the daemon does not take."""
        if self._connection is not None:
            try:
                self._connection.shutdown(sockets.SHUT_RDWR)
            except OSError:
                pass

    def _start_over_in_child(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()  # the child's copy only: the parent's connection stays
            except OSError:
                pass
        self._reset()


_senders: weakref.WeakSet[Sender] = weakref.WeakSet()
_exiting = False


def _after_fork_in_child() -> None:
    for sender in list(_senders):
        sender._start_over_in_child()


def _at_exit() -> None:
    """Sends what is queued, within _EXIT_SECONDS for all senders together, and says what could not be sent."""
    global _exiting
    deadline = time.monotonic() + _EXIT_SECONDS
    for sender in list(_senders):
        # Nobody waits for a daemon that has not been there all the time; one that has may be restarting.
        if sender.closed or sender._wait_for_sent(deadline - time.monotonic(), patient=False):
            continue
        stats = sender.stats()
        unsent = stats.accepted - stats.sent
        try:
            what = "1 record was" if unsent == 1 else f"{unsent} records were"
            sys.stderr.write(f"livelogd: {what} not sent: {stats.last_error or 'the daemon is slow'}\n")
        except Exception:
            pass
    _exiting = True


os.register_at_fork(after_in_child=_after_fork_in_child)
atexit.register(_at_exit)
