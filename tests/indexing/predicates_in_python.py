"""What a predicate means, said in plain Python, one value at a time: what Postgres' answers are held against. Only for tests."""

from __future__ import annotations

import fnmatch
import ipaddress
import operator
import re
from fractions import Fraction

from indexing import predicates as p

OPS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def holds(predicate: p.Predicate, value: bytes) -> bool:
    match predicate:
        case p.Everything():
            return True
        case p.Not(inner):
            return not holds(inner, value)
        case p.And(parts):
            return all(holds(part, value) for part in parts)
        case p.Or(parts):
            return any(holds(part, value) for part in parts)
        case p.OneOf(values):
            return value in values
        case p.InNetwork(cidr):
            network = ipaddress.ip_network(cidr, strict=False)
            address = address_of(value)
            return address is not None and address.version == network.version and address in network
        case p.Matches(pattern, ignore_case):
            flags = re.IGNORECASE if ignore_case else 0
            # a character of several bytes is one atom
            atoms = re.sub(r"[^\x00-\x7f]", lambda found: f"(?:{found[0]})", pattern)
            return re.search(atoms.encode(), value, flags) is not None
        case p.Contains(part, ignore_case):
            return folded(part, ignore_case) in folded(value, ignore_case)
        case p.StartsWith(part, ignore_case):
            return folded(value, ignore_case).startswith(folded(part, ignore_case))
        case p.EndsWith(part, ignore_case):
            return folded(value, ignore_case).endswith(folded(part, ignore_case))
        case p.Glob(pattern, ignore_case):
            return glob(folded(pattern, ignore_case), folded(value, ignore_case))
        case p.Compare(op, other, order):
            a, b = ordered(value, order), ordered(other, order)
            return a is not None and (order != "address" or a[0] == b[0]) and OPS[op](a, b)
        case p.Between(low, high, order):
            return holds(p.Compare(">=", low, order), value) and holds(p.Compare("<=", high, order), value)
        case p.SliceCompare(start, stop, op, other):
            piece = slice_of(value, start, stop)
            return piece is not None and OPS[op](piece, other)
        case p.SliceContains(start, stop, part):
            piece = slice_of(value, start, stop)
            return piece is not None and part in piece
        case p.Length(op, count):
            return OPS[op](len(value), count)
        case p.Lower(inner):
            return holds(inner, value.lower())
        case p.Upper(inner):
            return holds(inner, value.upper())
        case p.Octets("ip", inner):
            address = address_of(value)
            return address is not None and holds(inner, address.packed)
        case p.Octets("hex", inner):
            if not re.fullmatch(rb"[0-9A-Fa-f]{2}((:[0-9A-Fa-f]{2})*|([0-9A-Fa-f]{2})*)", value):
                return False
            return holds(inner, bytes.fromhex(value.replace(b":", b"").decode()))
    raise AssertionError(predicate)


def folded(value: bytes, ignore_case: bool) -> bytes:
    return value.lower() if ignore_case else value


def address_of(value: bytes):
    try:
        return None if b"%" in value else ipaddress.ip_address(value.decode("ascii"))
    except (ValueError, UnicodeDecodeError):
        return None


def ordered(value: bytes, order: p.Order):
    if order == "bytes":
        return value
    if order == "number":
        return Fraction(value.decode()) if re.fullmatch(rb"-?[0-9]+(\.[0-9]+)?", value) else None
    address = address_of(value)
    return None if address is None else (address.version, address.packed)


def slice_of(value: bytes, start: int, stop: int | None) -> bytes | None:
    first = start if start >= 0 else len(value) + start
    end = len(value) if stop is None else stop if stop >= 0 else len(value) + stop
    return value[first:end] if 0 <= first < end <= len(value) else None


def glob(pattern: bytes, value: bytes) -> bool:
    """By fnmatch, whose own brackets are taken away."""
    out, at = "", 0
    text = pattern.decode("latin-1")
    while at < len(text):
        char = text[at]
        if char == "\\" and at + 1 < len(text):
            at += 1
            char = f"[{text[at]}]" if text[at] in "*?[" else text[at]
        elif char == "[":
            char = "[[]"
        out += char
        at += 1
    return fnmatch.fnmatchcase(value.decode("latin-1"), out)
