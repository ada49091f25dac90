"""How the embedded store's keys and records are laid out (what they are for: embedded_store). All numbers are big endian."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

EXISTS_FIELD = "_exists"
OWNED_FIELD = "_owned"
SEGMENT_FIELD = "_segment"
GONE_FIELD = "_gone"
SEGMENT_BIT = 1 << 63  # of an id: a segment's, not a batch's
DIRTY = b"\0dirty\0"  # no index is called so
SCHEMA_VERSION = b"\0version"
CHANGED = b"\0changed"  # and neither so

PLACE = struct.Struct(">QIIQ")  # shard, first, last, batch or segment
RANGE = struct.Struct(">QQ")  # first column, count
NUMBER = struct.Struct(">Q")
_OWNER = struct.Struct(">IIQ")
_SEGMENT = struct.Struct(">IIII")  # columns when it was made, columns now, pieces, ranges

Range = tuple[int, int]  # first, last column within a shard, both inclusive


@dataclass(frozen=True)
class Place:
    """Where bits lie: the piece of a batch in a shard, or a segment."""

    shard: int
    first: int
    last: int
    id: int

    @property
    def is_segment(self) -> bool:
        return bool(self.id & SEGMENT_BIT)


@dataclass(frozen=True)
class Segment:
    """A segment's record. columns, pieces: how many of a shard's columns, and of batches' pieces, it was made with; live: how
    many of the columns have not gone since. ranges: the columns; names: the fields that have bits."""

    columns: int
    live: int
    pieces: int
    ranges: tuple[Range, ...]
    names: tuple[str, ...]

    def packed(self) -> bytes:
        head = _SEGMENT.pack(self.columns, self.live, self.pieces, len(self.ranges))
        return head + pack_ranges(self.ranges) + "\0".join(self.names).encode()

    @staticmethod
    def unpacked(record: bytes | memoryview) -> Segment:
        columns, live, pieces, count = _SEGMENT.unpack_from(record)
        end = _SEGMENT.size + 8 * count
        names = bytes(record[end:]).decode()
        ranges = unpack_ranges(record[_SEGMENT.size : end])
        return Segment(columns, live, pieces, tuple(ranges), tuple(names.split("\0")) if names else ())


def name_key(index: str) -> bytes:
    return index.encode() + b"\0"


def batch_key(index: str, batch: int) -> bytes:
    return name_key(index) + NUMBER.pack(batch)


def dirty_key(index: str, shard: int) -> bytes:
    return DIRTY + name_key(index) + NUMBER.pack(shard)


def changed_key(index: str, shard: int | None = None) -> bytes:
    """Of the transaction that changed a shard's bits last, or (None) any shard's of the index. CHANGED alone is that of the last
    one that did not say what it changed."""
    return CHANGED + b"\0" + name_key(index) + (b"" if shard is None else NUMBER.pack(shard))


def field_key(index: str, field: str, shard: int | None = None) -> bytes:
    """What the keys of a field (in a shard) begin with."""
    prefix = index.encode() + b"\0" + field.encode() + b"\0"
    return prefix if shard is None else prefix + NUMBER.pack(shard)


def overlay_key(index: str, shard: int, field: str = "") -> bytes:
    """Of what PQL wrote to a field in a shard; without a field, what the keys of the shard begin with. The shard comes first: a
    batch that comes or goes looks at one shard."""
    return name_key(index) + NUMBER.pack(shard) + field.encode()


def field_of_overlay(key: bytes) -> str:
    return key[key.index(b"\0") + 1 + NUMBER.size :].decode()


def shard_of_overlay(key: bytes) -> int:
    shard: int = NUMBER.unpack_from(key, key.index(b"\0") + 1)[0]
    return shard


def attributes_key(index: str, field: str | None = None) -> bytes:
    """What the keys of attributes begin with, of a client index, of the rows of a field, or ("") of the columns."""
    return b"\0attrs\0" + name_key(index) + (b"" if field is None else field.encode() + b"\0")


def depth_key(index: str, field: str = "") -> bytes:
    """Of how many bits the values of an int field of a client index have had; without a field, what all of them begin with."""
    return b"\0depth\0" + name_key(index) + field.encode()


def place_key(index: str, field: str, place: Place) -> bytes:
    return field_key(index, field) + PLACE.pack(place.shard, place.first, place.last, place.id)


def place_of(key: bytes) -> Place:
    """Of the key of a fragment: what it ends with."""
    return Place(*PLACE.unpack_from(key, len(key) - PLACE.size))


def gone_key(index: str, segment: Place, serial: int) -> bytes:
    return place_key(index, GONE_FIELD, segment) + NUMBER.pack(serial)


def segment_of_gone(key: bytes) -> Place:
    return place_of(key[: -NUMBER.size])


def pack_owner(segment: Place) -> bytes:
    return _OWNER.pack(segment.first, segment.last, segment.id)


def unpack_owner(shard: int, value: bytes | memoryview) -> Place:
    return Place(shard, *_OWNER.unpack(value))


def pack_ranges(ranges: Iterable[Range]) -> bytes:
    return np.array(list(ranges), ">u4").tobytes()


def unpack_ranges(value: bytes | memoryview) -> list[Range]:
    return [(first, last) for first, last in np.frombuffer(value, ">u4").reshape(-1, 2).tolist()]


def joined(ranges: Iterable[Range]) -> list[Range]:
    """Ascending, with those that touch made one."""
    out: list[Range] = []
    for first, last in sorted(ranges):
        if out and first <= out[-1][1] + 1:
            out[-1] = (out[-1][0], max(out[-1][1], last))
        else:
            out.append((first, last))
    return out


def size_of(ranges: Iterable[Range]) -> int:
    return sum(last - first + 1 for first, last in ranges)


def without(ranges: Iterable[Range], gone: Iterable[Range]) -> list[Range]:
    """The columns of `ranges` that are not in `gone`."""
    edges: list[tuple[int, int, int]] = []
    for first, last in joined(ranges):
        edges += [(first, 0, 1), (last + 1, 0, -1)]
    for first, last in joined(gone):
        edges += [(first, 1, 1), (last + 1, 1, -1)]
    out: list[Range] = []
    level, start = [0, 0], -1
    for column, kind, step in sorted(edges):
        inside = level[0] > 0 and level[1] == 0
        if inside and column > start:
            out.append((start, column - 1))
        level[kind] += step
        start = column
    return joined(out)
