# SPDX-License-Identifier: MIT
"""Where the daemon's socket is, and whether what lies there may be trusted."""

from __future__ import annotations

import os
import stat
from typing import NamedTuple, Optional, Union

#: Where a daemon that runs as a system service listens.
SYSTEM_SOCKET = "/run/livelogd/ingest.sock"


class Place(NamedTuple):
    """A path where the socket may be. ``chosen``: somebody named it, so its folder is not examined."""

    path: str
    chosen: bool


def socket_places(socket: Union[str, os.PathLike[str], None] = None) -> list[Place]:
    """The paths to try, in order: the argument alone if given, else LIVELOGD_SOCKET alone if set, else the system's,
    else the user's."""
    named = os.fspath(socket) if socket is not None else os.environ.get("LIVELOGD_SOCKET", "")
    if named:
        return [Place(named, chosen=True)]
    places = [Place(SYSTEM_SOCKET, chosen=False)]
    runtime_dir = os.environ.get("XDG_RUNTIME_DIR", "")
    if os.path.isabs(runtime_dir):
        places.append(Place(os.path.join(runtime_dir, "livelogd", "ingest.sock"), chosen=False))
    return places


def trust_problem(path: str) -> Optional[str]:
    """Why the folder of a socket that nobody named is not to be trusted; None if it is.

    Records may hold prompts and answers. In a folder that somebody else can write, that somebody could put a socket of
    their own and read them. Raises FileNotFoundError if there is no such folder.
    """
    folder = os.path.dirname(path)
    status = os.lstat(folder)
    if stat.S_ISLNK(status.st_mode):
        return f"{folder} is a symbolic link"
    if not stat.S_ISDIR(status.st_mode):
        return f"{folder} is not a folder"
    if status.st_uid not in (0, os.geteuid()):
        return f"{folder} belongs to neither root nor this user"
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"{folder} can be written by others"
    return None
