"""Locators on disk: one small file a batch, compact columns.

Layout, all little-endian: magic (7 bytes) and version (1), number of packets u64; then a column after the other:
scale u64, number of compressed bytes u32, zstd frame. A column is what is left of a number once its neighbour is known:
offsets as the gap behind the packet before, times and numbers as steps, wire lengths as what was cut off. The steps are
divided by their common divisor (microsecond captures have nanoseconds in thousands), folded to unsigned ("zigzag"), and
stored byte plane by byte plane, lowest first, with only as many planes as the largest needs.
Last, the names of the batch's interfaces: number of compressed bytes u32 (0: no names), zstd frame of, for each interface
that has a name and packets in the batch, its index u32, the length of its name u32, the name.

Version 1, still read, had zlib streams (at a quarter of the speed), no direction and no names.
"""

from __future__ import annotations

import functools
import os
import struct
import tempfile
import threading
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import zstandard
from numpy.typing import NDArray

from capture.packets.batch import LOCATOR_DTYPE
from capture.packets.errors import PacketsError

MAGIC = b"PWLOCAT"
VERSION = 2
_HEAD = struct.Struct("<7sBQ")
_COLUMN = struct.Struct("<QI")
_NAMES = struct.Struct("<I")
_NAME = struct.Struct("<II")
_MAX_NAMES = 1 << 30  # bytes of all names of a batch; a decompressed length beyond is damage
_COLUMNS = ("captured_length", "wire_length", "offset", "time_ns", "number", "interface", "linktype", "direction")
_COLUMNS_OF = {1: _COLUMNS[:-1], VERSION: _COLUMNS}
_AS_THEY_STAND = ("captured_length", "wire_length", "direction")  # every other column is kept as steps


def encode_locator(locator: NDArray[Any], interfaces: Sequence[bytes] = ()) -> bytes:
    """The file's bytes for a LOCATOR_DTYPE array and the names of the capture's interfaces (see PacketBatch)."""
    out = [_HEAD.pack(MAGIC, VERSION, len(locator))]
    captured = locator["captured_length"].astype(np.uint64)
    for name in _COLUMNS:
        values = locator[name].astype(np.uint64)  # int64 wraps, and wraps back
        if name == "wire_length":
            left = values - captured
        elif name in _AS_THEY_STAND:
            left = values
        else:
            before = np.zeros(len(values), np.uint64)
            before[1:] = values[:-1] + (captured[:-1] if name == "offset" else np.uint64(0))
            left = values - before
        out.append(_encode_column(left.view(np.int64)))
    out.append(_encode_names(locator["interface"], interfaces))
    return b"".join(out)


def decode_locator(data: bytes) -> NDArray[Any]:
    """The array that `encode_locator` was given. Raises PacketsError where the bytes are no locator that we know."""
    return decode_all(data)[0]


def decode_all(data: bytes) -> tuple[NDArray[Any], tuple[bytes, ...]]:
    """The array, and the names of its interfaces as PacketBatch has them. Raises PacketsError."""
    if len(data) < _HEAD.size or data[:7] != MAGIC:
        raise PacketsError("not a locator file")
    _magic, version, count = _HEAD.unpack_from(data)
    if version not in _COLUMNS_OF:
        raise PacketsError(f"a locator file of version {version}; this program reads versions 1 to {VERSION}")
    columns: dict[str, NDArray[np.uint64]] = {}
    at = _HEAD.size
    for name in _COLUMNS_OF[version]:
        if at + _COLUMN.size > len(data):
            raise PacketsError(f"the locator file is cut before column {name}")
        scale, size = _COLUMN.unpack_from(data, at)
        at += _COLUMN.size
        if at + size > len(data):
            raise PacketsError(f"the locator file is cut within column {name}")
        columns[name] = _decode_column(data[at : at + size], scale, count, name, version)
        at += size
    names: tuple[bytes, ...] = ()
    if version > 1:
        names, at = _decode_names(data, at)
    if at != len(data):
        raise PacketsError(f"the locator file has {len(data) - at} bytes too many")
    locator = np.zeros(count, LOCATOR_DTYPE)
    captured = columns["captured_length"]
    gaps = columns["offset"] = np.array(columns["offset"])
    gaps[1:] += captured[:-1]
    columns["wire_length"] = columns["wire_length"] + captured
    for name, values in columns.items():
        if values.strides == (0,):  # nothing but noughts, as the new array is
            continue
        if name not in _AS_THEY_STAND:
            values = np.cumsum(values, dtype=np.uint64)
        locator[name] = values.view(np.int64) if name == "time_ns" else values
    return locator, names


def _encode_names(used: NDArray[Any], interfaces: Sequence[bytes]) -> bytes:
    if not any(interfaces):
        return _NAMES.pack(0)
    named = [(i, interfaces[i]) for i in np.unique(used).tolist() if i < len(interfaces) and interfaces[i]]
    if not named:
        return _NAMES.pack(0)
    packed = _compress(b"".join(_NAME.pack(i, len(name)) + name for i, name in named))
    return _NAMES.pack(len(packed)) + packed


