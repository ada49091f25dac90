"""A hint to the CPU: these bytes will be read soon.

Packets lie hundreds of bytes apart, so that the first read of each would wait for memory. Asked for some packets ahead, it does
not.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_READ, _KEEP, _DATA = 0, 3, 1  # LLVM's llvm.prefetch: not for writing, into all levels of the cache, data and not code


@intrinsic  # type: ignore[untyped-decorator]
def prefetch(typing: Any, data: Any, at: Any) -> Any:
    """Hints that data[at] (uint8 array, int64) will be read. Never faults; `at` may lie behind the array."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        pointer = builder.gep(array.data, [arguments[1]])
        number = ir.IntType(32)
        hint = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(ir.VoidType(), [pointer.type, number, number, number]), "llvm.prefetch.p0"
        )
        builder.call(hint, [pointer, *(ir.Constant(number, value) for value in (_READ, _KEEP, _DATA))])
        return context.get_dummy_value()

    return types.void(data, at), generate
