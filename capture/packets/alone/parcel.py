"""What a dissector found, as bytes: how a child process hands it over. Nothing in it is run (no pickle)."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture.packets.columns import Dissected, IntValues, SetValues


def pack(dissected: Dissected) -> bytes:
    """As bytes."""
    arrays: dict[str, NDArray[Any]] = {}
    kinds: dict[str, str] = {}
    for name, column in dissected.fields.items():
        arrays[f"{name} packet"] = column.packet
        if isinstance(column, IntValues):
            kinds[name] = "int"
            arrays[f"{name} value"] = column.value
            continue
        arrays[f"{name} code"] = column.code
        if isinstance(column.values, list):
            kinds[name] = "text"
            arrays[f"{name} length"] = np.array([len(value) for value in column.values], np.int64)
            arrays[f"{name} bytes"] = np.frombuffer(b"".join(column.values), np.uint8)
        else:
            kinds[name] = "rows"
            arrays[f"{name} values"] = column.values
    said = [kinds, dissected.undecodable, dissected.dissector, dissected.handed_over, dissected.not_indexed]
    out = io.BytesIO()
    np.savez(out, said=np.frombuffer(json.dumps(said).encode(), np.uint8), **arrays)  # type: ignore[arg-type]
    return out.getvalue()


def unpack(data: bytes) -> Dissected:
    """What `pack` made bytes of. Raises ValueError, OSError for other bytes."""
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        kinds, undecodable, dissector, handed_over, not_indexed = json.loads(arrays["said"].tobytes())
        fields: dict[str, SetValues | IntValues] = {}
        for name, kind in kinds.items():
            packet = arrays[f"{name} packet"]
            if kind == "int":
                fields[name] = IntValues(packet, arrays[f"{name} value"])
            elif kind == "rows":
                fields[name] = SetValues(packet, arrays[f"{name} code"], arrays[f"{name} values"])
            else:
                ends = np.cumsum(arrays[f"{name} length"]).tolist()
                text = arrays[f"{name} bytes"].tobytes()
                values = [text[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]
                fields[name] = SetValues(packet, arrays[f"{name} code"], values)
    return Dissected(fields, undecodable, dissector, handed_over, not_indexed)
