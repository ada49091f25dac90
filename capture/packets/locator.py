"""Locators on disk: one small file a batch, compact columns.

Layout, all little-endian: magic (7 bytes) and version (1), number of packets u64; then a column after the other:
scale u64, number of compressed bytes u32, zlib stream. A column is what is left of a number once its neighbour is known:
offsets as the gap behind the packet before, times and numbers as steps, wire lengths as what was cut off. The steps are
divided by their common divisor (microsecond captures have nanoseconds in thousands), folded to unsigned ("zigzag"), and
stored byte plane by byte plane, lowest first, with only as many planes as the largest needs.
"""

from __future__ import annotations

import os
import struct
import tempfile
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture.packets.batch import LOCATOR_DTYPE
from capture.packets.errors import PacketsError

MAGIC = b"PWLOCAT"
VERSION = 1
_HEAD = struct.Struct("<7sBQ")
_COLUMN = struct.Struct("<QI")
_COLUMNS = ("captured_length", "wire_length", "offset", "time_ns", "number", "interface", "linktype")


def encode_locator(locator: NDArray[Any]) -> bytes:
    """The file's bytes for a LOCATOR_DTYPE array."""
    out = [_HEAD.pack(MAGIC, VERSION, len(locator))]
    captured = locator["captured_length"].astype(np.uint64)
    for name in _COLUMNS:
        values = locator[name].astype(np.uint64)  # int64 wraps, and wraps back
        if name == "captured_length":
            left = values
        elif name == "wire_length":
            left = values - captured
        else:
            before = np.zeros(len(values), np.uint64)
            before[1:] = values[:-1] + (captured[:-1] if name == "offset" else np.uint64(0))
            left = values - before
        out.append(_encode_column(left.view(np.int64)))
    return b"".join(out)


def decode_locator(data: bytes) -> NDArray[Any]:
    """The array that `encode_locator` was given. Raises PacketsError where the bytes are no locator of this version."""
    if len(data) < _HEAD.size or data[:7] != MAGIC:
        raise PacketsError("not a locator file")
    _magic, version, count = _HEAD.unpack_from(data)
    if version != VERSION:
        raise PacketsError(f"a locator file of version {version}; this program reads version {VERSION}")
    columns: dict[str, NDArray[np.uint64]] = {}
    at = _HEAD.size
    for name in _COLUMNS:
        if at + _COLUMN.size > len(data):
            raise PacketsError(f"the locator file is cut before column {name}")
        scale, size = _COLUMN.unpack_from(data, at)
        at += _COLUMN.size
        if at + size > len(data):
            raise PacketsError(f"the locator file is cut within column {name}")
        columns[name] = _decode_column(data[at : at + size], scale, count, name)
        at += size
    if at != len(data):
        raise PacketsError(f"the locator file has {len(data) - at} bytes too many")
    locator = np.zeros(count, LOCATOR_DTYPE)
    captured = columns["captured_length"]
    gaps = columns["offset"]
    gaps[1:] += captured[:-1]
    columns["wire_length"] += captured
    for name in _COLUMNS:
        values = columns[name]
        if name not in ("captured_length", "wire_length"):
            values = np.cumsum(values, dtype=np.uint64)
        locator[name] = values.view(np.int64) if name == "time_ns" else values
    return locator


def _encode_column(left: NDArray[np.int64]) -> bytes:
    """scale, size and zlib stream of one column."""
    # The one number without an absolute value (NO_TIME behind a first packet of 1970, say) leaves its column undivided.
    scale = 1
    if len(left) and not (left == np.iinfo(np.int64).min).any():
        scale = max(1, int(np.gcd.reduce(np.abs(left))))
    reduced = left // scale
    folded = ((reduced << 1) ^ (reduced >> 63)).view(np.uint64)
    width = max(1, (int(folded.max(initial=0)).bit_length() + 7) // 8)
    planes = np.ascontiguousarray(folded.astype("<u8").view(np.uint8).reshape(-1, 8)[:, :width].T)
    packed = zlib.compress(planes.tobytes(), 6)
    return _COLUMN.pack(scale, len(packed)) + packed


def _decode_column(packed: bytes, scale: int, count: int, name: str) -> NDArray[np.uint64]:
    stream = zlib.decompressobj()
    try:
        planes = stream.decompress(packed, 8 * count + 1)
    except zlib.error as error:
        raise PacketsError(f"column {name} of the locator file is damaged: {error}") from None
    width = len(planes) // count if count else 0
    if not stream.eof or stream.unused_data or (count and (width * count != len(planes) or not 1 <= width <= 8)):
        raise PacketsError(f"column {name} of the locator file is damaged")
    bytes_of = np.zeros((count, 8), np.uint8)
    bytes_of[:, :width] = np.frombuffer(planes, np.uint8).reshape(width, count).T if count else 0
    folded = bytes_of.reshape(-1).view("<u8").astype(np.uint64)
    one = np.uint64(1)
    return ((folded >> one) ^ (~(folded & one) + one)) * np.uint64(scale)


def write_locator(path: str | os.PathLike[str], locator: NDArray[Any]) -> int:
    """Writes a locator (LOCATOR_DTYPE) whole or not at all; answers its size in bytes. Raises OSError."""
    path = os.fspath(path)
    folder = os.path.dirname(path) or "."
    data = encode_locator(locator)
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
    with open(path, "rb") as file:
        data = file.read()
    try:
        return decode_locator(data)
    except PacketsError as error:
        raise PacketsError(f"{os.fspath(path)}: {error}") from None
