"""What the data folder takes, and what is free. Files are counted for a moment at most: past that, figures are "at least"."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Any

from django.conf import settings

COUNT_SECONDS = 0.7
# A figure is kept for so long: who looks at the page each few seconds does not have the folder read each time.
KEPT_SECONDS = 30.0
_kept: tuple[float, dict[str, Any]] | None = None


def disk() -> dict[str, Any]:
    """Free and used bytes of the disk, and what captures, locators, the index and the database of the data folder take."""
    global _kept
    usage = shutil.disk_usage(settings.PICAPWEB_DATA)
    free = {"folder": str(settings.PICAPWEB_DATA), "free": usage.free, "size": usage.total, "least_free": settings.MIN_FREE_BYTES}
    now = time.monotonic()
    if _kept is None or now - _kept[0] > KEPT_SECONDS:
        _kept = now, measured(Path(settings.PICAPWEB_DATA))
    share = 100 * usage.free / usage.total if usage.total else 0.0
    ok = usage.free >= settings.MIN_FREE_BYTES
    words = f"{share:.0f} % of the disk is free" + ("" if ok else ": less than PICAPWEB_MIN_FREE_BYTES, live captures pause")
    return {"ok": ok, "detail": words, **free, **_kept[1]}


def measured(data: Path) -> dict[str, Any]:
    """{"used": {"captures", "locators", "index", "database", "logs"}, "at_least": whether there were too many files to count}."""
    until = time.monotonic() + COUNT_SECONDS
    used = dict.fromkeys(("captures", "locators", "index", "database", "logs"), 0)
    whole = True
    for folder, name in (("index", "index"), ("log", "logs"), ("postgres", "database"), ("captures", "captures")):
        stack = [str(data / folder)]
        while stack:
            if time.monotonic() > until:
                whole = False
                break
            at = stack.pop()
            what = "locators" if os.path.basename(at) == "locators" else name
            try:
                entries = list(os.scandir(at))
            except OSError:  # not there, or gone meanwhile
                continue
            for entry in entries:
                try:
                    if entry.is_dir(follow_symlinks=False):
                        stack.append(entry.path)
                    else:
                        used[what] += entry.stat(follow_symlinks=False).st_blocks * 512
                except OSError:
                    continue
    return {"used": used, "at_least": not whole}
