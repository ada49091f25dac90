"""TLS handshakes against what tshark shows of each stream's records (tls_compared), in all shared captures with TLS."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from capture.packets.conversations.tls import TIMEOUT
from capture.packets.declarations.conversations import FIELDS
from tests.capture.packets.conversations.requests_compared import found_in, plain
from tests.capture.packets.conversations.tls_compared import judged
from tests.components import SHARED
from tests.conftest import needs

_WAYS = next(field.choices for field in FIELDS if field.name == "tls-outcome")

# Captures below ../shared/pcaps, and how many handshakes tshark shows in them
CAPTURES = {
    "large/derived__merged-home-and-web-mix.pcap": 141,
    "linktypes/arkime__ssl-selfsign.pcap": 1,
    "linktypes/ndpi__KakaoTalk_talk.pcap": 2,
    "linktypes/zeek__tls__openjdk-25.0.2-zeek.org.pcap": 1,
    "malformed/pcapparser__err-buffertoosmall.pcapng": 1,
    "malformed/suricata__bug-1450-04__tls_DER-incomplete-header.pcap": 1,
    "protocols/arkime__curl-enabled-tls13.pcap": 1,
    "protocols/arkime__https-connect.pcap": 1,
    "protocols/mercury__top_100_fingerprints.pcap": 100,
    "protocols/nfstream__http_ipv6.pcap": 6,
    "protocols/nfstream__no_sni.pcap": 7,
    "protocols/nfstream__viber.pcap": 7,
    "protocols/suricata__tls-client-hello-frag-01__dump_mtu300.pcap": 1,
    "protocols/zeek__smtp.pcap": 1,
    "protocols/zeek__tls__ssl.v3.pcap": 3,
    "protocols/zeek__tls__tls13-ech.pcap": 2,
    "tunnels/arkime__pppoe.pcap": 1,
    "tunnels/mercury__tls_sgt.pcap": 58,
    "tunnels/nfstream__6in4tunnel.pcap": 2,
    "tunnels/zeek__tunnels__geneve-47101.pcap": 1,
}
# Why tshark and we say something else, and on which frames
_LATER = "tshark shows a ClientHello of several segments on the last, we on the first"
_INSIDE = "TLS inside of OpenVPN over TCP, or behind a proxy's header: not followed"
_PORT = "tshark goes by the port, or by what the connection began with"
_AGAIN = "the same connection again, with a SYN: to tshark it is retransmissions"
_LOST = "tshark puts nothing together behind a segment that came out of order"
EXPLAINED: dict[str, dict[str, set[int]]] = {
    "large/derived__merged-home-and-web-mix.pcap": {_INSIDE: {15, 175}, _LOST: {16876}},
    "linktypes/ndpi__KakaoTalk_talk.pcap": {_PORT: {36}},
    "protocols/suricata__tls-client-hello-frag-01__dump_mtu300.pcap": {_LATER: {4, 6}},
}
MIXED: dict[str, set[int]] = {
    _LATER: {3075, 5816, 6035},
    _INSIDE: {47809, 71109, 72137},
    _PORT: {6950, 9605, 16488, 19538, 21069, 40954, 66361, 76131, 85194},
    _AGAIN: {36111, 48695},
    _LOST: {72873, 84666},
}


def _compare(path: Path, handshakes: int, explained: dict[str, set[int]]) -> None:
    theirs = judged(path, TIMEOUT / 1e9)
    assert len(theirs) == handshakes, "tshark says something else than it did"
    ours = {frame: _WAYS[min(values)] for frame, values in found_in(path)["tls-outcome"].items()}
    differ = {frame for frame in theirs.keys() | ours.keys() if theirs.get(frame) != ours.get(frame)}
    assert differ == {frame for frames in explained.values() for frame in frames}


@pytest.mark.parametrize("name", CAPTURES)
def test_equals_tsharks_records(name: str, tmp_path: Path) -> None:
    needs("../shared", "tshark")
    _compare(plain(SHARED / "pcaps" / name, tmp_path), CAPTURES[name], EXPLAINED.get(name, {}))


def test_equals_tsharks_records_in_a_mixed_capture(tmp_path: Path) -> None:
    needs("../shared", "tshark")
    path = tmp_path / "mixed.pcap"
    subprocess.run([sys.executable, str(SHARED / "bench" / "make_capture.py"), str(path), "100000"], check=True)
    _compare(path, 457, MIXED)
