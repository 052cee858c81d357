# SPDX-License-Identifier: MIT
"""A strict reader of Prometheus' text exposition format 0.0.4: what the format leaves open is not accepted either."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from livelogd_daemon import Daemon

Labels = tuple[tuple[str, str], ...]

_SAMPLE = re.compile(r'([a-z][a-z0-9_]*)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)+)\})? (\S+)')
_LABEL = re.compile(r'([a-z_]+)="((?:[^"\\\n]|\\["\\n])*)"(,|$)')
_NUMBER = re.compile(r"(?:0|[1-9]\d*)(?:\.\d*[1-9])?")
_SUFFIXES = ("_bucket", "_sum", "_count")


class Family(NamedTuple):
    kind: str
    help: str
    samples: dict[tuple[str, Labels], float]  # by name, and labels in the order of their names


def _labels(text: str) -> Labels:
    found = []
    at = 0
    while at < len(text):
        one = _LABEL.match(text, at)
        assert one, text
        value = re.sub(r"\\(.)", lambda escape: {"n": "\n"}.get(escape[1], escape[1]), one[2])
        found.append((one[1], value))
        at = one.end()
    assert not text.endswith(","), text
    assert len({name for name, _ in found}) == len(found), f"a label twice: {text}"
    return tuple(sorted(found))


def parse(text: str) -> dict[str, Family]:
    """The families by name. Fails for whatever is not as it should be: one HELP, one TYPE, then samples, for each."""
    assert text.endswith("\n") and "\r" not in text
    families: dict[str, Family] = {}
    lines = iter(text[:-1].split("\n"))
    family: Family | None = None
    name = ""
    for line in lines:
        if line.startswith("# HELP "):
            assert family is None or family.samples, f"{name} has no samples"
            _, _, name, told = line.split(" ", 3)
            type_line = next(lines).split(" ")
            assert type_line[:3] == ["#", "TYPE", name] and type_line[3] in ("counter", "gauge", "histogram")
            assert name not in families, f"{name} begins twice"
            family = families[name] = Family(type_line[3], told, {})
            continue
        sample = _SAMPLE.fullmatch(line)
        assert sample and family is not None, line
        suffixes = _SUFFIXES if family.kind == "histogram" else ("",)
        assert sample[1] in [name + suffix for suffix in suffixes], f"{line} stands under {name}"
        assert _NUMBER.fullmatch(sample[3]), line
        key = (sample[1], _labels(sample[2] or ""))
        assert key not in family.samples, f"twice: {line}"
        family.samples[key] = float(sample[3])
    for name, one in families.items():
        assert name.endswith("_total") == (one.kind == "counter"), name
        if one.kind == "histogram":
            _check_histogram(name, one)
    return families


def _check_histogram(name: str, family: Family) -> None:
    series: dict[Labels, list[tuple[float, float]]] = {}
    for (sample, labels), value in family.samples.items():
        if sample.endswith("_bucket"):
            bound = dict(labels)["le"]
            others = tuple(label for label in labels if label[0] != "le")
            series.setdefault(others, []).append((math.inf if bound == "+Inf" else float(bound), value))
    for labels, buckets in series.items():
        bounds, counts = [bound for bound, _ in buckets], [count for _, count in buckets]
        assert bounds == sorted(bounds) and len(set(bounds)) == len(bounds) and bounds[-1] == math.inf
        assert counts == sorted(counts) and counts[-1] == family.samples[(f"{name}_count", labels)]
        assert family.samples[(f"{name}_sum", labels)] >= 0


class Scrape:
    """One answer of /metrics."""

    def __init__(self, daemon: Daemon) -> None:
        answer = daemon.get("/metrics")
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        self.text = answer.body.decode()
        self.families = parse(self.text)

    def value(self, name: str, /, suffix: str = "", **labels: str) -> float:
        """One sample; `name` with or without livelogd_ in front."""
        name = "livelogd_" + name.removeprefix("livelogd_")
        return self.families[name].samples[(name + suffix, tuple(sorted(labels.items())))]

    def label_values(self, label: str) -> set[str]:
        return {
            value
            for family in self.families.values()
            for _, labels in family.samples
            for name, value in labels
            if name == label
        }
