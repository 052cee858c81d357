#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Adds up JUnit result files and prints `N passed, N failed, N skipped`.

Ends with exit code 1 if a test failed, a step broke without saying so in its results, or nothing was run at all.
"""

from __future__ import annotations

import argparse
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def count(path: Path) -> tuple[int, int, int]:
    """(passed, failed, skipped) of one file; one failure if it cannot be read."""
    try:
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError) as error:
        print(f"{path.name}: {error}", file=sys.stderr)
        return 0, 1, 0
    passed = failed = skipped = 0
    for case in root.iter("testcase"):
        # ctest marks a failed test by `status` as well as by the element, and a test that did not run only by `status`.
        status = case.get("status", "")
        skip = case.find("skipped")
        # What ctest cannot start it calls skipped.
        missing = skip is not None and "Unable to find" in skip.get("message", "")
        if case.find("failure") is not None or case.find("error") is not None or status == "fail" or missing:
            failed += 1
        elif skip is not None or status in ("notrun", "disabled"):
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broken-steps", type=int, default=0, metavar="N", help="steps that ended with an error")
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--steps", type=int, default=0, metavar="N",
                        help="steps that ended well: what counts where none of them writes results")
    arguments = parser.parse_args()

    passed = failed = skipped = 0
    if not arguments.files:
        passed = arguments.steps
    files_with_failures = 0
    for path in arguments.files:
        one = count(path)
        passed, failed, skipped = passed + one[0], failed + one[1], skipped + one[2]
        files_with_failures += one[1] > 0
    # Each file with failures belongs to one broken step; what is left broke in a way that no file tells of.
    failed += max(0, arguments.broken_steps - files_with_failures)
    if passed + failed == 0:
        print("no test was run", file=sys.stderr)
        failed = 1

    print()
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
