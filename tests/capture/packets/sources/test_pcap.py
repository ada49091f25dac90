"""pcap: every dialect, its times and link types, written by the test and read back."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capture.packets.errors import NotACapture
from capture.packets.sources import open_capture
from tests.capture.packets.sources.scanning import check_every_resume_point, locator_of, packets_of, scan_all
from tests.capture.packets.sources.writing import MICROSECONDS, MODIFIED, NANOSECONDS, Packet, pcap, pcap_header, pcap_record

ORDERS = st.sampled_from("<>")
MAGICS = st.sampled_from([MICROSECONDS, NANOSECONDS, MODIFIED])
U32 = st.integers(0, 2**32 - 1)
PACKETS = st.lists(st.builds(Packet, st.binary(max_size=90), U32, U32, U32), max_size=25)
RELAXED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@RELAXED
@given(packets=PACKETS, order=ORDERS, magic=MAGICS, linktype=st.sampled_from([0, 1, 101, 113, 276]), batch=st.integers(1, 9))
def test_what_was_written_is_read(tmp_path: Path, packets, order, magic, linktype, batch) -> None:
    path = tmp_path / "written"
    path.write_bytes(pcap(packets, order, magic, word=linktype))
    batches, error = scan_all(path, batch)
    locator = locator_of(batches)
    tick = 1 if magic == NANOSECONDS else 1000
    assert error is None
    assert packets_of(path, batches) == [one.data for one in packets]
    assert locator["wire_length"].tolist() == [one.wire_length for one in packets]
    assert locator["time_ns"].tolist() == [one.seconds * 10**9 + one.fraction * tick for one in packets]
    assert locator["number"].tolist() == list(range(1, len(packets) + 1))
    assert set(locator["linktype"].tolist()) <= {linktype}
    assert [len(one.locator) for one in batches[:-1]] == [batch] * (len(batches) - 1)
    assert all(len(one.locator) for one in batches)
    check_every_resume_point(path, batch)


def test_the_head_says_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "big-endian"
    path.write_bytes(pcap([], ">", NANOSECONDS, snaplen=96, word=113))
    with open_capture(path) as source:
        info = source.info
    assert (info.format, info.byte_order, info.resolution, info.snaplen) == ("pcap", "big", "ns", 96)
    assert [(one.linktype, one.snaplen) for one in info.interfaces] == [(113, 96)]


@pytest.mark.parametrize(
    ("word", "linktype"),
    [(0x30000001, 1), (0x24000001, 1), (0x03FF0069, 105), (12, 101), (14, 101)],
    ids=["FCS length", "FCS length said to be there", "reserved bits", "DLT_RAW", "DLT_RAW of OpenBSD"],
)
def test_link_type_is_the_low_half_of_its_word(tmp_path: Path, word: int, linktype: int) -> None:
    path = tmp_path / "word"
    path.write_bytes(pcap([Packet(b"x", 1)], word=word))
    batches, _ = scan_all(path)
    assert batches[0].locator["linktype"].tolist() == [linktype]


def test_old_versions_have_their_lengths_the_other_way_round(tmp_path: Path) -> None:
    path = tmp_path / "2.2"
    record = struct.pack("<IIII", 1, 0, 60, 4) + b"abcd"
    path.write_bytes(pcap_header(version=(2, 2)) + record)
    batches, error = scan_all(path)
    assert error is None
    assert batches[0].locator[["captured_length", "wire_length"]].tolist() == [(4, 60)]


def test_unknown_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "3.0"
    path.write_bytes(pcap_header(version=(3, 0)))
    with pytest.raises(NotACapture, match=r"version 3\.0"):
        open_capture(path)


def test_packets_larger_than_the_window_are_read_whole(tmp_path: Path) -> None:
    """USB captures have packets of many MiB; the second one must still be found, filtered or not."""
    path = tmp_path / "usb"
    packets = [Packet(bytes([n]) * size, size) for n, size in enumerate((3, 3 << 20, 5, (1 << 20) + 1, 0, 7))]
    path.write_bytes(pcap(packets, word=249))
    for bpf in ("", "len >= 0"):
        batches, error = scan_all(path, 2, bpf)
        assert error is None
        assert packets_of(path, batches) == [one.data for one in packets]
    check_every_resume_point(path, 1, "greater 6")


def test_the_bytes_of_packets_larger_than_the_window_are_what_the_filter_sees(tmp_path: Path) -> None:
    path = tmp_path / "large"
    sizes = (1_000_000, 1_500_000, 3_000_000, 40, 2_000_000)
    packets = [Packet(bytes([n]) * (size // 2) + bytes([100 + n]) * (size // 2), size) for n, size in enumerate(sizes)]
    path.write_bytes(pcap(packets, word=249))
    for n, size in enumerate(sizes):
        for at, value in ((0, n), (size // 2 - 1, n), (size // 2, 100 + n), (size - 1, 100 + n)):
            batches, _ = scan_all(path, 9, f"link[{at}] = {value} and len = {size}")
            assert locator_of(batches)["number"].tolist() == [n + 1], (at, value)


def test_a_captured_length_above_the_snapshot_length_counts_up_to_what_is_sane(tmp_path: Path) -> None:
    path = tmp_path / "snaplen"
    path.write_bytes(pcap([Packet(b"x" * 200, 200), Packet(b"y" * 262144, 262144), Packet(b"z" * 262145, 262145)], snaplen=64))
    batches, error = scan_all(path)
    assert locator_of(batches)["captured_length"].tolist() == [200, 262144]
    assert error is not None
    assert (error.packet, error.offset) == (3, 24 + 16 + 200 + 16 + 262144)
    assert "262145 is greater than the sane maximum of 262144" in str(error)


def test_a_file_that_grows_is_continued_from_the_end_state(tmp_path: Path) -> None:
    path = tmp_path / "growing"
    packets = [Packet(bytes([n]) * n, n, n) for n in range(1, 8)]
    whole = pcap(packets)
    cut = len(pcap(packets[:4])) + 9  # within a record header
    path.write_bytes(whole[:cut])
    with open_capture(path) as source:
        first = list(source.scan(100))
        assert source.read_error is not None
        path.write_bytes(whole)
        rest = list(source.scan(100, state=source.end_state))
        assert source.read_error is None
    assert packets_of(path, first + rest) == [one.data for one in packets]
    assert rest[0].locator["number"].tolist() == [5, 6, 7]


def test_a_record_header_across_the_edge_of_the_window(tmp_path: Path) -> None:
    """Sizes around the window's 1 MiB, so that headers and packets are met in every position at its edge."""
    for size in range((1 << 20) - 60, (1 << 20) - 20):
        path = tmp_path / "edge"
        packets = [Packet(b"a" * 200000, 200000)] * 5 + [Packet(b"b" * (size - 24 - 5 * 200016), 1), Packet(b"last", 4)]
        path.write_bytes(pcap_header() + b"".join(map(pcap_record, packets)))
        batches, error = scan_all(path)
        assert error is None
        assert packets_of(path, batches)[-1] == b"last"
