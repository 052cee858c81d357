# SPDX-License-Identifier: MIT
"""Events of the app's own: a model was uploaded, a cache was emptied."""

from __future__ import annotations

from typing import Any

from livelogd.exchange import current_request_id
from livelogd.records import event_record
from livelogd.shared import default_sender


def log_event(event_type: str, message: str, /, *, level: str = "INFO", **fields: Any) -> bool:
    """Sends a ``custom_event`` record through the default sender.

    Fields may have any name, ``filename`` and ``message`` too; one that the record has already (``timestamp``,
    ``message``, ``module``, ``type``, ``event_type``) gets a trailing ``_``. An event of a request that is being answered
    has its ``request_id``. Never blocks and never raises. Returns
    whether the record was taken; False means that it was dropped and counted.
    """
    try:
        return default_sender().send(event_record(event_type, message, fields, level, current_request_id()))
    except Exception:
        return False
