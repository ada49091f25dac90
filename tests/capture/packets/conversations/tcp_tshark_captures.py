"""The shared captures with TCP, and the frames in which ours and tshark differ, with the reason."""

from __future__ import annotations

import json

from tests.components import SHARED
from tests.long import LONG

PCAPS = SHARED / "pcaps"
SMALL = 20_000  # bytes: with TESTS_LONG=1 the larger ones, too

# Frames that differ, of all captures that have some, by one of REASONS
EXPLAINED: dict[str, dict[str, int]] = {
    "formats/derived__dpkt__nb6-http__snap60.pcap": {"cut": 6},
    "formats/suricata__dnp3-too-long-reassembly-request.pcap": {"backwards": 1},
    "formats/tcpdump__timestamp_invalid_nano.pcap": {"fraction": 1},
    "malformed/ndpi__fuzz-2006-09-29-28586.pcap": {"initial": 1},
    "malformed/suricata__bug-1450-04__tls_DER-incomplete-header.pcap": {"backwards": 1, "too long": 1},
    "malformed/zeek__261__variant-01-chunk_2pow64_overflow.pcap": {"backwards": 2},
    "tunnels/mercury__tls_sgt.pcap": {"backwards": 1},
    "tunnels/zeek__gtp__gtp1_gn_normal_incl_fragmentation.pcap": {"fragments": 24},
}


def _captures() -> list[str]:
    """Those with TCP."""
    found = []
    for truth in sorted((PCAPS / "truth").glob("*/*.json")):
        name = f"{truth.parent.name}/{truth.stem}"
        small = (PCAPS / name).stat().st_size <= SMALL
        if (LONG or small or name in EXPLAINED) and json.loads(truth.read_text()).get("first", {}).get("tcp.srcport"):
            found.append(name)
    return found


CAPTURES = _captures()
