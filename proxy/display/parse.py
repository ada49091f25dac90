"""Text of a display filter -> tree."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any, cast

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedCharacters, UnexpectedToken, VisitError

from indexing.calls import QueryError
from proxy.display.errors import wrong
from proxy.display.strings import character, unescaped
from proxy.display.tree import Both, Compared, Either, Invoked, Literal, Member, Negated, Node, Operand, Present, Range, Slice

# Greatest filter in characters, and how deep parentheses and negations may stand in one another.
LONGEST, DEEPEST = 262_144, 200

_GRAMMAR = Path(__file__).with_name("grammar.lark")
_OPERATORS = {
    "eq": "==", "ne": "!=", "gt": ">", "ge": ">=", "lt": "<", "le": "<=", "~": "matches",
}  # fmt: skip
_QUANTIFIED = {
    "any_eq": ("any", "=="), "all_eq": ("all", "=="), "===": ("all", "=="),
    "any_ne": ("any", "!="), "all_ne": ("all", "!="), "!==": ("any", "!="), "~=": ("any", "!="),
}  # fmt: skip
_SLICE = re.compile(r"(-?[0-9]{1,9})(?:(:)(-?[0-9]{1,9})?|-([0-9]{1,9}))?|:([0-9]{1,9})", re.ASCII)
_HINTS = {
    "#": "layers are not numbered here: `outer:` before a field is the outermost one",
    "@": "raw bytes of fields (`@`) are not indexed",
    "+": "arithmetic is not supported",
    "*": "arithmetic is not supported",
    "%": "arithmetic is not supported",
    "=": 'write "==" for equality',
    "$": "there are no macros",
    ";": "there are no macros",
}


def parse(text: str) -> Node | None:
    """The tree of a filter; None for an empty one. Raises QueryError with the offset of what could not be read."""
    if len(text) > LONGEST:
        raise QueryError(f"display filter: {len(text):,} characters, the limit is {LONGEST:,}", LONGEST, 413)
    try:
        return cast("Node | None", _parser().parse(text))
    except VisitError as error:
        raise error.orig_exc from None
    except UnexpectedCharacters as error:
        raise _unexpected(text, error.pos_in_stream or 0) from None
    except UnexpectedToken as error:
        at = error.pos_in_stream
        if error.token.type == "$END" or at is None:
            raise wrong("it ends where something must follow", len(text)) from None
        raise _unexpected(text, at) from None


def _unexpected(text: str, at: int) -> QueryError:
    rest = text[at:]
    if rest[:1] in "\"'" or rest[:2] in ('r"', 'R"'):
        mark = rest[0] if rest[0] in "\"'" else '"'
        if not re.match(rf"[rR]?{mark}(?:[^{mark}\\]|\\.)*{mark}", rest, re.DOTALL):
            return wrong(f"the closing {mark} is missing", at)
    word = re.match(r"[\w.:/-]+|&&|\|\||[=!<>~]+|.", rest, re.DOTALL)
    found = word[0] if word else rest[:1]
    hint = _HINTS.get(found[:1], "")
    before = text[:at].rstrip()
    if text.rfind("{", 0, at) > text.rfind("}", 0, at):
        hint = "commas stand between the elements of a set" if found != "}" else "an element must stand here"
    elif found in ("AND", "OR", "NOT", "IN"):
        hint = f'write "{found.lower()}"'
    elif before.endswith(("matches", "contains", "~")):
        hint = "put the text in quotes"
    return wrong(f'"{found}" was not expected here' + (f": {hint}" if hint else ""), at)


class _Builder(Transformer[Token, Any]):
    """Runs inside the parser, bottom up."""

    def start(self, parts: list[Any]) -> Node | None:
        node = parts[0] if parts else None
        if node is not None and _deeper(node, DEEPEST):
            raise wrong(f"more than {DEEPEST} parentheses and negations in one another", 0)
        return node

    def either(self, parts: list[Any]) -> Node:
        return Either(tuple(parts[::2]))

    def both(self, parts: list[Any]) -> Node:
        return Both(tuple(parts[::2]))

    def negated(self, parts: list[Any]) -> Node:
        return Negated(parts[1])

    def inner(self, parts: list[Any]) -> Node:
        # In parentheses a field is a test of it, and no operand any more: `(tcp.port) == 80` is nothing.
        return cast(Node, parts[0])

    def present(self, parts: list[Any]) -> Node:
        return parts[0] if isinstance(parts[0], Invoked) else Present(parts[0])

    def compared(self, parts: list[Any]) -> Node:
        return _compared(None, *parts)

    def compared_as(self, parts: list[Any]) -> Node:
        return _compared(*parts)

    def member(self, parts: list[Any]) -> Node:
        return Member(_operand(parts[0]), parts[2])

    def no_member(self, parts: list[Any]) -> Node:
        return Member(_operand(parts[0]), parts[3], negated=True)

    def member_as(self, parts: list[Any]) -> Node:
        return Member(_operand(parts[1]), parts[3], quantifier=parts[0].value)

    def no_member_as(self, parts: list[Any]) -> Node:
        return Member(_operand(parts[1]), parts[4], negated=True, quantifier=parts[0].value)

    def masked(self, parts: list[Any]) -> Operand:
        one = _operand(parts[0])
        return Operand(one.field, one.position, one.functions, one.slices, parts[2])

    def name(self, parts: list[Token]) -> Operand:
        return Operand(str(parts[0]), _at(parts[0]))

    def name_slice(self, parts: list[Token]) -> Operand:
        return Operand(str(parts[0]), _at(parts[0]), slices=_slices(parts[1]))

    def arguments(self, parts: list[Any]) -> list[Any]:
        return parts

    def function(self, parts: list[Any]) -> Operand | Invoked:
        name, arguments = str(parts[0]), parts[1]
        at = _at(parts[0])
        if len(arguments) == 1 and isinstance(arguments[0], Present) and arguments[0].operand.mask is None and name != "flow":
            inner = arguments[0].operand
            if not inner.slices:
                return Operand(inner.field, inner.position, ((name, at), *inner.functions))
        return Invoked(name, tuple(arguments), at)

    def function_slice(self, parts: list[Any]) -> Operand:
        one = _operand(self.function(parts[:2]))
        return Operand(one.field, one.position, one.functions, _slices(parts[2]))

    def set(self, parts: list[Any]) -> tuple[Literal | Range, ...]:
        return tuple(parts)

    def one(self, parts: list[Literal]) -> Literal:
        return parts[0]

    def range(self, parts: list[Literal]) -> Range:
        return Range(*parts)

    def word(self, parts: list[Token]) -> Literal:
        return Literal("word", str(parts[0]), _at(parts[0]))

    def string(self, parts: list[Token]) -> Literal:
        return Literal("string", unescaped(str(parts[0])[1:-1], _at(parts[0]) + 1), _at(parts[0]))

    def raw(self, parts: list[Token]) -> Literal:
        # Only \" is an escape in a raw string, and it stays as it is
        return Literal("string", str(parts[0])[2:-1].encode("utf-8", "surrogatepass").decode("latin-1"), _at(parts[0]))

    def char(self, parts: list[Token]) -> Literal:
        return Literal("char", character(str(parts[0])[1:-1], _at(parts[0]) + 1), _at(parts[0]))


def _compared(quantifier: Token | None, operand: Any, op: Token, value: Literal) -> Node:
    known, name = _QUANTIFIED.get(str(op), (None, _OPERATORS.get(str(op), str(op))))
    if quantifier is not None and known is not None:
        raise wrong(f'"{quantifier}" and "{op}" both say which values must agree: write one', _at(op))
    return Compared(_operand(operand), name, value, _at(op), cast(Any, str(quantifier) if quantifier else known))


def _operand(part: Any) -> Operand:
    if isinstance(part, Invoked):
        raise wrong(f"{part.name}() takes one field, and cannot be compared otherwise", part.position)
    return cast(Operand, part)


def _slices(token: Token) -> tuple[Slice, ...]:
    """`start:length`, `first-last`, `start`, `:length`, `start:`; several with commas between. wireshark-filter(4)."""
    found = []
    for piece in str(token).split(","):
        m = _SLICE.fullmatch(piece.strip())
        if m is None:
            raise wrong(f"[{token}] is no range of bytes: write [start:length] or [first-last]", _at(token))
        start, colon, length, last, only = m.groups()
        if only is not None:
            one = Slice(0, int(only))
        elif last is not None:
            one = Slice(int(start), int(last) - int(start) + 1)
        else:
            one = Slice(int(start), (int(length) if length else None) if colon else 1)
        if one.length is not None and one.length <= 0:
            raise wrong(f"[{token}]: a range of bytes has one byte at least", _at(token))
        found.append(one)
    return tuple(found)


def _deeper(node: Node, limit: int) -> bool:
    """Whether nodes stand more than `limit` deep in one another."""
    level: list[Node] = [node]
    for _ in range(limit):
        below: list[Node] = []
        for one in level:
            if isinstance(one, Both | Either):
                below.extend(one.parts)
            elif isinstance(one, Negated):
                below.append(one.part)
            elif isinstance(one, Invoked):
                below.extend(one.arguments)
        if not below:
            return False
        level = below
    return True


def _at(token: Token) -> int:
    return token.start_pos or 0


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR.read_text(), parser="lalr", lexer="contextual", maybe_placeholders=False, transformer=_Builder())
