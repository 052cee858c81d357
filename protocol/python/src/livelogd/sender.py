# SPDX-License-Identifier: MIT
"""The way of the records to the daemon: a bounded queue and a thread that writes it to the Unix socket."""

from __future__ import annotations

import atexit
import os
import random
import select
import sys
import threading
import time
import uuid
import weakref
from collections import deque
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Callable, Optional, Union

from livelogd.backlog import Dropped, SenderStats, Unmade, made_lines, size_of
from livelogd.encode import encode_record, timestamp_text
from livelogd.locate import socket_places, trust_problem
from livelogd.wire import ACKS, Broken, Connection, Flight, hello_line

DEFAULT_QUEUE_BYTES = 8 * 1024 * 1024

#: Lines are joined up to this size for one write; a longer line goes alone.
_BATCH_BYTES = 64 * 1024

#: After a pause, what comes within so many milliseconds goes with the first record: a burst wakes the thread once, and
#: takes the interpreter from the app's threads once.
_GATHER_MS = 2

#: Most bytes of records that wait to be made: what takes the interpreter from the app's threads in one go is bounded by it.
_MOST_UNMADE_BYTES = 256 * 1024

#: Seconds between attempts to connect: the first, and the most.
_FIRST_DELAY, _LONGEST_DELAY = 0.1, 2.0

#: A connection that held this many seconds was a good one: after it the first new attempt comes at once.
_GOOD_SECONDS = 1.0

#: Dropped records are told of once half the queue is free again, or after this many seconds, if it stays fuller.
_NOTICE_SECONDS = 5.0

#: Seconds that the end of the process may be delayed to send what is queued.
_EXIT_SECONDS = 2.0


