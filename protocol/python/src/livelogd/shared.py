# SPDX-License-Identifier: MIT
"""The senders that a process shares, so that all its parts use one connection and with it one order."""

from __future__ import annotations

import os
import threading
from typing import Optional, Union

from livelogd.sender import Sender

_senders: dict[tuple[Optional[str], Optional[str]], Sender] = {}
_default: Optional[Sender] = None
# Reentrant for the same reason as the sender's own: a signal handler may log.
_lock = threading.RLock()


def get_sender(socket: Union[str, os.PathLike[str], None] = None, *, ack: Optional[str] = None) -> Sender:
    """The process's sender for a socket and a kind of acknowledgement, made when first asked for. None: as ``Sender``
    chooses."""
    key = (None if socket is None else os.fspath(socket), ack)
    with _lock:
        sender = _senders.get(key)
        if sender is None or sender.closed:
            sender = _senders[key] = Sender(key[0], ack=ack)
        return sender


def default_sender() -> Sender:
    """The sender that ``log_event`` uses: the one set, else ``get_sender()``."""
    chosen = _default
    return chosen if chosen is not None and not chosen.closed else get_sender()


def set_default_sender(sender: Optional[Sender], *, replace: bool = True) -> None:
    """Chooses the sender that ``log_event`` uses. ``replace=False`` leaves an earlier choice as it is."""
    global _default
    with _lock:
        if replace or _default is None or _default.closed:
            _default = sender


def _after_fork_in_child() -> None:
    global _lock
    _lock = threading.RLock()


os.register_at_fork(after_in_child=_after_fork_in_child)
