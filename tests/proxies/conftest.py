# SPDX-License-Identifier: MIT
"""The daemon together with other servers: the real ones, as Debian has them. What is not installed is skipped."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "support"))
