"""A wire to capture on: a veth pair of which this machine has one end and a network namespace of the test's own the other."""

from __future__ import annotations

import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.server import PATIENCE


def run(*command: str) -> str:
    """A command that must succeed; what it printed."""
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, (command, done.stderr)
    return done.stdout


class Wire:
    """A context manager. `near` is the name of this machine's end; what is sent goes out of the far one. The kernel itself sends
    nothing on it: there is no address, and no IPv6."""

    def __init__(self, mtu: int = 1500) -> None:
        mark = uuid.uuid4().hex[:8]
        self.namespace, self.near, self.far, self.mtu = f"pw-{mark}", f"pw{mark}n", f"pw{mark}f", mtu

    def __enter__(self) -> Wire:
        run("ip", "netns", "add", self.namespace)
        try:
            self.make()
        except BaseException:
            self.__exit__()
            raise
        return self

    def make(self) -> None:
        """Makes the pair, both ends up."""
        run("ip", "link", "add", self.near, "type", "veth", "peer", "name", self.far, "netns", self.namespace)
        for end, where in ((self.near, ()), (self.far, ("ip", "netns", "exec", self.namespace))):
            run(*where, "sysctl", "-qw", f"net.ipv6.conf.{end}.disable_ipv6=1")
            run(*where, "ip", "link", "set", end, "mtu", str(self.mtu), "arp", "off", "up")
        self.carries()

    def carries(self) -> None:
        """Waits until both ends carry: the kernel tells of it a moment late, and until then drops what is sent, silently."""
        ends = ((self.near, ()), (self.far, ("ip", "netns", "exec", self.namespace)))
        late = time.monotonic() + PATIENCE
        for end, where in ends:
            show = (*where, "ip", "-o", "link", "show", "dev", end)
            while b"NO-CARRIER" in (said := subprocess.run(show, capture_output=True, check=True).stdout):  # names are any bytes
                assert time.monotonic() < late, said
                time.sleep(0.005)
        for end, where in ends:  # waits for the kernel's lock, under which it tells of a carrier and then lets packets through
            run(*where, "ip", "link", "set", end, "up")

    def __exit__(self, *_: object) -> None:
        subprocess.run(["ip", "link", "del", self.near], capture_output=True)
        subprocess.run(["ip", "netns", "del", self.namespace], capture_output=True)

    def down(self) -> None:
        run("ip", "link", "set", self.near, "down")

    def up(self) -> None:
        run("ip", "link", "set", self.near, "up")
        self.carries()

    def delete(self) -> None:
        run("ip", "link", "del", self.near)

    @contextmanager
    def sender(self, capture: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
        """tcpreplay of a capture, at work until the end of the block at most. options: its own, by default as fast as it goes."""
        command = [
            "ip",
            "netns",
            "exec",
            self.namespace,
            "tcpreplay",
            "-i",
            self.far,
            *(options or ("--topspeed",)),
            str(capture),
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            try:
                yield process
            finally:
                process.terminate()  # one that goes on for ever would be waited for, where the block failed

    def send(self, capture: Path, *options: str) -> int:
        """Replays a capture to its end; how many packets went out."""
        with self.sender(capture, *options) as process:
            said, _ = process.communicate(timeout=300)
        assert process.returncode == 0, said
        return sum(int(line.split()[-1]) for line in said.splitlines() if line.strip().startswith("Successful packets:"))
