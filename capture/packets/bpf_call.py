"""`bpf_filter` of libpcap, called from compiled loops by its address.

The address is an argument of the loop and no constant in it: where a library lies in memory differs in each process, and
compiled code is cached for all of them.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic


@intrinsic  # type: ignore[untyped-decorator]  # numba has no types
def call_bpf(typing_context: Any, function: Any, program: Any, packet: Any, wire_length: Any, captured_length: Any) -> Any:
    """u_int bpf_filter(const struct bpf_insn *, const u_char *, u_int wirelen, u_int buflen), at address `function`.

    function, program, packet: addresses (int64, of `Program.instructions` and of the packet's first byte); lengths: int64,
    in bytes. 0: the packet does not pass. Reads within the captured length only.
    """
    word, pointer = ir.IntType(32), ir.IntType(8).as_pointer()

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(word, [pointer, pointer, word, word])
        called = builder.inttoptr(arguments[0], kind.as_pointer())
        addresses = [builder.inttoptr(one, pointer) for one in arguments[1:3]]
        lengths = [builder.trunc(one, word) for one in arguments[3:]]
        return builder.zext(builder.call(called, addresses + lengths), ir.IntType(64))

    return types.int64(types.int64, types.int64, types.int64, types.int64, types.int64), generate
