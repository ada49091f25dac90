"""A capture cut at every one of its bytes: all whole packets before the cut count, and the error says where it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from capture.packets.errors import NotACapture
from tests.capture.packets.sources.scanning import packets_of, scan_all
from tests.capture.packets.sources.writing import (
    MODIFIED,
    Packet,
    custom,
    enhanced,
    interface,
    obsolete,
    pcap_header,
    pcap_record,
    section,
    simple,
)

DATA = [b"first", b"", b"the third packet", b"x"]


def modified() -> list[tuple[bytes, bytes | None]]:
    return [(pcap_header(">", MODIFIED), None)] + [(pcap_record(Packet(one, 99), ">", MODIFIED), one) for one in DATA]


def classic() -> list[tuple[bytes, bytes | None]]:
    return [(pcap_header(), None)] + [(pcap_record(Packet(one, 99)), one) for one in DATA]


def next_generation() -> list[tuple[bytes, bytes | None]]:
    return [
        (section(), None),
        (interface(), None),
        (enhanced(DATA[0], 99), DATA[0]),
        (custom(), None),
        (enhanced(DATA[1], 99), DATA[1]),
        (simple(DATA[2], len(DATA[2])), DATA[2]),
        (section(">"), None),
        (interface(order=">"), None),
        (obsolete(DATA[3], 99, order=">"), DATA[3]),
        (custom(">"), None),
    ]


@pytest.mark.parametrize("make", [classic, modified, next_generation])
@pytest.mark.parametrize("bpf", ["", "len < 1000"])
def test_cut_at_every_byte(tmp_path: Path, make, bpf: str) -> None:
    pieces = make()
    whole = b"".join(piece for piece, _ in pieces)
    ends, at = [], 0
    for piece, _ in pieces:
        at += len(piece)
        ends.append(at)
    path = tmp_path / "cut"
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        if cut < ends[0]:
            with pytest.raises(NotACapture):
                scan_all(path, 2, bpf)
            continue
        batches, error = scan_all(path, 2, bpf)
        expected = [data for (_, data), end in zip(pieces, ends, strict=True) if data is not None and end <= cut]
        assert packets_of(path, batches) == expected, cut
        last_whole = max(end for end in ends if end <= cut)
        if cut == last_whole:
            assert error is None, cut
        else:
            assert error is not None, cut
            assert (error.offset, error.packet) == (last_whole, len(expected) + 1), cut


@pytest.mark.parametrize("make", [classic, next_generation])
def test_a_scan_of_a_cut_file_can_be_taken_up_again(tmp_path: Path, make) -> None:
    whole = b"".join(piece for piece, _ in make())
    path = tmp_path / "cut"
    path.write_bytes(whole[:-20])
    batches, error = scan_all(path, 1)
    rest, again = scan_all(path, 1, state=batches[0].state)
    assert len(rest) == len(batches) - 1
    assert error is not None
    assert str(again) == str(error)
