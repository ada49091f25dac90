"""DNS, ICMP echo and HTTP against tshark 4.0.17, frame by frame, in all shared captures that have them and a mixed one of 100,000
packets. What differs is explained: a difference without explanation fails, and so does an explanation that no longer occurs."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.capture.packets.conversations.requests_compared import (
    differences,
    found_in,
    plain,
    reasons,
    tshark_rows,
    tshark_says,
)
from tests.components import SHARED
from tests.conftest import needs

MIXED = "a mixed capture"
# Captures below ../shared/pcaps (of several files with the same packets one), and how many values tshark has of them
CAPTURES = {
    "formats/derived__dpkt__nb6-http__nanosecond.pcap": 14,
    "formats/derived__dpkt__nb6-http__reversed.pcap": 8,
    "formats/derived__dpkt__nb6-http__snap60.pcap": 8,
    "formats/pcapparser__modified-format.pcap": 1,
    "formats/suricata__tcp-rst-unacked-stream-10__TLPW1-tcp-174.56.47.59-10.3.11.101-tcp-80-49309.pcap": 2,
    "formats/tcpdump__time_2039.pcap": 1,
    "formats/tcpdump__time_2107.pcapng": 1,
    "formats/wireshark__dns+icmp.pcapng.gz": 18,
    "formats/zeek__pcapng-multi-interface.pcapng": 3,
    "large/derived__merged-home-and-web-mix.pcap": 373,
    "linktypes/arkime__80211http.pcap": 14,
    "linktypes/arkime__nflog.pcap": 2,
    "linktypes/libpcap__arcnet-rfc1051-arp-icmp-http.pcap": 4,
    "linktypes/libpcap__http_PPI.pcap": 1,
    "linktypes/ndpi__KakaoTalk_talk.pcap": 1,
    "linktypes/suricata__decode-chdlc-01__hdlc-http_1tx.pcap": 2,
    "linktypes/tcpflow__test4.pcap": 66,
    "linktypes/zeek__raw_packets.pcap": 5,
    "malformed/ndpi__fuzz-2006-09-29-28586.pcap": 6,
    "malformed/suricata__http-mime-truncated.pcap": 16,
    "malformed/zeek__dns__dns-corrupt.pcap": 1,
    "protocols/arkime__curl-enabled-tls13.pcap": 2,
    "protocols/arkime__dns-punycode.pcap": 1,
    "protocols/arkime__http-post-upload.pcap": 6,
    "protocols/arkime__http-wrapped-header.pcap": 2,
    "protocols/arkime__https-connect.pcap": 2,
    "protocols/dpkt__dns_icmp.pcap": 17,
    "protocols/dpkt__nb6-http.pcap": 14,
    "protocols/nfstream__WebattackSQLinj.pcap": 18,
    "protocols/nfstream__bad-dns-traffic.pcap": 220,
    "protocols/nfstream__dns_exfiltration.pcap": 150,
    "protocols/nfstream__viber.pcap": 9,
    "protocols/pcapparser__wireshark_samples-test.pcapng": 27,
    "protocols/scapy__http2_h2c.pcap": 2,
    "protocols/suricata__dns-tcp-multirequest-buffer__dns-tcp-multirequest-buffer.pcap": 20,
    "protocols/zeek__http__bro.org.pcap": 62,
    "protocols/zeek__http__concurrent-range-requests.pcap": 6,
    "protocols/zeek__http__http-non-printable-characters.pcap": 8,
    "protocols/zeek__http__smuggle-http-request.pcap": 4,
    "protocols/zeek__nmap-vsn.pcap": 6,
    "protocols/zeek__postgresql__http-on-port-5432.pcap": 0,
    "protocols/zeek__smtp.pcap": 1,
    "protocols/zeek__wikipedia.pcap": 44,
    "tunnels/arkime__6-4-gre-ppp-udp-4-dns.pcap": 1,
    "tunnels/arkime__dot1ad.pcap": 1,
    "tunnels/arkime__twovlan.pcap": 2,
    "tunnels/mercury__pppoe_double_vlan_tagging.pcap": 9,
    "tunnels/nfstream__6in4tunnel.pcap": 27,
    "tunnels/nfstream__teredo.pcap": 0,
    "tunnels/suricata__ipv6-malformed-fragments-16__frag-16.pcap": 3,
    "tunnels/tcpdump__various_gre.pcap": 5,
    "tunnels/zeek__gtp__gtp1_gn_normal_incl_fragmentation.pcap": 2,
    "tunnels/zeek__http-vlan-0.pcap": 2,
    "tunnels/zeek__ipv6-fragmented-dns.pcap": 2,
    "tunnels/zeek__tunnels__vxlan-encapsulated-http.pcap": 2,
    MIXED: 3855,
}

# Seen in what tshark says itself (requests_compared.reasons), how many values for each reason:
#   other data: tshark takes a reply whose data are not the request's for none; here identifier and sequence number tell
#   fragment: the first fragment of a DNS response is one here; tshark, which does not put it together here, cannot read it
#   interim: tshark's first response to a request is `100 Continue`, ours the final one
#   again: tshark takes the segment for one that comes again, or passes it over as one
SEEN: dict[str, dict[str, int]] = {
    "large/derived__merged-home-and-web-mix.pcap": {"interim": 12},
    "linktypes/ndpi__KakaoTalk_talk.pcap": {"again": 2},
    "malformed/ndpi__fuzz-2006-09-29-28586.pcap": {"interim": 3},
    "tunnels/zeek__ipv6-fragmented-dns.pcap": {"fragment": 1},
    MIXED: {"fragment": 6, "other data": 328, "again": 26, "interim": 15},
}
# Looked at one by one: reason -> frames
EXPLAINED: dict[str, dict[str, set[int]]] = {
    "formats/derived__dpkt__nb6-http__snap60.pcap": {
        "cut: a question that is not whole is no DNS": {1, 3, 5, 26, 27, 28, 49, 50}
    },
    "linktypes/arkime__nflog.pcap": {"a link type that only scapy reads": {4, 6}},
    "linktypes/libpcap__arcnet-rfc1051-arp-icmp-http.pcap": {"a link type that only scapy reads": {4, 6, 8, 10}},
    "linktypes/libpcap__http_PPI.pcap": {"a link type that only scapy reads": {3}},
    "protocols/zeek__postgresql__http-on-port-5432.pcap": {"tshark goes by the port": {4, 6}},
    "tunnels/arkime__dot1ad.pcap": {"tags of request and reply differ: two conversations": {1, 2}},
    "tunnels/nfstream__teredo.pcap": {"tshark does not follow echo in Teredo": {9, 11, 12, 13, 17, 18, 20, 21, 22}},
    MIXED: {
        "a tunnel's port: no DNS here": {43486},
        "damaged, no DNS here": {82973},
        "a broken extension header before it": {34954},
        "a tunnel that is not followed": {81031, 97840, 91637, 91832, 92616, 92783, 94058, 94287},
        "tshark does not follow echo in Teredo": {67569},
        "tshark goes by the port": {18779, 18807, 40928, 40978, 54748, 54750, 70832, 70834},
        "damaged, no status line here": {56477, 56478},
    },
}


def _compare(name: str, path: Path) -> None:
    rows = tshark_rows(path)
    theirs = tshark_says(rows)
    assert sum(map(len, theirs.values())) == CAPTURES[name], "tshark says something else than it did"
    found = differences(theirs, found_in(path))
    seen = reasons(rows, found)
    explained = {frame for frames in EXPLAINED.get(name, {}).values() for frame in frames}
    left = [one for one in found if one[1] not in seen and one[1] not in explained]
    assert not left, left[:20]
    assert explained <= {frame for _, frame, _, _ in found}, "an explanation that no longer occurs"
    assert Counter(seen[one[1]] for one in found if one[1] in seen) == SEEN.get(name, {})


@pytest.mark.parametrize("name", [name for name in CAPTURES if name != MIXED])
def test_equals_tshark(name: str, tmp_path: Path) -> None:
    needs("../shared", "tshark")
    _compare(name, plain(SHARED / "pcaps" / name, tmp_path))


def test_equals_tshark_in_a_mixed_capture(tmp_path: Path) -> None:
    needs("../shared", "tshark")
    path = tmp_path / "mixed.pcap"
    subprocess.run([sys.executable, str(SHARED / "bench" / "make_capture.py"), str(path), "100000"], check=True)
    _compare(MIXED, path)
