# SPDX-License-Identifier: MIT
"""The shape of the house: who may include whom, and what every source file has in common."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# The table of docs/architecture.md: a folder may include itself and what stands here.
MAY_INCLUDE = {
    "protocol": set(),
    "daemon/base": {"protocol"},
    "daemon/filter": {"protocol", "daemon/base"},
    "daemon/storage": {"protocol", "daemon/base"},
    "daemon/net": {"daemon/base"},
    "daemon/live": {"protocol", "daemon/filter", "daemon/storage", "daemon/net"},
    "daemon/ingest": {"protocol", "daemon/storage", "daemon/live", "daemon/net", "daemon/base"},
    "daemon/summary": {"protocol", "daemon/base", "daemon/filter", "daemon/storage"},
    "daemon/query": {"protocol", "daemon/base", "daemon/filter", "daemon/storage", "daemon/summary"},
    "daemon/alerts": {"protocol", "daemon/base", "daemon/filter", "daemon/storage", "daemon/net", "daemon/live"},
    "daemon/http": {
        "protocol", "static", "daemon/base", "daemon/filter", "daemon/storage", "daemon/net", "daemon/live",
        "daemon/ingest", "daemon/summary", "daemon/query", "daemon/alerts",
    },
    "daemon/app": {
        "protocol", "daemon/base", "daemon/filter", "daemon/storage", "daemon/net", "daemon/live", "daemon/ingest",
        "daemon/summary", "daemon/query", "daemon/alerts", "daemon/http",
    },
    "static": set(),
}

# Libraries that stay in few places, because they are slow to compile or to be replaced some day.
CONFINED = {
    "boost/beast": {"daemon/http/request_parser.cpp", "daemon/http/reply.cpp", "daemon/alerts/webhook.cpp"},
    "boost/asio/ssl": {"daemon/alerts/webhook.cpp"},
    "toml++": {"daemon/app/config_file.cpp"},
    "CLI": {"daemon/app/command_line.cpp"},
    "date/": {"daemon/base/time_zone.cpp"},
    "re2/": {"daemon/filter/pattern.cpp"},
    "xxhash.h": {"daemon/base/checksum.cpp"},
    "zstd": {"daemon/storage/zstd_frames.cpp"},
    "openssl/": {"daemon/http/auth/digest.cpp"},
}
WITHOUT_ASIO = ("protocol", "daemon/base", "daemon/filter", "daemon/storage", "daemon/summary", "daemon/query")

SOURCE_SUFFIXES = {".cpp", ".hpp", ".py", ".js", ".mjs", ".ts", ".tsx", ".css", ".html", ".sh", ".in"}
MAX_LINES = 600


def tracked_files() -> list[Path]:
    """Files of the project: those git knows or would take."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True, check=False,
    )
    if listed.returncode == 0:
        names = [name for name in listed.stdout.decode().split("\0") if name]
    else:  # a source archive
        names = [str(p.relative_to(ROOT)) for p in ROOT.rglob("*") if p.is_file() and "build" not in p.parts]
    return [ROOT / name for name in names if (ROOT / name).is_file()]


FILES = tracked_files()
CPP = [f for f in FILES if f.suffix in {".cpp", ".hpp"}]


def room_of(path: str) -> str | None:
    parts = path.split("/")
    if parts[0] == "daemon" and len(parts) > 2:
        return f"daemon/{parts[1]}"
    return parts[0] if parts[0] in ("protocol", "static") else None


def includes(file: Path, pattern: str) -> list[str]:
    return re.findall(pattern, file.read_text(encoding="utf-8"), re.MULTILINE)


def test_there_is_something_to_check() -> None:
    assert len(CPP) > 50
    assert {room_of(str(f.relative_to(ROOT))) for f in CPP} >= set(MAY_INCLUDE)


def test_libraries_are_included_in_one_direction() -> None:
    wrong = []
    for file in CPP:
        name = str(file.relative_to(ROOT))
        room = room_of(name)
        if room is None:
            continue
        for included in includes(file, r'^#include "([^"]+)"'):
            other = room_of(included)
            if other is None or (other != room and other not in MAY_INCLUDE[room]):
                wrong.append(f"{name} includes {included}")
    assert not wrong


def test_the_links_of_the_build_go_the_same_way() -> None:
    wrong = []
    for room, allowed in MAY_INCLUDE.items():
        text = (ROOT / room / "CMakeLists.txt").read_text(encoding="utf-8")
        forbidden = {Path(other).name for other in MAY_INCLUDE} - {Path(other).name for other in allowed | {room}}
        wrong += [f"{room} links livelogd_{linked}" for linked in re.findall(r"\blivelogd_(\w+)", text) if linked in forbidden]
    assert not wrong


@pytest.mark.parametrize("library", sorted(CONFINED))
def test_heavy_libraries_stay_where_they_are(library: str) -> None:
    users = {
        str(f.relative_to(ROOT))
        for f in CPP
        if any(i.startswith(library) for i in includes(f, r"^\s*#include <([^>]+)>"))
        and str(f.relative_to(ROOT)).startswith(("protocol/", "daemon/"))
    }
    assert users == CONFINED[library]


def test_the_core_knows_no_asio() -> None:
    wrong = [
        str(f.relative_to(ROOT))
        for f in CPP
        if str(f.relative_to(ROOT)).startswith(WITHOUT_ASIO) and includes(f, r"^#include <(boost/asio[^>]*)>")
    ]
    assert not wrong


def test_main_is_short() -> None:
    assert len((ROOT / "daemon/main.cpp").read_text(encoding="utf-8").splitlines()) < 60


def test_every_source_file_names_its_licence_and_can_be_read_in_one_sitting() -> None:
    wrong = []
    for file in FILES:
        name = str(file.relative_to(ROOT))
        source = file.suffix in SOURCE_SUFFIXES or file.name in {"CMakeLists.txt", "Makefile"}
        if not source:
            continue
        lines = file.read_text(encoding="utf-8").splitlines()
        if not any("SPDX-License-Identifier: MIT" in line for line in lines[:3]):
            wrong.append(f"{name} has no SPDX line")
        if len(lines) > MAX_LINES:
            wrong.append(f"{name} has {len(lines)} lines")
    assert not wrong


def test_the_sample_configuration_is_what_the_program_prints(tmp_path: Path) -> None:
    import os

    binary = Path(os.environ.get("LIVELOGD_BIN", ROOT / "build/release/livelogd"))
    plain = {k: v for k, v in os.environ.items() if not k.startswith("LIVELOGD_")}
    printed = subprocess.run([binary, "--print-config"], capture_output=True, check=True, env=plain, cwd=tmp_path)
    assert printed.stdout.decode() == (ROOT / "config/livelogd.toml").read_text(encoding="utf-8")
