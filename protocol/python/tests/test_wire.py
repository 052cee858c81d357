# SPDX-License-Identifier: MIT
"""Which lines are sent again, and under which numbers, step by step."""

from __future__ import annotations

import random

import pytest

from livelogd.wire import Answer, Broken, Flight, parse_answer


def lines(first: int, last: int) -> list[bytes]:
    return [b"%d\n" % number for number in range(first, last + 1)]


def test_answers() -> None:
    assert parse_answer(b'{"have":7}') == Answer(have=7)
    assert parse_answer(b'{"ack":3,"later":true}') == Answer(ack=3)
    assert parse_answer(b'{"malformed":4,"more":9}') == Answer(malformed=4, more=9)
    assert parse_answer(b'{"error":"half a line"}') == Answer(error="half a line")
    for wrong in (b"hello", b"[]", b'{"ack":-1}', b'{"ack":"1"}', b'{"have":true}', b"\xff", b'{"ack":1.5}', b"[" * 5000):
        with pytest.raises(Broken):
            parse_answer(wrong)


def test_acknowledged_lines_are_settled_in_order() -> None:
    flight = Flight()
    flight.add(lines(1, 10))
    assert flight.acknowledge(3) == (3, 6)
    assert flight.acknowledge(3) == (0, 0)
    assert flight.acknowledge(2) == (0, 0)  # an acknowledgement takes nothing back
    assert flight.acknowledge(10) == (7, 15)
    assert flight.acknowledge(99) == (0, 0) and len(flight) == 0


def test_a_daemon_that_remembers_gets_only_what_it_has_not() -> None:
    flight = Flight()
    flight.add(lines(1, 10))
    flight.acknowledge(3)
    assert flight.resume(8) == 2
    assert flight.take_again(1000) == lines(9, 10)
    assert flight.acknowledge(8) == (5, 10) and flight.acknowledge(10) == (2, 5)


def test_a_daemon_that_has_forgotten_gets_all_that_is_not_acknowledged_and_counts_anew() -> None:
    flight = Flight()
    flight.add(lines(1, 10))
    flight.acknowledge(6)
    assert flight.resume(0) == 4
    assert flight.take_again(1000) == lines(7, 10)
    flight.add(lines(11, 12))
    assert flight.acknowledge(4) == (4, 9) and flight.acknowledge(6) == (2, 6)
    flight.add(lines(13, 15))
    assert flight.resume(7) == 2  # the same daemon, after its restart
    assert flight.take_again(1000) == lines(14, 15)


def test_what_an_old_connection_brings_late_is_settled_when_its_turn_comes() -> None:
    flight = Flight()
    flight.add(lines(1, 10))
    assert flight.resume(4) == 6
    assert flight.take_again(4) == lines(5, 6)
    # The daemon has read the rest of the old connection meanwhile. On this one it goes on counting at 5, so that 7 to
    # 10 must be written before 11 is.
    assert flight.acknowledge(10) == (6, 12)
    assert flight.take_again(1000) == lines(7, 10)
    assert flight.acknowledge(0) == (4, 9) and len(flight) == 0
    flight.add(lines(11, 11))
    assert flight.acknowledge(11) == (1, 3)


def test_a_second_break_before_all_was_sent_again() -> None:
    flight = Flight()
    flight.add(lines(1, 10))
    flight.resume(4)
    flight.take_again(4)
    assert flight.resume(9) == 0  # 5 and 6 twice, and 7 to 9 from the first connection
    assert flight.take_again(1000) == lines(10, 10)


def test_batches_are_bounded_and_a_long_line_goes_alone() -> None:
    flight = Flight()
    flight.add([b"x" * 100, b"y", b"z"])
    flight.resume(0)
    assert [len(flight.take_again(10)) for _ in range(3)] == [1, 2, 0]


def test_without_acknowledgements_whole_lines_are_settled() -> None:
    flight = Flight()
    flight.add(lines(1, 4))
    assert flight.wrote(1) == (0, 0)
    assert flight.wrote(2) == (1, 2)  # and a byte of the second
    assert flight.start_over() == 3
    assert flight.take_again(1000) == lines(2, 4)
    assert flight.wrote(6) == (3, 6)


@pytest.mark.parametrize("seed", range(30))
def test_any_course_of_events_loses_nothing_and_doubles_only_after_a_restart(seed: int) -> None:
    """A model of the daemon: it takes what is written, in any portions, also from connections that have broken, and
    stores, acknowledges, forgets, dies."""
    rng = random.Random(seed)
    flight = Flight()
    stored: list[bytes] = []
    have = acknowledged = 0  # of this daemon's life
    produced = settled = restarts = 0
    wires: list[list[tuple[int, bytes]]] = []  # what each connection of this life still has to bring: number and line
    count = 0  # the number of the last line written on the newest connection

    def connect() -> None:
        nonlocal count
        flight.resume(have)
        count = have
        wires.append([])

    def bring(wire: list[tuple[int, bytes]], most: int) -> None:
        nonlocal have
        for _ in range(min(most, len(wire))):
            number, line = wire.pop(0)
            if number == have + 1:
                have = number
                stored.append(line)
            assert number <= have, "a line was left out"

    connect()
    for _ in range(400):
        event = rng.random()
        if event < 0.5:
            batch = flight.take_again(rng.randrange(1, 40))
            if not batch:
                batch = lines(produced + 1, produced + rng.randrange(1, 6))
                produced += len(batch)
                flight.add(batch)
            for line in batch:
                count += 1
                wires[-1].append((count, line))
            settled += flight.acknowledge(0)[0]
        elif event < 0.75:
            bring(rng.choice(wires), rng.randrange(1, 8))
        elif event < 0.9:
            acknowledged = rng.randint(acknowledged, have)
            settled += flight.acknowledge(acknowledged)[0]
        elif event < 0.97:
            connect()
        else:  # killed: what is on the wires is gone, and what it knew
            restarts += 1
            wires.clear()
            have = acknowledged = 0
            connect()
    while flight.take_again(1):
        pass
    connect()
    while True:
        batch = flight.take_again(64)
        if not batch:
            break
        for line in batch:
            count += 1
            wires[-1].append((count, line))
    for wire in wires:
        bring(wire, len(wire))
    settled += flight.acknowledge(have)[0]
    assert settled == produced and len(flight) == 0
    first_seen = list(dict.fromkeys(stored))
    assert first_seen == lines(1, produced)
    if restarts == 0:
        assert stored == first_seen
