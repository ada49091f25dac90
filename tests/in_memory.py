"""Where the files of a session's tests lie: in memory where the machine has plenty of it. Pilosa and the embedded store wait
for the disk at every write, and a field of Pilosa is a dozen files.

TESTS_ON_DISK=1 leaves them where pytest puts them, and so does --basetemp.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import psutil

# A name that is short: the path of a socket may be 107 bytes long.
PLACE, NAME = Path("/dev/shm"), "pw"
ROOM = 8 << 30  # the whole suite takes some 2 GB


def base_folder() -> Path | None:
    """A folder for this session that does not exist yet; None: not in memory. The next session removes it if nobody does."""
    if os.environ.get("TESTS_ON_DISK") == "1" or not _fits():
        return None
    _remove_dead()
    return PLACE / f"{NAME}{os.getpid()}"


def _fits() -> bool:
    """Whether there is room, and programs may be run from there."""
    try:
        told = os.statvfs(PLACE)
    except OSError:
        return False
    enough = min(told.f_bavail * told.f_frsize, psutil.virtual_memory().available) >= ROOM
    return enough and not told.f_flag & os.ST_NOEXEC and os.access(PLACE, os.W_OK)


def _remove_dead() -> None:
    """What sessions left that failed or were killed."""
    for folder in PLACE.glob(f"{NAME}[0-9]*"):
        if not psutil.pid_exists(int(folder.name.removeprefix(NAME))):
            shutil.rmtree(folder, ignore_errors=True)
