"""A set field's bits of one batch as the bytes of its fragments."""

from __future__ import annotations

import numpy as np

from indexing.backends.base import SHARD_WIDTH, BatchBits, CodedBits, SetBits
from indexing.roaring import SHARD_EXPONENT, encode_bits, encode_ranges
from indexing.roaring_codes import encode_codes


def set_blob(some: SetBits | CodedBits, batch: BatchBits, shard: int, first: int, last: int) -> bytes | None:
    """Roaring bytes of the bits that lie in a shard; None if there are none.

    first, last: the batch's columns within the shard. Raises ValueError for bits that are not what CodedBits says."""
    if isinstance(some, SetBits):
        inside = (some.column >> np.uint64(SHARD_EXPONENT)) == np.uint64(shard)
        return encode_bits(some.row[inside], some.column[inside]) if inside.any() else None
    shift = batch.first_column - shard * SHARD_WIDTH
    packet, code = some.packet, some.code
    if packet.size and (int(packet[0]) + shift < first or int(packet[-1]) + shift > last):
        low, high = np.searchsorted(packet, [first - shift, last - shift + 1])
        packet, code = packet[low:high], code[low:high]
    if packet.size == 0:
        return None
    if some.rows.size == 1 and packet.size == last - first + 1:
        return encode_ranges(some.rows, [(first, last)])  # every packet has it: said in a few bytes, whatever their number
    return encode_codes(packet, code, some.rows, shift).tobytes()
