"""Network namespaces for tests: interfaces of their own, in which nobody else says a word. They need root.

A thread that enters a namespace stays the process's: `with namespace.inside()` holds for the calling thread, and for threads and
processes that it starts meanwhile. Sockets stay in the namespace in which they were made.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_CLONE_NEWNET = 0x40000000
_PATIENCE = 60.0  # seconds
_numbers = itertools.count(1)
_libc = ctypes.CDLL(None, use_errno=True)


class Namespace:
    """name: as `ip netns` has it."""

    def __init__(self, name: str) -> None:
        self.name = name

    def run(self, *command: str | bytes, check: bool = True) -> subprocess.CompletedProcess[str]:
        """A command in the namespace, with its output as text."""
        return subprocess.run(["ip", "netns", "exec", self.name, *command], capture_output=True, text=True, check=check)

    def start(self, *command: str | bytes, **options: object) -> subprocess.Popen[bytes]:
        """The same, not waited for."""
        return subprocess.Popen(["ip", "netns", "exec", self.name, *command], **options)  # type: ignore[call-overload, no-any-return]

    @contextmanager
    def inside(self) -> Iterator[None]:
        """This thread is in the namespace."""
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        there = os.open(Path("/var/run/netns") / self.name, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _enter(there)
            try:
                yield
            finally:
                _enter(before)
        finally:
            os.close(before)
            os.close(there)

    def veth(self, one: str | bytes, other: str | bytes, mtu: int = 1500) -> None:
        """A pair of interfaces, both up: what goes out at one comes in at the other."""
        self.run("ip", "link", "add", one, "mtu", str(mtu), "type", "veth", "peer", "name", other, "mtu", str(mtu))
        for name in (one, other):
            self.quiet(name)
            self.up(name)

    def quiet(self, name: str | bytes) -> None:
        """The kernel itself sends nothing there: no IPv6, no ARP."""
        raw = name if isinstance(name, bytes) else name.encode()
        self.run("sh", "-c", b"echo 1 > '/proc/sys/net/ipv6/conf/" + raw + b"/disable_ipv6'")
        self.run("ip", "link", "set", "dev", name, "arp", "off")

    def up(self, name: str | bytes) -> None:
        """Up, and its peer with it: the kernel tells of a carrier a moment late, and until then drops what is sent, silently."""
        set_up = ("ip", "link", "set", "dev", name, "up")
        self.run(*set_up)
        end = time.monotonic() + _PATIENCE
        while any(b"NO-CARRIER" in line and b"LOWER_UP" in line for line in self._links()):
            assert time.monotonic() < end, self._links()
            time.sleep(0.005)
        self.run(*set_up)  # waits for the kernel's lock, under which it tells of a carrier and then lets packets through

    def _links(self) -> list[bytes]:
        """A line per interface: names are any bytes."""
        command = ["ip", "netns", "exec", self.name, "ip", "-o", "link", "show"]
        return subprocess.run(command, capture_output=True, check=True).stdout.splitlines()

    def down(self, name: str | bytes) -> None:
        self.run("ip", "link", "set", "dev", name, "down")

    def delete(self, name: str | bytes) -> None:
        self.run("ip", "link", "del", "dev", name)

    @contextmanager
    def sender(self, name: str | bytes) -> Iterator[socket.socket]:
        """A socket whose `send(frame)` puts a frame on the wire, with its link header and as it is."""
        with self.inside():
            made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        with made:
            # Of no protocol: it receives nothing.
            with self.inside():
                index = socket.if_nametoindex(name)  # type: ignore[arg-type]  # takes bytes as well
                made.bind((socket.if_indextoname(index), 0))
            yield made

    def send(self, name: str | bytes, frames: Sequence[bytes]) -> None:
        """Frames at once, in their order; all that the interface takes without a loss."""
        with self.sender(name) as made:
            for frame in frames:
                made.send(frame)

    def replay(self, name: str, capture: Path, *options: str) -> None:
        """tcpreplay of a capture, as fast as it goes unless `options` say otherwise. Each packet is sent."""
        self.run("tcpreplay", "-q", "-i", name, *(options or ("--topspeed",)), str(capture))


@contextmanager
def namespace() -> Iterator[Namespace]:
    """A new network namespace with its loopback up. All in it ends with it."""
    made = Namespace(f"picapweb-{os.getpid()}-{next(_numbers)}")
    subprocess.run(["ip", "netns", "add", made.name], check=True)
    try:
        made.run("ip", "link", "set", "dev", "lo", "up")
        made.quiet("lo")
        yield made
    finally:
        subprocess.run(["ip", "netns", "del", made.name], check=False)


@contextmanager
def veth_pair(one: str | bytes = "va", other: str | bytes = "vb", mtu: int = 1500) -> Iterator[Namespace]:
    """A namespace with a pair of interfaces."""
    with namespace() as made:
        made.veth(one, other, mtu)
        yield made


def _enter(namespace_fd: int) -> None:
    if _libc.setns(namespace_fd, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
