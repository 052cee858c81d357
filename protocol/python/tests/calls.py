# SPDX-License-Identifier: MIT
"""What the tests of all interfaces share: the fields of a call's records, and a client."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any, Optional

REQUEST_FIELDS = [
    "timestamp", "level", "message", "module", "type", "request_id", "method", "url", "endpoint", "remote_addr",
    "user_agent", "content_type", "content_length", "args",
]  # fmt: skip
RESPONSE_FIELDS = [
    "timestamp", "level", "message", "module", "type", "request_id", "method", "url", "endpoint", "status_code",
    "content_type", "content_length", "duration_ms",
]  # fmt: skip


def ask(url: str, data: Optional[bytes], headers: Mapping[str, str]) -> tuple[int, bytes, Any]:
    """Status, body and headers of the answer, whatever the status."""
    request = urllib.request.Request(url, data, dict(headers))
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, answer.read(), answer.headers
