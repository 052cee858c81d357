# SPDX-License-Identifier: MIT
"""Sends the daemon the records that an app would have written for a recorded traffic of a language model.

    python3 replay_traffic.py TRACE.csv [--speed 60] [--limit 1000] [--server ollama] [--original-times]

The file has a line for each call: when it came, how many tokens went in, how many came out. Traces of real services are
published in this form; what was said in them is not. Each call becomes a request, and a response whose body is in the
words of a model server. Times and failures are invented, from --seed: the same seed gives the same records but for
their timestamps. Calls that overlap in time interleave as they would in the app.
"""

from __future__ import annotations

import argparse
import csv
import heapq
import itertools
import json
import random
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple, Optional

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))  # the package beside it, installed or not

from livelogd import Sender  # noqa: E402
from livelogd.encode import timestamp_text  # noqa: E402
from livelogd.records import Call, Failure, request_record, response_record  # noqa: E402
from replayed_answers import SERVERS, Work, words  # noqa: E402

#: Exit codes as in sysexits.h.
EX_OK, EX_DATAERR, EX_NOINPUT, EX_UNAVAILABLE = 0, 65, 66, 69

#: Bytes that may wait for the daemon; then the replay waits too. Well below what makes the sender drop records.
MOST_WAITING = 2 * 1024 * 1024

#: Seconds to find the daemon, and to hand over what is left at the end.
PATIENCE = 5.0

#: Tokens a second: the least and the most that a model reads, and writes.
PREFILL_SPEED, DECODE_SPEED = (400.0, 4000.0), (15.0, 90.0)


class TraceError(ValueError):
    """The trace cannot be read; the message says where."""


class Row(NamedTuple):
    """A call of the trace."""

    at: float
    """Seconds since 1970, as if the trace's clock were UTC."""
    input_tokens: int
    output_tokens: int


class Event(NamedTuple):
    """A record that is due. Ordered by time, and in the order of their making where that is the same."""

    at: float
    number: int
    record: dict[str, Any]


@dataclass(frozen=True)
class Columns:
    """The names of the trace's columns."""

    time: str = "TIMESTAMP"
    input_tokens: str = "ContextTokens"
    output_tokens: str = "GeneratedTokens"


@dataclass(frozen=True)
class Mix:
    """What becomes of the calls."""

    servers: tuple[str, ...] = tuple(SERVERS)
    errors: float = 0.02
    """Share of the calls that are answered by an error."""
    cancelled: float = 0.01
    """Share of the calls that are never answered."""


@dataclass
class Totals:
    """What was sent."""

    requests: int = 0
    responses: int = 0
    errors: int = 0

    def count(self, record: dict[str, Any]) -> None:
        """Adds a record."""
        self.requests += record["type"] == "request"
        self.responses += record["type"] == "response"
        self.errors += record.get("status_code", 0) >= 400

    def __str__(self) -> str:
        waiting = self.requests - self.responses
        answered = f"{self.responses} responses, {self.errors} of them errors"
        return f"{self.requests} requests, {answered}, {waiting} without response"


# --- reading ------------------------------------------------------------------------------------------------------


def seconds(text: str) -> float:
    """A time such as ``2023-11-16 18:15:46.6805900``, UTC unless it says otherwise, or a number of seconds."""
    try:
        return float(text)
    except ValueError:
        pass
    whole, dot, rest = text.strip().replace("Z", "+00:00").partition(".")
    digits = len(rest) - len(rest.lstrip("0123456789"))
    moment = datetime.fromisoformat(whole + (rest[digits:] if dot else ""))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return moment.timestamp() + (float(f"0.{rest[:digits]}") if dot and digits else 0.0)


