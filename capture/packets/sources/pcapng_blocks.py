"""What the blocks of a pcapng file that are no packets say: sections and interfaces, their options, comments, counts.

draft-ietf-opsawg-pcapng, sections 3.5 (options), 4.1 (section header), 4.2 (interface description), 4.3.1 (flags word).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from capture.packets.batch import InterfaceInfo
from capture.packets.sources import pcapng_shape as shape
from capture.packets.sources.pcapng_shape import INTERFACE, SECTION
from capture.packets.sources.walking import NOT_COMPILED
from capture.packets.values import text_of

OPT_END, OPT_COMMENT = 0, 1
SHB_HARDWARE, SHB_OS, SHB_USERAPPL = 2, 3, 4
IF_NAME, IF_DESCRIPTION, IF_TSRESOL, IF_FILTER, IF_OS, IF_TSOFFSET, IF_HARDWARE = 2, 3, 9, 11, 12, 14, 15

MAX_COMMENTS = 1000
MAX_PACKET_COMMENTS = 100
MAX_TEXT = 4096  # bytes kept of one name, description or comment
MAX_TEXTS = 8 << 20  # characters kept of all interfaces' texts
FIRST_CAPACITY = 64
MAX_INTERFACES = 1 << 18  # FIRST_CAPACITY doubled some times: the loop adds interfaces while there is room


@dataclass(frozen=True)
class Interface:
    """An interface description block. resolution: if_tsresol as it stands; offset: if_tsoffset, seconds."""

    linktype: int
    snaplen: int
    resolution: int = 6
    offset: int = 0
    name: str = ""
    description: str = ""
    filter: str = ""
    hardware: str = ""
    os: str = ""

    def resolution_text(self) -> str:
        """ "10^-6", "2^-20"."""
        return f"{2 if self.resolution & 0x80 else 10}^-{self.resolution & 0x7F}"

    def texts(self) -> int:
        return sum(map(len, (self.name, self.description, self.filter, self.hardware, self.os)))

    def info(self) -> InterfaceInfo:
        return InterfaceInfo(self.linktype, self.snaplen, self.name, self.description, self.filter, self.hardware, self.os)


FIELDS = fields(Interface)


def kept(value: bytes) -> str:
    """A text as it is kept: without the NULs that some writers end it with; a very long one is cut, and ends in "…"."""
    if not value:
        return ""
    value = value.rstrip(b"\0")
    return text_of(value) if len(value) <= MAX_TEXT else text_of(value[:MAX_TEXT]) + "…"


def options(body: bytes, order: str) -> list[tuple[int, bytes]]:
    """(code, value) of each option. An option that leaves its block ends the list: options do not move packets."""
    found = []
    at = 0
    while at + 4 <= len(body):
        code, length = struct.unpack_from(order + "HH", body, at)
        value = body[at + 4 : at + 4 + length]
        if code == OPT_END or len(value) < length:
            break
        found.append((code, value))
        at += 4 + (length + 3 & ~3)
    return found


def byte_order(block: bytes | memoryview, at: int = 0) -> str:
    """The byte order of a section header block, "" where its magic is none."""
    magic = bytes(block[at + 8 : at + 12])
    return {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}.get(magic, "")


def _filter_text(value: bytes) -> str:
    """if_filter: its first byte says in what language. 0 is libpcap's, 1 is the compiled program."""
    if value[:1] == b"\0":
        return kept(value[1:])
    return f"(compiled, {(len(value) - 1) // 8} instructions)" if value[:1] == b"\1" else ""


