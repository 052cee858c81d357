# SPDX-License-Identifier: MIT
"""The wheel: built without a network by what Debian has, installed elsewhere, whole."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import livelogd

PACKAGE = Path(__file__).resolve().parents[1]


def run(*arguments: object, **environment: str) -> str:
    done = subprocess.run(
        [str(argument) for argument in arguments], capture_output=True, text=True, timeout=120,
        env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore", **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for module in ("pip", "setuptools", "wheel"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"there is no {module}")
    place = tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(PACKAGE / name, place)
    shutil.copytree(PACKAGE / "src", place / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    # What pip and other front ends call, as pyproject.toml names it.
    hook = "import sys; from setuptools import build_meta; print('built:', build_meta.build_wheel(sys.argv[1]))"
    said = subprocess.run(
        [sys.executable, "-c", hook, place / "out"], cwd=place, capture_output=True, text=True, timeout=120
    )
    assert said.returncode == 0, said.stderr
    return place / "out" / said.stdout.rsplit("built:", 1)[1].strip()


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    assert wheel.name == f"livelogd-{livelogd.__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (metadata_name,) = [name for name in names if name.endswith("/METADATA")]
        metadata = archive.read(metadata_name).decode()
    sources = {f"livelogd/{path.name}" for path in (PACKAGE / "src/livelogd").iterdir() if path.is_file()}
    assert "livelogd/py.typed" in sources
    assert {name for name in names if ".dist-info/" not in name} == sources
    assert "Requires-Python: >=3.9" in metadata and "License: MIT" in metadata
    assert all("extra ==" in line for line in metadata.splitlines() if line.startswith("Requires-Dist"))


def test_the_installed_package_needs_nothing(wheel: Path, tmp_path: Path) -> None:
    run(sys.executable, "-m", "pip", "install", "--no-index", "--no-deps", "--target", tmp_path, wheel)
    # -S: without site-packages, so that nothing but the standard library is there.
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import livelogd, livelogd.wsgi, livelogd.asgi\n"
        "assert livelogd.__file__.startswith(sys.argv[1])\n"
        "print(livelogd.Sender('/nowhere').send({'n': 1}), *livelogd.__all__)"
    )
    said = run(sys.executable, "-I", "-S", "-c", code, tmp_path)
    assert said.startswith("True LiveLogHandler Sender SenderStats current_request_id ")


def test_every_public_thing_says_what_it_is() -> None:
    import inspect

    import livelogd.asgi
    import livelogd.flask
    import livelogd.wsgi

    things = [getattr(livelogd, name) for name in livelogd.__all__]
    things += [livelogd.flask.LiveLogs, livelogd.asgi.LiveLogsMiddleware, livelogd.wsgi.LiveLogsMiddleware]
    for thing in things:
        assert inspect.getdoc(thing), thing
        if inspect.isclass(thing):
            for name, member in vars(thing).items():
                if inspect.isfunction(member) and not name.startswith("_"):
                    assert inspect.getdoc(member), (thing, name)
