"""`python -m benchmarks.live.sender CAPTURE MTU`: the far end of a wire, a process in a network namespace of its own.

It says {"packets": N, "bytes": N} when the capture is in memory, and then obeys lines of JSON on its standard input:
{"open": NAME} brings an interface up; {"send": RATE, "seconds": S} (0: as fast as it goes; 0: until told to stop) begins to
replay the capture in a loop; {"stop": true} ends that. Each time that it ends it says {"sent": N, "seconds": S}. {"sent": true}
asks for {"sent": N} of all so far.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.live.frames import MMSGHDR, Frames
from benchmarks.live.pace import Pace

AT_ONCE = 256  # packets of one system call: between two of them the clock and the orders are looked at
TICK_SECONDS = 0.001
# As a network card has it, whose interrupts no process holds up.
PRIORITY = -15
SOL_PACKET, PACKET_QDISC_BYPASS = 263, 20
ETH_P_NONE = 0  # sends only: it must not get what it sends

_libc = ctypes.CDLL(None, use_errno=True)


class Sender:
    """Replays frames into an interface."""

    def __init__(self, frames: Frames) -> None:
        self.frames, self.total = frames, 0
        self._at = 0
        self._socket: socket.socket | None = None

    def open(self, name: str) -> None:
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, ETH_P_NONE)
        self._socket.setsockopt(SOL_PACKET, PACKET_QDISC_BYPASS, 1)
        self._socket.bind((name, ETH_P_NONE))

    def push(self, packets: int) -> int:
        """The next packets, in at most one system call; how many the kernel took."""
        assert self._socket is not None
        count = min(packets, AT_ONCE, len(self.frames) - self._at)
        address = self.frames.messages.ctypes.data + self._at * MMSGHDR.itemsize
        done = int(_libc.sendmmsg(self._socket.fileno(), ctypes.c_void_p(address), count, 0))
        if done < 0:
            code = ctypes.get_errno()
            raise OSError(code, f"sendmmsg: {os.strerror(code)}, packet {self._at}")
        self._at = (self._at + done) % len(self.frames)
        self.total += done
        return done


class Orders:
    """Lines of standard input, without waiting for one."""

    def __init__(self) -> None:
        self._waiting = b""

    def next(self, seconds: float | None) -> dict[str, Any] | None:
        """The next order if it comes in time. Ends the process at the end of the input."""
        if b"\n" not in self._waiting and select.select([0], [], [], seconds)[0]:
            piece = os.read(0, 1 << 16)
            if not piece:
                raise SystemExit(0)
            self._waiting += piece
        line, newline, rest = self._waiting.partition(b"\n")
        if not newline:
            return None
        self._waiting = rest
        order: dict[str, Any] = json.loads(line)
        return order


def replay(sender: Sender, orders: Orders, rate: float, seconds: float) -> None:
    """Sends until the time is over or it is told to stop."""
    began, before = time.monotonic(), sender.total
    pace = Pace(rate, began)
    while not seconds or time.monotonic() - began < seconds:
        wait = 0.0
        if rate == 0:
            sender.push(AT_ONCE)
        elif owed := pace.due(time.monotonic()):
            pace.went(sender.push(owed))
        else:
            wait = TICK_SECONDS
        order = orders.next(wait)
        if order and "stop" in order:
            break
        if order and "sent" in order:
            say({"sent": sender.total})
    say({"sent": sender.total - before, "seconds": time.monotonic() - began})


def say(what: dict[str, Any]) -> None:
    print(json.dumps(what), flush=True)


def main(capture: Path, mtu: int) -> None:
    frames = Frames(capture, mtu)
    sender, orders = Sender(frames), Orders()
    try:
        os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)
    except PermissionError:
        pass
    say({"packets": len(frames), "bytes": frames.bytes})
    while True:
        order = orders.next(None) or {}
        if "open" in order:
            subprocess.run(["ip", "link", "set", order["open"], "mtu", str(mtu), "arp", "off", "up"], check=True)
            sender.open(order["open"])
            say({"open": order["open"]})
        elif "send" in order:
            replay(sender, orders, float(order["send"]), float(order["seconds"]))
        elif "sent" in order:
            say({"sent": sender.total})


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
