"""Predicates on the values of one field: which rows of it are meant, without their being named one by one.

Pure data, no Django: display filters and PQL (`Values(netsrc, cidr="10.0.0.0/8")`) build them, indexing.predicates_sql finds the
rows. In a tree of calls a predicate stands as ``Call("Values", args={"field": name, "where": predicate})``, which is the packets
that have a value for which it holds; translation puts the rows in its place (proxy.pql.predicates).

What a predicate looks at:

- encoding text: the bytes of the value, as the translation table has them. Addresses are there in their text form
  (``10.0.0.1``, ``2001:db8::1``, ``00:0c:29:aa:bb:cc``), so that `Contains(b":29:")` is about that text; `Octets` looks at the
  octets that the text stands for.
- encodings number, choice and time: the bytes of the row's text form (capture.packets.values.row_text: decimal digits, the
  choice, RFC 3339 UTC); labels are not looked at. `Compare` and `Between` of order "number" look at the row id itself (time:
  seconds since 1970, of the start of the unit).
- encoding int: none; such a field has no rows. It is compared with `Row(length > 5)`.

Case means ASCII letters everywhere, and a character outside of ASCII is the bytes of its UTF-8. `Not` is the other *values* of
the field, and says nothing of packets without any.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Op = Literal["==", "!=", "<", "<=", ">", ">="]
# bytes:   as bytes, the first that differs decides, a prefix comes first (RFC 3339 and MAC texts are in their own order so)
# number:  a decimal number: digits, perhaps with "-" before and a fraction behind; a value that is none is never meant
# address: an IP address of the same family, by its octets; a value that is none, or of the other family, is never meant
Order = Literal["bytes", "number", "address"]
# ip: 4 or 16 octets of an IPv4 or IPv6 address; hex: pairs of hex digits, with ":" or nothing between all of them (MACs, hashes)
OctetForm = Literal["ip", "hex"]


class PredicateError(ValueError):
    """A predicate that cannot be asked; the text says why (a regular expression that is none, a network that is none ...)."""


@dataclass(frozen=True)
class Everything:
    """Every value: the packets that have the field at all."""


@dataclass(frozen=True)
class OneOf:
    """One of these values (text form encoded as in the table); none of them need be known."""

    values: frozenset[bytes]


@dataclass(frozen=True)
class InNetwork:
    """An IP address within `cidr` ("10.0.0.0/8", "2001:db8::/32"; host bits are ignored, no slash: the one address).

    Of the same family only: ``::ffff:10.0.0.1`` is not in 10.0.0.0/8. A value that is no address is never meant."""

    cidr: str


@dataclass(frozen=True)
class Matches:
    """The regular expression (Python's syntax for bytes; the pattern is encoded in UTF-8) matches somewhere in the value.

    `.` is any byte but newline, as in Wireshark, whose `matches` never reads UTF-8 either. Solving it raises PredicateError: no
    regular expression, or one of what the database has not (references to groups, conditions, possessive quantifiers, atomic
    groups, bounds over 255), or a character outside of ASCII in brackets."""

    pattern: str
    ignore_case: bool = False


@dataclass(frozen=True)
class Contains:
    """These bytes stand somewhere in the value."""

    part: bytes
    ignore_case: bool = False


@dataclass(frozen=True)
class StartsWith:
    """The value begins with these bytes."""

    prefix: bytes
    ignore_case: bool = False


@dataclass(frozen=True)
class EndsWith:
    """The value ends with these bytes."""

    suffix: bytes
    ignore_case: bool = False


@dataclass(frozen=True)
class Glob:
    """The whole value is like the pattern: `*` any bytes, `?` one byte; a backslash takes the next byte as it is."""

    pattern: bytes
    ignore_case: bool = False


@dataclass(frozen=True)
class Compare:
    """The value compared with `value`, which is written as values are (b"10", b"10.0.0.1")."""

    op: Op
    value: bytes
    order: Order = "bytes"


@dataclass(frozen=True)
class Between:
    """low <= value <= high. Of order address, low and high are of one family."""

    low: bytes
    high: bytes
    order: Order = "bytes"


@dataclass(frozen=True)
class SliceCompare:
    """The bytes from `start` (from 0; below 0: from the end) up to `stop` (not included; None: to the end), compared as bytes.

    A value that has not all of the slice is never meant, `!=` included. With `stop` None it has it if it has `start`."""

    start: int
    stop: int | None
    op: Op
    value: bytes


@dataclass(frozen=True)
class SliceContains:
    """The bytes of the slice (see SliceCompare) have `part` in them."""

    start: int
    stop: int | None
    part: bytes


@dataclass(frozen=True)
class Length:
    """The number of bytes, compared."""

    op: Op
    bytes: int


@dataclass(frozen=True)
class Lower:
    """`inner` holds of the value with A-Z as a-z."""

    inner: Predicate


@dataclass(frozen=True)
class Upper:
    """`inner` holds of the value with a-z as A-Z."""

    inner: Predicate


@dataclass(frozen=True)
class Octets:
    """`inner` holds of the octets that the value's text stands for: `eth.addr[0:3] == 00:0c:29` is
    ``Octets("hex", SliceCompare(0, 3, "==", b"\\x00\\x0c\\x29"))``. A value that is no such text is never meant."""

    form: OctetForm
    inner: Predicate


@dataclass(frozen=True)
class Not:
    """The values of the field for which `inner` does not hold."""

    inner: Predicate


@dataclass(frozen=True)
class And:
    """All hold (none given: every value)."""

    parts: tuple[Predicate, ...]


@dataclass(frozen=True)
class Or:
    """One holds at least (none given: no value)."""

    parts: tuple[Predicate, ...]


Predicate = (
    Everything
    | OneOf
    | InNetwork
    | Matches
    | Contains
    | StartsWith
    | EndsWith
    | Glob
    | Compare
    | Between
    | SliceCompare
    | SliceContains
    | Length
    | Lower
    | Upper
    | Octets
    | Not
    | And
    | Or
)
