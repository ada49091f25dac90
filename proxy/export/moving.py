"""Records out of a locator, and bytes out of a piece of a capture, by compiled loops."""

from __future__ import annotations

from typing import Any

import numba
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from capture.packets.batch import LOCATOR_DTYPE
from capture.packets.compiling import compiled

_bytes = types.uint8[::1]
_numbers = types.int64[::1]
_locator = numba.from_dtype(LOCATOR_DTYPE)[::1]


@compiled(types.boolean(_locator, _numbers, *[_numbers] * 8))
def put_records(
    locator: Any,
    at: Any,
    number: Any,
    time: Any,
    captured: Any,
    wire: Any,
    offset: Any,
    direction: Any,
    interface: Any,
    linktype: Any,
) -> Any:
    """Records `at` of a locator, column by column. False if one is not in the locator."""
    for i in range(len(at)):
        if at[i] < 0 or at[i] >= len(locator):
            return False
        record = locator[at[i]]
        number[i], time[i] = record.number, record.time_ns
        captured[i], wire[i] = record.captured_length, record.wire_length
        offset[i], direction[i] = record.offset, record.direction
        interface[i], linktype[i] = record.interface, record.linktype
    return True


@intrinsic  # type: ignore[untyped-decorator]
def _copy(typing: Any, out: Any, to: Any, source: Any, at: Any, size: Any) -> Any:
    """out[to : to + size] = source[at : at + size] as one memcpy: a slice of numba's own takes longer than a packet's bytes."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        into = context.make_array(signature.args[0])(context, builder, args[0])
        begin = context.make_array(signature.args[2])(context, builder, args[2])
        cgutils.raw_memcpy(builder, builder.gep(into.data, [args[1]]), builder.gep(begin.data, [args[3]]), args[4], 1)
        return context.get_dummy_value()

    return types.void(out, to, source, at, size), code


@compiled(types.int64(_bytes, _numbers, _numbers, _numbers, _numbers, _bytes))
def move(piece: Any, order: Any, place: Any, length: Any, at: Any, out: Any) -> Any:
    """Copies piece[place[k] : place[k] + length[k]] to out[at[k] : ...] for each k of `order`; -1, or the k that does not fit."""
    for i in range(len(order)):
        k = order[i]
        begin, to, size = place[k], at[k], length[k]
        if begin < 0 or to < 0 or size < 0 or begin + size > len(piece) or to + size > len(out):
            return k
        _copy(out, to, piece, begin, size)
    return -1
