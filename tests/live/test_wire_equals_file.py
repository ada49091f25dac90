"""What comes in over a wire is indexed as the file that it was sent from: every packet, every value of every field."""

from __future__ import annotations

import pytest

from capture.packets.registry import FIELDS
from tests.live import jobs
from tests.live.wire import Wire

pytestmark = pytest.mark.needs("../shared")

# What a wire knows and a file does not, or the other way round.
OF_THE_WIRE = {"job", "iface", "direction", "time-second", "time-minute", "time-hour", "time-day"}
# What belongs to conversations goes by the packets' times, which the wire has of its own: test_conversations.py.
COMPARED = [name for name, field in FIELDS.items() if field.kind == "set" and name not in OF_THE_WIRE and not field.conversations]

CAPTURES = {
    "vlan in vlan": "tunnels/arkime__twovlan.pcap",
    "802.1ad": "tunnels/arkime__dot1ad.pcap",
    "mpls in vlan": "tunnels/zeek__mpls-in-vlan.pcap",
    "ipv6": "protocols/nfstream__http_ipv6.pcap",
    "icmp": "protocols/zeek__icmp__icmp-timeexceeded.pcap",
    "icmpv6": "protocols/zeek__icmp__icmp6-nd-options.pcap",
    "arp": "protocols/ipfixprobe__arp.pcap",
    "jumbo frames": "tunnels/zeek__tunnels__vxlan-encapsulated-http.pcap",
    "a mix": "large/derived__merged-home-and-web-mix.pcap",
}


@pytest.fixture(scope="module")
def wide():
    from tests.conftest import needs

    needs("root for network namespaces", "tcpreplay")
    with Wire(mtu=65535) as made:
        yield made


@pytest.mark.parametrize("what", CAPTURES)
def test_the_live_job_equals_the_files(server, wide, shared, what):
    capture = shared / "pcaps" / CAPTURES[what]
    live = jobs.order(server, wide.near)["id"]
    sent = wide.send(capture)
    jobs.indexed(server, live, sent)
    said = jobs.stop(server, live)
    assert (said["state"], said["error"]) == ("stopped", None)
    assert said["packets"]["indexed"] == said["live"]["captured"] == said["live"]["received"] == sent
    jobs.adds_up(said)

    file = jobs.ended(server, server.upload(capture, "?again=true")["id"])
    assert file["packets"]["indexed"] == sent, "the whole file went out"
    assert jobs.answers(server, live, COMPARED) == jobs.answers(server, file["id"], COMPARED)
    (interfaces,) = server.pql(f"TopN(iface, Row(job={live}))")
    assert [(pair["key"], pair["count"]) for pair in interfaces] == [(wide.near, sent)]
