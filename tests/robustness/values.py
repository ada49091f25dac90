"""What a dissector gives, packet by packet, and where two results differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from capture.packets.columns import Dissected, IntValues
from capture.packets.decode_errors import DECODE_ERRORS
from capture.packets.dissect import dissect
from capture.packets.registry import FIELDS
from tests.robustness.packets import Packet, batch_of

# field -> values of one packet: bytes, or row ids, or an integer
Values = dict[str, frozenset[Any]]


def values_of(packets: Sequence[Packet], dissector: str) -> list[Values]:
    """All fields of packets that are dissected as one batch; the columns are checked for what every column must be."""
    dissected = dissect(batch_of(packets), ["all"], dissector)
    check_columns(dissected, len(packets))
    return by_packet(dissected, len(packets))


def by_packet(dissected: Dissected, packets: int) -> list[Values]:
    """The values of each packet."""
    out: list[dict[str, set[Any]]] = [{} for _ in range(packets)]
    for name, found in dissected.fields.items():
        if isinstance(found, IntValues):
            pairs = zip(found.packet.tolist(), found.value.tolist(), strict=True)
        else:
            values = found.values if isinstance(found.values, list) else found.values.tolist()
            pairs = zip(found.packet.tolist(), [values[code] for code in found.code.tolist()], strict=True)
        for packet, value in pairs:
            out[packet].setdefault(name, set()).add(value)
    return [{name: frozenset(values) for name, values in packet.items()} for packet in out]


def check_columns(dissected: Dissected, packets: int) -> None:
    """The contract of columns: sorted, pairs distinct, values distinct and used, rows within the field's range."""
    errors = dissected.fields.get("error")
    assert dissected.undecodable == (0 if errors is None else len(errors.packet))
    for name, found in dissected.fields.items():
        field = FIELDS[name]
        packet = found.packet.astype(np.int64)
        assert len(packet) and packet[-1] < packets and (np.diff(packet) >= 0).all(), name
        if isinstance(found, IntValues):
            assert (np.diff(packet) > 0).all() and field.encoding == "int", name
            continue
        pairs = packet << 32 | found.code
        assert len(np.unique(pairs)) == len(pairs), f"{name}: a pair occurs twice"
        assert len(np.unique(found.code)) == len(found.values), f"{name}: values that no packet has"
        if isinstance(found.values, list):
            assert field.encoding == "text" and all(found.values), f"{name}: an empty text"
            assert len(set(found.values)) == len(found.values), f"{name}: a value twice"
        else:
            most = {"choice": len(field.choices) - 1, "number": field.maximum or 2**64 - 1}.get(field.encoding, 2**64 - 1)
            assert len(set(found.values.tolist())) == len(found.values) and int(found.values.max()) <= most, name
    assert errors is None or isinstance(errors, IntValues) or int(errors.values.max()) < len(DECODE_ERRORS)  # type: ignore[union-attr]


def differences(packets: Sequence[Packet], one: Sequence[Values], other: Sequence[Values]) -> list[str]:
    """Sentences on packets that the two do not agree on: with what is needed to see it again."""
    out = []
    for position, (packet, left, right) in enumerate(zip(packets, one, other, strict=True)):
        names = [name for name in FIELDS if left.get(name, frozenset()) != right.get(name, frozenset())]
        if names:
            shown = "; ".join(f"{name}: {sorted(left.get(name, ()))} / {sorted(right.get(name, ()))}" for name in names)
            out.append(f"packet {position} (link type {packet.linktype}, wire {packet.wire}) {packet.data.hex()}: {shown}")
    return out
