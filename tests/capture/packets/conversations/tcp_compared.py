"""What tshark says of the TCP segments of a capture and what we say, frame by frame, and why the two may differ."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from capture.packets.conversations import tcp
from capture.packets.conversations.contract import NAMES, Found
from capture.packets.declarations.conversations import TCP_ANALYSIS, TCP_HANDSHAKE
from capture.packets.reading import read_batch
from capture.packets.sources import decompress, open_capture, sniff

# Names of tcp-analysis -> tshark's fields
FLAGS = {
    "retransmission": "retransmission",
    "fast-retransmission": "fast_retransmission",
    "spurious-retransmission": "spurious_retransmission",
    "out-of-order": "out_of_order",
    "dup-ack": "duplicate_ack",
    "lost-segment": "lost_segment",
    "acked-unseen": "ack_lost_segment",
    "window-full": "window_full",
    "window-update": "window_update",
    "zero-window": "zero_window",
    "keep-alive": "keep_alive",
    "port-reuse": "reused_ports",
    "keep-alive-ack": "keep_alive_ack",
    "zero-window-probe": "zero_window_probe",
    "zero-window-probe-ack": "zero_window_probe_ack",
}
SEGMENT = ("tcp.seq_raw", "tcp.ack_raw", "tcp.len", "tcp.flags", "tcp.window_size_value")
KEY = ("first_high", "first_low", "second_high", "second_low", "ports")
FRAGMENTS = ("ip.flags.mf", "ip.frag_offset", "ipv6.fraghdr.offset", "ipv6.fraghdr.more")
TIMES = ("tcp.analysis.ack_rtt", "tcp.analysis.initial_rtt")
OTHERS = ("frame.number", "frame.protocols", "frame.len", "frame.cap_len", "tcp.stream", *SEGMENT, *FRAGMENTS, *TIMES)

# Why a frame may differ, and the rule that does.
REASONS = {
    "vlan": "Ours tells VLAN stacks apart; tshark takes the same addresses and ports in two VLANs for one conversation.",
    "fragments": "tshark puts IP fragments together and has the segment in the last; ours has it in the first, whose inner IP "
    "header (in a tunnel) or next segment says how long it is.",
    "not walked": "A tunnel that our dissector does not walk: it has no segment there.",
    "backwards": "Time runs backwards from a segment to its ACK: tshark's round trip is negative, ours is none.",
    "too long": "A round trip of more than 2^40 microseconds: ours is none.",
    "cut": "The snaplen cut the options: tshark gives up before it shows what it found.",
    "fraction": "A timestamp with more than a second of nanoseconds: tshark's text is no number.",
    "routed": "tshark takes the final address of an IPv6 routing header and the home address of destination options; ours the "
    "IPv6 header's own.",
    "initial": "tshark's initial round trip ends with the first ACK of either side; ours with the client's.",
}
_MOST_US = 2**40


@dataclass
class Frame:
    """Of one packet: names of tcp-analysis; round trips in whole microseconds; its segment as numbers of SEGMENT, if it has one.

    stream: tshark's, or ours (a key). complete: ours says that its ACK completes a handshake."""

    flags: set[str] = field(default_factory=set)
    round_trip: int | None = None
    initial: int | None = None
    stream: str = ""
    segment: tuple[int, ...] | None = None
    cut: bool = False
    fragment: bool = False
    routed: bool = False
    odd: bool = False
    complete: bool = False


def of_tshark(capture: Path) -> dict[int, Frame]:
    """By frame number from 1. tshark shows the initial round trip on all frames behind the handshake."""
    names = [*OTHERS, *(f"tcp.analysis.{name}" for name in FLAGS.values())]
    command = ["tshark", "-n", "-r", str(capture), "-T", "fields", "-E", "occurrence=a"]
    for name in names:
        command += ["-e", name]
    # tshark ends with an error at a broken end of a file, after all before it
    text = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    frames: dict[int, Frame] = {}
    for line in text.splitlines():
        every = {name: cell.split(",") for name, cell in zip(names, line.split("\t"), strict=True)}
        cells = {name: values[0] for name, values in every.items()}
        frame = Frame(stream=cells["tcp.stream"], cut=int(cells["frame.cap_len"]) < int(cells["frame.len"]))
        frame.flags = {ours for ours, theirs in FLAGS.items() if cells[f"tcp.analysis.{theirs}"]}
        if frame.flags & {"fast-retransmission", "spurious-retransmission"}:  # tshark says both of these
            frame.flags.discard("retransmission")
        frame.round_trip, frame.initial = (_microseconds(cells[name]) for name in TIMES)
        frame.odd = any(cells[name] and not re.fullmatch(r"-?\d+\.\d{9}", cells[name]) for name in TIMES)
        frame.fragment = any(value not in ("", "0") for name in FRAGMENTS for value in every[name])
        frame.routed = "ipv6.routing" in cells["frame.protocols"] or "ipv6.dstopts" in cells["frame.protocols"]
        if all(cells[name] for name in SEGMENT):
            frame.segment = tuple(int(cells[name], 0) for name in SEGMENT)
        frames[int(cells["frame.number"])] = frame
    return frames