def read_trace(path: Path, columns: Columns = Columns(), limit: Optional[int] = None) -> list[Row]:
    """The calls of a file, at most ``limit`` of them, the earliest first. OSError, or TraceError with the line."""
    rows: list[Row] = []
    with open(path, newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        wanted = (columns.time, columns.input_tokens, columns.output_tokens)
        missing = [name for name in wanted if name not in (reader.fieldnames or ())]
        if missing:
            there = ", ".join(reader.fieldnames or ()) or "none"
            raise TraceError(f"{path} has no column {missing[0]}; its columns: {there}")
        for line in itertools.islice(reader, limit):
            try:
                row = Row(seconds(line[wanted[0]]), int(line[wanted[1]]), int(line[wanted[2]]))
                if row.input_tokens < 0 or row.output_tokens < 0:
                    raise ValueError("a negative number of tokens")
            except (TypeError, ValueError) as error:
                raise TraceError(f"{path}, line {reader.line_num}: {error}") from None
            rows.append(row)
    return sorted(rows)


def repeated(rows: list[Row]) -> Iterator[Row]:
    """The calls again and again, each time later by the length of the trace and one average pause."""
    if not rows:
        return
    span = rows[-1].at - rows[0].at
    period = span + max(0.001, span / len(rows))
    for turn in itertools.count():
        for row in rows:
            yield row._replace(at=row.at + turn * period)


# --- records ------------------------------------------------------------------------------------------------------


@dataclass
class Script:
    """Makes the records of calls. Two of the same seed make the same records."""

    seed: int
    mix: Mix = field(default_factory=Mix)

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)
        self._numbers = itertools.count()
        self._loaded: set[str] = set()

    def events(self, rows: Iterable[Row]) -> Iterator[Event]:
        """All records in the order of their times; ``rows`` in the order of theirs. Takes no more rows than needed."""
        under_way: list[Event] = []
        for row in rows:
            while under_way and under_way[0].at <= row.at:
                yield heapq.heappop(under_way)
            request, response = self._call(row)
            yield request
            if response is not None:
                heapq.heappush(under_way, response)
        while under_way:
            yield heapq.heappop(under_way)

    def _call(self, row: Row) -> tuple[Event, Optional[Event]]:
        rng = self._rng
        kind = rng.choice(self.mix.servers)
        server = SERVERS[kind]
        model = rng.choice(server.models)
        call = Call(
            request_id=f"replay_{rng.getrandbits(64):016x}",
            method="POST",
            url=f"http://localhost{server.endpoint}",
            endpoint=server.endpoint,
        )
        prompt = words(row.input_tokens, rng)
        asked = {"model": model, "prompt_tokens": row.input_tokens, "prompt_preview": prompt[:80], "stream": False}
        request = request_record(
            call,
            remote_addr="127.0.0.1",
            user_agent="livelogd-replay/1",
            content_type="application/json",
            content_length=4 * row.input_tokens + 60,
            args={},
            body=asked,
        )
        work = self._work(row, model)
        fate = rng.random()
        if fate < self.mix.cancelled:
            response = None
        elif fate < self.mix.cancelled + self.mix.errors:
            response = self._failed(call, work)
        else:
            response = self._answered(call, kind, work)
        began = Event(row.at, next(self._numbers), request)
        if response is None:
            return began, None
        return began, Event(row.at + response["duration_ms"] / 1000, next(self._numbers), response)

    def _work(self, row: Row, model: str) -> Work:
        rng = self._rng
        cached = int(row.input_tokens * rng.choice((0.0, 0.0, 0.3, 0.8)))
        load = rng.uniform(5, 30) if model in self._loaded else rng.uniform(1500, 6000)
        self._loaded.add(model)
        return Work(
            model=model,
            input_tokens=row.input_tokens,
            cached_tokens=cached,
            output_tokens=row.output_tokens,
            queue=rng.expovariate(1 / 40),
            load=load,
            prefill=(row.input_tokens - cached) / rng.uniform(*PREFILL_SPEED) * 1000 + 5,
            decode=row.output_tokens / rng.uniform(*DECODE_SPEED) * 1000,
        )

    def _answered(self, call: Call, kind: str, work: Work) -> dict[str, Any]:
        server = SERVERS[kind]
        body = server.body(work, words(work.output_tokens, self._rng))
        record = _response(call, 200, work.whole, body)
        if not server.measures_itself:
            record["time_to_first_token_ms"] = round(work.to_first_token, 3)
        return record

    def _failed(self, call: Call, work: Work) -> dict[str, Any]:
        status, name, what = self._rng.choice(
            (
                (400, "ContextOverflowError", f"{work.input_tokens} tokens do not fit into the context"),
                (429, "RateLimitError", "too many requests"),
                (500, "OutOfMemoryError", f"no memory for the cache of {work.model}"),
                (503, "QueueFullError", "all slots are taken"),
            )
        )
        body = {"error": {"message": what, "type": name}}
        return _response(call, status, work.queue + 2, body, Failure(name))


def _response(
    call: Call, status: int, milliseconds: float, body: dict[str, Any], failure: Optional[Failure] = None
) -> dict[str, Any]:
    return response_record(
        call,
        status_code=status,
        content_type="application/json",
        content_length=len(json.dumps(body)),
        duration_ms=milliseconds,
        body=body,
        failure=failure,
    )


# --- sending ------------------------------------------------------------------------------------------------------


