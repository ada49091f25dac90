"""Filters over captures: the frames that tshark finds beside those that ours have, and the reasons where they differ."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.accuracy.corpus import PCAPS
from indexing.calls import Call
from proxy.display.compile import compile_filter, every_packet
from tests.proxy.display import tshark
from tests.proxy.display.in_memory import Packets
from tests.proxy.display.reasons import REASONS, Reason

FILTERS = Path(__file__).with_name("filters.txt")
CAPTURES = (
    "large/derived__merged-home-and-web-mix.pcap",
    "protocols/zeek__communityid__sctp.pcap",
    "protocols/nfstream__mdns.pcap",
    "protocols/nfstream__bad-dns-traffic.pcap",
    "protocols/mercury__top_100_fingerprints.pcap",
    "protocols/nfstream__quic-28.pcap",
    "protocols/zeek__http__concurrent-range-requests.pcap",
    "protocols/nfstream__http_ipv6.pcap",
    "protocols/zeek__smtp.pcap",
    "protocols/mercury__ftp.pcap",
    "protocols/ipfixprobe__sip.pcap",
    "protocols/zeek__smb__smb3.pcap",
    "protocols/ics__MODBUS-TestDataPart2.pcap",
    "protocols/joy__kali-normal-ssh.pcap",
    "protocols/zeek__snmp__snmpwalk-short.pcap",
    "linktypes/ipfixprobe__mqtt.pcap",
    "linktypes/ndpi__KakaoTalk_talk.pcap",
    "tunnels/arkime__dot1ad.pcap",
    "tunnels/mercury__pppoe_double_vlan_tagging.pcap",
    "tunnels/zeek__mpls-in-vlan.pcap",
    "tunnels/nfstream__6in4tunnel.pcap",
    "tunnels/zeek__tunnels__vxlan-encapsulated-http.pcap",
    "tunnels/tcpdump__various_gre.pcap",
    "protocols/nfstream__no_sni.pcap",
    "protocols/nfstream__viber.pcap",
    "protocols/dpkt__dns_icmp.pcap",
    "formats/derived__dpkt__nb6-http__reversed.pcap",
    "tunnels/mercury__tls_sgt.pcap",
)
Ask = Callable[[Call], set[int]]


def filters() -> list[str]:
    """Those of filters.txt."""
    lines = FILTERS.read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


@dataclass
class Difference:
    """more: frames that ours has and tshark has not. reasons: names of what explains all of them; empty: unexplained."""

    capture: str
    filter: str
    more: set[int]
    less: set[int]
    reasons: list[str]

    def __str__(self) -> str:
        why = ", ".join(self.reasons) or "UNEXPLAINED"
        more, less = (f"{len(frames)} {word} {sorted(frames)[:5]}" for frames, word in ((self.more, "more"), (self.less, "less")))
        return f"{self.capture}: {self.filter}: {more}, {less}: {why}"


@dataclass
class Compared:
    """asked: pairs of filter and capture. found: of those, how many have a frame for tshark."""

    asked: int = 0
    equal: int = 0
    found: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)

    @property
    def unexplained(self) -> list[Difference]:
        return [one for one in self.differences if not one.reasons]


def compare(
    captures: Iterable[str], texts: Sequence[str], folder: Path, asker: Callable[[str, Path], Ask] | None = None
) -> Compared:
    """asker: gives for a capture what answers calls; by default the slow one in memory."""
    calls = [compile_filter(text).call or every_packet() for text in texts]
    compared = Compared()
    for capture in captures:
        ask = asker(capture, folder) if asker is not None else Packets(capture, folder).answer
        theirs = tshark.frames(PCAPS / capture, [*texts, *(reason.packets for reason in REASONS)], folder)
        refused = [frames for frames in theirs if isinstance(frames, str)]
        if refused:
            raise AssertionError(f"tshark refuses: {refused}")
        of_reasons = dict(zip(REASONS, theirs[len(texts) :], strict=True))
        for text, call, frames in zip(texts, calls, theirs, strict=False):
            ours = ask(call)
            compared.asked += 1
            compared.found[text] += bool(frames)
            if ours == frames:
                compared.equal += 1
            else:
                more, less = ours - frames, frames - ours
                compared.differences.append(Difference(capture, text, more, less, _explained(text, more, less, of_reasons)))
    return compared


def _explained(text: str, more: set[int], less: set[int], of_reasons: dict[Reason, set[int]]) -> list[str]:
    names = []
    for reason, frames in of_reasons.items():
        if reason.concerns(text):
            # What is too much under a negation is too little
            side = "either" if re.search(r"!|\bnot\b|any_ne|all_ne|~=", text) else reason.side
            in_more = more & frames if side != "less" else set()
            in_less = less & frames if side != "more" else set()
            if in_more or in_less:
                names.append(reason.name)
            more, less = more - in_more, less - in_less
    return names if not more and not less else []
