"""examples/tshark_fields: any Wireshark field through tshark. What it finds is what tshark itself shows of the same capture."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

from capture.packets.batch import PacketBatch
from capture.packets.columns import SetValues
from capture.packets.reading import read_batch
from capture.packets.sources import open_capture
from tests.capture.packets.making import batch_of
from tests.conftest import SHARED
from tests.installed import install
from tests.server import ROOT, Server

EXAMPLE = ROOT / "examples" / "tshark_fields"

pytestmark = pytest.mark.needs("tshark")


@pytest.fixture(scope="module")
def plugin() -> ModuleType:
    sys.path.insert(0, str(EXAMPLE))
    try:
        return importlib.import_module("picapweb_tshark_fields")
    finally:
        sys.path.remove(str(EXAMPLE))


def whole(path: Path) -> PacketBatch:
    """All packets of a capture as one batch."""
    with open_capture(path) as source:
        (batch,) = [one for one in source.scan(1 << 20) if one.read]
    return read_batch(path, batch.locator)


def shown(path: Path, field: str) -> Counter[str]:
    """In how many packets tshark itself shows each value of a field."""
    command = ["tshark", "-n", "-r", str(path), "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=\x1f", "-e", field]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return Counter(value for line in done.stdout.split("\n") for value in set(line.split("\x1f")) if value)


def counted(column: SetValues | None) -> Counter[str]:
    if column is None:
        return Counter()
    return Counter(column.values[code].decode() for code in column.code)


@pytest.mark.parametrize(
    ("capture", "fields"),
    [
        (
            "protocols/zeek__wikipedia.pcap",
            "ip.src,tcp.flags,dns.qry.name,http.host,http.user_agent,tcp.analysis.retransmission,tcp.analysis.ack_rtt",
        ),
        ("protocols/suricata__telnet-01__telnet.pcap", "telnet.data,tcp.len,frame.time_epoch,frame.len"),
        ("formats/derived__dpkt__nb6-http__nanosecond.pcap", "frame.time_epoch,frame.len,frame.cap_len,ip.dst,http.request.uri"),
        ("formats/derived__dpkt__nb6-http__snap60.pcap", "frame.len,frame.cap_len,_ws.short,_ws.malformed"),
        ("formats/zeek__pcapng-multi-interface.pcapng", "ip.src,frame.len"),
        ("linktypes/arkime__80211http.pcap", "wlan.fc.type_subtype,frame.len,frame.time_epoch"),
    ],
)
def test_it_finds_what_tshark_shows(shared, plugin, capture, fields):
    path = shared / "pcaps" / capture
    declared = plugin.declared(fields)
    found = plugin.values(whole(path), [field.name for field in declared], declared)
    told = {field.name: shown(path, field.wireshark) for field in declared}
    assert {name: counted(found.get(name)) for name in told} == told
    assert any(told.values())


def test_packets_of_several_link_types_are_each_read_as_what_they_are(plugin):
    """tshark is given a file for each link type; the packets keep their places."""
    ip = bytes.fromhex("4500001c00010000401100000a0000010a0000020007000900080000")
    ethernet = bytes.fromhex("0200000000020200000000010800") + ip
    batch = batch_of(ethernet, ip, ethernet, ip, times=[1, 2, 3, 4])
    batch.locator["linktype"] = [1, 101, 1, 101]
    (src, eth) = plugin.declared("ip.src, eth.src")
    found = plugin.values(batch, ["tshark-ip-src", "tshark-eth-src"], (src, eth))
    assert found["tshark-ip-src"].packet.tolist() == [0, 1, 2, 3]
    assert found["tshark-ip-src"].values == [b"10.0.0.1"]
    assert found["tshark-eth-src"].packet.tolist() == [0, 2]


def test_names_become_names_of_fields(plugin):
    assert [field.name for field in plugin.declared("ip.geoip.country, tcp.analysis.ack_rtt,,ip.geoip.country")] == [
        "tshark-ip-geoip-country",
        "tshark-tcp-analysis-ack_rtt",
    ]
    with pytest.raises(ValueError, match="no name of a Wireshark field"):
        plugin.declared("ip.src;rm")


def test_a_field_that_tshark_does_not_know_is_told_in_its_words(plugin):
    declared = plugin.declared("nosuch.field")
    with pytest.raises(RuntimeError, match=r"nosuch\.field"):
        plugin.values(batch_of(bytes(60), times=[0]), ["tshark-nosuch-field"], declared)


def test_an_empty_batch_has_no_values(plugin):
    assert plugin.values(batch_of(), ["tshark-ip-src"], plugin.declared("ip.src")) == {}


def test_installed_its_fields_are_fields_like_others(shared, tmp_path_factory):
    """Found by its entry point, indexed with every field, asked in values, listed; a name that tshark does not know costs
    that field alone, and the job says so."""
    folder = tmp_path_factory.mktemp("tshark")
    site = install(EXAMPLE, folder / "site")
    capture = SHARED / "pcaps" / "protocols" / "zeek__wikipedia.pcap"
    environment = {"PYTHONPATH": os.pathsep.join((str(site), str(EXAMPLE)))}
    names = "dns.qry.name,tcp.analysis.retransmission"
    with Server(folder / "d", PICAPWEB_TSHARK_FIELDS=names, **environment) as server:
        number = server.upload(capture, "?bufsize=100000")["id"]
        job = server.until(lambda: told if (told := server.job(number))["state"] not in ("queued", "running") else None)
        assert (job["state"], job["not_indexed"]) == ("done", [])
        assert {"tshark-dns-qry-name", "netsrc"} <= set(job["fields"])
        (top,) = server.pql("TopN(tshark-dns-qry-name)")
        assert {one["key"]: one["count"] for one in top} == shown(capture, "dns.qry.name")
        listed = {one["name"]: one for one in server.ask("GET", "/fields/")[1]}
        assert listed["tshark-dns-qry-name"]["plugin"] == "picapweb-tshark-fields"
        assert listed["tshark-dns-qry-name"]["wireshark"] == "dns.qry.name"
        assert listed["netsrc"]["plugin"] == ""
        assert listed["tshark-dns-qry-name"]["values"] == len(shown(capture, "dns.qry.name"))
        status, problem = server.ask("POST", "/jobs/?fields=tshark-dns-query-name", b"x", **{"Content-Type": "application/gzip"})
        assert status == 400 and "tshark-dns-qry-name" in problem["detail"]  # did you mean
