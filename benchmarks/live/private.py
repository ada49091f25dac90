"""Network namespaces of our own: nothing that is sent here ever comes near an interface of the machine."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys

# sysfs shows the interfaces of the namespace that it was mounted in.
_INSIDE = 'mount -t sysfs sysfs /sys && ip link set lo up && exec "$@"'


def missing() -> list[str]:
    """What this machine lacks to have wires, in words."""
    lacks = [f"{name} is not installed" for name in ("ip", "unshare", "mount") if shutil.which(name) is None]
    if os.geteuid() != 0:
        lacks.append("network namespaces need root")
    elif not lacks and subprocess.run(["unshare", "--net", "--mount", "true"], capture_output=True).returncode:
        lacks.append("this machine makes no network namespaces")
    return lacks


def command(*argv: str) -> list[str]:
    """A command in a namespace of its own, in which only the loopback interface is."""
    return ["unshare", "--net", "--mount", "--propagation", "private", "--", "sh", "-c", _INSIDE, "sh", *argv]


def far(*argv: str) -> list[str]:
    """A command in a namespace of its own that is the far end of a wire: it keeps the process id of who starts it."""
    return ["unshare", "--net", "--", *argv]


def end_in_order() -> None:
    """SIGTERM ends this process as an exception does: what it started ends, and temporary folders go."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
