"""A comparison of one operand (field, its bytes, function of it, masked) as a predicate on the values of the field."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from indexing import predicates as p
from indexing.calls import QueryError
from proxy.display import literals
from proxy.display.errors import wrong
from proxy.display.fields import FUNCTIONS_REFUSED, Meaning
from proxy.display.holds import COMPARISONS
from proxy.display.tree import Literal, Operand, Slice

# Masked numbers are named one by one: so many at most.
MOST_MASKED = 4096
_NO_VALUE: p.Predicate = p.Or(())


class Text:
    """Predicates put together as simply as they can be said."""

    @staticmethod
    def either(parts: Sequence[p.Predicate]) -> p.Predicate:
        """One of them: single values become one set."""
        some: list[p.Predicate] = []
        for part in parts:
            some += part.parts if isinstance(part, p.Or) else [part]
        single = [value for part in some if (value := _single(part)) is not None]
        others = [part for part in some if _single(part) is None]
        if len(single) > 1:
            others.insert(0, p.OneOf(frozenset(single)))
        elif single:
            others.insert(0, next(part for part in some if _single(part) is not None))
        return others[0] if len(others) == 1 else p.Or(tuple(others))

    @staticmethod
    def both(low: p.Predicate, high: p.Predicate) -> p.Predicate:
        """From low to high."""
        if isinstance(low, p.Compare) and isinstance(high, p.Compare) and low.order == high.order:
            return p.Between(low.value, high.value, low.order)
        return p.And((low, high))


def _single(part: p.Predicate) -> bytes | None:
    # Addresses are written in one way only, numbers too: equality is that of the text
    return part.value if isinstance(part, p.Compare) and part.op == "==" else None


def predicate_of(meaning: Meaning, operand: Operand, op: str | None, literal: Literal | None) -> p.Predicate:
    """`operand OP literal`; op None: that the operand is there at all, or (masked) is not 0. op is never "!=".

    Raises QueryError."""
    if operand.mask is not None:
        return _masked(meaning, operand, op, literal)
    if operand.functions:
        return _function(meaning, operand, op, literal)
    if operand.slices:
        return _sliced(meaning, operand, op, literal)
    assert op is not None
    assert literal is not None
    return _COMPARED[meaning.kind](meaning, operand, op, literal)


def _no(operand: Operand, op: str, meaning: Meaning, what: str) -> QueryError:
    return wrong(f'{meaning.name} is {what}, and "{op}" looks at text', operand.position)


def _number(meaning: Meaning, operand: Operand, op: str, literal: Literal) -> p.Predicate:
    if op in ("contains", "matches"):
        raise _no(operand, op, meaning, "a number")
    value = literals.number(literal, meaning.bits, meaning.labels, meaning.name)
    return p.Compare(_op(op), b"%d" % value, "number")


def _duration(meaning: Meaning, operand: Operand, op: str, literal: Literal) -> p.Predicate:
    if op in ("contains", "matches"):
        raise _no(operand, op, meaning, "a length of time")
    value = literals.duration(literal, meaning.unit, meaning.name)
    if value.denominator == 1:
        return p.Compare(_op(op), b"%d" % value, "number")
    if op == "==":
        return _NO_VALUE  # the index has whole microseconds
    if op in (">", ">="):
        return p.Compare(">=", b"%d" % math.ceil(value), "number")
    return p.Compare("<=", b"%d" % math.floor(value), "number")


def _boolean(meaning: Meaning, operand: Operand, op: str, literal: Literal) -> p.Predicate:
    if op in ("contains", "matches"):
        raise _no(operand, op, meaning, "true or false")
    return p.Compare(_op(op), b"%d" % literals.boolean(literal, meaning.name), "number")


def _address(meaning: Meaning, operand: Operand, op: str, literal: Literal) -> p.Predicate:
    if op in ("contains", "matches"):
        raise _no(operand, op, meaning, "an address")
    version = {"ipv4": 4, "ipv6": 6}.get(meaning.kind)
    network = literals.network(literal, meaning.name, version)
    if op == "==" and network.num_addresses > 1:
        return p.InNetwork(str(network))
    # As Wireshark does: compared are the bits of the network
    end = network.broadcast_address if op in (">", "<=") else network.network_address
    return p.Compare(_op(op), str(end).encode(), "address")


def _address_or_name(meaning: Meaning, operand: Operand, op: str, literal: Literal) -> p.Predicate:
    try:
        return _address(meaning, operand, op, literal)
    except QueryError:
        if not meaning.name.startswith("dns"):
            raise
        return _text(meaning, operand, op, literal)


def _ether(meaning: Meaning, operand: Operand, op: str, literal: Literal) -> p.Predicate:
    if op == "contains":
        return p.Octets("hex", p.Contains(literals.octets(literal)))
    if op == "matches":
        raise _no(operand, op, meaning, "a MAC address")
    return p.Compare(_op(op), literals.ether(literal, meaning.name))


def _text(meaning: Meaning, operand: Operand, op: str, literal: Literal) -> p.Predicate:
    if op == "matches":
        return p.Matches(literals.pattern(literal), ignore_case=True)
    value = literals.text(literal)
    if op == "contains":
        return p.Contains(value) if value else _NO_VALUE
    return p.Compare(_op(op), value)


_COMPARED: dict[str, Callable[[Meaning, Operand, str, Literal], p.Predicate]] = {
    "uint": _number,
    "bool": _boolean,
    "duration": _duration,
    "ipv4": _address,
    "ipv6": _address,
    "address": _address_or_name,
    "ether": _ether,
    "text": _text,
}


def _op(op: str) -> p.Op:
    assert op in COMPARISONS
    return op  # type: ignore[return-value]


def _masked(meaning: Meaning, operand: Operand, op: str | None, literal: Literal | None) -> p.Predicate:
    """`field & mask`, alone: not 0; compared: the number of the bits that are left."""
    mask = operand.mask
    assert mask is not None
    if operand.functions or (meaning.kind not in ("uint",) and not operand.slices):
        raise wrong(f'"&" takes the bits of a number, and {meaning.name} is none', operand.position)
    if op in ("contains", "matches"):
        raise wrong(f'"{op}" looks at text, and this is a number', operand.position)
    if operand.slices:
        return _masked_byte(meaning, operand, mask, op, literal)
    bits = literals.number(mask, meaning.bits, (), meaning.name)
    other = 0 if literal is None else literals.number(literal, meaning.bits, (), meaning.name)
    test = COMPARISONS[op or "!="]
    if not 0 < meaning.largest < 1 << 16:
        raise wrong(f"{meaning.name} has too many values to look at the bits of each", operand.position)
    numbers = [number for number in range(meaning.largest + 1) if test(number & bits, other)]
    spans = _spans(numbers)
    if len(spans) > MOST_MASKED:
        raise wrong(
            f"{len(spans):,} ranges of {meaning.name} have these bits; {MOST_MASKED:,} can be asked for",
            operand.position,
        )
    parts = [
        p.Compare("==", b"%d" % low, "number") if low == high else p.Between(b"%d" % low, b"%d" % high, "number")
        for low, high in spans
    ]
    return Text.either(parts)


def _spans(numbers: Sequence[int]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found


def _masked_byte(meaning: Meaning, operand: Operand, mask: Literal, op: str | None, literal: Literal | None) -> p.Predicate:
    if len(operand.slices) != 1 or operand.slices[0].length != 1:
        raise wrong('"&" takes the bits of one byte, as in eth.dst[0] & 1', operand.position)
    bits, other = literals.octets(mask), b"\0" if literal is None else literals.octets(literal)
    if len(bits) != 1 or len(other) != 1:
        raise wrong('"&" and one byte take one byte', mask.position)
    test = COMPARISONS[op or "!="]
    at = operand.slices[0].start
    stop = at + 1 or None
    spans = _spans([byte for byte in range(256) if test(byte & bits[0], other[0])])
    parts = [
        p.And((p.SliceCompare(at, stop, ">=", bytes([low])), p.SliceCompare(at, stop, "<=", bytes([high]))))
        for low, high in spans
    ]
    return _of_octets(meaning, operand, parts[0] if len(parts) == 1 else p.Or(tuple(parts)))


def _of_octets(meaning: Meaning, operand: Operand, inner: p.Predicate) -> p.Predicate:
    """A predicate on the bytes that Wireshark has for a value."""
    if meaning.kind == "text":
        return inner
    if meaning.kind == "ether":
        return p.Octets("hex", inner)
    if meaning.kind in ("ipv4", "ipv6", "address"):
        found = p.Octets("ip", inner)
        if meaning.kind == "address":
            return found
        return found
    raise wrong(f"{meaning.name} is a number, and has no bytes to take", operand.position)


def _sliced(meaning: Meaning, operand: Operand, op: str | None, literal: Literal | None) -> p.Predicate:
    if meaning.kind not in ("text", "ether", "ipv4", "ipv6", "address"):
        raise wrong(f"{meaning.name} has no bytes to take: it is a number or a time", operand.position)
    if op is None:
        return _of_octets(meaning, operand, p.And(tuple(_there(one) for one in operand.slices)))
    assert literal is not None
    if op == "matches":
        raise wrong('"matches" looks at a whole value: write ^ and $ in the expression', operand.position)
    wanted = literals.octets(literal)
    if len(operand.slices) == 1:
        one = operand.slices[0]
        if op == "contains":
            return _of_octets(
                meaning, operand, _bounded(one, p.SliceContains(one.start, _stop(one), wanted) if wanted else _NO_VALUE)
            )
        return _of_octets(meaning, operand, _slice_compared(one, op, wanted))
    if op != "==" or any(one.length is None for one in operand.slices):
        raise wrong("several ranges of bytes can be compared with == and != only", operand.position)
    if sum(one.length or 0 for one in operand.slices) != len(wanted):
        return _NO_VALUE
    parts: list[p.Predicate] = []
    at = 0
    for one in operand.slices:
        assert one.length is not None
        parts.append(_bounded(one, p.SliceCompare(one.start, _stop(one), "==", wanted[at : at + one.length])))
        at += one.length
    return _of_octets(meaning, operand, p.And(tuple(parts)))


def _slice_compared(one: Slice, op: str, wanted: bytes) -> p.Predicate:
    """As Wireshark compares bytes: the longer row is the greater, and bytes that are not all there are an empty row."""
    equal, less = _slice_equal(one, wanted), _slice_less(one, wanted)
    if op == "==":
        return equal
    if op == "<":
        return less
    if op == "<=":
        return p.Or((less, equal))
    return p.Not(less) if op == ">=" else p.Not(p.Or((less, equal)))


def _slice_equal(one: Slice, wanted: bytes) -> p.Predicate:
    if not wanted:
        return p.Not(_there(one))
    if _size(one) not in (None, len(wanted)):
        return _NO_VALUE
    return _bounded(one, p.SliceCompare(one.start, _stop(one), "==", wanted))


def _slice_less(one: Slice, wanted: bytes) -> p.Predicate:
    if not wanted:
        return _NO_VALUE
    size = _size(one)
    if size is None:
        whole = one.start + len(wanted)
        same = p.And((p.Length("==", whole), p.SliceCompare(one.start, None, "<", wanted)))
        return p.Or((p.Length("<", whole), same))
    if size < len(wanted):
        return p.Everything()
    missing = p.Not(_there(one))
    if size > len(wanted):
        return missing
    return p.Or((missing, _bounded(one, p.SliceCompare(one.start, _stop(one), "<", wanted))))


def _size(one: Slice) -> int | None:
    """How many bytes it has where they are there; None: all that follow."""
    return -one.start if one.length is None and one.start < 0 else one.length


def _stop(one: Slice) -> int | None:
    if one.length is None:
        return None
    stop = one.start + one.length
    return None if one.start < 0 and stop >= 0 else stop


def _bounded(one: Slice, inner: p.Predicate) -> p.Predicate:
    """A slice from the end that is to reach beyond it is nothing."""
    return _NO_VALUE if one.start < 0 and one.length is not None and one.start + one.length > 0 else inner


def _there(one: Slice) -> p.Predicate:
    least = (one.start + (one.length or 1)) if one.start >= 0 else -one.start
    return _bounded(one, p.Length(">=", least))


def _function(meaning: Meaning, operand: Operand, op: str | None, literal: Literal | None) -> p.Predicate:
    (name, at), *rest = operand.functions
    if name not in ("lower", "upper", "len"):
        raise wrong(f"{name}() {FUNCTIONS_REFUSED.get(name, 'is no function: there are lower, upper and len')}", at)
    if rest:
        raise wrong(f"{name}() takes a field", rest[0][1])
    if op is None:
        raise wrong(f"{name}() has to be compared with something", at)
    assert literal is not None
    plain = replace(operand, functions=())
    if name == "len":
        if operand.slices:
            raise wrong("len() is a number, and has no bytes to take", at)
        if op in ("contains", "matches"):
            raise _no(operand, op, meaning, "a number")
        count = literals.number(literal, 32, (), "len()")
        return _of_octets(meaning, operand, p.Length(_op(op), count))
    if meaning.kind != "text":
        raise wrong(f"{name}() takes text, and {meaning.name} is none", at)
    inner = _sliced(meaning, plain, op, literal) if operand.slices else _text(meaning, plain, op, literal)
    return p.Lower(inner) if name == "lower" else p.Upper(inner)
