"""Quantities of the records: packets, lengths, times, interfaces, link types, the file's format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.claim import anywhere, scalar, single
from benchmarks.accuracy.found import Found
from benchmarks.accuracy.quantity import Quantity
from capture.packets.batch import NO_TIME

# LINKTYPE -> Wireshark's number (frame.encap_type), and capinfos' word
ENCAPSULATIONS: dict[int, tuple[int, str]] = {
    0: (15, "null"), 1: (1, "ether"), 8: (3, "slip"), 9: (4, "ppp"), 10: (6, "fddi-swapped"), 50: (4, "ppp"), 101: (7, "rawip"),
    104: (28, "chdlc"), 105: (20, "ieee-802-11"), 107: (26, "frelay"), 108: (15, "null"), 113: (25, "linux-sll"),
    127: (23, "ieee-802-11-radiotap"), 129: (9, "arcnet_linux"), 160: (58, "user13"), 192: (97, "ppi"), 197: (98, "erf"),
    227: (125, "socketcan"), 228: (129, "rawip4"), 229: (130, "rawip6"), 230: (127, "wpan-nofcs"), 239: (141, "nflog"),
    271: (185, "vsock"), 276: (210, "linux-sll2"),
}  # fmt: skip


def records(told: dict[str, Any], found: Found) -> Iterator[Quantity]:
    """Counts, lengths and times of the packets."""
    locator = found.locator
    lengths = np.array([int(text) for text in found.column("length").values], np.int64)[found.column("length").code]
    captured = np.array([int(text) for text in found.column("captured-length").values], np.int64)
    captured = captured[found.column("captured-length").code]
    yield Quantity("packets", single(told["packets"]), scalar(len(found)))
    if (counted := told["tcpdump"]["packets_read"]) is not None:
        yield Quantity("tcpdump.packets_read", single(counted), scalar(len(found)))
    yield Quantity("read_error", single(told["read_error"]), scalar(found.read_error is not None))
    yield Quantity("frame_len_sum", single(told["frame_len_sum"]), scalar(int(lengths.sum())))
    yield Quantity("frame_len_min", single(told["frame_len_min"]), scalar(_or_none(lengths, np.min)))
    yield Quantity("frame_len_max", single(told["frame_len_max"]), scalar(_or_none(lengths, np.max)))
    if told["frame_len_counts"] is not None:
        yield Quantity("frame_len_counts", Counter(told["frame_len_counts"]), anywhere(len(found), found.column("length")))
    yield Quantity("frame_cap_len_sum", single(told["frame_cap_len_sum"]), scalar(int(captured.sum())))
    times = locator["time_ns"]
    yield Quantity("time_first", single(_time(told["time_first"])), scalar(_or_none(times, lambda t: t[0])))
    yield Quantity("time_last", single(_time(told["time_last"])), scalar(_or_none(times, lambda t: t[-1])))
    if (times != NO_TIME).all():
        yield Quantity("time_min", single(_time(told["time_min"])), scalar(_or_none(times, np.min)))
        yield Quantity("time_max", single(_time(told["time_max"])), scalar(_or_none(times, np.max)))
        # the truth compares times as floating-point numbers, which hold them to a quarter of a microsecond
        seconds = times.astype(np.float64) / 1e9
        yield Quantity("time_steps_back", single(told["time_steps_back"]), scalar(int((np.diff(seconds) < 0).sum())))


def formats(told: dict[str, Any], found: Found) -> Iterator[Quantity]:
    """Link types, interfaces, and what capinfos says of the file."""
    encapsulations = {
        linktype: ENCAPSULATIONS.get(linktype, (-1, "unknown")) for linktype in set(found.locator["linktype"].tolist())
    }
    numbers = found.column("linktype").renamed(lambda text: str(encapsulations[int(text)][0]))
    yield Quantity("first.frame.encap_type", Counter(told["first"]["frame.encap_type"]), anywhere(len(found), numbers))
    if found.info.format == "pcapng":
        interfaces = found.every(found.locator["interface"])
        yield Quantity("first.frame.interface_id", Counter(told["first"]["frame.interface_id"]), anywhere(len(found), interfaces))
    capinfos = told["capinfos"]
    if "File type" in capinfos:
        yield Quantity(
            "capinfos.file_type", single(capinfos["File type"].split()[0].replace("modpcap", "pcap")), scalar(_file_type(found))
        )
    if "File encapsulation" in capinfos:
        words = sorted({ENCAPSULATIONS.get(interface.linktype, (-1, "unknown"))[1] for interface in found.info.interfaces})
        word = words[0] if len(words) == 1 else "per-packet"
        yield Quantity("capinfos.file_encapsulation", single(capinfos["File encapsulation"]), scalar(word if words else None))
    if "Number of packets" in capinfos:
        counted = int(capinfos["Number of packets"])
        yield Quantity("capinfos.number_of_packets", single(counted), scalar(len(found)))


def _file_type(found: Found) -> str:
    if found.info.format == "pcap" and found.info.resolution == "ns":
        return "nsecpcap"
    return found.info.format


def _or_none(values: NDArray[Any], of: Any) -> int | None:
    return int(of(values)) if len(values) else None


def _time(text: str | None) -> int | None:
    """tshark's epoch time in ns; the part behind the point is a count of nanoseconds, not always of nine digits."""
    if text is None or text == "":
        return None if text is None else int(NO_TIME)
    seconds, rest = text.lstrip("-").split(".")
    return int(seconds) * 1_000_000_000 + int(rest)
