"""A live job's filter lets in what tcpdump's lets in, on the same wire at the same time."""

from __future__ import annotations

import re
import signal
import subprocess
import threading

import pytest

from tests.live import jobs

pytestmark = pytest.mark.needs("../shared", "tcpdump")


class Tcpdump:
    """tcpdump on an interface, counting. It listens once `listening` is set."""

    def __init__(self, interface: str, expression: str) -> None:
        command = ["tcpdump", "-i", interface, "-n", "--immediate-mode", "-B", "65536", "-w", "/dev/null", *expression.split()]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.said: list[str] = []
        self.listening = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        assert self.listening.wait(10), self.said

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line)
            if "listening on" in line:
                self.listening.set()

    def count(self) -> int:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(10)
        self._reader.join(10)
        found = re.findall(r"(\d+) packets (captured|dropped by kernel)", "".join(self.said))
        counts = {what: int(number) for number, what in found}
        assert counts["dropped by kernel"] == 0
        return counts["captured"]


@pytest.mark.parametrize(
    "expression", ["tcp port 80", "udp and not port 53", "ip6", "icmp or arp", "tcp[tcpflags] & tcp-syn != 0"]
)
def test_as_many_packets_as_tcpdump(server, wire, shared, expression):
    job = jobs.order(server, wire.near, filter=expression)["id"]
    reference = Tcpdump(wire.near, expression)
    wire.send(shared / "pcaps" / "large/derived__merged-home-and-web-mix.pcap", "--pps=40000")
    jobs.pause(0.3)
    expected = reference.count()
    assert expected > 0
    jobs.indexed(server, job, expected)
    said = jobs.stop(server, job)
    assert said["packets"]["indexed"] == said["live"]["received"] == expected
    assert said["live"]["interfaces"][0]["filter"] == expression
