"""The fields of one scapy layer with their bytes: the layer's header is read once more, field by field, noting positions."""

from __future__ import annotations

from typing import Any

from capture.packets.declarations.transport import TCP_FLAGS
from capture.packets.layer import LayerField
from capture.packets.scapy_dissector.tree_http import with_places
from capture.packets.scapy_dissector.tree_meaning import meaning
from capture.packets.scapy_dissector.tree_options import tcp_options
from capture.packets.values import text_of

LONGEST_TEXT = 1024
MOST_PARTS = 200  # of a field that is a list of packets


def layer_fields(layer: Any, data: bytes, at: int, size: int) -> list[LayerField]:
    """Fields in the order of the wire. Where scapy cannot tell a field's bytes, its length is 0 at the layer's offset."""
    positions = _positions(layer, data[at : at + size])
    out: list[LayerField] = []
    for described in layer.fields_desc:
        name = described.name
        if name not in layer.fields:
            continue
        value = layer.fields[name]
        if value is None or value in (b"", []):
            continue  # a conditional field that is not there, an empty list of options
        first, last = positions.get(name, (0, 0))
        offset, length = at + first // 8, (last + 7) // 8 - first // 8
        out.append(LayerField(name, _text(value), _meaning(layer, described, value), offset, length))
        out += _parts(name, value, data, offset, length)
        if name == "options" and type(layer).__name__ == "TCP":
            options = tcp_options(data, offset, offset + length)
            out[-1] = LayerField(name, f"{length} bytes", "", offset, length)
            out += options
    if str(layer.name).startswith("HTTP "):
        return with_places(str(layer.name), out, data, at, size)
    return out


def _positions(layer: Any, header: bytes) -> dict[str, tuple[int, int]]:
    """Bits [first, last) of each field in `header`. Empty from the field on where reading again fails."""
    out: dict[str, tuple[int, int]] = {}
    rest: Any = header
    total = len(header) * 8
    for described in layer.fields_desc:
        before = _bit(rest, total)
        try:
            rest, value = described.getfield(layer, rest)
        except Exception:  # scapy's fields raise what they like
            break
        after = _bit(rest, total)
        if value is not None and 0 <= before <= after <= total:
            out[described.name] = (before, after)
        if not rest:
            break
    return out


def _bit(rest: Any, total: int) -> int:
    # between bit fields scapy passes (bytes, bits already taken of the first byte)
    if isinstance(rest, tuple):
        return int(total - len(rest[0]) * 8 + rest[1])
    return total - len(rest) * 8


def _parts(name: str, value: Any, data: bytes, offset: int, length: int) -> list[LayerField]:
    """The fields of packets within a field (DNS records, TLS messages): named `an[0].rrname`, with the bytes they came from."""
    many = isinstance(value, list)
    out: list[LayerField] = []
    for number, part in enumerate(value[:MOST_PARTS] if many else [value]):
        if not hasattr(part, "fields_desc"):
            break
        prefix = f"{name}[{number}]" if many else name
        original = bytes(part.original or b"")
        found = data.find(original, offset, offset + length) if original else -1
        where, size = (found, len(original)) if found >= 0 else (offset, length)
        for described in part.fields_desc:
            inner = part.fields.get(described.name)
            if inner is not None:
                out.append(LayerField(f"{prefix}.{described.name}", _text(inner), _meaning(part, described, inner), where, size))
    return out


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        text = text_of(value[:LONGEST_TEXT])
    elif isinstance(value, bool) or not isinstance(value, int):
        if hasattr(value, "flagsfield") or type(value).__name__ == "FlagValue":
            text = str(int(value))
        elif hasattr(value, "fields_desc"):
            text = str(value.summary())  # type: ignore[union-attr]
        elif isinstance(value, list) and value and hasattr(value[0], "fields_desc"):
            text = f"{len(value)} entries"
        else:
            text = str(value)
    else:
        text = str(value)
    return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + "…"


def _meaning(layer: Any, described: Any, value: Any) -> str:
    """What an enumeration's number or a flag word stands for."""
    if isinstance(value, (bytes, list)) or hasattr(value, "fields_desc"):
        return ""
    if type(value).__name__ == "FlagValue":
        if type(layer).__name__ == "TCP":
            return ", ".join(flag for bit, flag in enumerate(TCP_FLAGS) if int(value) >> bit & 1)
        return str(value)
    if not isinstance(value, int):
        return ""
    try:
        shown = str(described.i2repr(layer, value)).strip("'\"")
    except Exception:
        shown = ""
    ours = meaning(str(layer.name), described.name, value)
    if shown in ("", str(value)) or (shown.startswith("0x") and (ours or value < 10)):
        return ours
    return shown[:LONGEST_TEXT]  # hex, where scapy says that a field is read so: a checksum is
