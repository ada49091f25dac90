"""What a display filter says, as it was written: nothing here knows fields, types or values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal as Choice

Quantifier = Choice["any", "all"]


@dataclass(frozen=True)
class Literal:
    """A value as written. kind: bare word, "string" (escapes done), 'character' (escapes done). text: of a string, a character a
    byte (latin-1), for escapes may name any byte."""

    kind: Choice["word", "string", "char"]
    text: str
    position: int

    @property
    def shown(self) -> str:
        return self.text if self.kind == "word" else f'"{self.text.encode("latin-1").decode("utf-8", "replace")}"'


@dataclass(frozen=True)
class Range:
    """low..high of a set, both inclusive."""

    low: Literal
    high: Literal


@dataclass(frozen=True)
class Slice:
    """Bytes from `start` (below 0: from the end), `length` of them (None: all that follow)."""

    start: int
    length: int | None


@dataclass(frozen=True)
class Operand:
    """A field, perhaps some of its bytes, perhaps what a function makes of it, perhaps with a mask of bits.

    functions: outermost first, each with its position. slices: of what the functions give."""

    field: str
    position: int
    functions: tuple[tuple[str, int], ...] = ()
    slices: tuple[Slice, ...] = ()
    mask: Literal | None = None


@dataclass(frozen=True)
class Present:
    operand: Operand


@dataclass(frozen=True)
class Compared:
    """op: "==", "!=", "<", "<=", ">", ">=", "contains", "matches". `quantifier` None: Wireshark's own (any; all for "!=")."""

    operand: Operand
    op: str
    value: Literal
    position: int  # of the operator
    quantifier: Quantifier | None = None


@dataclass(frozen=True)
class Member:
    operand: Operand
    elements: tuple[Literal | Range, ...]
    negated: bool = False
    quantifier: Quantifier | None = None


@dataclass(frozen=True)
class Both:
    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Either:
    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Negated:
    part: Node


@dataclass(frozen=True)
class Invoked:
    """A function of something that is no field: `flow(tcp.flags.reset == 1)`."""

    name: str
    arguments: tuple[Node, ...]
    position: int


Node = Present | Compared | Member | Both | Either | Negated | Invoked
