"""pcapng: sections, interfaces, resolutions and every kind of packet block, written by the test and read back."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capture.packets.batch import NO_TIME
from capture.packets.errors import FilterError, NotACapture
from capture.packets.sources import open_capture
from tests.capture.packets.sources.scanning import check_every_resume_point, locator_of, packets_of, scan_all
from tests.capture.packets.sources.writing import block, custom, enhanced, interface, obsolete, option, section, simple

RELAXED = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def captures(draw):
    """(bytes, [(data, wire length, time, interface in the capture, link type)]), worked out as the blocks are written."""
    out, expected, interfaces = [], [], 0
    for _ in range(draw(st.integers(1, 3))):
        order = draw(st.sampled_from("<>"))
        out.append(section(order))
        here = []  # link type, snaplen, one tick in ns, ns to add
        for _ in range(draw(st.integers(0, 12))):
            kind = draw(st.sampled_from(["interface", "enhanced", "simple", "obsolete", "custom", "names"]))
            data = draw(st.binary(max_size=40))
            wire = draw(st.integers(len(data), 2**32 - 1))
            ticks = draw(st.one_of(st.integers(0, 2**34), st.integers(0, 2**64 - 1)))
            if kind == "interface":
                linktype, snaplen = draw(st.sampled_from([1, 101, 105, 276])), draw(st.sampled_from([0, 0, 8, 96]))
                resolution = draw(st.sampled_from([None, 0, 3, 6, 9, 12, 0x80, 0x8A, 0xA0]))
                offset = draw(st.sampled_from([None, 0, 3600, -7200]))
                options = option(2, b"eth\\\xff", order)
                options += b"" if resolution is None else option(9, bytes([resolution]), order)
                options += b"" if offset is None else option(14, struct.pack(order + "q", offset), order)
                out.append(interface(linktype, snaplen, options + option(0, b"", order), order))
                code = 6 if resolution is None else resolution
                tick = Fraction(10**9, 2 ** (code & 0x7F) if code & 0x80 else 10**code)
                here.append((linktype, snaplen, tick, (offset or 0) * 10**9))
            elif kind == "custom":
                out.append(custom(order))
            elif kind == "names":
                out.append(block(4, b"\0\0\0\0", order))
            elif here:
                number = draw(st.integers(0, len(here) - 1))
                if kind == "simple":
                    number = 0
                    limit = here[0][1]
                    wire = len(data)
                    data = data[:limit] if limit else data
                    time = NO_TIME
                    out.append(simple(data, wire, order))
                else:
                    write = enhanced if kind == "enhanced" else obsolete
                    out.append(write(data, wire, ticks, number, order))
                    time = int(ticks * here[number][2] // 1) + here[number][3]
                    time = time if abs(time) < 2**63 else NO_TIME
                expected.append((data, wire, time, interfaces + number, here[number][0]))
        interfaces += len(here)
    return b"".join(out), expected


@RELAXED
@given(capture=captures(), batch=st.integers(1, 5))
def test_what_was_written_is_read(tmp_path: Path, capture, batch) -> None:
    written, expected = capture
    path = tmp_path / "written"
    path.write_bytes(written)
    batches, error = scan_all(path, batch)
    assert error is None
    locator = locator_of(batches)
    columns = ("wire_length", "time_ns", "interface", "linktype")
    assert list(zip(packets_of(path, batches), *(locator[name].tolist() for name in columns), strict=True)) == expected
    assert locator["number"].tolist() == list(range(1, len(expected) + 1))
    check_every_resume_point(path, batch)


def test_the_head_knows_the_interfaces_before_the_first_packet_and_a_scan_adds_the_others(tmp_path: Path) -> None:
    path = tmp_path / "two"
    named = option(2, b"eth0") + option(3, b"uplink") + option(9, b"\x94") + option(1, b"on the roof")
    path.write_bytes(
        section(options=option(1, b"evidence 7") + option(1, b"second"))
        + interface(1, 96, named)
        + enhanced(b"a", 1)
        + section(">")
        + interface(101, 0, option(2, b"tun\xff", ">"), ">")
        + enhanced(b"b", 1, order=">")
    )
    with open_capture(path) as source:
        info = source.info
        assert (info.format, info.byte_order, info.resolution, info.snaplen) == ("pcapng", "little", "2^-20", 96)
        assert [(one.linktype, one.snaplen, one.name, one.description) for one in info.interfaces] == [(1, 96, "eth0", "uplink")]
        assert info.comments == ["evidence 7", "second", "on the roof"]
        for _ in range(2):  # a second scan adds nothing twice
            locator = locator_of(list(source.scan(10)))
            assert [one.name for one in info.interfaces] == ["eth0", "tun\\xff"]
            assert info.comments == ["evidence 7", "second", "on the roof"]
    assert locator["interface"].tolist() == [0, 1]
    assert locator["linktype"].tolist() == [1, 101]


def test_a_filter_is_compiled_for_each_link_type(tmp_path: Path) -> None:
    """The same IPv4 header stands behind an Ethernet header in one packet and by itself in the other."""
    ipv4 = bytes.fromhex("450000140000000040110000c0000201c0000202")
    ethernet = bytes(12) + b"\x08\x00" + ipv4
    path = tmp_path / "two-link-types"
    head = section() + interface(1) + interface(101)
    path.write_bytes(head + enhanced(ethernet, 34, 0, 0) + enhanced(ipv4, 20, 0, 1) + enhanced(bytes(60), 60, 0, 0))
    assert locator_of(scan_all(path, bpf="src host 192.0.2.1")[0])["number"].tolist() == [1, 2]
    check_every_resume_point(path, 1, "src host 192.0.2.1")
    # "no VLAN support for Raw IP" is no reason to refuse a capture that has Ethernet too: raw packets just do not match.
    assert locator_of(scan_all(path, bpf="not vlan")[0])["number"].tolist() == [1, 3]


def test_a_filter_that_no_link_type_can_have_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    path = tmp_path / "raw"
    path.write_bytes(section() + interface(101) + enhanced(b"x", 1))
    with open_capture(path) as source, pytest.raises(FilterError, match="no VLAN support for Raw IP"):
        source.scan(10, "vlan")


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (enhanced(b"x", 1, interface_id=3), "interface 3, but 1 were described"),
        (enhanced(b"x" * 8, 8)[:4] + struct.pack("<I", 42) + bytes(60), "impossible length 42"),
        (struct.pack("<II", 6, 8) + bytes(60), "impossible length 8"),
        (struct.pack("<II4xI", 6, 16, 16), "impossible length 16"),
        (struct.pack("<II", 6, 0xFFFFFFF0) + bytes(60), "impossible length 4294967280"),
        (enhanced(b"x" * 8, 8)[:-4] + struct.pack("<I", 44), "says 44 at its end"),
        (block(6, struct.pack("<IIIII", 0, 0, 0, 9, 9) + bytes(8)), "captured length 9 is greater than the block's 8"),
        (block(3, struct.pack("<I", 99) + bytes(8)), "captured length 99 is greater than the block's 8"),
        (block(2, struct.pack("<HHIIII", 0, 0, 0, 0, 9, 9) + bytes(8)), "captured length 9 is greater than the block's 8"),
        (block(2, bytes(4)), "a packet block of 16 bytes"),
        (block(0x0A0D0D0A, b"not the magic at all"), "without the byte-order magic"),
        (section(version=(2, 0)), "unknown pcapng version 2.0"),
        (block(1, b"\1\0\0\0"), "of 16 bytes, less than 20"),
    ],
)
def test_a_block_that_lies_ends_the_scan_with_offset_and_number(tmp_path: Path, bad: bytes, reason: str) -> None:
    path = tmp_path / "lying"
    good = section() + interface() + enhanced(b"whole", 5) + enhanced(b"too", 3)
    path.write_bytes(good + bad + enhanced(b"never reached", 13))
    batches, error = scan_all(path)
    assert packets_of(path, batches) == [b"whole", b"too"]
    assert error is not None
    assert (error.packet, error.offset) == (3, len(good))
    assert reason in error.reason


def test_a_packet_block_too_small_for_its_header_at_the_very_end(tmp_path: Path) -> None:
    path = tmp_path / "small"
    path.write_bytes(section() + interface() + enhanced(b"whole", 5) + struct.pack("<IIII", 6, 16, 0, 16))
    batches, error = scan_all(path)
    assert packets_of(path, batches) == [b"whole"]
    assert error is not None
    assert "impossible length 16" in error.reason


def test_an_unknown_version_at_the_start_is_no_capture(tmp_path: Path) -> None:
    path = tmp_path / "version"
    path.write_bytes(section(version=(3, 0)))
    with pytest.raises(NotACapture, match=r"version 3\.0"):
        open_capture(path)


def test_a_time_that_nanoseconds_cannot_hold_is_no_time(tmp_path: Path) -> None:
    path = tmp_path / "far"
    path.write_bytes(section() + interface() + enhanced(b"", 0, 2**63 // 1000) + enhanced(b"", 0, 2**63 // 1000 + 1))
    assert locator_of(scan_all(path)[0])["time_ns"].tolist() == [2**63 // 1000 * 1000, NO_TIME]


def test_comments_without_end_are_kept_up_to_a_limit_that_is_said(tmp_path: Path) -> None:
    path = tmp_path / "chatty"
    path.write_bytes(section(options=option(1, b"again") * 1500))
    with open_capture(path) as source:
        assert source.info.comments == ["again"] * 1000 + ["(more comments than are kept here)"]
