"""Ports for the servers that tests start. One is chosen now and bound seconds later: meanwhile it must be nobody else's.

The kernel gives ports of its own range to whoever connects, or binds to any port. These are of the range below it, and a locked
file says that one is taken, to the other processes that run tests, and to other sessions of this machine.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import socket
import tempfile
from pathlib import Path

# Where the kernel's own range begins lower, it is the kernel that chooses.
FIRST, FEWEST = 20_000, 2_000
KERNELS = Path("/proc/sys/net/ipv4/ip_local_port_range")
_held: list[int] = []  # locks that last as long as this process


def free_port() -> int:
    """A port of loopback, of TCP and UDP, that nothing listens on now."""
    end = int(KERNELS.read_text().split()[0])
    while end - FIRST >= FEWEST:
        port = FIRST + secrets.randbelow(end - FIRST)
        if _is_free(port) and _claim(port):
            return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(type=kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


def _claim(port: int) -> bool:
    folder = Path(tempfile.gettempdir()) / f"picapweb-test-ports-{os.geteuid()}"
    folder.mkdir(exist_ok=True, mode=0o700)
    file = os.open(folder / str(port), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return False
    _held.append(file)
    return True
