"""A live job's filter lets in what tcpdump's lets in, on the same wire at the same time."""

from __future__ import annotations

import re
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from tests.live import jobs
from tests.server import PATIENCE

pytestmark = pytest.mark.needs("../shared", "tcpdump")


class Tcpdump:
    """tcpdump on an interface, counting. It listens once `listening` is set."""

    def __init__(self, interface: str, expression: str) -> None:
        # Its buffer has places of one size: of so few bytes (-s) there are enough for all packets, however late it comes to them.
        options = ["-n", "--immediate-mode", "-B", "65536", "-s", "128", "-w", "/dev/null"]
        command = ["tcpdump", "-i", interface, *options, *expression.split()]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.said: list[str] = []
        self.listening = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        assert self.listening.wait(PATIENCE), self.said

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line)
            if "listening on" in line:
                self.listening.set()

    def has(self, packets: int) -> bool:
        """Whether it has counted so many by now. It says so when it is asked, and what it has not come to is lost at its end."""
        self.process.send_signal(signal.SIGUSR1)
        time.sleep(0.1)
        return self._counts().get("captured", 0) >= packets

    def count(self) -> int:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        counts = self._counts()
        assert counts["dropped by kernel"] == 0
        return counts["captured"]

    def _counts(self) -> dict[str, int]:
        found = re.findall(r"(\d+) packets? (captured|dropped by kernel)", "".join(self.said))
        return {what: int(number) for number, what in found}


def in_file(capture: Path, expression: str) -> int:
    """How many packets of a file tcpdump's filter lets in."""
    read = ["tcpdump", "-n", "--count", "-r", str(capture), *expression.split()]
    return int(subprocess.run(read, check=True, capture_output=True, text=True).stdout.split()[0])


@pytest.mark.parametrize(
    "expression", ["tcp port 80", "udp and not port 53", "ip6", "icmp or arp", "tcp[tcpflags] & tcp-syn != 0"]
)
def test_as_many_packets_as_tcpdump(server, wire, shared, expression):
    job = jobs.order(server, wire.near, filter=expression)["id"]
    reference = Tcpdump(wire.near, expression)
    capture = shared / "pcaps" / "large/derived__merged-home-and-web-mix.pcap"
    wire.send(capture, "--pps=40000")
    # What is longer than the wire takes is not sent.
    wanted = in_file(capture, f"({expression}) and less {wire.mtu + 14}")
    server.until(lambda: reference.has(wanted))
    expected = reference.count()
    assert expected > 0
    jobs.indexed(server, job, expected)
    said = jobs.stop(server, job)
    assert said["packets"]["indexed"] == said["live"]["received"] == expected
    assert said["live"]["interfaces"][0]["filter"] == expression
