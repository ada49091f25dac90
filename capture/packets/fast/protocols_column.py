"""Field `protocols`: from the bits of layers, and what stands behind the last header, to Wireshark's short names."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from capture.packets.columns import SetValues
from capture.packets.fast.headers import bits, scratch
from capture.packets.fast.interning import triples
from capture.packets.fast.merging import bits_as_rows
from capture.packets.labels import leaves

_LEAVES = {
    **{scratch.LEAF_ETHERTYPE << 16 | number: (name,) for number, name in leaves.ETHERTYPE_LEAVES.items()},
    **{scratch.LEAF_IP << 16 | number: (name,) for number, name in leaves.IP_PROTOCOL_LEAVES.items()},
    **{scratch.LEAF_LLC << 16 | number: (name,) for number, name in leaves.LLC_LEAVES.items()},
    **{scratch.LEAF_OSI << 16 | number: (name, leaves.LLC_LEAVES[0xFE]) for number, name in leaves.OSI_LEAVES.items()},
    **{scratch.LEAF_CISCO << 16 | number: (name,) for number, name in leaves.CISCO_LEAVES.items()},
    **{scratch.LEAF_PPP << 16 | number: (name,) for number, name in leaves.PPP_LEAVES.items()},
}


def leaf_names(leaf: int) -> tuple[str, ...]:
    """Short names of what stands behind the last header that is read."""
    if leaf >> 16 == scratch.LEAF_OSI and leaf not in _LEAVES:
        return (leaves.LLC_LEAVES[0xFE],)
    return _LEAVES.get(leaf, ())


def protocols(words: NDArray[np.uint64], leaf: NDArray[np.uint32]) -> SetValues:
    """The column. words: uint64 (2 or more, n), layers in the first two (see `walk`). leaf: cell LEAF, uint32 (n,)."""
    code, first = triples(words[0], words[1], leaf)
    sets = []
    for low, high, behind in zip(words[0][first].tolist(), words[1][first].tolist(), leaf[first].tolist(), strict=True):
        members = bits.members(low) + [64 + bit for bit in bits.members(high)]
        members += [bits.BIT[name] for name in leaf_names(behind)]
        sets.append(sorted(set(members)))
    column = bits_as_rows(np.arange(words.shape[1], dtype=np.uint32), code, sets)
    assert not isinstance(column.values, list)
    return SetValues(column.packet, column.code, [bits.NAMES[row].encode() for row in column.values.tolist()])
