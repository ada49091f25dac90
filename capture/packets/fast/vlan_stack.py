"""Field `vlan-stack`: from the tags of a packet, one event each, to one text."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from capture.packets.columns import SetValues

_IDS = 4096


def vlan_stacks(packet: NDArray[np.uint32], tag: NDArray[np.uint64]) -> SetValues:
    """The column. packet: ascending, once for each of its tags; tag: VLAN ids below 4096, the outermost first.

    Stacks grow by a tag at a time, all packets at once: there are as many rounds as the deepest has tags."""
    begin = np.flatnonzero(np.append(True, packet[1:] != packet[:-1]))
    depth = np.diff(np.append(begin, packet.size))
    values, code = np.unique(tag[begin], return_inverse=True)
    texts = [b"%d" % value for value in values.tolist()]
    level = 1
    while (deeper := np.flatnonzero(depth > level)).size:
        pairs = code[deeper].astype(np.uint64) * np.uint64(_IDS) + tag[begin[deeper] + level]
        values, again = np.unique(pairs, return_inverse=True)
        code[deeper] = again + len(texts)
        texts += [b"%s,%d" % (texts[value // _IDS], value % _IDS) for value in values.tolist()]
        level += 1
    # what was only the beginning of a stack is no value
    used, code = np.unique(code, return_inverse=True)
    return SetValues(packet[begin].astype(np.uint32), code.astype(np.uint32), [texts[one] for one in used.tolist()])
