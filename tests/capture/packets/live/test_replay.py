"""Real captures on a wire, recorded anew: the same packets, and beside tcpdump as many as it takes."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.capture.packets.live.recording import SECONDS, packets_of, running
from tests.netns import Namespace, veth_pair

pytestmark = pytest.mark.needs("root for network namespaces", "ip (iproute2)", "tcpreplay")

MIX = "pcaps/large/derived__merged-home-and-web-mix.pcap"


@pytest.fixture(scope="module")
def pair():
    with veth_pair(mtu=65535) as made:
        yield made


@pytest.mark.parametrize("name", [MIX, "pcaps/large/ics__ModbusTCP.pcap"])
def test_a_capture_is_recorded_as_it_was(pair: Namespace, shared: Path, tmp_path: Path, name: str) -> None:
    expected = [one.data for one in packets_of(shared / name)]
    with running(pair, tmp_path, file_bytes=1 << 20) as made:
        pair.replay("va", shared / name)
        made.until(lambda now: now.captured >= len(expected))
        made.stop()
    assert [one.data for one in made.packets()] == expected
    assert made.interface.dropped_kernel == 0


@pytest.mark.needs("tcpdump")
def test_filters_take_what_tcpdump_takes(pair: Namespace, shared: Path, tmp_path: Path) -> None:
    """Many recorders at once in one process, a tcpdump beside each."""
    expressions = [
        "tcp port 443",
        "udp and not port 53",
        "ip6",
        "vlan or arp",
        "tcp[tcpflags] & tcp-syn != 0",
        "greater 1000",
        "host 10.0.0.1",
    ]
    with ExitStack() as stack:
        pairs = []
        for number, expression in enumerate(expressions):
            folder = tmp_path / str(number)
            folder.mkdir()
            dump = pair.start(
                "tcpdump",
                "-i",
                "vb",
                "-n",
                "-w",
                "/dev/null",
                "-B",
                "32768",
                expression,
                stderr=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
            )
            stack.callback(dump.kill)
            made = stack.enter_context(running(pair, folder, filters={b"vb": (expression,)}))
            assert dump.stderr is not None
            while b"listening on" not in (said := dump.stderr.readline()):
                assert said
            pairs.append((expression, made, dump))
        pair.replay("va", shared / MIX, "--topspeed")
        for expression, made, dump in pairs:
            captured, received = -1, 0
            end = time.monotonic() + SECONDS
            while captured < received:  # what it has not read it is given at the end of its libpcap's timeout, 1 s
                assert time.monotonic() < end, (captured, received)
                time.sleep(0.1)
                dump.send_signal(signal.SIGUSR1)
                said = dump.stderr.readline()
                captured, received = map(int, re.findall(rb"(\d+) packets? (?:captured|received)", said))
            made.stop()
            assert (expression, made.interface.captured) == (expression, captured)
        assert sum(made.interface.captured > 0 for _, made, _ in pairs) >= 5