def _microseconds(seconds: str) -> int | None:
    """Of a text such as `0.001234567`, whole ones."""
    if not seconds:
        return None
    negative = seconds.startswith("-")
    whole, _, fraction = seconds.lstrip("-").partition(".")
    value = int(whole) * 1_000_000 + int(f"{fraction:0<6}"[:6])
    return -value if negative else value


def plain(capture: Path, folder: Path) -> Path:
    """The capture, uncompressed."""
    with capture.open("rb") as file:
        if sniff(file.read(16)) in ("pcap", "pcapng"):
            return capture
    out = folder / f"{capture.name}.plain"
    decompress(capture, out, 1 << 30)
    return out


def of_ours(capture: Path, batch: int = 1 << 16, vlans: bool = True) -> dict[int, Frame]:
    """By frame number from 1, of a plain capture. vlans: as the product does; False: as if no packet had tags."""
    state, found, first = tcp.state(0, 1), [], 0
    frames: dict[int, Frame] = {}
    numbers: list[int] = []
    with open_capture(capture) as source:
        for scanned in source.scan(batch):
            packets = read_batch(capture, scanned.locator)
            records = tcp.records(packets, first)
            if not vlans:
                records["vlans"] = 0
            found.append(state.take(records))
            numbers += scanned.locator["number"].tolist()
            frames |= {number: Frame() for number in numbers[first:]}
            first += len(packets)
            for one in records:
                frame = frames[numbers[int(one["column"])]]
                frame.stream = str([one[name].item() for name in KEY])
                frame.segment = tuple(int(one[name]) for name in ("seq", "ack", "length", "flags", "window"))
    found.append(state.end())
    for part in found:
        _note(part, frames, numbers)
    return frames


def _note(part: Found, frames: dict[int, Frame], numbers: list[int]) -> None:
    for kind, column, value in zip(part.field.tolist(), part.column.tolist(), part.value.tolist(), strict=True):
        frame = frames[numbers[column]]
        name = NAMES[kind]
        if name == "tcp-analysis":
            frame.flags.add(TCP_ANALYSIS[value])
        elif name == "tcp-rtt-us":
            frame.round_trip = value
        elif name == "tcp-irtt-us":
            frame.initial = value
        elif TCP_HANDSHAKE[value] == "complete":
            assert frame.segment is not None
            frame.complete = frame.segment[3] & 0x12 == 0x10  # ACK without SYN


def _differs(ours: Frame, theirs: Frame) -> bool:
    """A frame that completes a handshake shows its round trip, and it alone does."""
    initial = ours.complete or ours.initial is not None
    return (
        ours.flags != theirs.flags
        or ours.round_trip != theirs.round_trip
        or (initial and ours.initial != theirs.initial)
    )  # fmt: skip


def differences(capture: Path, theirs: dict[int, Frame], folder: Path) -> tuple[Counter[str], list[str]]:
    """How many frames differ for which of REASONS, and lines of those that have none."""
    capture = plain(capture, folder)
    ours = of_ours(capture)
    numbers = [n for n in sorted(set(ours) | set(theirs)) if _differs(ours.get(n, Frame()), theirs.get(n, Frame()))]
    if not numbers:
        return Counter(), []
    untagged = of_ours(capture, vlans=False)
    fragmented, unwalked = _not_the_same(ours, theirs)
    routed = {ours[n].stream for n, frame in theirs.items() if frame.routed and n in ours}
    reasons: Counter[str] = Counter()
    left = []
    for n in numbers:
        one, other = ours.get(n, Frame()), theirs.get(n, Frame())
        streams = {f"ours {one.stream}", f"theirs {other.stream}"}
        if streams & fragmented:
            reason = "fragments"
        elif streams & unwalked:
            reason = "not walked"
        elif not _differs(untagged[n], other):
            reason = "vlan"
        elif one.stream in routed:
            reason = "routed"
        else:
            reason = _reason(one, other)
        reasons[reason] += 1
        if reason not in REASONS:
            left.append(f"{capture.name} {n}: ours {one}, tshark {other}")
    return reasons, left


def _not_the_same(ours: dict[int, Frame], theirs: dict[int, Frame]) -> tuple[set[str], set[str]]:
    """Streams of which the two do not have the same segments: for fragments, and for what is not walked."""
    fragmented, unwalked = set(), set()
    for n in set(ours) | set(theirs):
        one, other = ours.get(n, Frame()), theirs.get(n, Frame())
        if one.segment != other.segment:
            streams = {f"ours {one.stream}"} if one.segment else set()
            streams |= {f"theirs {other.stream}"} if other.segment else set()
            if other.fragment:
                fragmented |= streams
            elif one.segment is None:
                unwalked |= streams
    return fragmented, unwalked


def _reason(ours: Frame, theirs: Frame) -> str:
    if theirs.odd:
        return "fraction"
    if theirs.cut and not theirs.flags and theirs.round_trip is None:
        return "cut"
    if ours.flags != theirs.flags:
        return "none"
    if ours.round_trip != theirs.round_trip:
        if ours.round_trip is None and theirs.round_trip is not None:
            return "backwards" if theirs.round_trip < 0 else "too long" if theirs.round_trip > _MOST_US else "none"
        return "none"
    return "initial"
