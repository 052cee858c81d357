# SPDX-License-Identifier: MIT
"""The live stream: exact bytes, where it starts, named events. Readers that fall behind are in test_stream_resume.py."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from livelogd_daemon import Daemon, wait_until
from sse_client import Closed, Event, Stream
from waiting import wait_for_records

RECORDS = 30


def line(n: int) -> bytes:
    kind = ("request", "response", "custom_event")[n % 3]
    return b'{"timestamp":"t","type":"%s","level":"%s","n":%d}' % (
        kind.encode(),
        b"ERROR" if n % 3 == 2 else b"INFO",
        n,
    )


def numbers(events: list[Event]) -> list[int]:
    return [event.json()["n"] for event in events]


def id_of(event: Event) -> int:
    assert event.id is not None
    return event.id


@pytest.fixture(scope="module")
def filled() -> Iterator[Daemon]:
    """A daemon with RECORDS records, nothing else is sent to it."""
    with Daemon() as daemon:
        daemon.send([line(n) for n in range(RECORDS)])
        wait_for_records(daemon, RECORDS)
        yield daemon


@pytest.fixture(scope="module")
def first(filled: Daemon) -> int:
    """The id of record 0."""
    with Stream(filled, "after=0") as stream:
        return id_of(stream.record())


# --- head and frames ----------------------------------------------------------------------------------------------


def test_the_head_comes_at_once(daemon: Daemon) -> None:
    with Stream(daemon) as stream:
        assert stream.status == 200
        assert stream.headers["content-type"].split(";")[0] == "text/event-stream"
        assert {one.strip() for one in stream.headers["cache-control"].split(",")} >= {"no-cache", "no-transform"}
        assert stream.headers["x-accel-buffering"] == "no"
        assert stream.headers["x-content-type-options"] == "nosniff"
        assert stream.headers["cross-origin-resource-policy"] == "same-origin"
        assert stream.headers["referrer-policy"] == "no-referrer"
        assert "content-length" not in stream.headers

        def retry_told() -> bool:
            try:
                stream.next(0.05)
            except TimeoutError:
                pass
            return stream.retry is not None

        wait_until(retry_told, 5, "retry: before any record")
        assert stream.retry is not None and 100 <= stream.retry <= 60_000


def test_exact_frames(daemon: Daemon) -> None:
    with Stream(daemon) as stream:
        daemon.send([b'{"timestamp" : "t", "s" : "\xe2\x80\xa8 \\n \xc3\xa9"}', b'{"timestamp":"t","n":2}'])
        one, two = stream.records(2)
    assert one.raw == b'id: %d\ndata: {"timestamp":"t","s":"\xe2\x80\xa8 \\n \xc3\xa9"}\n\n' % id_of(one)
    assert two.raw == b'id: %d\ndata: {"timestamp":"t","n":2}\n\n' % (id_of(one) + 1)
    assert 0 < id_of(one) < 2**53


def test_live_only_by_default(filled: Daemon) -> None:
    with Stream(filled) as stream:
        assert stream.silent_for(0.5)


def test_every_reader_gets_every_record(daemon: Daemon) -> None:
    streams = [Stream(daemon) for _ in range(20)]
    daemon.send([line(n) for n in range(500)])
    seen = [[event.raw for event in stream.records(500)] for stream in streams]
    assert all(one == seen[0] for one in seen)
    for stream in streams:
        stream.close()


@pytest.mark.memory
def test_a_record_leaves_at_once(daemon: Daemon) -> None:
    with Stream(daemon) as stream, daemon.connect() as connection:
        delays = []
        for n in range(50):
            started = time.monotonic()
            connection.sendall(line(n) + b"\n")
            assert stream.record().json()["n"] == n
            delays.append(time.monotonic() - started)
    # No timer trades latency for throughput. The median, so that a busy machine does not matter.
    assert sorted(delays)[25] < 0.02


# --- where it starts ----------------------------------------------------------------------------------------------


def test_after_zero_is_all_that_is_kept(filled: Daemon) -> None:
    with Stream(filled, "after=0") as stream:
        events = stream.records(RECORDS)
        assert numbers(events) == list(range(RECORDS))
        assert [id_of(event) for event in events] == list(range(id_of(events[0]), id_of(events[0]) + RECORDS))
        assert stream.silent_for(0.2) and not [event for event in stream.named if event.name == "gap"]


@pytest.mark.parametrize("n", [0, 7, 28])
def test_after_is_everything_above(filled: Daemon, first: int, n: int) -> None:
    with Stream(filled, f"after={first + n}") as stream:
        assert numbers(stream.records(RECORDS - 1 - n)) == list(range(n + 1, RECORDS))
        assert stream.silent_for(0.2)


def test_after_the_newest_is_live(filled: Daemon, first: int) -> None:
    with Stream(filled, f"after={first + RECORDS - 1}") as stream:
        assert stream.silent_for(0.3)


def test_last_event_id(filled: Daemon, first: int) -> None:
    with Stream(filled, headers={"Last-Event-ID": str(first + 9)}) as stream:
        assert stream.record().json()["n"] == 10
    # It is what the browser has really seen; the address still says where the page once began.
    with Stream(filled, "after=0", headers={"Last-Event-ID": str(first + 9)}) as stream:
        assert stream.record().json()["n"] == 10
    with Stream(filled, "replay=5", headers={"Last-Event-ID": str(first + 9)}) as stream:
        assert stream.record().json()["n"] == 10


def test_after_beats_replay(filled: Daemon, first: int) -> None:
    with Stream(filled, f"replay=2&after={first + 19}") as stream:
        assert stream.record().json()["n"] == 20


@pytest.mark.parametrize("garbage", ["x", "-1", "1.5", "99999999999999999999", "5 6", "0x10"])
def test_a_last_event_id_of_someone_else(filled: Daemon, garbage: str) -> None:
    """Not one of ours: refused in so many words, or as if it were not there; never a wrong place."""
    with Stream(filled, headers={"Last-Event-ID": garbage}) as stream:
        if stream.status == 400:
            assert json.loads(stream.whole_body())["error"]
        else:
            assert stream.status == 200 and stream.silent_for(0.2)


@pytest.mark.parametrize(
    "replay, wanted", [(1, [29]), (4, [26, 27, 28, 29]), (30, list(range(30))), (1000, list(range(30)))]
)
def test_replay(filled: Daemon, replay: int, wanted: list[int]) -> None:
    with Stream(filled, f"replay={replay}") as stream:
        assert numbers(stream.records(len(wanted))) == wanted
        assert stream.silent_for(0.2)


def test_replay_counts_what_matches(filled: Daemon) -> None:
    with Stream(filled, "replay=3&type=errors") as stream:
        assert numbers(stream.records(3)) == [23, 26, 29]


def test_replay_then_live(daemon: Daemon) -> None:
    daemon.send([line(n) for n in range(5)])
    wait_for_records(daemon, 5)
    with Stream(daemon, "replay=2") as stream:
        assert numbers(stream.records(2)) == [3, 4]
        daemon.send([line(n) for n in range(5, 8)])
        assert numbers(stream.records(3)) == [5, 6, 7]


# --- filters ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query, wanted",
    [
        ("type=all", {0, 1, 2}),
        ("type=api", {0, 1}),
        ("type=errors", {2}),
        ("type=response", {1}),
        ("type=request&type=errors", {0, 2}),
        ("type=custom%5Fevent", {2}),
    ],
)
def test_filters_live_and_from_the_files(filled: Daemon, daemon: Daemon, query: str, wanted: set[int]) -> None:
    expected = [n for n in range(RECORDS) if n % 3 in wanted]
    with Stream(filled, f"after=0&{query}") as stream:
        assert numbers(stream.records(len(expected))) == expected
    with Stream(daemon, query) as stream:
        daemon.send([line(n) for n in range(RECORDS)])
        assert numbers(stream.records(len(expected))) == expected


def test_a_status_code_makes_an_error(daemon: Daemon) -> None:
    with Stream(daemon, "type=errors") as stream:
        daemon.send(
            [
                b'{"n":1,"status_code":399}',
                b'{"n":2,"status_code":400}',
                b'{"n":3,"level":"error"}',
                b'{"n":4,"level":"WARNING"}',
                b'{"n":5,"level":"CRITICAL"}',
                b'{"n":6,"status_code":"500"}',
                b'{"n":7,"level":40}',
                b'{"n":8,"level":30}',
                b'{"n":9,"level":"fatal","status_code":200}',
                b'{"n":10,"status_code":5e2}',
                b"not a record",
                b'{"n":11,"status_code":599}',
            ]
        )
        assert numbers(stream.records(7)) == [2, 3, 5, 7, 9, 10, 11]


# --- named events -------------------------------------------------------------------------------------------------


def test_ping(daemon: Daemon) -> None:
    """Every 15 s, with the id of the last record looked at, also when the filter lets none of them through."""
    with Stream(daemon) as plain, Stream(daemon, "type=nothing_has_this") as filtered:
        daemon.send([line(n) for n in range(3)])
        newest = id_of(plain.records(3)[-1])
        started = time.monotonic()
        for stream in (plain, filtered):
            ping = stream.event("ping", 18)
            assert ping.raw == b'event: ping\nid: %d\ndata: {"id":%d}\n\n' % (newest, newest) or (
                ping.id == newest and ping.json() == {"id": newest}
            )
        assert time.monotonic() - started < 18


def test_bye(daemon: Daemon) -> None:
    daemon.send([line(n) for n in range(3)])
    wait_for_records(daemon, 3)
    with Stream(daemon, "after=0") as caught_up, Stream(daemon, "type=nothing_has_this") as filtered:
        newest = id_of(caught_up.records(3)[-1])
        daemon.stop()
        for stream in (caught_up, filtered):
            *others, last = stream.rest()
            assert last.name == "bye" and last.id == newest
            assert all(event.name == "ping" for event in others)
            assert not stream.cut_off, "the transfer coding is brought to its end"
    daemon.restart()
    with Stream(daemon, headers={"Last-Event-ID": str(newest)}) as resumed:
        daemon.send([line(3)])
        assert resumed.record().json()["n"] == 3


def test_the_stream_of_a_killed_daemon_just_ends(daemon: Daemon) -> None:
    with Stream(daemon) as stream:
        daemon.kill()
        with pytest.raises(Closed):
            stream.record()