class Table:
    """What the blocks so far said: all that the meaning of a packet block depends on, and what is told of the capture.

    The compiled loop adds interfaces (to `at` and `kind_of`) and counts; all else is added here.
    """

    def __init__(self, at: Any) -> None:
        self.at = at  # the walk's array
        self.kinds: list[Interface] = []  # distinct interfaces
        self.infos: list[InterfaceInfo] = []  # the same, as they are told
        self._stored: list[list[Any]] = []  # and as they stand in a state
        self.kind_of = np.zeros(FIRST_CAPACITY, np.int32)  # by interface
        self.counts = np.zeros((FIRST_CAPACITY, shape.COUNT_COLUMNS), np.uint64)
        self.kind_rows = np.zeros((FIRST_CAPACITY, shape.KIND_COLUMNS), np.int64)
        self.known = np.zeros((shape.MAX_KNOWN, shape.KNOWN_COLUMNS), np.int64)
        self.known_bytes = np.zeros(shape.MAX_KNOWN_BYTES, np.uint8)
        self._known, self._known_end = 0, 0
        self._number_of: dict[Interface, int] = {}
        self._texts = 0
        self.order = ""  # of the current section, as struct writes it
        self.comments: list[str] = []
        self.packet_comments: list[tuple[int, str]] = []
        self.application = self.hardware = self.os = ""
        self.without_texts = 0  # interfaces whose texts were too many to be kept
        at[shape.COMMENTS_WANTED] = 1

    @property
    def first(self) -> int:
        """Index of the current section's interface 0."""
        return int(self.at[shape.FIRST])

    @property
    def interfaces(self) -> int:
        """How many were described in all sections so far."""
        return int(self.at[shape.INTERFACES])

    def interface(self, number: int) -> Interface:
        return self.kinds[int(self.kind_of[number])]

    def begin_section(self, block: bytes, order: str) -> None:
        """A section header block: interface ids start from 0 anew. Raises ValueError."""
        major, minor = struct.unpack_from(order + "HH", block, 12)
        if major != 1:
            raise ValueError(f"unknown pcapng version {major}.{minor}")
        self.order = order
        self.at[shape.FIRST] = self.interfaces
        found = options(block[24:-4], order)
        said = dict(reversed(found))  # the first of each code
        self.application = self.application or kept(said.get(SHB_USERAPPL, b""))
        self.hardware = self.hardware or kept(said.get(SHB_HARDWARE, b""))
        self.os = self.os or kept(said.get(SHB_OS, b""))
        if not self._comment(found):
            self._remember(block, shape.A_SECTION)

    def describe_interface(self, block: bytes) -> None:
        """An interface description block. Raises ValueError."""
        if self.interfaces >= MAX_INTERFACES:
            raise ValueError(f"more than {MAX_INTERFACES} interfaces")
        linktype, _reserved, snaplen = struct.unpack_from(self.order + "HHI", block, 8)
        found = options(block[16:-4], self.order)
        said = dict(reversed(found))  # the first of each code
        resolution, offset = said.get(IF_TSRESOL, b""), said.get(IF_TSOFFSET, b"")
        kind = self.add_kind(
            Interface(
                linktype,
                snaplen,
                resolution[0] if len(resolution) == 1 else 6,
                struct.unpack(self.order + "q", offset)[0] if len(offset) == 8 else 0,
                kept(said.get(IF_NAME, b"")),
                kept(said.get(IF_DESCRIPTION, b"")),
                _filter_text(said.get(IF_FILTER, b"")),
                kept(said.get(IF_HARDWARE, b"")),
                kept(said.get(IF_OS, b"")),
            )
        )
        self.add_interfaces(kind, 1)
        if not self._comment(found):
            self._remember(block, kind)

    def add_kind(self, interface: Interface) -> int:
        """The number of the interface's kind, a new one if it is the first of it."""
        kind = self._number_of.get(interface)
        if kind is not None:
            return kind
        self._texts += interface.texts()
        if self._texts > MAX_TEXTS:
            self._texts -= interface.texts()
            self.without_texts += 1
            return self.add_kind(Interface(interface.linktype, interface.snaplen, interface.resolution, interface.offset))
        kind = self._number_of[interface] = len(self.kinds)
        self.kinds.append(interface)
        self.infos.append(interface.info())
        self._stored.append([getattr(interface, one.name) for one in FIELDS])
        if len(self.kinds) > len(self.kind_rows):
            self.kind_rows = np.concatenate([self.kind_rows, np.zeros_like(self.kind_rows)])
        self.kind_rows[kind] = interface.linktype, interface.snaplen, interface.resolution, interface.offset, NOT_COMPILED
        return kind

    def add_interfaces(self, kind: int, count: int) -> None:
        """`count` more interfaces of a kind."""
        first, last = self.interfaces, self.interfaces + count
        while last > len(self.kind_of):
            self.kind_of = np.concatenate([self.kind_of, np.zeros_like(self.kind_of)])
            self.counts = np.concatenate([self.counts, np.zeros_like(self.counts)])
        self.kind_of[first:last] = kind
        self.at[shape.INTERFACES] = last

    def _comment(self, found: list[tuple[int, bytes]]) -> bool:
        """Keeps the comments among options of a section or an interface; whether there are any."""
        before = len(self.comments)
        for code, value in found:
            if code == OPT_COMMENT and len(self.comments) <= MAX_COMMENTS:
                more = len(self.comments) == MAX_COMMENTS
                self.comments.append("(more comments than are kept here)" if more else kept(value))
        return len(self.comments) > before

    def comment_packet(self, number: int, body: bytes) -> None:
        """The comments among options `body` of a packet block."""
        for code, value in options(body, self.order):
            if code == OPT_COMMENT and len(self.packet_comments) < MAX_PACKET_COMMENTS:
                self.packet_comments.append((number, kept(value)))
        self.at[shape.COMMENTS_WANTED] = len(self.packet_comments) < MAX_PACKET_COMMENTS

    def _remember(self, block: bytes, meaning: int) -> None:
        """A block that the loop may take in by itself from now on; as many as there is room for."""
        end = self._known_end + len(block)
        if self._known == len(self.known) or end > len(self.known_bytes):
            return
        self.known_bytes[self._known_end : end] = np.frombuffer(block, np.uint8)
        big = int(self.order == ">")
        self.known[self._known] = 0, self._known_end, len(block), big, meaning
        self._known, self._known_end = self._known + 1, end

    def said(self, interface: int) -> InterfaceInfo:
        """All that is known of an interface, counts included."""
        info = self.infos[int(self.kind_of[interface])]
        row = [int(n) for n in self.counts[interface]]
        numbers = [row[n] if row[shape.SAID] >> n & 1 else None for n in range(shape.SAID)]
        received, dropped, accepted, os_dropped = numbers
        lost = row[shape.LOST]
        return replace(info, received=received, dropped=dropped, accepted=accepted, os_dropped=os_dropped, lost=lost)

    def counted(self) -> list[int]:
        """Interfaces that have counts."""
        in_use = self.counts[: self.interfaces]
        return [int(i) for i in np.flatnonzero(in_use[:, shape.SAID] | in_use[:, shape.LOST])]

    def state(self) -> dict[str, Any]:
        """JSON-able; `from_state` makes the same of it."""
        in_use = self.kind_of[: self.interfaces]
        starts = np.flatnonzero(np.diff(in_use, prepend=-1))
        runs = np.diff(np.append(starts, len(in_use)))
        return {
            "order": self.order,
            "first_interface": self.first,
            "kinds": list(self._stored),
            "interfaces": np.stack([in_use[starts], runs], axis=1).tolist(),  # [kind, how many in a row]
            "counts": [[i, *map(int, self.counts[i])] for i in self.counted()],
            "comments": list(self.comments),
            "packet_comments": [list(one) for one in self.packet_comments],
            "commented_packets": int(self.at[shape.COMMENTED]),
            "section": [self.application, self.hardware, self.os],
            "without_texts": self.without_texts,
        }

    def from_state(self, state: dict[str, Any]) -> None:
        self.order = str(state["order"])
        for one in state["kinds"]:
            self.add_kind(Interface(*one))
        for kind, run in state["interfaces"]:
            self.add_interfaces(int(kind), int(run))
        self.at[shape.FIRST] = int(state["first_interface"])
        for i, *row in state["counts"]:
            self.counts[int(i)] = row
        self.comments = list(state["comments"])
        self.packet_comments = [(int(number), str(text)) for number, text in state["packet_comments"]]
        self.at[shape.COMMENTED] = int(state["commented_packets"])
        self.at[shape.COMMENTS_WANTED] = len(self.packet_comments) < MAX_PACKET_COMMENTS
        self.application, self.hardware, self.os = state["section"]
        self.without_texts = int(state["without_texts"])


__all__ = ["INTERFACE", "SECTION", "Interface", "Table", "byte_order", "kept", "options"]
