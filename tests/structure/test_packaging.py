# SPDX-License-Identifier: MIT
"""Units, manual pages, completions and examples: sound, and made from what the program has."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UNITS = ROOT / "packaging/systemd"
EXAMPLES = ROOT / "packaging/examples"
BINARY = Path(os.environ.get("LIVELOGD_BIN", ROOT / "build/release/livelogd"))

needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is missing")


def documents(what: str) -> str:
    done = subprocess.run(
        [sys.executable, ROOT / "packaging/option_documents.py", what],
        capture_output=True, text=True, check=True, env={**os.environ, "LIVELOGD_BIN": str(BINARY)},
    )  # fmt: skip
    return done.stdout


def option_names() -> list[str]:
    printed = subprocess.run([BINARY, "--print-options"], capture_output=True, check=True).stdout
    return [option["name"] for option in json.loads(printed)]


@needs_systemd
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    # In a root of their own, with a program where they want one.
    folder = tmp_path / "etc/systemd/system"
    folder.mkdir(parents=True)
    for name in ("usr/bin/livelogd", "bin/kill"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    for target in ("sysinit", "basic", "shutdown", "sockets", "multi-user", "network"):
        (folder / f"{target}.target").write_text("[Unit]\n")
    names = [Path(shutil.copy(unit, folder)).name for unit in UNITS.iterdir()]
    assert len(names) == 3
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", f"--root={tmp_path}", *names], capture_output=True, text=True, check=False
    )
    told = [line for line in done.stderr.splitlines() if "livelogd" in line]
    assert (done.returncode, told) == (0, [])


@needs_systemd
def test_the_service_is_as_confined_as_is_said() -> None:
    unit = UNITS / "livelogd.service"
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=15", unit],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-300:] + done.stderr
    found = re.search(r"Overall exposure level for livelogd.service: ([0-9.]+)", done.stdout)
    assert found
    assert f"exposure {found.group(1)}" in (ROOT / "docs/operations.md").read_text(encoding="utf-8")


def test_the_units_keep_the_sockets_through_a_restart() -> None:
    """What would lose records, and is easily added by somebody who does not know."""
    texts = {unit.name: re.sub(r"^#.*$", "", unit.read_text(encoding="utf-8"), flags=re.MULTILINE) for unit in UNITS.iterdir()}
    for name, text in texts.items():
        assert "PartOf=" not in text and "BindsTo=" not in text, name
    for setting in ("RuntimeDirectory", "PrivateUsers", "ProcSubset", "DynamicUser", "Also", "Requires"):
        assert not re.search(rf"^{setting}=", texts["livelogd.service"], re.MULTILINE), setting
    for unit in ("livelogd.socket", "livelogd-http.socket"):
        assert "Service=livelogd.service" in texts[unit]
        for setting in ("Wants", "After", "Sockets"):
            assert re.search(rf"^{setting}=.*{unit}", texts["livelogd.service"], re.MULTILINE), setting


def test_the_documents_of_the_options_are_up_to_date() -> None:
    text = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    assert text == documents("markdown"), "run make docs"


def test_every_option_is_in_the_manual_and_in_the_completions() -> None:
    names = option_names()
    assert len(names) > 20
    help_text = subprocess.run([BINARY, "--help"], capture_output=True, text=True, check=True).stdout
    flags = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", help_text))
    manual = documents("man").replace("\\-", "-")
    assert all(f".BR {name} " in manual for name in names)
    bash, zsh = documents("bash"), documents("zsh")
    for flag in flags:
        assert re.search(rf"{flag}\b", bash) and re.search(rf"{flag}[=\[]", zsh), flag
    for flag in flags - {"--" + name.replace("_", "-") for name in names}:
        written = (ROOT / "packaging/man/livelogd.8").read_text(encoding="utf-8").replace("\\-", "-")
        assert flag in written, f"livelogd(8) does not have {flag}"


def test_bash_completes_options_and_their_values() -> None:
    helpers = Path("/usr/share/bash-completion/bash_completion")
    if not helpers.exists():
        pytest.skip("bash-completion is missing")
    script = f"""source {helpers}; source /dev/stdin <<'END'
{documents("bash")}
END
complete_line() {{ COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${{#COMP_LINE}}; COMPREPLY=(); _livelogd; echo "${{COMPREPLY[*]}}"; }}
complete_line livelogd --log-d
complete_line livelogd --sync al
"""
    done = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["--log-dir", "always"]


def test_the_manual_pages_have_no_errors() -> None:
    if not shutil.which("man"):
        pytest.skip("man is missing")
    for page in ((ROOT / "packaging/man/livelogd.8").read_text(encoding="utf-8"), documents("man")):
        done = subprocess.run(
            ["man", "--warnings", "-E", "UTF-8", "-l", "-"], input=page, capture_output=True, text=True, check=True,
            env={"PATH": "/usr/bin:/bin", "MANROFFSEQ": "", "MANWIDTH": "100", "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
        assert done.stderr == ""


def test_the_shipped_configuration_is_sound_and_names_known_options(tmp_path: Path) -> None:
    shipped = ROOT / "packaging/debian/livelogd.toml"
    text = shipped.read_text(encoding="utf-8")
    names = set(option_names())
    # What is commented out too: an administrator only takes the # away.
    in_force = tomllib.loads(text)
    suggested = tomllib.loads(re.sub(r"^#(\w+ = )", r"\1", text, flags=re.MULTILINE))
    assert in_force["log_dir"] == "/var/log/livelogd"
    assert set(in_force) < set(suggested) <= names


def test_the_versions_agree() -> None:
    cmake = re.search(r"project\(livelogd VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text(encoding="utf-8"))
    debian = re.match(r"livelogd \(([^)~+]+)", (ROOT / "packaging/debian/changelog").read_text(encoding="utf-8"))
    python = tomllib.loads((ROOT / "protocol/python/pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert cmake and debian
    assert cmake.group(1) == debian.group(1) == python


def test_the_example_for_lnav_is_json() -> None:
    form = json.loads((EXAMPLES / "livelogd.lnav.json").read_text(encoding="utf-8"))["livelogd_log"]
    assert re.search(form["file-pattern"], "/var/log/livelogd/live-00001764012345678901.jsonl")
