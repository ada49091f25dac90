"""The scapy dissector's header fields and layers against tshark, on every shared capture that both read."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from capture.packets.labels.layers import LAYERS, RARE_LAYERS
from capture.packets.recognise.names import KINDS
from tests.capture.packets.truth_figures import MIX, captures, figures, truth

pytestmark = pytest.mark.needs("../shared")

# layers that are told by headers; those of applications are another matter
HEADERS = {*LAYERS, *RARE_LAYERS} - {name for _, names in KINDS for name in names} - {"data"}

Difference = tuple[dict[str, int], dict[str, int], str]
QUOTED = "tshark counts what an ICMP error quotes"
CAPWAP = "802.11 inside CAPWAP, which is not followed"
NB6: dict[str, Difference] = {"protocols": ({}, {"udp": 1}, QUOTED)}
DIFFERENCES: dict[str, dict[str, Difference]] = {
    **{
        f"formats/derived__dpkt__nb6-http{end}": NB6
        for end in (
            ".pcap.gz",
            "__as-pcapng.pcapng",
            "__modified-magic.pcap",
            "__nanosecond.pcap",
            "__reversed.pcap",
            "__time-zero.pcap",
        )
    },
    "protocols/dpkt__nb6-http.pcap": NB6,
    MIX: {
        "protocols": (
            {},
            {
                "wlan": 173,
                "llc": 16,
                "udp": 6,
                "tcp": 5,
                "ipv6": 5,
                "icmpv6": 5,
                "wlccp": 4,
                "ipv6.hopopts": 2,
                "arp": 1,
                "igmp": 1,
            },
            f"{CAPWAP}; {QUOTED}",
        ),
        "arp-op": ({}, {"1": 1}, CAPWAP),
        "icmpv6-type": ({}, {"143": 2, "133": 2, "135": 1}, CAPWAP),
        "any source": ({}, {"0.0.0.0": 5, "fe80::fd:7a4c:8d72:7710": 4, "169.254.87.121": 1, "::": 1}, CAPWAP),
        "any destination": (
            {},
            {"255.255.255.255": 5, "ff02::16": 2, "ff02::2": 2, "224.0.0.251": 1, "ff02::1:ff72:7710": 1},
            CAPWAP,
        ),
        "any port": ({}, {"67": 5}, CAPWAP),
    },
    "malformed/derived__dpkt__nb6-http__garbage-tail.pcap": NB6,
    "protocols/arkime__ospf.pcap": {"protocols": ({}, {"tcp": 17, "udp": 2}, QUOTED)},
    "protocols/ipfixprobe__sip.pcap": {"protocols": ({}, {"udp": 5}, QUOTED)},
    "protocols/zeek__icmp__icmp-timeexceeded.pcap": {"protocols": ({}, {"udp": 1}, QUOTED)},
    "protocols/zeek__smtp.pcap": {"protocols": ({}, {"tcp": 4}, QUOTED)},
    "tunnels/nfstream__6in4tunnel.pcap": {"protocols": ({}, {"tcp": 2}, QUOTED)},
    "tunnels/suricata__ipv6-malformed-fragments-16__frag-16.pcap": {"protocols": ({}, {"ipv6.fraghdr": 1}, QUOTED)},
    "tunnels/zeek__mpls-in-vlan.pcap": {"mpls-label": ({"99": 1}, {}, "the truth counts the first label only")},
    "malformed/tcpdump__radiotap-heapoverflow.pcap": {
        "protocols": ({}, {"wlan": 1}, "the radiotap header itself is cut off; tshark goes on with no bytes")
    },
    "malformed/zeek__trunc__ipv4-internally-truncated-header.pcap": {
        "any destination": ({"192.150.187.43": 1}, {}, "within the captured bytes; tshark stops at the cut options")
    },
}


def expected(told: dict[str, Any]) -> dict[str, Counter[str]]:
    first, anywhere, network = told["first"], told["any"], told["outermost_ip"]
    want = {
        "protocols": Counter({name: n for name, n in told["protocols"].items() if name in HEADERS}),
        "eth-src": Counter(first["eth.src"]),
        "eth-dst": Counter(first["eth.dst"]),
        "ethertype": Counter({str(int(number, 16)): n for number, n in first["eth.type"].items()}),
        "vlan": Counter(anywhere["vlan.id"]),
        "vlan-svc": Counter(first["ieee8021ad.id"]),
        "mpls-label": Counter(first["mpls.label"]),
        "arp-op": Counter(first["arp.opcode"]),
        "ip-version": Counter({{"ip": "4", "ipv6": "6"}[name]: n for name, n in network["version"].items()}),
        "ip-proto": Counter(network["proto"]),
        "icmp-type": Counter(first["icmp.type"]),
        "icmp-code": Counter(first["icmp.code"]),
        "icmpv6-type": Counter(first["icmpv6.type"]),
        "any source": Counter(anywhere["ip.src"]) + Counter(anywhere["ipv6.src"]),
        "any destination": Counter(anywhere["ip.dst"]) + Counter(anywhere["ipv6.dst"]),
        "any port": Counter(anywhere["tcp.dstport"]) + Counter(anywhere["udp.dstport"]) + Counter(first["sctp.dstport"]),
    }
    lives = Counter(first["ip.ttl"]) + Counter(first["ipv6.hlim"])
    if lives.total() == sum(network["version"].values()):  # else some packets have headers of both versions
        want["ttl"] = lives
    return want


@pytest.mark.parametrize("name", list(captures()))
def test_found_is_what_tshark_found(name: str) -> None:
    found = figures(name)
    for field_name, want in expected(truth(name)).items():
        got = found.values[field_name]
        if field_name == "protocols":
            got = Counter({layer: n for layer, n in got.items() if layer in HEADERS})
        more, less, _ = DIFFERENCES.get(name, {}).get(field_name, ({}, {}, ""))
        assert (got - want, want - got) == (Counter(more), Counter(less)), field_name


def test_every_difference_names_a_capture_that_is_compared() -> None:
    assert set(DIFFERENCES) <= set(captures())
