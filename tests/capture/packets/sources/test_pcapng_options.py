"""What a pcapng file says beside its packets: kept, bounded, and the same however the scan was interrupted."""

from __future__ import annotations

import json
import re
import struct
import subprocess
from dataclasses import asdict
from pathlib import Path

import pytest

from capture.packets.batch import INBOUND, OUTBOUND, UNKNOWN
from capture.packets.sources import open_capture, pcapng, pcapng_blocks
from capture.packets.values import text_of
from tests.capture.packets.sources.scanning import locator_of, scan_all
from tests.capture.packets.sources.writing import (
    block,
    custom,
    enhanced,
    interface,
    obsolete,
    option,
    section,
    simple,
    statistics,
)


def info_of(path: Path, batch_packets: int = 1000, bpf: str = "") -> dict:
    with open_capture(path) as source:
        list(source.scan(batch_packets, bpf))
        return asdict(source.info)


def u64(value: int, order: str = "<") -> bytes:
    return struct.pack(order + "Q", value)


def everything(order: str) -> bytes:
    return (
        section(order, option(1, b"evidence", order) + option(2, b"amd64", order) + option(4, b"Dumpcap", order))
        + interface(1, 96, option(2, b"eth0", order) + option(11, b"\0tcp or udp", order) + option(15, b"X710", order), order)
        + interface(101, 0, option(11, b"\1" + bytes(24), order) + option(12, b"Linux", order), order)
        + enhanced(b"a", 1, 5, 0, order, option(4, u64(3, order), order) + option(2, struct.pack(order + "I", 1), order))
        + enhanced(b"b", 1, 5, 1, order, option(1, b"first", order) + option(1, b"second", order))
        + statistics(0, {4: 2**63 + 5, 5: 1}, order)
        + custom(order)
        + enhanced(b"c", 1, 5, 0, order, option(4, u64(4, order), order))
        + obsolete(b"d", 1, 5, 1, order)
        + section(order, option(3, b"Linux 6.1", order) + option(4, b"mergecap", order))
        + interface(1, 0, b"", order)
        + enhanced(b"e", 1, 5, 0, order, option(1, b"third", order))
        + statistics(0, {6: 9}, order)
        + statistics(0, {6: 10, 7: 2}, order)
    )


@pytest.mark.parametrize("order", ["<", ">"])
def test_everything_is_kept(tmp_path: Path, order: str) -> None:
    path = tmp_path / "some"
    path.write_bytes(everything(order))
    info = info_of(path)
    assert (info["application"], info["hardware"], info["os"]) == ("Dumpcap", "amd64", "Linux 6.1")
    assert info["comments"] == ["evidence"]
    assert info["packet_comments"] == [(2, "first"), (2, "second"), (5, "third")]
    assert info["commented_packets"] == 2
    assert info["notes"] == []
    first, second, third = info["interfaces"]
    assert (first["name"], first["filter"], first["hardware"]) == ("eth0", "tcp or udp", "X710")
    assert (first["received"], first["dropped"], first["os_dropped"], first["accepted"]) == (2**63 + 5, 1, None, None)
    assert (second["filter"], second["os"], second["received"]) == ("(compiled, 3 instructions)", "Linux", None)
    assert (third["accepted"], third["os_dropped"]) == (10, 2)  # the last one counts: they are totals
    assert [one["lost"] for one in info["interfaces"]] == [7, 0, 0]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("bpf", ["", "greater 2"])
def test_a_scan_taken_up_again_knows_all_of_it(tmp_path: Path, order: str, bpf: str) -> None:
    """Packets that the filter drops have comments and drop counts like all others."""
    path = tmp_path / "some"
    path.write_bytes(everything(order))
    whole = info_of(path)
    assert info_of(path, 1, bpf) == whole
    batches, _ = scan_all(path, 1)
    for batch in batches:
        with open_capture(path) as source:
            list(source.scan(1, state=json.loads(json.dumps(batch.state))))
            assert asdict(source.info) == whole


def test_drop_counts_of_obsolete_packet_blocks_are_added_too(tmp_path: Path) -> None:
    """65535 means that it is not known."""
    body = struct.pack("<HHIIII", 0, 12, 0, 0, 0, 0)
    path = tmp_path / "old"
    path.write_bytes(section() + interface() + block(2, body) + obsolete(b"", 0) + block(2, body))
    assert info_of(path)["interfaces"][0]["lost"] == 24


@pytest.mark.parametrize("order", ["<", ">"])
def test_the_direction_of_a_packet(tmp_path: Path, order: str) -> None:
    """The two lowest bits of epb_flags (section 4.3.1); 3 is reserved; the other bits mean other things."""
    path = tmp_path / "flags"
    flags = [0, 1, 2, 3, 0xFFFFFFFD, 0xFFFFFFFE]
    packets = [enhanced(b"x" * n, n, 0, 0, order, option(2, struct.pack(order + "I", one), order)) for n, one in enumerate(flags)]
    short = enhanced(b"", 0, 0, 0, order, option(2, b"\1\1", order))
    path.write_bytes(section(order) + interface(order=order) + b"".join(packets) + short + simple(b"", 0, order))
    wanted = [UNKNOWN, INBOUND, OUTBOUND, UNKNOWN, INBOUND, OUTBOUND, UNKNOWN, UNKNOWN]
    assert locator_of(scan_all(path)[0])["direction"].tolist() == wanted


