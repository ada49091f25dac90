"""What tshark counted in real captures is what we answer, in values, on both backends.

Where tshark rightly counts something else (its truth's README), the quantity is taken from where it agrees: outermost
addresses, outer ports and flags. DIFFERENCES holds what is left, with its reason.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from capture.models import JobState
from indexing.calls import CountResult, PairsResult, ValCountResult
from proxy.ask import ask_text
from tests.jobs import run_job

FILES = [
    "large/derived__merged-home-and-web-mix.pcap",
    "protocols/dpkt__nb6-http.pcap",
    "protocols/arkime__http-wrapped-header.pcap",
    "protocols/nfstream__http_ipv6.pcap",
    "protocols/zeek__http__concurrent-range-requests.pcap",
    "protocols/zeek__http__http-lower-case-nonstandard-port.pcap",
    "protocols/zeek__smtp.pcap",
    "protocols/zeek__communityid__sctp.pcap",
    "protocols/suricata__telnet-01__telnet.pcap",
    "protocols/ipfixprobe__sip.pcap",
    "protocols/tcpdump__mptcp-v0.pcap",
]

# (file, field) -> reason: tshark's count is not what the field means.
_NB6 = "protocols/dpkt__nb6-http.pcap"
_WRAPPED = "protocols/arkime__http-wrapped-header.pcap"
_OUTER = "the truth counts TCP inside L2TP as outer; trans* and tcp are of the transport behind the first IP header: UDP 1701"
_LATER = "the header stands in a later segment, which tshark knows for HTTP from the conversation"
DIFFERENCES = {
    (_NB6, "transsrc"): _OUTER,
    (_NB6, "transdst"): _OUTER,
    (_NB6, "tcp"): _OUTER,
    (_WRAPPED, "http-useragent"): _LATER,
}

FLAGS = {
    "fin": "FIN",
    "syn": "SYN",
    "reset": "RST",
    "push": "PSH",
    "ack": "ACK",
    "urg": "URG",
    "ece": "ECE",
    "cwr": "CWR",
    "ae": "NS",
}


def expected(told: dict[str, Any]) -> dict[str, dict[str, int]]:
    """Field -> value -> packets, from the truth."""
    first, outer, ip = told["first"], told["outer"], told["outermost_ip"]
    ports = {
        side: {
            port: sum(
                counts.get(port, 0) for counts in (outer[f"tcp.{side}port"], outer[f"udp.{side}port"], first[f"sctp.{side}port"])
            )
            for port in {*outer[f"tcp.{side}port"], *outer[f"udp.{side}port"], *first[f"sctp.{side}port"]}
        }
        for side in ("src", "dst")
    }
    return {
        "netproto": {name: ip["version"][key] for name, key in (("IPv4", "ip"), ("IPv6", "ipv6")) if ip["version"].get(key)},
        "netsrc": ip["src"],
        "netdst": ip["dst"],
        "transsrc": ports["src"],
        "transdst": ports["dst"],
        "tcp": {FLAGS[name]: count for name, count in outer["tcp_flags"].items() if count},
        "http-hostname": told["any"]["http.host"],
        "http-useragent": first["http.user_agent"],
        "http-method": told["any"]["http.request.method"],
    }


@pytest.mark.parametrize("name", FILES)
def test_counts_equal_tsharks(index, shared: Path, name: str):
    told = json.loads((shared / "pcaps" / "truth" / f"{name}.json").read_text())
    job = run_job(shared / "pcaps" / name, index=index)
    assert job.state == JobState.DONE, job.error
    assert job.packets_indexed == told["packets"]

    wanted = expected(told)
    asked = [f"TopN({field})" for field in wanted]
    answers = ask_text(index, f"Count(Row(job={job.pk})) Sum(field=length) " + " ".join(asked)).results
    assert answers[0] == CountResult(told["packets"])
    assert answers[1] == ValCountResult(told["frame_len_sum"], told["packets"])
    for (field, values), answer in zip(wanted.items(), answers[2:], strict=True):
        assert isinstance(answer, PairsResult)
        found = {pair.key: pair.count for pair in answer.pairs}
        assert (found == values) is ((name, field) not in DIFFERENCES), field
