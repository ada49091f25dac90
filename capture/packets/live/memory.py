"""Words and bytes at addresses, for compiled callbacks: what C hands over is addresses and no arrays."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_BYTE, _WORD, _LONG = ir.IntType(8), ir.IntType(32), ir.IntType(64)


@intrinsic  # type: ignore[untyped-decorator]  # numba has no types
def load64(typing_context: Any, address: Any) -> Any:
    """The int64 at `address`, which is a multiple of 8."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(builder.inttoptr(arguments[0], _LONG.as_pointer()), align=8)

    return types.int64(types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def load32(typing_context: Any, address: Any) -> Any:
    """The uint32 at `address`, which is a multiple of 4, as int64."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.zext(builder.load(builder.inttoptr(arguments[0], _WORD.as_pointer()), align=4), _LONG)

    return types.int64(types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def store64(typing_context: Any, address: Any, value: Any) -> Any:
    """Writes an int64 to `address`, which is a multiple of 8."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store(arguments[1], builder.inttoptr(arguments[0], _LONG.as_pointer()), align=8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def store32(typing_context: Any, address: Any, value: Any) -> Any:
    """Writes the low 32 bits of an int64 to `address`, which is a multiple of 4."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word = builder.trunc(arguments[1], _WORD)
        builder.store(word, builder.inttoptr(arguments[0], _WORD.as_pointer()), align=4)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def copy_bytes(typing_context: Any, target: Any, source: Any, count: Any) -> Any:
    """memcpy: `count` bytes from address `source` to address `target`; they must not overlap."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointers = [builder.inttoptr(one, _BYTE.as_pointer()) for one in arguments[:2]]
        cgutils.raw_memcpy(builder, pointers[0], pointers[1], arguments[2], 1)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def add_atomically(typing_context: Any, address: Any, value: Any) -> Any:
    """Adds to the int64 at `address`, which other threads add to; the value before."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.atomic_rmw("add", builder.inttoptr(arguments[0], _LONG.as_pointer()), arguments[1], "monotonic")

    return types.int64(types.int64, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def call_with_pointer(typing_context: Any, function: Any, argument: Any) -> Any:
    """void f(void *) at address `function`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(ir.VoidType(), [_BYTE.as_pointer()])
        called = builder.inttoptr(arguments[0], kind.as_pointer())
        builder.call(called, [builder.inttoptr(arguments[1], _BYTE.as_pointer())])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate
