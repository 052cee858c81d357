# SPDX-License-Identifier: MIT
"""Sends an app's log records to livelogd, the live log daemon.

``LiveLogHandler`` connects Python's logging, ``livelogd.flask.LiveLogs`` a Flask app, ``log_event`` tells of anything
else. All of them hand their records to a ``Sender``, which never blocks the caller and never raises in it.
"""

from livelogd.events import log_event
from livelogd.handler import LiveLogHandler
from livelogd.sender import Sender, SenderStats
from livelogd.shared import default_sender, get_sender, set_default_sender

__version__ = "0.1.0"

__all__ = [
    "LiveLogHandler",
    "Sender",
    "SenderStats",
    "default_sender",
    "get_sender",
    "log_event",
    "set_default_sender",
]