def _decode_names(data: bytes, at: int) -> tuple[tuple[bytes, ...], int]:
    """The names, and where they end in `data`."""
    if at + _NAMES.size > len(data):
        raise PacketsError("the locator file is cut before its interfaces' names")
    (size,) = _NAMES.unpack_from(data, at)
    at += _NAMES.size
    if at + size > len(data):
        raise PacketsError("the locator file is cut within its interfaces' names")
    plain = _decompress(data[at : at + size], _MAX_NAMES, "the list of interfaces' names") if size else b""
    found: dict[int, bytes] = {}
    place = 0
    while place < len(plain):
        if place + _NAME.size > len(plain):
            raise PacketsError("the list of interfaces' names of the locator file is damaged")
        i, length = _NAME.unpack_from(plain, place)
        place += _NAME.size
        found[i] = plain[place : place + length]
        place += length
    names = [b""] * (max(found) + 1 if found else 0)
    for i, name in found.items():
        names[i] = name
    return tuple(names), at + size


class _Kept(threading.local):
    """A compressor and a decompressor of each thread: making one costs more than a small column."""

    def __init__(self) -> None:
        # Level 1: twice as fast as the usual 3, and a twentieth larger.
        self.compressor = zstandard.ZstdCompressor(level=1, write_checksum=True)
        self.decompressor = zstandard.ZstdDecompressor()


_kept = _Kept()


def _compress(plain: bytes) -> bytes:
    return _kept.compressor.compress(plain)


@functools.lru_cache(maxsize=16)
def _noughts(count: int) -> bytes:
    return _compress(bytes(count))


def _decompress(packed: bytes, most: int, what: str) -> bytes:
    """A zstd frame of at most `most` bytes."""
    try:
        if zstandard.get_frame_parameters(packed).content_size > most:  # also the mark of an unknown size
            raise PacketsError(f"{what} of the locator file is damaged")
        return _kept.decompressor.decompress(packed, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise PacketsError(f"{what} of the locator file is damaged: {error}") from None


def _encode_column(left: NDArray[np.int64]) -> bytes:
    """scale, size and zstd frame of one column."""
    if not left.any():  # interface, link type, direction, what was cut off: of nearly every batch
        packed = _noughts(len(left))
        return _COLUMN.pack(1, len(packed)) + packed
    # The one number without an absolute value (NO_TIME behind a first packet of 1970, say) leaves its column undivided.
    scale = 1
    if not (left == np.iinfo(np.int64).min).any():
        scale = max(1, int(np.gcd.reduce(np.abs(left))))
    reduced = left // scale if scale > 1 else left
    folded = ((reduced << 1) ^ (reduced >> 63)).view(np.uint64)
    width = max(1, (int(folded.max(initial=0)).bit_length() + 7) // 8)
    planes = np.empty((width, len(folded)), np.uint8)
    for plane in range(width):
        planes[plane] = folded >> np.uint64(8 * plane)
    packed = _compress(planes.tobytes())
    return _COLUMN.pack(scale, len(packed)) + packed


def _decode_column(packed: bytes, scale: int, count: int, name: str, version: int) -> NDArray[np.uint64]:
    most = 8 * count
    if version == 1:
        stream = zlib.decompressobj()
        try:
            planes = stream.decompress(packed, most + 1)
        except zlib.error as error:
            raise PacketsError(f"column {name} of the locator file is damaged: {error}") from None
        if not stream.eof or stream.unused_data:
            raise PacketsError(f"column {name} of the locator file is damaged")
    else:
        planes = _decompress(packed, most, f"column {name}")
    width = len(planes) // count if count else 0
    if (count and (width * count != len(planes) or not 1 <= width <= 8)) or (planes and not count):
        raise PacketsError(f"column {name} of the locator file is damaged")
    plane = np.frombuffer(planes, np.uint8).reshape(width, count) if count else np.zeros((1, 0), np.uint8)
    if width == 1 and not plane.any():
        noughts: NDArray[np.uint64] = np.broadcast_to(np.uint64(0), count)
        return noughts
    folded: NDArray[np.uint64] = plane[0].astype(np.uint64)
    for i in range(1, width):
        folded |= plane[i].astype(np.uint64) << np.uint64(8 * i)
    odd = folded & np.uint64(1)
    folded >>= np.uint64(1)
    folded ^= np.uint64(0) - odd  # all bits where it was odd
    if scale != 1:
        folded *= np.uint64(scale)
    return folded


def write_locator(path: str | os.PathLike[str], locator: NDArray[Any], interfaces: Sequence[bytes] = ()) -> int:
    """Writes a locator (LOCATOR_DTYPE) whole or not at all; answers its size in bytes. Raises OSError.

    interfaces: names of the capture's interfaces, by index (see PacketBatch); those that the batch needs are kept with it.
    """
    path = os.fspath(path)
    folder = os.path.dirname(path) or "."
    data = encode_locator(locator, interfaces)
    handle, temporary = tempfile.mkstemp(prefix=".locator-", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    # The name must outlast a crash as well as the bytes do.
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    return len(data)


def read_locator(path: str | os.PathLike[str]) -> NDArray[Any]:
    """The locator that was written to `path`: LOCATOR_DTYPE. Raises PacketsError (naming the file), OSError."""
    return read_locator_and_names(path)[0]


def read_locator_and_names(path: str | os.PathLike[str]) -> tuple[NDArray[Any], tuple[bytes, ...]]:
    """The locator, and the names of its interfaces as PacketBatch has them. Raises as `read_locator`."""
    with open(path, "rb") as file:
        data = file.read()
    try:
        return decode_all(data)
    except PacketsError as error:
        raise PacketsError(f"{os.fspath(path)}: {error}") from None
