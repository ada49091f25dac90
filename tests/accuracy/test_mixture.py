"""What the truth has no table for, on a mixture of home and web traffic: applications, what only a port names, errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.accuracy.corpus import PCAPS, truth
from capture.packets.columns import Dissected
from capture.packets.dissect import dissect
from capture.packets.reading import read_batch
from capture.packets.sources import open_capture
from tests.capture.packets.making import counts

pytestmark = pytest.mark.needs("../shared")
MIX = "large/derived__merged-home-and-web-mix.pcap"


@pytest.fixture(scope="module", params=["fast", "scapy"])
def mix(request: pytest.FixtureRequest) -> Dissected:
    return whole(PCAPS / MIX, request.param)


def whole(path: Path, dissector: str) -> Dissected:
    with open_capture(path) as source:
        (scanned,) = source.scan(50_000)
    return dissect(read_batch(path, scanned.locator), ["all"], dissector)


def test_it_decodes_whole(mix: Dissected) -> None:
    assert mix.undecodable == 0 and not counts(mix, "error")


def test_transports_are_those_tshark_sees_outermost(mix: Dissected) -> None:
    outer = truth(MIX)["outer"]
    assert counts(mix, "transproto") == {"TCP": sum(outer["tcp.srcport"].values()), "UDP": sum(outer["udp.srcport"].values())}


@pytest.mark.parametrize(("name", "tshark"), [("SSDP", "ssdp"), ("NTP", "ntp"), ("NBNS", "nbns")])
def test_applications(mix: Dissected, name: str, tshark: str) -> None:
    assert counts(mix, "appproto")[name] == truth(MIX)["protocols"][tshark]


def test_dns_is_dns_mdns_and_llmnr(mix: Dissected) -> None:
    told = truth(MIX)["protocols"]
    assert counts(mix, "appproto")["DNS"] == told["dns"] + told["mdns"] + told["llmnr"]


def test_what_only_a_port_names_is_payload(mix: Dissected) -> None:
    assert 0 < sum(counts(mix, "appproto-port").values()) <= counts(mix, "appproto")["Payload"]


@pytest.mark.parametrize("dissector", ["fast", "scapy"])
def test_marvell_dsa_is_read(dissector: str) -> None:
    """tcpdump reads this one; tshark 4.0 does not."""
    found = whole(PCAPS / "linktypes/libpcap__dsa.pcap", dissector)
    assert counts(found, "netsrc") == {"192.168.30.1": 3, "192.168.30.2": 3}
