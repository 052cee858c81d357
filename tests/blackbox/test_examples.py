# SPDX-License-Identifier: MIT
"""The examples that are shipped ask for numbers that there are."""

from __future__ import annotations

import json
import re
import subprocess

import pytest
from exposition import Scrape
from livelogd_daemon import SOURCE_ROOT, Daemon
from test_metrics import promtool

EXAMPLES = SOURCE_ROOT / "packaging/examples"


def metrics_in(text: str) -> set[str]:
    return set(re.findall(r"\blivelogd_[a-z_]+\b", text))


def test_dashboard_and_alerts_ask_for_numbers_that_there_are(daemon: Daemon) -> None:
    known = metrics_in(Scrape(daemon).text)
    dashboard = json.loads((EXAMPLES / "grafana-dashboard.json").read_text(encoding="utf-8"))
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    asked += [variable["query"]["query"] for variable in dashboard["templating"]["list"] if variable["type"] == "query"]
    assert len(asked) > 15
    in_dashboard = metrics_in("\n".join(asked))
    in_alerts = metrics_in((EXAMPLES / "livelogd-alerts.yml").read_text(encoding="utf-8"))
    assert len(in_dashboard) > 10 and len(in_alerts) > 5
    assert in_dashboard | in_alerts <= known


def test_promtool_takes_the_alerts() -> None:
    tool = promtool()
    if tool is None:
        pytest.skip("there is no promtool: packaging/promtool.sh fetches it, unless SKIP_DEPS=1 or without a network")
    rules = str(EXAMPLES / "livelogd-alerts.yml")
    checked = subprocess.run([tool, "check", "rules", rules], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
