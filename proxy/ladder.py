"""A conversation's packets as the steps of a ladder: who sent what when, with sequence numbers as Wireshark counts them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from capture.packets.declarations.transport import TCP_FLAGS
from capture.packets.registry import FIELDS
from capture.packets.segment import TCP, UDP, Segment
from capture.packets.values import label_of
from proxy.flows import marks
from proxy.flows.packets import FlowPacket, FlowPackets
from proxy.flows.tcp_notes import WRONG, Noted, Notes
from proxy.locate import locate
from proxy.packets import PacketRow, rows_of

STEPS = 200  # of a page
MOST_BEFORE = 100_000  # packets before a page that are read for what is known of its first ones
GAP_NS = 1_000_000_000  # a silence that is shown
_SHOWN = ("netsrc", "transsrc", "netdst", "transdst", "tcp-flagset", "appproto", "http-method", "http-path", "http-status",
          "dns-qname", "dns-rcode", "tls-type", "tls-handshake", "tls-sni", "icmp-type", "tcp-analysis")  # fmt: skip
# What a step says beside its flags
_SAID = ("http-method", "http-path", "http-status", "dns-qname", "tls-handshake", "tls-sni")


@dataclass(frozen=True)
class Step:
    """A packet of the ladder. away: the initiator sent it. offset: seconds since the conversation began; since: since the step
    before, and silence: that is long. label: on the arrow; info: what Wireshark's Info says; wrong: one of the notes is a loss
    or the like. connection: a further TCP connection between the same ports begins here, its number. here: it was asked for."""

    row: PacketRow
    away: bool
    label: str
    info: str
    notes: tuple[marks.Note, ...]
    said: str
    offset: float | None
    since: float | None
    silence: bool
    wrong: bool
    connection: int | None
    here: bool


@dataclass(frozen=True)
class Ladder:
    """begin: the place of the first step in the conversation. counted_from: number of the packet from which on sequence numbers
    are counted, where that is not the first. gone: steps whose bytes are gone. legend: the marks of these steps."""

    steps: list[Step]
    begin: int
    counted_from: int | None
    gone: int
    legend: list[marks.Mark]


def ladder(packets: FlowPackets, found: dict[str, Any], begin: int, column: int, *, analysed: bool) -> Ladder:
    """The steps from place `begin` on. found: the conversation. analysed: the second pass has been over its packets, and the
    index says what is remarkable; else the segments of the page are looked at. Raises LimitExceeded."""
    end = min(begin + STEPS, packets.columns.size)
    first = max(0, begin - MOST_BEFORE)
    read: dict[int, tuple[FlowPacket, Noted | None, int | None]] = {}
    counted_from, notes, connection = None, Notes(), 1
    for packet in packets.between(first, end):
        if first and counted_from is None:
            counted_from = packet.number
        one, noted, begins = packet.segment, None, None
        if one is not None and one.protocol == TCP:
            if notes.begins_another(packet.side, one):
                notes, connection = Notes(), connection + 1
                begins = connection if not first else None
            noted = notes.add(packet.side, one, packet.time_ns)
        if packet.place >= begin:
            read[packet.column] = packet, noted, begins
    rows = rows_of(packets.index, locate(packets.index, packets.columns[begin:end]), _SHOWN)
    steps = _steps(rows, read, found, column, analysed)
    gone = sum(packet.gone for packet, _, _ in read.values())
    return Ladder(steps, begin, counted_from, gone, marks.legend(note for step in steps for note in step.notes))


def _steps(
    rows: list[PacketRow],
    read: dict[int, tuple[FlowPacket, Noted | None, int | None]],
    found: dict[str, Any],
    column: int,
    analysed: bool,
) -> list[Step]:
    origin = int(found["first_ns"]) if found["first_ns"] is not None else None
    steps: list[Step] = []
    before: int | None = None
    for row in rows:
        packet, noted, begins = read.get(row.column, (None, None, None))
        since = None if before is None or row.time_ns is None else row.time_ns - before
        one = packet.segment if packet else None
        told = noted.notes if noted else ()
        notes = marks.found(row.fields.get("tcp-analysis", ()), told) if analysed else marks.noted(told)
        steps.append(
            Step(
                row=row,
                away=packet.side == 0 if packet and one else _sent_by(row, found["initiator"]),
                label=_label(row, one),
                info=_info(one, noted) if one else "",
                notes=tuple(notes),
                said=_said(row),
                offset=None if origin is None or row.time_ns is None else (row.time_ns - origin) / 1e9,
                since=None if since is None else since / 1e9,
                silence=since is not None and since >= GAP_NS,
                wrong=any(note.mark.words in WRONG for note in notes),
                connection=begins,
                here=row.column == column,
            )
        )
        before = row.time_ns if row.time_ns is not None else before
    return steps


def _said(row: PacketRow) -> str:
    """What an application says: numbers by their names."""
    return ", ".join(
        label_of(FIELDS[name], int(value)) or value if FIELDS[name].encoding != "text" and value.isdecimal() else value
        for name in _SAID
        for value in row.fields.get(name, [])
    )


def _label(row: PacketRow, one: Segment | None) -> str:
    """Flags of a segment; of others what they carry."""
    if one is not None and one.protocol == TCP:
        return ", ".join(name for bit, name in enumerate(TCP_FLAGS) if one.flags >> bit & 1) or "no flags"
    flags = row.fields.get("tcp-flagset", [])
    return flags[0].replace(",", ", ") if flags else next(iter(row.fields.get("appproto", [])), "")


def _info(one: Segment, noted: Noted | None) -> str:
    """As in Wireshark's list of packets."""
    if one.protocol == UDP or noted is None:
        return f"Len={one.length}"
    parts = [f"Seq={noted.sequence}"]
    if noted.acknowledgement is not None:
        parts.append(f"Ack={noted.acknowledgement}")
    parts += [f"Win={noted.window}", f"Len={one.length}"]
    if one.mss is not None:
        parts.append(f"MSS={one.mss}")
    if one.shift is not None:
        parts.append(f"WS={1 << one.shift}")
    return " ".join(parts + ["SACK_PERM"] * one.sack)


def _sent_by(row: PacketRow, end: dict[str, Any]) -> bool:
    port = None if end["port"] is None else str(end["port"])
    ports = row.fields.get("transsrc")
    return row.fields.get("netsrc", [None])[0] == end["address"] and (not ports or port is None or ports[0] == port)
