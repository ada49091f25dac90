"""The scapy dissector against tshark, on every shared capture that both read: what it finds, and where it rightly differs."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.capture.packets.truth_figures import MIX, Figures, captures, figures, truth

pytestmark = pytest.mark.needs("../shared")
FLAGS = {
    "fin": "FIN", "syn": "SYN", "reset": "RST", "push": "PSH", "ack": "ACK", "urg": "URG", "ece": "ECE", "cwr": "CWR", "ae": "NS"
}  # fmt: skip

# the only differences: file -> field -> (more than tshark, less than tshark), with the reason in words
TUNNELLED = "the truth's `outer` counts the TCP header inside a UDP tunnel as well; ours is of the first IP header"
BY_PORT = "tshark looks for HTTP on its ports only; ours goes by content"
KEPT = "flags that were captured before the header turned out to be wrong are kept"
L2TP: dict[str, tuple[dict[str, int], dict[str, int], str]] = {
    "transsrc": ({}, {"80": 4, "37034": 6}, TUNNELLED),
    "transdst": ({}, {"80": 6, "37034": 4}, TUNNELLED),
    "tcp": ({}, {"ACK": 9, "FIN": 2, "PSH": 2, "SYN": 2}, TUNNELLED),
}
Difference = tuple[dict[str, int], dict[str, int], str]
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
WRAPPED = "Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/35.0.1916.153 Safari/537.36"
DIFFERENCES: dict[str, dict[str, Difference]] = {
    **{
        f"formats/derived__dpkt__nb6-http{end}": L2TP
        for end in (
            ".pcap.gz",
            "__as-pcapng.pcapng",
            "__modified-magic.pcap",
            "__nanosecond.pcap",
            "__reversed.pcap",
            "__time-zero.pcap",
        )
    },
    "protocols/dpkt__nb6-http.pcap": L2TP,
    "malformed/derived__dpkt__nb6-http__garbage-tail.pcap": L2TP,
    "tunnels/zeek__gtp__gtp1_gn_normal_incl_fragmentation.pcap": {
        "transsrc": ({}, {"80": 45, "1923": 27}, TUNNELLED),
        "transdst": ({}, {"1923": 45, "80": 27}, TUNNELLED),
        "tcp": ({}, {"ACK": 71, "PSH": 3, "FIN": 2, "SYN": 2}, TUNNELLED),
    },
    "tunnels/zeek__tunnels__geneve-47101.pcap": {
        "transsrc": ({}, {"45474": 15, "443": 9}, TUNNELLED),
        "transdst": ({}, {"443": 15, "45474": 9}, TUNNELLED),
        "tcp": ({}, {"ACK": 23, "PSH": 7, "FIN": 2, "SYN": 2}, TUNNELLED),
    },
    "tunnels/zeek__tunnels__vxlan-encapsulated-http.pcap": {
        "transsrc": ({}, {"40354": 7, "80": 5}, TUNNELLED),
        "transdst": ({}, {"80": 7, "40354": 5}, TUNNELLED),
        "tcp": ({}, {"ACK": 11, "PSH": 3, "FIN": 2, "SYN": 2}, TUNNELLED),
    },
    "formats/zeek__http__get-to-ssh-server.pcap": {
        "http-hostname": ({"128.3.50.246": 1}, {}, BY_PORT),
        "http-useragent": ({AGENT: 1}, {}, BY_PORT),
        "http-method": ({"GET": 1}, {}, BY_PORT),
    },
    "protocols/zeek__postgresql__http-on-port-5432.pcap": {
        "http-hostname": ({"bro.org": 1}, {}, BY_PORT),
        "http-useragent": ({"Wget/1.14 (darwin12.2.0)": 1}, {}, BY_PORT),
        "http-method": ({"GET": 1}, {}, BY_PORT),
    },
    "protocols/zeek__http__smuggle-http-request.pcap": {
        "http-method": ({}, {"POST": 2}, "tshark takes a response's body `POST request received successfully!` for a request")
    },
    "protocols/arkime__http-wrapped-header.pcap": {
        "http-useragent": ({}, {WRAPPED: 1}, "the header line stands in the segment behind the one with the request line")
    },
    "malformed/zeek__trunc__ipv4-internally-truncated-header.pcap": {
        "netdst": ({"192.150.187.43": 1}, {"?": 1}, "the address is within the captured bytes; tshark stops at the cut options")
    },
    "malformed/ndpi__fuzz-2006-09-29-28586.pcap": {
        "tcp": ({"ACK": 1}, {}, KEPT),
        "http-hostname": ({"%s\x002.20.3.5": 1}, {"%s": 1}, "tshark ends texts at a NUL"),
        "http-useragent": (
            {"Sony\\x8aricssonT68/R201A": 1},
            {"Sony\ufffdricssonT68/R201A": 1},
            "bytes that are no UTF-8 have our text form",
        ),
    },
    "malformed/ndpi__kerberos_fuzz.pcapng": {"tcp": ({"FIN": 1}, {}, KEPT)},
}


def expected(told: dict[str, Any]) -> dict[str, Counter[str]]:
    outer, first, anywhere, network = told["outer"], told["first"], told["any"], told["outermost_ip"]
    names = {"ip": "IPv4", "ipv6": "IPv6"}
    return {
        "netproto": Counter({names[k]: n for k, n in network["version"].items()}),
        "netsrc": Counter(network["src"]),
        "netdst": Counter(network["dst"]),
        "transsrc": sum((Counter(c) for c in (outer["tcp.srcport"], outer["udp.srcport"], first["sctp.srcport"])), Counter()),
        "transdst": sum((Counter(c) for c in (outer["tcp.dstport"], outer["udp.dstport"], first["sctp.dstport"])), Counter()),
        "tcp": Counter({FLAGS[k]: n for k, n in outer["tcp_flags"].items()}),
        "http-hostname": Counter(anywhere["http.host"]),
        "http-useragent": Counter(first["http.user_agent"]),
        "http-method": Counter(anywhere["http.request.method"]),
    }


@pytest.fixture(scope="session")
def mix() -> Figures:
    return figures(MIX)


@pytest.mark.parametrize("name", list(captures()))
def test_found_is_what_tshark_found(name: str) -> None:
    found, told = figures(name), truth(name)
    assert (found.packets, found.length) == (told["packets"], told["frame_len_sum"])
    for field_name, want in expected(told).items():
        got = found.values[field_name]
        more, less, _ = DIFFERENCES.get(name, {}).get(field_name, ({}, {}, ""))
        assert (got - want, want - got) == (Counter(more), Counter(less)), field_name


def test_every_difference_names_a_capture_that_is_compared() -> None:
    assert set(DIFFERENCES) <= set(captures())


def test_the_mixture_decodes_whole(mix: Figures) -> None:
    assert mix.undecodable == 0 and not mix.values["error"]


def test_transports_of_the_mixture_are_those_tshark_sees_outermost(mix: Figures) -> None:
    outer = truth(MIX)["outer"]
    assert mix.values["transproto"] == {"TCP": sum(outer["tcp.srcport"].values()), "UDP": sum(outer["udp.srcport"].values())}


@pytest.mark.parametrize(("name", "tshark"), [("SSDP", "ssdp"), ("NTP", "ntp")])
def test_applications_of_the_mixture(mix: Figures, name: str, tshark: str) -> None:
    assert mix.values["appproto"][name] == truth(MIX)["protocols"][tshark]


def test_dns_of_the_mixture_is_dns_mdns_and_llmnr(mix: Figures) -> None:
    told = truth(MIX)["protocols"]
    assert mix.values["appproto"]["DNS"] == told["dns"] + told["mdns"] + told["llmnr"]
    assert mix.values["appproto"]["NBNS"] == told["nbns"]


def test_what_only_a_port_names_is_payload(mix: Figures) -> None:
    assert 0 < sum(mix.values["appproto-port"].values()) <= mix.values["appproto"]["Payload"]


def test_marvell_dsa_is_read() -> None:
    """tcpdump reads this one; tshark 4.0 does not."""
    found = figures("linktypes/libpcap__dsa.pcap")
    assert found.packets == 8 and found.values["netsrc"] == {"192.168.30.1": 3, "192.168.30.2": 3}