def replay(
    events: Iterable[Event], sender: Sender, speed: float, stop: threading.Event, newest: Optional[float]
) -> Totals:
    """Sends the records when they are due, ``speed`` times as fast as they were (0: at once), until ``stop``.

    ``newest``: the time of the trace that is to be now; records before it are told as of so long ago. None: each is
    told as of the moment at which it is sent. Waits for a daemon that is slower or being restarted, and drops nothing.
    Raises ConnectionError if there is none at the beginning.
    """
    totals = Totals()
    began, wall = time.monotonic(), time.time()
    first: Optional[float] = None
    for event in events:
        first = event.at if first is None else first
        if speed > 0 and stop.wait(max(0.0, began + (event.at - first) / speed - time.monotonic())):
            break
        while not stop.is_set() and sender.stats().queued_bytes > MOST_WAITING:
            sender.flush(0.5)
        if stop.is_set():
            break
        moment = time.time() if newest is None else wall + event.at - newest
        sender.send({**event.record, "timestamp": timestamp_text(moment)})
        totals.count(event.record)
        if totals.requests == 1 and totals.responses == 0 and not sender.flush(PATIENCE):
            raise ConnectionError(sender.stats().last_error)
    return totals


def parse_arguments(arguments: Optional[list[str]] = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Replays a trace of language model traffic as log records.")
    parser.add_argument(
        "trace", type=Path, metavar="TRACE.csv", help="a line for each call, with names of columns first"
    )
    parser.add_argument("--socket", metavar="PATH", help="the daemon's socket (default LIVELOGD_SOCKET)")
    parser.add_argument("--speed", type=float, default=1.0, help="times as fast as it was, 0 for at once (default 1)")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N calls")
    parser.add_argument("--loop", action="store_true", help="begin again at the end, until interrupted")
    parser.add_argument(
        "--original-times",
        action="store_true",
        help="timestamps as far apart as they were, the newest now (default: the moment of sending)",
    )
    parser.add_argument("--server", choices=[*SERVERS, "mix"], default="mix", help="who answers (default %(default)s)")
    parser.add_argument("--errors", type=float, default=2.0, metavar="PERCENT", help="calls that fail (default 2)")
    parser.add_argument("--cancelled", type=float, default=1.0, metavar="PERCENT", help="calls without end (default 1)")
    parser.add_argument("--seed", type=int, help="what is invented depends on it alone (default: another each time)")
    columns = Columns()
    parser.add_argument("--time-column", default=columns.time, metavar="NAME", help="(default %(default)s)")
    parser.add_argument("--input-column", default=columns.input_tokens, metavar="NAME", help="(default %(default)s)")
    parser.add_argument("--output-column", default=columns.output_tokens, metavar="NAME", help="(default %(default)s)")
    options = parser.parse_args(arguments)
    if not 0 <= options.speed < float("inf"):
        parser.error("--speed must be 0 or a positive number")
    if options.limit is not None and options.limit < 1:
        parser.error("--limit must be at least 1")
    if options.errors < 0 or options.cancelled < 0 or not options.errors + options.cancelled <= 100:
        parser.error("--errors and --cancelled are parts of a hundred")
    if options.loop and options.original_times:
        parser.error("--original-times needs an end, so it does not go with --loop")
    return options


def main(arguments: Optional[list[str]] = None) -> int:
    """Exit codes: 65 the trace is none, 66 it cannot be opened, 69 the daemon is not there or did not take all."""
    options = parse_arguments(arguments)
    columns = Columns(options.time_column, options.input_column, options.output_column)
    try:
        rows = read_trace(options.trace, columns, options.limit)
    except (TraceError, UnicodeError) as error:
        print(f"replay_traffic: {error}", file=sys.stderr)
        return EX_DATAERR
    except OSError as error:
        print(f"replay_traffic: {options.trace}: {error.strerror}", file=sys.stderr)
        return EX_NOINPUT

    servers = tuple(SERVERS) if options.server == "mix" else (options.server,)
    mix = Mix(servers, options.errors / 100, options.cancelled / 100)
    seed = options.seed if options.seed is not None else random.randrange(1 << 32)
    newest = None
    if options.original_times:
        newest = max((event.at for event in Script(seed, mix).events(rows)), default=0.0)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())

    sender = Sender(options.socket)
    events = Script(seed, mix).events(repeated(rows) if options.loop else rows)
    try:
        totals = replay(events, sender, options.speed, stop, newest)
    except ConnectionError as error:
        sender.close(0)
        print(f"replay_traffic: {error}", file=sys.stderr)
        return EX_UNAVAILABLE
    if not sender.close(PATIENCE):
        print(f"replay_traffic: not all was sent: {sender.stats().last_error or 'the daemon is slow'}", file=sys.stderr)
        return EX_UNAVAILABLE
    print(f"replay_traffic: {totals}; seed {seed}")
    return EX_OK


if __name__ == "__main__":
    sys.exit(main())
