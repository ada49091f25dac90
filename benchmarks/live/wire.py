"""A wire: a veth pair with its near end in the namespace of this process, and its far end in that of a sender."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.live import private

# The longest that a veth has: packets that a network card joined when the capture was made go out as they are.
MTU = 65535
NEAR, FAR = "near", "far"


@dataclass(frozen=True)
class Sent:
    """What went out in one go."""

    packets: int
    seconds: float

    @property
    def rate(self) -> float:
        return self.packets / self.seconds


class Wire:
    """A context manager. packets, bytes: of the capture that is replayed, as far as the link carries them. To be made inside of
    a namespace of one's own (private.command)."""

    near = NEAR

    def __init__(self, capture: Path) -> None:
        self.capture = capture

    def __enter__(self) -> Wire:
        command = private.far(sys.executable, "-m", "benchmarks.live.sender", str(self.capture), str(MTU))
        self._sender = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            said = self._hear()
            self.packets, self.bytes = int(said["packets"]), int(said["bytes"])
            pid = str(self._sender.pid)
            _run("ip", "link", "add", NEAR, "type", "veth", "peer", "name", FAR, "netns", pid)
            for end, where in ((NEAR, ()), (FAR, ("nsenter", "--net", "--target", pid))):
                # The kernel itself sends nothing: there is no address, and no IPv6.
                _run(*where, "sysctl", "-qw", f"net.ipv6.conf.{end}.disable_ipv6=1")
            _run("ip", "link", "set", NEAR, "mtu", str(MTU), "arp", "off", "up")
            self._say(open=FAR)
            self._hear()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        # With its process ends the namespace of the far end, and with that the pair.
        self._sender.kill()
        self._sender.communicate()

    def start(self, rate: float, seconds: float = 0) -> None:
        """Begins to send, packets a second (0: as fast as it goes), for ever if no seconds are given."""
        self._say(send=rate, seconds=seconds)

    def stop(self) -> None:
        """Ends what was begun for ever; what went out is said by `went`."""
        self._say(stop=True)

    def went(self) -> Sent:
        """What went out in the run that ends, or ended, now."""
        said = self._hear()
        return Sent(int(said["sent"]), float(said["seconds"]))

    def send(self, rate: float, seconds: float) -> Sent:
        """Sends for so long."""
        self.start(rate, seconds)
        return self.went()

    def sent(self) -> int:
        """All packets that went out so far; also while it sends."""
        self._say(sent=True)
        return int(self._hear()["sent"])

    def _say(self, **order: Any) -> None:
        assert self._sender.stdin is not None
        self._sender.stdin.write(json.dumps(order) + "\n")
        self._sender.stdin.flush()

    def _hear(self) -> dict[str, Any]:
        assert self._sender.stdout is not None
        line = self._sender.stdout.readline()
        if not line:
            raise RuntimeError(f"the sender has ended: {self._sender.wait()}")
        said: dict[str, Any] = json.loads(line)
        return said


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout
