# SPDX-License-Identifier: MIT
"""The viewer as a test sees and uses it: what is on the page, and the controls."""

from __future__ import annotations

from typing import Any

from livelogd_daemon import wait_until
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.select import Select

_ROWS = """
return [...document.querySelectorAll('#rows .item .row')].map((row) => {
  const cells = { className: row.className };
  for (const cell of row.children) cells[cell.className] = cell.textContent;
  return cells;
});
"""


class ViewerPage:
    def __init__(self, driver: WebDriver) -> None:
        self.driver = driver
        # Set by a test that cuts the connection: the browser reports each attempt that fails.
        self.connection_will_fail = False
        self._scripts: list[str] = []

    # --- opening --------------------------------------------------------------------------------------------------

    def before_load(self, script: str) -> None:
        """Runs `script` in every page opened from now on, before the page's own."""
        added = self.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})
        self._scripts.append(added["identifier"])

    def open(self, url: str, *, live: bool = True) -> "ViewerPage":
        # Another fragment alone would not load the page anew.
        self.driver.get("about:blank")
        self.driver.get(url)
        if live:
            self.wait_state("live")
        return self

    def close(self) -> None:
        for identifier in self._scripts:
            self.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", {"identifier": identifier})
        self.driver.get("about:blank")
        self.driver.get_log("browser")

    # --- what it shows --------------------------------------------------------------------------------------------

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def element(self, identifier: str) -> WebElement:
        return self.driver.find_element(By.ID, identifier)

    def text(self, identifier: str) -> str:
        return str(self.run("return document.getElementById(arguments[0]).textContent", identifier))

    @property
    def state(self) -> str:
        return str(self.run("return document.getElementById('state').dataset.state"))

    def rows(self) -> list[dict[str, str]]:
        """The rows from top to bottom, each as its cells by name, and its class names."""
        found = self.run(_ROWS)
        assert isinstance(found, list)
        return found

    def messages(self) -> list[str]:
        return [row.get("message", "") for row in self.rows()]

    def row_count(self) -> int:
        return int(self.run("return document.querySelectorAll('#rows .item').length"))

    def count(self, which: str) -> int:
        """A counter: "all" or "errors"."""
        return int(self.text(f"count-{which}").replace(",", ""))

    def details(self) -> list[str]:
        """The texts of the unfolded records."""
        found = self.run("return [...document.querySelectorAll('#rows pre')].map((pre) => pre.textContent)")
        assert isinstance(found, list)
        return found

    def console(self) -> list[dict[str, Any]]:
        """What was said on the console since the last call."""
        entries = self.driver.get_log("browser")
        assert isinstance(entries, list)
        return entries

    def complaints(self) -> list[str]:
        """Warnings and errors on the console that no test has asked for."""
        found = [entry["message"] for entry in self.console() if entry["level"] in ("WARNING", "SEVERE")]
        if self.connection_will_fail:
            found = [one for one in found if "net::ERR_" not in one and "the server responded with a status of" not in one]
        return found

    # --- waiting --------------------------------------------------------------------------------------------------

    def wait_state(self, state: str, timeout: float = 20.0) -> None:
        wait_until(lambda: self.state == state, timeout, f"the state is {state}")

    def wait_messages(self, expected: list[str], timeout: float = 10.0) -> None:
        try:
            wait_until(lambda: self.messages() == expected, timeout)
        except AssertionError:
            assert self.messages() == expected

    def wait_count(self, expected: int, timeout: float = 10.0) -> None:
        try:
            wait_until(lambda: self.count("all") == expected, timeout)
        except AssertionError:
            assert self.count("all") == expected

    # --- using it -------------------------------------------------------------------------------------------------

    def choose(self, which: str, value: str) -> None:
        """Sets a drop-down: "level" or "type"."""
        Select(self.element(which)).select_by_value(value)

    def search(self, text: str) -> None:
        box = self.element("search")
        box.send_keys(Keys.CONTROL, "a")
        box.send_keys(text or Keys.DELETE)

    def click(self, identifier: str) -> None:
        self.element(identifier).click()

    def click_row(self, index: int) -> None:
        self.driver.find_elements(By.CSS_SELECTOR, "#rows .row")[index].click()

    def scroll(self, pixels: int) -> None:
        """Turns the mouse wheel over the rows; upwards if negative."""
        box = self.element("scroller").rect
        self.driver.execute_cdp_cmd(
            "Input.dispatchMouseEvent",
            {
                "type": "mouseWheel",
                "x": box["x"] + box["width"] / 2,
                "y": box["y"] + box["height"] / 2,
                "deltaX": 0,
                "deltaY": pixels,
            },
        )

    def at_bottom(self) -> bool:
        return bool(
            self.run(
                "const s = document.getElementById('scroller');"
                "return s.scrollTop + s.clientHeight >= s.scrollHeight - 4"
            )
        )
