# SPDX-License-Identifier: MIT
"""Sends an app's log records to livelogd, the live log daemon.

``LiveLogHandler`` connects Python's logging, ``livelogd.flask.LiveLogs`` a Flask app, ``LiveLogsMiddleware`` of
``livelogd.asgi`` or ``livelogd.wsgi`` any other app; ``log_event`` tells of anything else. All of them hand their records
to a ``Sender``, which never blocks the caller and never raises in it.
"""

from livelogd.events import log_event
from livelogd.exchange import current_request_id, note_exception
from livelogd.handler import LiveLogHandler
from livelogd.backlog import SenderStats
from livelogd.sender import Sender
from livelogd.shared import default_sender, get_sender, set_default_sender

__version__ = "0.1.0"

__all__ = [
    "LiveLogHandler",
    "Sender",
    "SenderStats",
    "current_request_id",
    "default_sender",
    "get_sender",
    "log_event",
    "note_exception",
    "set_default_sender",
]
