# SPDX-License-Identifier: MIT
"""Small disks for a daemon alone: one that loses power, one that is full."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import signal
import struct
import subprocess
import uuid
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from fault_daemon import FaultDaemon
from livelogd_daemon import wait_until
from mount_space import MountSpace

# What the cut does with ext4's journal: everything is flushed first; the journal is, data is not; nothing is.
FLUSH_ALL, FLUSH_JOURNAL, FLUSH_NOTHING = 0, 1, 2
_EXT4_IOC_SHUTDOWN = 0x8004587D
_BOOT_ID = "/proc/sys/kernel/random/boot_id"


class DiskDaemon(FaultDaemon):
    """A daemon whose log directory is on a file system of its own, at `disk`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(space=MountSpace(), **options)
        self.disk = self.folder / "disk"
        self.disk.mkdir()
        self.options["log_dir"] = self.disk / "logs"

    @property
    def mounts(self) -> MountSpace:
        assert self.space is not None
        return self.space

    @property
    def disk_seen(self) -> Path:
        return self.mounts.seen_from_outside(self.disk)


class TmpfsDaemon(DiskDaemon):
    """On a tmpfs of `size` bytes: a full one writes what fits and then fails, as any disk does."""

    def __init__(self, *, size: int = 1 << 20, inodes: int = 0, **options: Any) -> None:
        super().__init__(**options)
        limits = f"size={size}" + (f",nr_inodes={inodes}" if inodes else "")
        self.mounts.do_or_skip("mount", "-t", "tmpfs", "-o", limits, "tmpfs", self.disk)

    def fill(self, leave: int = 0) -> None:
        """Takes all room but `leave` bytes (in whole pages); the daemon may take some of it meanwhile, for summaries."""
        with open(self.disk_seen / "ballast", "wb") as ballast:
            wait_until(lambda: not self._take(ballast, leave), what="the disk is full")

    def _take(self, ballast: BinaryIO, leave: int) -> bool:
        """Whether there was still something to take."""
        status = os.statvfs(self.disk_seen)
        room = status.f_bavail * status.f_frsize - leave
        if room <= 0:
            return False
        try:
            os.posix_fallocate(ballast.fileno(), 0, os.fstat(ballast.fileno()).st_size + room)
        except OSError as error:
            if error.errno != errno.ENOSPC:  # the daemon was quicker
                raise
        return True

    def make_room(self) -> None:
        (self.disk_seen / "ballast").unlink()

    def set_limits(self, limits: str) -> None:
        self.mounts.do("mount", "-o", f"remount,{limits}", self.disk)


class PoweredDaemon(DiskDaemon):
    """On an ext4 of its own, which can be cut off from what it has not yet made safe; and it sees another boot id after that."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._image = self.folder / "image"
        self._boot_id = self.folder / "boot_id"
        maker = shutil.which("mkfs.ext4", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        if maker is None:
            self._remove()
            pytest.skip("there is no mkfs.ext4")
        with open(self._image, "wb") as file:
            file.truncate(128 << 20)
        subprocess.run([maker, "-q", "-F", self._image], check=True, stdout=subprocess.DEVNULL)
        self._boot_id.write_text(f"{uuid.uuid4()}\n")
        self._mount()
        self.mounts.do_or_skip("mount", "--bind", self._boot_id, _BOOT_ID)

    def lose_power(self, how: int) -> None:
        """The disk and the daemon are gone at one moment; afterwards the disk is as after a reboot.

        The daemon is held still first: an fdatasync that races with this way of cutting a disk off may return 0 although
        nothing was made safe (seen with a bare program too), which a real power cut cannot do: nobody would be there to tell.
        """
        self._hold_still()
        self.cut_off(how)
        self.kill()
        self.mounts.do("umount", self.disk)
        self._boot_id.write_text(f"{uuid.uuid4()}\n")
        self._mount()

    def _hold_still(self) -> None:
        """Returns once no thread of it is in a system call any more."""
        self.signal(signal.SIGSTOP)
        threads = Path(f"/proc/{self.pid}/task")
        wait_until(
            lambda: all(" T " in (thread / "stat").read_text() for thread in threads.iterdir()), what="all threads stand still"
        )

    def cut_off(self, how: int) -> None:
        disk = os.open(self.disk_seen, os.O_RDONLY)
        try:
            fcntl.ioctl(disk, _EXT4_IOC_SHUTDOWN, struct.pack("I", how))
        finally:
            os.close(disk)

    def _mount(self) -> None:
        self.mounts.do_or_skip("mount", "-t", "ext4", "-o", "loop", self._image, self.disk)
