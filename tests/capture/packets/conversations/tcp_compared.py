"""What tshark says of the TCP segments of a capture, and what we say, frame by frame."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from capture.packets.conversations import tcp
from capture.packets.conversations.contract import NAMES, Found
from capture.packets.declarations.conversations import TCP_ANALYSIS
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
OTHERS = ("frame.number", "tcp.stream", "tcp.flags", "tcp.analysis.ack_rtt", "tcp.analysis.initial_rtt")


@dataclass
class Frame:
    """Of one packet: names of tcp-analysis; round trips in whole microseconds."""

    flags: set[str] = field(default_factory=set)
    round_trip: int | None = None
    initial: int | None = None
    stream: str = ""


def of_tshark(capture: Path) -> dict[int, Frame]:
    """By frame number from 1. `initial` on the first frame of a stream that shows it."""
    names = [*OTHERS, *(f"tcp.analysis.{name}" for name in FLAGS.values())]
    # The ports' own protocols may put TCP segments together, or hold TCP themselves: they say nothing of the analysis
    command = ["tshark", "-n", "-r", str(capture), "-T", "fields", "-E", "occurrence=f"]
    for name in names:
        command += ["-e", name]
    # tshark ends with an error at a broken end of a file, after all before it
    text = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    frames: dict[int, Frame] = {}
    seen: set[str] = set()
    for line in text.splitlines():
        cells = dict(zip(names, line.split("\t"), strict=True))
        frame = Frame(stream=cells["tcp.stream"])
        frame.flags = {ours for ours, theirs in FLAGS.items() if cells[f"tcp.analysis.{theirs}"]}
        if frame.flags & {"fast-retransmission", "spurious-retransmission"}:  # tshark says both of these
            frame.flags.discard("retransmission")
        frame.round_trip = _microseconds(cells["tcp.analysis.ack_rtt"])
        initial = _microseconds(cells["tcp.analysis.initial_rtt"])
        if initial is not None and frame.stream not in seen:
            seen.add(frame.stream)
            frame.initial = initial
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


def of_ours(capture: Path, batch: int = 1 << 16) -> tuple[dict[int, Frame], list[Found]]:
    """By frame number from 1; and all that was found. The capture is plain."""
    state, found, first = tcp.state(0, 1), [], 0
    numbers: list[int] = []
    with open_capture(capture) as source:
        for scanned in source.scan(batch):
            packets = read_batch(capture, scanned.locator)
            found.append(state.take(tcp.records(packets, first)))
            numbers += scanned.locator["number"].tolist()
            first += len(packets)
    found.append(state.end())
    return frames_of(found, numbers), found


def frames_of(found: list[Found], numbers: list[int]) -> dict[int, Frame]:
    """By frame number; numbers: of the packets by column."""
    frames = {number: Frame() for number in numbers}
    for part in found:
        for kind, column, value in zip(part.field.tolist(), part.column.tolist(), part.value.tolist(), strict=True):
            frame = frames[numbers[column]]
            name = NAMES[kind]
            if name == "tcp-analysis":
                frame.flags.add(TCP_ANALYSIS[value])
            elif name == "tcp-rtt-us":
                frame.round_trip = value
            elif name == "tcp-irtt-us":
                frame.initial = value
    return frames
