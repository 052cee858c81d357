# SPDX-License-Identifier: MIT
from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from fake_daemon import FakeDaemon, eventually
from livelogd import Sender
from livelogd.locate import SYSTEM_SOCKET, Place, socket_places, trust_problem


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LIVELOGD_SOCKET", raising=False)
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)


def test_order_of_the_places(monkeypatch: pytest.MonkeyPatch) -> None:
    assert socket_places() == [Place(SYSTEM_SOCKET, False)]
    monkeypatch.setenv("XDG_RUNTIME_DIR", "relative/dir")
    assert socket_places() == [Place(SYSTEM_SOCKET, False)]
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/7")
    assert socket_places() == [
        Place("/run/livelogd/ingest.sock", False),
        Place("/run/user/7/livelogd/ingest.sock", False),
    ]
    monkeypatch.setenv("LIVELOGD_SOCKET", "/named.sock")
    assert socket_places() == [Place("/named.sock", True)]
    assert socket_places(Path("/argument.sock")) == [Place("/argument.sock", True)]
    monkeypatch.setenv("LIVELOGD_SOCKET", "")
    assert len(socket_places()) == 2


@pytest.mark.parametrize(
    ("mode", "problem"),
    [(0o700, None), (0o755, None), (0o770, "written by others"), (0o707, "written by others"), (0o1777, "written by")],
)
def test_others_must_not_be_able_to_write_the_folder(folder: Path, mode: int, problem: str | None) -> None:
    place = folder / "livelogd"
    place.mkdir()
    place.chmod(mode)
    told = trust_problem(str(place / "ingest.sock"))
    assert told is None if problem is None else told is not None and problem in told


def test_the_folder_must_be_no_link_and_be_there(folder: Path) -> None:
    real = folder / "real"
    real.mkdir(mode=0o700)
    (folder / "link").symlink_to(real)
    assert "symbolic link" in (trust_problem(str(folder / "link" / "ingest.sock")) or "")
    (folder / "file").touch()
    assert "not a folder" in (trust_problem(str(folder / "file" / "ingest.sock")) or "")
    with pytest.raises(FileNotFoundError):
        trust_problem(str(folder / "none" / "ingest.sock"))


def test_the_folder_must_belong_to_root_or_the_user(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = folder / "livelogd"
    place.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(place, 4242, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 4242)
    assert "belongs to neither" in (trust_problem(str(place / "ingest.sock")) or "")
    monkeypatch.setattr(os, "geteuid", lambda: place.stat().st_uid)
    assert trust_problem(str(place / "ingest.sock")) is None


def found_by_default(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Sender:
    monkeypatch.setattr("livelogd.locate.SYSTEM_SOCKET", str(folder / "system" / "ingest.sock"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    return Sender()


def test_the_sender_uses_the_first_place_where_somebody_listens(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "livelogd").mkdir(mode=0o700)
    (folder / "system").mkdir(mode=0o700)
    (folder / "system" / "ingest.sock").touch()  # something left over that takes no connection
    daemon = FakeDaemon(str(folder / "livelogd" / "ingest.sock")).start()
    with found_by_default(monkeypatch, folder) as sender:
        sender.send({"n": 1})
        daemon.wait_for_lines(1)
    daemon.stop()


def test_the_sender_sends_nothing_into_a_folder_it_does_not_trust(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place = folder / "livelogd"
    place.mkdir()
    place.chmod(0o777)
    daemon = FakeDaemon(str(place / "ingest.sock")).start()
    with found_by_default(monkeypatch, folder) as sender:
        sender.send({"n": 1})
        eventually(lambda: "can be written by others" in (sender.stats().last_error or ""))
        assert not sender.flush(0.5)
        assert daemon.connections == 0 and daemon.lines == []
        assert capsys.readouterr().err.count("can be written by others") == 1
        place.chmod(0o755)  # put right while the app runs
        assert sender.flush(5)
        daemon.wait_for_lines(1)
    # A path that somebody names is used as it is.
    place.chmod(0o777)
    with Sender(daemon.path) as chosen:
        chosen.send({"n": 2})
        daemon.wait_for_lines(2)
    daemon.stop()


@pytest.mark.parametrize("path", ["/" + "long" * 60, "nul\0byte", "/dev/null", "/proc/none/x.sock"])
def test_an_impossible_path_is_only_an_error_in_the_statistics(path: str) -> None:
    sender = Sender(path)
    assert sender.send({"n": 1})
    eventually(lambda: sender.stats().last_error is not None)
    assert not sender.close(0.1)


def test_the_pause_between_attempts_grows_to_its_limit(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(random, "uniform", lambda low, high: high)
    sender = Sender(folder / "none.sock")
    delays: list[float] = []
    monkeypatch.setattr(sender, "_nap", lambda milliseconds: delays.append(round(milliseconds / 1000, 3)))
    for _ in range(8):
        sender._back_off()
    assert delays == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0, 2.0]