def test_options_that_lie_move_no_packet_and_say_nothing(tmp_path: Path) -> None:
    lying = struct.pack("<HH", 2, 400) + b"\1\0\0\0"
    after_end = option(0, b"") + option(2, struct.pack("<I", 1))
    path = tmp_path / "lying"
    path.write_bytes(
        section(options=struct.pack("<HH", 4, 9999))
        + interface(options=struct.pack("<HH", 2, 77) + b"eth0")
        + enhanced(b"a", 1, options=lying)
        + enhanced(b"b", 1, options=after_end)
        + block(5, struct.pack("<III", 7, 0, 0) + option(4, u64(1)))  # of an interface that was not described
        + block(5, b"")
        + enhanced(b"c", 1)
    )
    assert locator_of(scan_all(path)[0])["direction"].tolist() == [0, 0, 0]
    info = info_of(path)
    assert (info["application"], info["interfaces"][0]["name"], info["interfaces"][0]["received"]) == ("", "", None)


def test_packet_comments_without_end_are_counted_and_the_first_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "chatty"
    path.write_bytes(section() + interface() + enhanced(b"", 0, options=option(1, b"so")) * 5000)
    info = info_of(path)
    assert info["packet_comments"] == [(n, "so") for n in range(1, pcapng_blocks.MAX_PACKET_COMMENTS + 1)]
    assert info["commented_packets"] == 5000
    assert info["notes"] == ["of the packets' comments the first 100 are kept"]


def test_a_comment_at_the_edge_of_a_batch_and_of_the_window(tmp_path: Path) -> None:
    path = tmp_path / "large"
    sizes = [1 << 20, 5, (1 << 20) - 200, 300_000]
    path.write_bytes(section() + interface() + b"".join(enhanced(bytes(n), n, options=option(1, b"%d" % n)) for n in sizes))
    for batch in (1, 2, 9):
        assert info_of(path, batch)["packet_comments"] == [(i + 1, str(n)) for i, n in enumerate(sizes)]


def test_very_long_texts_are_cut_visibly(tmp_path: Path) -> None:
    path = tmp_path / "long"
    path.write_bytes(section(options=option(1, b"x" * 9000)) + interface(options=option(2, b"y" * 9000)))
    info = info_of(path)
    assert info["comments"] == ["x" * 4096 + "…"]
    assert info["interfaces"][0]["name"] == "y" * 4096 + "…"


def test_too_many_texts_are_left_out_and_the_capture_says_so(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(pcapng_blocks, "MAX_TEXTS", 30)
    monkeypatch.setattr(pcapng, "MAX_TEXTS", 30)
    path = tmp_path / "names"
    path.write_bytes(section() + b"".join(interface(n, 0, option(2, b"interface%d" % n)) for n in range(5)) + interface(9))
    info = info_of(path)
    assert [(one["linktype"], one["name"]) for one in info["interfaces"]] == [
        (0, "interface0"), (1, "interface1"), (2, "interface2"), (3, ""), (4, ""), (9, "")
    ]  # fmt: skip
    assert info["notes"] == ["names and descriptions of 2 interfaces are not kept: more than 30 bytes"]


def test_interfaces_without_end_end_the_scan(tmp_path: Path, monkeypatch) -> None:
    """Each takes memory as long as the capture is read; no program writes so many."""
    monkeypatch.setattr(pcapng_blocks, "MAX_INTERFACES", 256)
    path = tmp_path / "many"
    packet = enhanced(b"x", 1)
    path.write_bytes(section() + (interface() + packet) * 300)
    batches, error = scan_all(path)
    assert len(locator_of(batches)) == 256
    assert error is not None
    assert "more than 256 interfaces" in str(error)
    assert error.packet == 257


@pytest.mark.parametrize("order", ["<", ">"])
def test_captures_joined_end_to_end(tmp_path: Path, order: str) -> None:
    """A thousand sections whose descriptions are the same, and now and then not: interfaces are numbered through all."""
    other = "<" if order == ">" else ">"
    pieces, wanted = [], []
    for n in range(1000):
        kind = order if n % 7 else other
        linktype = 101 if n % 11 == 0 else 1
        pieces.append(section(kind) + interface(1, 0, option(2, b"a", kind), kind))
        pieces.append(interface(linktype, 0, option(9, b"\x09", kind) if n % 5 else b"", kind))
        pieces.append(enhanced(b"x", 1, 7, 1, kind))
        wanted.append((2 * n + 1, linktype, 7 if n % 5 else 7000))
    path = tmp_path / "joined"
    path.write_bytes(b"".join(pieces))
    for batch_packets in (1, 333):
        batches, error = scan_all(path, batch_packets)
        assert error is None
        assert locator_of(batches)[["interface", "linktype", "time_ns"]].tolist() == wanted
    state = json.loads(json.dumps(batches[1].state))
    assert locator_of(scan_all(path, 333, state=state)[0])["interface"].tolist() == [one[0] for one in wanted[666:]]
    with open_capture(path) as source:
        list(source.scan(1000))
        assert [one.name for one in source.info.interfaces] == ["a", ""] * 1000
        assert [one.linktype for one in source.info.interfaces[1::2]] == [one[1] for one in wanted]


@pytest.mark.needs("../shared", "tshark")
def test_interface_names_and_programs_are_capinfos(shared: Path) -> None:
    """Of the shared pcapng captures: the names, link-layer numbers and application that capinfos gives."""
    checked = 0
    for path in sorted((shared / "pcaps").glob("*/*.pcapng")):
        try:
            info = info_of(path)
        except pcapng.NotACapture:
            continue
        said = subprocess.run(["capinfos", path], capture_output=True, text=True, check=False).stdout
        application = re.search(r"^Capture application: +(.*)$", said, re.M)
        if application and "Section" not in said:
            assert info["application"] == application[1], path
            checked += 1
        names = re.findall(r"^ +Name = (.*)$", said, re.M)
        ours = [one["name"] for one in info["interfaces"]]
        if len(names) == len(ours):
            assert [text_of(name.encode()) if name != "UNKNOWN" else "" for name in names] == ours, path
            checked += 1
    assert checked > 5
