# SPDX-License-Identifier: MIT
"""Headless Chromium from Debian's packages (chromium, chromium-driver, python3-selenium) and the real daemon."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.chrome.webdriver import WebDriver

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from livelogd_daemon import Daemon  # noqa: E402
from viewer_page import ViewerPage  # noqa: E402

CHROMIUM = "/usr/bin/chromium"
CHROMEDRIVER = "/usr/bin/chromedriver"


@pytest.fixture(scope="session")
def browser() -> Iterator[WebDriver]:
    """One browser for all tests, with a profile of its own."""
    for needed in (CHROMIUM, CHROMEDRIVER):
        assert Path(needed).exists(), f"{needed} is missing: install chromium and chromium-driver"
    profile = tempfile.mkdtemp(prefix="livelogd-chromium-")
    options = Options()
    options.binary_location = CHROMIUM
    for flag in (
        "--headless=new",
        "--no-sandbox",  # root in a container has no user namespaces to build one from
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--window-size=1400,900",
        f"--user-data-dir={profile}",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(service=Service(CHROMEDRIVER), options=options)
    try:
        yield driver
    finally:
        driver.quit()
        shutil.rmtree(profile, ignore_errors=True)


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    """A daemon with default options and an empty log."""
    with Daemon() as one:
        yield one


@pytest.fixture
def page(browser: WebDriver) -> Iterator[ViewerPage]:
    """The viewer, not yet opened. At the end of the test: no complaint on the console (a violation of the content
    security policy is one), apart from lost connections where the test has cut them."""
    one = ViewerPage(browser)
    one.console()  # what earlier pages said
    try:
        yield one
        complaints = one.complaints()
        assert not complaints, complaints
    finally:
        one.close()
