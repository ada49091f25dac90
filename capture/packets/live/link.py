"""What the kernel says of a network interface, in the network namespace of the thread that asks first."""

from __future__ import annotations

import fcntl
import os
import socket
import struct
from dataclasses import dataclass
from pathlib import Path

ANY = b"any"
LONGEST_NAME = 15  # IFNAMSIZ - 1
_SIOCGIFFLAGS, _SIOCGIFMTU = 0x8913, 0x8921
_IFF_UP = 0x1


@dataclass(frozen=True)
class Link:
    """index: the kernel's number, which no other interface gets while this one exists. mtu: bytes."""

    name: bytes
    index: int
    up: bool
    mtu: int


class Links:
    """Asks the kernel, by a socket of its own."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)

    def close(self) -> None:
        self._socket.close()

    def named(self, name: bytes) -> Link | None:
        """The interface of that name, None if there is none."""
        if not 0 < len(name) <= LONGEST_NAME:
            return None
        try:
            index = socket.if_nametoindex(name)  # type: ignore[arg-type]  # takes bytes as well
            (flags,) = struct.unpack_from("=H", self._ask(_SIOCGIFFLAGS, name), 16)
            (mtu,) = struct.unpack_from("=i", self._ask(_SIOCGIFMTU, name), 16)
        except OSError:
            return None
        return Link(name, index, bool(flags & _IFF_UP), mtu)

    def numbered(self, index: int) -> Link | None:
        """The interface of that number, whatever its name is by now; None if it is no more."""
        try:
            name = os.fsencode(socket.if_indextoname(index))
        except OSError:
            return None
        found = self.named(name)
        return found if found is not None and found.index == index else None

    def largest_mtu(self) -> int:
        """Of all interfaces, bytes; 0 if there are none."""
        links = [self.numbered(index) for index, _ in socket.if_nameindex()]
        return max((one.mtu for one in links if one is not None), default=0)

    def _ask(self, request: int, name: bytes) -> bytes:
        return fcntl.ioctl(self._socket.fileno(), request, name.ljust(40, b"\0"))


def card_drops(name: bytes) -> int:
    """Packets that the network card dropped since it is there, as its driver counts them; 0 where it does not say."""
    folder = Path(os.fsdecode(b"/sys/class/net/" + name)) / "statistics"
    total = 0
    for counter in ("rx_missed_errors", "rx_fifo_errors"):
        try:
            total += int((folder / counter).read_text())
        except (OSError, ValueError):
            continue
    return total
