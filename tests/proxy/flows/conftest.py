"""Real captures and made ones, indexed once by the product on each backend, and the same packets one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.proxy.flows import made
from tests.proxy.flows.naive import Place, Seen, seen
from tests.proxy.indexed import Indexed

INDEX = "flows"
# VLAN tags up to three deep, resets and SYNs sent again, scans, ICMP, IPv6, a tunnel, DNS without answers; more packets than
# Pilosa is asked for one by one.
CAPTURES = (
    "tunnels/arkime__twovlan.pcap",
    "tunnels/arkime__dot1ad.pcap",
    "tunnels/mercury__pppoe_double_vlan_tagging.pcap",
    "tunnels/zeek__http-vlan-0.pcap",
    "tunnels/nfstream__6in4tunnel.pcap",
    "protocols/zeek__nmap-vsn.pcap",
    "protocols/dpkt__dns_icmp.pcap",
    "protocols/zeek__icmp__icmp6-nd-options.pcap",
    "protocols/zeek__wikipedia.pcap",
    "protocols/mercury__top_100_fingerprints.pcap",
)


class Flows(Indexed):
    """The made captures are the last ones."""

    def places(self, q: str, **query: Any) -> set[Place]:
        """The packets of a query."""
        said = self.get("/packets/", q=q, limit=10_000, fields="length", **query)
        found = {(self.jobs.index(one["job"]), one["number"]) for one in said["packets"]}
        assert said["count"] == len(found)
        return found


@pytest.fixture(scope="session")
def captures(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("flows")
    one, other = made.write(folder / "one.pcap", made.one()), made.write(folder / "other.pcap", made.other())
    return [*(shared / "pcaps" / name for name in CAPTURES), one, other]


@pytest.fixture(scope="session")
def packets(captures: list[Path]) -> list[Seen]:
    """Every packet of all captures."""
    return [packet for number, path in enumerate(captures) for packet in seen(number, path)]


@pytest.fixture(scope="session", params=["embedded", "pilosa"])
def indexed(request: pytest.FixtureRequest, captures: list[Path]) -> Flows:
    found = Flows(request.getfixturevalue(f"{request.param}_product"), INDEX)
    found.upload(captures)
    return found


@pytest.fixture
def client(data: Path) -> Client:
    return Client(headers={"host": "localhost"})
