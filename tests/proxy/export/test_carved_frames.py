"""The packets of an exported file are the very packets: bytes, lengths, times, link types, interfaces; as tshark reads both."""

from __future__ import annotations

import pytest

from capture.packets.sources import open_capture
from tests.jobs import run_job
from tests.proxy.export.conftest import capinfos, frames

pytestmark = [pytest.mark.needs("tshark"), pytest.mark.usefixtures("two_passes")]
INTERFACE = 4
FILTER = "frame.len > 100"

# All that pcap can hold, and what only pcapng can: several link types, no time stamps, times after 2106.
EITHER = [
    "formats/derived__dpkt__nb6-http__nanosecond.pcap",
    "formats/derived__dpkt__nb6-http__reversed.pcap",
    "formats/derived__dpkt__nb6-http__snap60.pcap",
    "formats/wireshark__dns+icmp.pcapng.gz",
    "formats/zeek__pcapng-multi-interface.pcapng",
    "formats/pcapngtest__be__basic__test005.pcapng",
    "malformed/derived__dpkt__nb6-http__cut-in-record.pcap",
    "linktypes/tcpdump__vsock-1.pcapng",
]
PCAPNG_ONLY = [
    "formats/pcapngtest__be__advanced__test100.pcapng",
    "formats/pcapngtest__le__basic__test016.pcapng",
    "formats/pcapngtest__le__difficult__test202.pcapng",
    "formats/tcpdump__time_2107.pcapng",
]


def own(path):
    """What our own sources read of a whole file: time in ns and lengths of each packet."""
    names = ["time_ns", "captured_length", "wire_length"]
    with open_capture(path) as source:
        records = [tuple(row) for batch in source.scan(1000) for row in batch.locator[names].tolist()]
        assert source.read_error is None
    return records


@pytest.mark.parametrize("name", EITHER + PCAPNG_ONLY)
def test_the_very_frames(export, shared, tmp_path, name):
    job = run_job(shared / "pcaps" / name, bufsize=7)
    told, some = frames(shared / "pcaps" / name), frames(shared / "pcaps" / name, FILTER)
    path = tmp_path / "carved"
    path.write_bytes(export(format="pcapng").body)
    assert frames(path) == told
    assert int(capinfos(path)["Number of packets"]) == len(told) == job.packets_indexed > 0
    of_pcapng = own(path)
    path.write_bytes(export(format="pcapng", q=FILTER).body)
    assert frames(path) == some
    carved = export(format="pcap")
    if name in PCAPNG_ONLY:
        assert (carved.status, carved.problem["option"]) == (400, "format")
        assert "format=pcapng" in carved.problem["detail"]
        return
    path.write_bytes(carved.body)
    assert [row[:INTERFACE] + row[INTERFACE + 1 :] for row in frames(path)] == [
        row[:INTERFACE] + row[INTERFACE + 1 :] for row in told
    ]
    assert int(capinfos(path)["Number of packets"]) == len(told)
    assert own(path) == of_pcapng


def test_resolution_is_that_of_the_sources(export, shared, tmp_path):
    fine = run_job(shared / "pcaps/formats/derived__dpkt__nb6-http__nanosecond.pcap")
    coarse = run_job(shared / "pcaps/formats/derived__dpkt__nb6-http__snap60.pcap")
    assert export(format="pcap", job=coarse.pk).body[:4] == b"\xd4\xc3\xb2\xa1"
    assert export(format="pcap", job=fine.pk).body[:4] == b"\x4d\x3c\xb2\xa1"
    assert export(format="pcap").body[:4] == b"\x4d\x3c\xb2\xa1"
    path = tmp_path / "carved"
    for job, precision in ((coarse, "microseconds"), (fine, "nanoseconds")):
        path.write_bytes(export(format="pcapng", job=job.pk).body)
        assert capinfos(path)["File time precision"] == precision
