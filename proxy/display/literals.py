"""Literals of a filter -> values as the index writes them, checked against what the field can hold.

Every function raises QueryError with the literal's offset.
"""

from __future__ import annotations

import ipaddress
import re
from fractions import Fraction
from typing import NoReturn

from indexing.predicates import PredicateError
from indexing.predicates_regex import to_postgres
from proxy.display.errors import wrong
from proxy.display.tree import Literal

_NUMBER = re.compile(r"([+-]?)(?:0[xX]([0-9A-Fa-f]+)|0[bB]([01]+)|(0[0-7]*)|([1-9][0-9]*))", re.ASCII)
_DECIMAL = re.compile(r"-?[0-9]{1,12}(?:\.[0-9]{1,9})?", re.ASCII)
_OCTETS = re.compile(r"[0-9A-Fa-f]{1,2}(?:([:.-])[0-9A-Fa-f]{1,2}(?:\1[0-9A-Fa-f]{1,2})*)?", re.ASCII)
_RUN = re.compile(r"(?:[0-9A-Fa-f]{2})+", re.ASCII)
_QUADS = re.compile(r"[0-9A-Fa-f]{4}(?:\.[0-9A-Fa-f]{4})+", re.ASCII)
_TRUE, _FALSE = frozenset({"true", "True", "TRUE"}), frozenset({"false", "False", "FALSE"})
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def refuse(literal: Literal, reason: str) -> NoReturn:
    raise wrong(f"{reason}", literal.position)


def number(literal: Literal, bits: int, labels: tuple[tuple[int, str], ...], field: str) -> int:
    """Decimal, 0x..., 0b..., octal with a leading 0, 'c', or a name that the field has for a number (case ignored)."""
    if literal.kind == "char":
        return ord(literal.text)
    m = _NUMBER.fullmatch(literal.text) if literal.kind == "word" else None
    if m is None:
        folded = _decoded(literal).casefold()
        for value, label in labels:
            if label.casefold() == folded:
                return value
        if literal.kind == "string" and _NUMBER.fullmatch(literal.text):
            refuse(literal, f"{field} is a number: write it without quotes")
        more = f" nor one of the names that {field} has for numbers" if labels else ""
        refuse(literal, f"{literal.shown} is no number{more}")
    sign, hexadecimal, binary, octal, decimal = m.groups()
    digits = hexadecimal or binary or octal or decimal
    largest = (1 << bits) - 1
    if len(digits) > 80:
        refuse(literal, f"{literal.text[:20]}... is too large for {field}, whose greatest is {largest}")
    found = int(digits, 16 if hexadecimal else 2 if binary else 8 if octal else 10)
    if sign == "-" and found:
        refuse(literal, f"{literal.text} is too small for {field}, whose least is 0")
    if found > largest:
        refuse(literal, f"{literal.text} is too large for {field}, whose greatest is {largest}")
    return found


def boolean(literal: Literal, field: str) -> int:
    """0 or 1: a number, or True, TRUE, true and their opposites."""
    if literal.kind != "string" and literal.text in _TRUE | _FALSE:
        return int(literal.text in _TRUE)
    if literal.kind == "string" and literal.text in ("Set", "Not set"):
        return int(literal.text == "Set")
    if literal.kind == "string" or not _NUMBER.fullmatch(literal.text):
        refuse(literal, f"{literal.shown} is neither true nor false: {field} is 1 or 0")
    return int(number(literal, 64, (), field) != 0)


def duration(literal: Literal, unit: int, field: str) -> Fraction:
    """A decimal fraction of units of `unit` microseconds, in microseconds."""
    found = _DECIMAL.fullmatch(literal.text) if literal.kind == "word" else None
    if found is None:
        units = "seconds" if unit == 1_000_000 else "milliseconds"
        refuse(literal, f"{literal.shown} is no number of {units}: write {field} > 0.25")
    return Fraction(literal.text) * unit


def text(literal: Literal) -> bytes:
    """Text as bytes; a bare word is taken as it stands."""
    if literal.kind == "word":
        return literal.text.encode("utf-8", "surrogatepass")
    return literal.text.encode("latin-1")


def network(literal: Literal, field: str, version: int | None) -> Network:
    """An IP address, perhaps with a prefix length (host bits are ignored). version None: of either family."""
    family = {4: "IPv4 ", 6: "IPv6 "}.get(version or 0, "IP ")
    if literal.kind != "word":
        refuse(literal, f"{field} is an {family}address: write it without quotes")
    address, slash, length = literal.text.partition("/")
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        refuse(literal, f"{literal.text} is no {family}address")
    if (version is not None and found.version != version) or getattr(found, "scope_id", None):
        refuse(literal, f"{literal.text} is no {family}address")
    if slash and not (length.isdecimal() and length.isascii() and len(length) <= 3 and int(length) <= found.max_prefixlen):
        refuse(literal, f"{literal.text}: the bits of a network are 0 to {found.max_prefixlen}")
    return ipaddress.ip_network(f"{found}/{length if slash else found.max_prefixlen}", strict=False)


def octets(literal: Literal) -> bytes:
    """Bytes: hex pairs with ":", "-" or "." between or nothing, four digits with "." between, 0xNN, or the bytes of a string."""
    if literal.kind != "word":
        return literal.text.encode("latin-1")
    written = literal.text
    if re.fullmatch(r"0[xX][0-9A-Fa-f]{1,2}", written, re.ASCII):
        return bytes([int(written, 16)])
    if _OCTETS.fullmatch(written):
        return bytes(int(pair, 16) for pair in re.split("[:.-]", written))
    if _QUADS.fullmatch(written):
        return bytes.fromhex(written.replace(".", ""))
    if _RUN.fullmatch(written):
        return bytes.fromhex(written)
    # No RUN: what Wireshark makes of an odd number of digits is a guess
    refuse(literal, f"{written} is no row of bytes: write pairs of hex digits, as in 00:0c:29")


def ether(literal: Literal, field: str) -> bytes:
    """A MAC address in the text form of the index."""
    if literal.kind != "word":
        refuse(literal, f"{field} is a MAC address: write it without quotes")
    found = octets(literal)
    if len(found) != 6:
        refuse(literal, f"{literal.text} is no MAC address: it has {len(found)} bytes, not 6")
    return found.hex(":").encode()


def pattern(literal: Literal) -> str:
    """A regular expression that the database can look for."""
    if literal.kind == "word":
        refuse(literal, "put the regular expression in quotes")
    expression = _decoded(literal)
    try:
        to_postgres(expression, ignore_case=True)
    except PredicateError as error:
        raise wrong(str(error), literal.position) from None
    return expression


def _decoded(literal: Literal) -> str:
    if literal.kind == "word":
        return literal.text
    try:
        return literal.text.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        refuse(literal, "the text has bytes that are no UTF-8; in regular expressions write them as \\\\xHH")
