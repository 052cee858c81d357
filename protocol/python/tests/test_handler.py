# SPDX-License-Identifier: MIT
from __future__ import annotations

import logging
import logging.config
import os
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from fake_daemon import FakeDaemon
from livelogd import LiveLogHandler, Sender, get_sender


@pytest.fixture
def logger(daemon: FakeDaemon, sender: Sender) -> Iterator[logging.Logger]:
    daemon.start()
    made = logging.getLogger("tests.handler")
    made.propagate = False
    made.setLevel(logging.DEBUG)
    handler = LiveLogHandler(sender=sender)
    made.addHandler(handler)
    yield made
    made.removeHandler(handler)


class Hostile:
    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


def test_the_fields_and_their_order(daemon: FakeDaemon, logger: logging.Logger) -> None:
    logger.info("loaded %s in %.1f s", "llama", 2.5)
    (record,) = daemon.wait_for_lines(1)
    moment = datetime.fromisoformat(record.pop("timestamp"))
    assert moment.tzinfo is not None and abs(moment.timestamp() - datetime.now().timestamp()) < 10
    assert list(record.items()) == [
        ("level", "INFO"),
        ("message", "loaded llama in 2.5 s"),
        ("module", "test_handler"),
        ("type", "log"),
        ("logger", "tests.handler"),
    ]


def test_an_exception_brings_its_type_and_traceback(daemon: FakeDaemon, logger: logging.Logger) -> None:
    try:
        os.environ["LIVELOGD_NO_SUCH_NAME"]
    except KeyError:
        logger.exception("lookup failed")
    (record,) = daemon.wait_for_lines(1)
    assert (record["level"], record["message"], record["error_type"]) == ("ERROR", "lookup failed", "KeyError")
    assert record["traceback"].startswith("Traceback (most recent call last):\n")
    assert record["traceback"].endswith("KeyError: 'LIVELOGD_NO_SUCH_NAME'")
    logger.error("no exception", exc_info=True)
    assert "error_type" not in daemon.wait_for_lines(2)[1]
    logger.warning("where", stack_info=True)
    assert "test_an_exception_brings" in daemon.wait_for_lines(3)[2]["stack"]


def test_structured_fields_travel_in_one_extra(daemon: FakeDaemon, logger: logging.Logger) -> None:
    # Each of these names would make logging itself raise, were it an extra of its own.
    logger.info("up", extra={"livelogd": {"filename": "a.gguf", "args": {"q": "1"}, "module": "uploads", "n": 1}})
    (record,) = daemon.wait_for_lines(1)
    assert list(record) == ["timestamp", "level", "message", "module", "type", "logger", "filename", "args", "n"]
    assert (record["filename"], record["args"], record["module"]) == ("a.gguf", {"q": "1"}, "uploads")
    logger.info("kind", extra={"livelogd": {"type": "custom_event", "event_type": "cache_emptied"}})
    assert daemon.wait_for_lines(2)[1]["type"] == "custom_event"
    logger.info("odd", extra={"livelogd": ["not", "a", "mapping"]})
    assert daemon.wait_for_lines(3)[2]["livelogd"] == ["not", "a", "mapping"]


def test_plain_extras_are_added_and_replace_nothing(daemon: FakeDaemon, logger: logging.Logger) -> None:
    logger.info("up", extra={"request_id": "r1", "level": 3, "type": "mine", "livelogd": {"request_id": "r2"}})
    (record,) = daemon.wait_for_lines(1)
    assert (record["level"], record["level_"], record["type"], record["type_"]) == ("INFO", 3, "log", "mine")
    assert (record["request_id"], record["request_id_"]) == ("r2", "r1")


def test_nothing_raises(daemon: FakeDaemon, logger: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    cycle: dict[str, Any] = {}
    cycle["cycle"] = cycle
    logger.info("too few %s %s", "one")
    logger.info(Hostile())
    logger.info("%s", Hostile())
    logger.info("fields", extra={"livelogd": {"hostile": Hostile(), "deep": deep, "cycle": cycle, "nan": float("nan")}})
    logger.info("extra", extra={"hostile": Hostile()})
    logger.info("surrogate \ud800")
    try:
        raise ValueError(Hostile())
    except ValueError:
        logger.exception("hostile exception")
    records = daemon.wait_for_lines(7)
    assert [record["message"] for record in records] == [
        "too few %s %s",
        "<Hostile without a text>",
        "%s",
        "fields",
        "extra",
        "surrogate \ufffd",
        "hostile exception",
    ]
    assert records[0]["logging_error"] == "TypeError: not enough arguments for format string"
    assert records[2]["logging_error"] == "RuntimeError: no text"
    assert records[3]["hostile"] == "<Hostile without a text>" and records[3]["nan"] == "NaN"
    assert records[6]["error_type"] == "ValueError" and "traceback" in records[6]
    assert capsys.readouterr().err == ""


def test_a_failing_sender_reaches_only_handle_error(monkeypatch: pytest.MonkeyPatch, sender: Sender) -> None:
    handler = LiveLogHandler(sender=sender)

    def fail(*_: object) -> bool:
        raise RuntimeError("broken")

    monkeypatch.setattr(sender, "send", fail)
    told: list[logging.LogRecord] = []
    monkeypatch.setattr(handler, "handleError", told.append)
    record = logging.makeLogRecord({"msg": "x"})
    handler.emit(record)
    assert told == [record]
    monkeypatch.setattr(handler, "handleError", fail)
    handler.emit(record)


def test_from_dict_config(daemon: FakeDaemon) -> None:
    daemon.start()
    name = "tests.dictconfig"
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"ignored": {"format": "%(asctime)s %(message)s"}},
            "handlers": {
                "livelogd": {
                    "class": "livelogd.LiveLogHandler",
                    "level": "WARNING",
                    "socket": daemon.path,
                    "flush_timeout": 5,
                    "formatter": "ignored",
                }
            },
            "loggers": {name: {"handlers": ["livelogd"], "level": "DEBUG", "propagate": False}},
        }
    )
    logger = logging.getLogger(name)
    (handler,) = logger.handlers
    assert isinstance(handler, LiveLogHandler) and handler.sender is get_sender(daemon.path)
    logger.info("below the handler's level")
    logger.warning("above")
    handler.flush()
    assert [record["message"] for record in daemon.wait_for_lines(1)] == ["above"]
    logger.removeHandler(handler)
    handler.close()
    assert not handler.sender.closed  # it is shared
    handler.sender.close(1)
