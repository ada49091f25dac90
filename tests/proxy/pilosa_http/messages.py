"""Import messages as clients write them, by hand and slowly: not by the code under test."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 128:
        out.append(value % 128 + 128)
        value //= 128
    return bytes([*out, value])


def blob(field: int, data: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(data)) + data


def packed(field: int, values: Iterable[int]) -> bytes:
    data = b"".join(map(varint, values))
    return blob(field, data) if data else b""


def keys(field: int, values: Iterable[str]) -> bytes:
    return b"".join(blob(field, value.encode()) for value in values)


def bits(
    index: str,
    field: str,
    rows: Sequence[int | str] = (),
    columns: Sequence[int | str] = (),
    timestamps: Sequence[int] = (),
    shard: int = 0,
) -> bytes:
    """ImportRequest; texts are keys."""
    head = blob(1, index.encode()) + blob(2, field.encode()) + (b"\x18" + varint(shard) if shard else b"")
    return head + _some(4, 7, rows) + _some(5, 8, columns) + packed(6, timestamps)


def values(index: str, field: str, columns: Sequence[int | str] = (), numbers: Sequence[int] = (), shard: int = 0) -> bytes:
    """ImportValueRequest."""
    head = blob(1, index.encode()) + blob(2, field.encode()) + (b"\x18" + varint(shard) if shard else b"")
    return head + _some(5, 7, columns) + packed(6, numbers)


def roaring(views: dict[str, bytes], clear: bool = False) -> bytes:
    """ImportRoaringRequest."""
    parts = [blob(2, (blob(1, name.encode()) if name else b"") + blob(2, data)) for name, data in views.items()]
    return (b"\x08\x01" if clear else b"") + b"".join(parts)


def translate(index: str, field: str, names: Iterable[str]) -> bytes:
    """TranslateKeysRequest."""
    return blob(1, index.encode()) + (blob(2, field.encode()) if field else b"") + keys(3, names)


def _some(ids: int, names: int, given: Sequence[int | str]) -> bytes:
    texts = [one for one in given if isinstance(one, str)]
    return keys(names, texts) + packed(ids, [one for one in given if isinstance(one, int)])