class Sender:
    """Sends records to the daemon, in the order in which ``send`` was called.

    ``send`` only encodes the record and puts it into a queue, bounded in bytes of lines; it neither waits for the
    daemon nor raises. When the queue is full the newest record is dropped and counted, and once there is room again a
    record tells how many (``"type":"livelogd","event":"records_dropped"``). A thread of the sender's own, started with
    the first record, connects (again and again, if need be) and writes. A lone record leaves after 2 ms at most, so
    that a burst goes in one piece.

    What arrives. A line stays in the queue until the daemon has acknowledged it, and is sent again over the next
    connection if it has not; the daemon recognises what it has already.

    * Daemon absent, restarting, or slow: nothing is lost as long as the queue has room, and nothing is doubled.
    * The daemon is killed: nothing is lost; what it had stored and not yet acknowledged is there twice.
    * Power cut: with ``ack="written"`` the last second may be gone, with ``ack="durable"`` nothing that was acknowledged.
    * This process is killed: what is queued is lost. On a normal exit up to 2 seconds are spent to send it.

    With ``ack="none"`` a line counts as sent when the kernel has taken it: what the daemon leaves unread when it dies
    is lost, some 200 KiB at most. It is for receivers that are no livelogd.

    After ``os.fork`` the child starts with an empty queue and a connection of its own; what was queued stays with the
    parent. All methods may be called from any thread, ``send`` from signal handlers and finalizers too.
    """

    def __init__(
        self,
        socket: Union[str, os.PathLike[str], None] = None,
        *,
        max_queue_bytes: int = DEFAULT_QUEUE_BYTES,
        ack: Optional[str] = None,
    ) -> None:
        """``socket``: path of the daemon's socket. By default LIVELOGD_SOCKET, else /run/livelogd/ingest.sock, else
        $XDG_RUNTIME_DIR/livelogd/ingest.sock; the latter two only in a folder that nobody else can write.
        ``ack``: "written", "durable" or "none"; by default LIVELOGD_ACK, else "written"."""
        if max_queue_bytes <= 0:
            raise ValueError("max_queue_bytes must be positive")
        self._ack = _checked_ack(ack)
        self._places = socket_places(socket)
        self._max_queue_bytes = max_queue_bytes
        self._closed = False
        self._connection: Optional[Connection] = None
        self._wake_read = self._wake_write = -1
        self._complained: set[str] = set()
        self._reset()
        _senders.add(self)

    def _reset(self) -> None:
        # Reentrant, because a signal handler or a finalizer may log in the middle of a send of the same thread.
        self._lock = threading.RLock()
        self._progress = threading.Condition(self._lock)
        self._thread: Optional[threading.Thread] = None

        # Guarded by the lock. _held_bytes counts the lines of the queue and those of the flight.
        self._sleeping = False
        self._given_up = False
        self._queue: deque[Union[bytes, Unmade]] = deque()
        self._unmade_bytes = 0
        self._held_bytes = 0
        self._accepted = 0
        self._sent = 0
        self._resent = 0
        self._dropped_total = 0
        self._refused = 0
        self._dropped: Optional[Dropped] = None
        self._last_error: Optional[str] = None
        self._connections = 0
        self._failures = 0

        # The thread's own. A name that nobody else will guess or use, a forked child neither: by it the daemon knows
        # which lines it has.
        self._client = str(uuid.uuid4())
        self._flight = Flight()
        self._out = memoryview(b"")
        self._ready = False  # whether lines may be written: the daemon has told what it has
        self._connected_at = 0.0
        self._delay = _FIRST_DELAY

    # What callers use

    @property
    def places(self) -> list[str]:
        """The paths at which the daemon's socket is looked for, in order."""
        return [place.path for place in self._places]

    @property
    def ack(self) -> str:
        """What is waited for before a line is forgotten: "written", "durable" or "none"."""
        return self._ack

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

    def send_later(self, make: Callable[[], Mapping[str, Any]], size: int) -> bool:
        """Queues the record that ``make`` will make, in the sender's thread, if that is at work, else at once. For those
        who know that nothing of it changes meanwhile. ``size``: about how many bytes of memory it takes till then.
        ``make`` must not raise."""
        try:
            with self._lock:
                if (
                    self._ready
                    and self._unmade_bytes + size <= _MOST_UNMADE_BYTES
                    and self._held_bytes + size <= self._max_queue_bytes
                    and not self._closed
                ):
                    self._queue.append(Unmade(make, size))
                    self._unmade_bytes += size
                    self._held_bytes += size
                    self._accepted += 1
                    if self._sleeping:
                        self._alert()
                    return True
            return self.send(make())
        except Exception:
            return False

    def flush(self, timeout: float = 5.0) -> bool:
        """Waits until all that was queued before the call has arrived, ``timeout`` seconds at most. Returns whether it is.
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
                resent=self._resent,
                dropped=self._dropped_total,
                refused=self._refused,
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
                self._dropped = Dropped(now)
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
        try:
            self._wake_read, self._wake_write = os.pipe()
            os.set_blocking(self._wake_read, False)
            os.set_blocking(self._wake_write, False)
            self._thread = threading.Thread(target=self._run, name="livelogd-sender", daemon=True)
            self._thread.start()
            _flush_at_the_end_of_children()
        except (RuntimeError, OSError):
            # No more threads or descriptors, or the interpreter is going down; the next record tries again.
            self._thread = None
            self._close_pipe()

    def _nudge(self) -> None:
        """Wakes the thread, with the lock held."""
        if self._wake_write >= 0:
            try:
                os.write(self._wake_write, b"\0")
            except BlockingIOError:  # it has been woken a thousand times already
                pass

    def _close_pipe(self) -> None:
        for descriptor in (self._wake_read, self._wake_write):
            if descriptor >= 0:
                os.close(descriptor)
        self._wake_read = self._wake_write = -1

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
        going_on = True
        while going_on:
            try:
                going_on = self._turn()
            except Exception as error:  # whatever it was, it must not end the sending for good
                self._lose_connection(f"{type(error).__name__}: {error}")
        self._disconnect()
        with self._lock:
            self._close_pipe()

    def _turn(self) -> bool:
        """Does what can be done and waits for more. False: the thread is to end."""
        if self._connection is None and self._has_work() and not self._connect():
            self._back_off()
        connection = self._connection
        if connection is not None and not self._write(connection):
            return not self._given_up
        with self._lock:
            if self._given_up or (self._closed and not self._has_work()):
                return False
            if self._has_work() if connection is None else not self._out and self._can_fill():
                return True  # there was no connection, or something has come since
            # A record wakes the thread, unless the connection has to take what is there, or to say something, first.
            idle = not self._out and (connection is None or self._ready)
            self._sleeping = idle
        if self._wait(connection, idle) and connection is not None:
            self._listen(connection)
        return True

    def _has_work(self) -> bool:
        with self._lock:
            return bool(self._out or self._queue or len(self._flight)) or self._dropped is not None

    def _wait(self, connection: Optional[Connection], idle: bool) -> bool:
        """Until there is something to do; if ``idle``, a record is something to do. Returns whether the daemon has said
        something, or has closed."""
        poll = select.poll()
        poll.register(self._wake_read, select.POLLIN)
        if connection is not None:
            poll.register(connection.fileno(), select.POLLIN | (select.POLLOUT if self._out else 0))
        events = dict(poll.poll())
        with self._lock:
            woken_by_record = idle and not self._sleeping and not self._closed
            self._sleeping = False
        if self._wake_read in events:
            self._drain_pipe()
            if woken_by_record:
                self._nap(_GATHER_MS)
        return connection is not None and bool(events.get(connection.fileno(), 0) & ~select.POLLOUT)

    def _nap(self, milliseconds: float) -> None:
        """Waits, unless somebody nudges."""
        poll = select.poll()
        poll.register(self._wake_read, select.POLLIN)
        if poll.poll(milliseconds):
            self._drain_pipe()

    def _drain_pipe(self) -> None:
        try:
            os.read(self._wake_read, 65536)
        except BlockingIOError:
            pass

    def _connect(self) -> bool:
        problem = "there is no socket at " + " or ".join(self.places)
        for place in self._places:
            try:
                distrust = None if place.chosen else trust_problem(place.path)
                if distrust is not None:
                    problem = f"{place.path} is not used: {distrust}"
                    self._complain(problem)
                    continue
                self._connection = Connection(place.path)
            except FileNotFoundError:
                pass
            except OSError as error:
                problem = f"{place.path}: {error}"
            else:
                self._connected_at = time.monotonic()
                self._ready = self._ack == "none"
                self._out = memoryview(b"" if self._ready else hello_line(self._ack, self._client))
                with self._lock:
                    self._connections += 1
                    self._last_error = None
                    if self._ready:
                        self._resent += self._flight.start_over()
                return True
        self._fail(problem)
        return False

    def _write(self, connection: Connection) -> bool:
        """Writes as long as the kernel takes it. False: the connection is gone."""
        try:
            while self._out or self._fill():
                written = connection.write(self._out)
                if written == 0:
                    break
                self._out = self._out[written:]
                if self._ack == "none":
                    self._settle(*self._flight.wrote(written))
        except OSError as error:
            # What the daemon has said before it went: with it the lines are known that need not be sent again.
            if self._listen(connection):
                self._lose_connection(f"the connection broke: {error}")
            return False
        return True

    def _fill(self) -> bool:
        """Puts the next lines into _out. False: there are none, or it is not their time."""
        if not self._ready:
            return False
        batch = self._flight.take_again(_BATCH_BYTES)
        if batch:
            self._settle(*self._flight.acknowledge(0))
        else:
            batch = self._next_lines()
            self._flight.add(batch)
        self._out = memoryview(b"".join(batch))
        return bool(batch)

    def _can_fill(self) -> bool:
        """Whether there are lines that may be written, with the lock held."""
        return self._ready and (
            bool(self._queue)
            or self._flight.has_again()
            or (self._dropped is not None and self._is_time_to_tell(self._dropped))
        )

    def _next_lines(self) -> list[bytes]:
        """Takes lines from the queue, and makes those that are not made yet."""
        items: list[Union[bytes, Unmade]] = []
        size = 0
        with self._lock:
            self._tell_of_dropped()
            while self._queue and (not items or size + size_of(self._queue[0]) <= _BATCH_BYTES):
                items.append(self._queue.popleft())
                size += size_of(items[-1])
        lines, estimated, made = made_lines(items)
        if estimated:
            with self._lock:
                self._unmade_bytes -= estimated
                self._held_bytes += made - estimated
        return lines

    def _listen(self, connection: Connection) -> bool:
        """Takes in what the daemon has said. False: the connection is gone."""
        try:
            answers, closed = connection.read()
        except Broken as error:
            self._lose_connection(str(error))
            return False
        reason = "the daemon closed the connection"
        for answer in answers:
            if self._ack == "none":
                continue
            if answer.have is not None:
                with self._lock:
                    self._resent += self._flight.resume(answer.have)
                self._settle(*self._flight.acknowledge(0))
                self._ready = True
            elif answer.ack is not None:
                self._settle(*self._flight.acknowledge(answer.ack))
                self._delay = _FIRST_DELAY
            elif answer.malformed is not None:
                with self._lock:
                    self._refused += answer.more
            elif answer.error is not None:
                reason = answer.error
        if closed:
            self._lose_connection(reason)
        return not closed

    def _tell_of_dropped(self) -> None:
        """Queues the record of what was dropped, if it is time to."""
        if self._dropped is not None and self._is_time_to_tell(self._dropped):
            line = self._dropped.notice_line()
            self._dropped = None
            self._append(line)

    def _is_time_to_tell(self, dropped: Dropped) -> bool:
        """Whether there is room again, or it has been going on for a while."""
        return (
            self._held_bytes <= self._max_queue_bytes // 2 or time.monotonic() - dropped.since >= _NOTICE_SECONDS
        )

    def _settle(self, count: int, size: int) -> None:
        """So many lines need not be kept any more."""
        if count:
            with self._lock:
                self._sent += count
                self._held_bytes -= size
                self._progress.notify_all()

    def _lose_connection(self, problem: str) -> None:
        good = time.monotonic() - self._connected_at >= _GOOD_SECONDS
        self._disconnect()
        self._fail(problem)
        if good:
            self._delay = _FIRST_DELAY
        elif self._has_work():
            self._back_off()

    def _back_off(self) -> None:
        """Waits before the next attempt: 0.1 s, doubling to 2 s, each up to half shorter by chance, so that many
        senders do not come back at the same moment."""
        delay, self._delay = self._delay, min(2 * self._delay, _LONGEST_DELAY)
        self._nap(1000 * delay * random.uniform(0.5, 1.0))

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
        self._out = memoryview(b"")
        self._ready = False
        if connection is not None:
            connection.close()

    # In a forked child

    def _start_over_in_child(self) -> None:
        connection, self._connection = self._connection, None
        try:
            if connection is not None:
                connection.close()  # the child's copy only: the parent's connection stays
            self._close_pipe()
        except OSError:
            pass
        self._reset()


def _checked_ack(ack: Optional[str]) -> str:
    """The kind of acknowledgement: as given, else as the environment says. A wrong word in the environment is no reason
    to break an app."""
    if ack is not None:
        if ack not in (*ACKS, "none"):
            raise ValueError(f"ack must be one of {', '.join(ACKS)}, none; not {ack!r}")
        return ack
    wished = os.environ.get("LIVELOGD_ACK", "")
    return wished if wished in (*ACKS, "none") else ACKS[0]


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


def _flush_at_the_end_of_children() -> None:
    """Children of ``multiprocessing`` end by ``os._exit``, past ``atexit``, but not past its own list."""
    process, util = sys.modules.get("multiprocessing.process"), sys.modules.get("multiprocessing.util")
    if process is not None and util is not None and process.parent_process() is not None:
        util.Finalize(None, _at_exit, exitpriority=0)


os.register_at_fork(after_in_child=_after_fork_in_child)
atexit.register(_at_exit)
