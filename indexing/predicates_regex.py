"""A regular expression in Python's syntax as one of Postgres' (an ARE): there `\\b`, `$`, `.` and escapes mean something else.

It is read by Python's own parser, so that what is refused, and with which words, is what `re.compile` refuses; then it is written
anew. It is about bytes, and Postgres about text: byte b is the character of that number, and NUL, which no text of Postgres has,
is U+0100 (`form`). Nothing is left of flags: they are written out. Postgres' side: its manual, "POSIX Regular Expressions".
"""

from __future__ import annotations

import re
from re import _constants as op
from re import _parser as parser
from typing import Any

from indexing.predicates import PredicateError

MOST_BYTES = 4096  # of a pattern
_MOST_REPEATS = 255  # of Postgres
_NUL = "\u0100"
_NEVER = "[\u0200]"  # a character that no form has
_ALL = frozenset(range(256))
_DIGITS = frozenset(b"0123456789")
_SPACES = frozenset(b" \t\n\r\f\v")
_WORD = frozenset(b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
_CATEGORIES = {
    op.CATEGORY_DIGIT: _DIGITS,
    op.CATEGORY_NOT_DIGIT: _ALL - _DIGITS,
    op.CATEGORY_SPACE: _SPACES,
    op.CATEGORY_NOT_SPACE: _ALL - _SPACES,
    op.CATEGORY_WORD: _WORD,
    op.CATEGORY_NOT_WORD: _ALL - _WORD,
}
_HAS_NOT = {
    "GROUPREF": "references to groups",
    "GROUPREF_EXISTS": "conditions",
    "ATOMIC_GROUP": "atomic groups",
    "POSSESSIVE_REPEAT": "possessive quantifiers",
}


def form(value: bytes) -> str:
    """Bytes as the text that Postgres looks at: the SQL function indexing_form does the same."""
    return value.decode("latin-1").replace("\0", _NUL)


def to_postgres(pattern: str, ignore_case: bool = False) -> str:
    """The ARE. Raises PredicateError, saying what is wrong and where."""
    raw = _in_bytes(pattern)
    if len(raw) > MOST_BYTES:
        raise PredicateError(f"regular expression: more than {MOST_BYTES} bytes")
    try:
        tree = parser.parse(raw, re.IGNORECASE if ignore_case else 0)
        if tree.state.flags & re.LOCALE:
            raise PredicateError("regular expression: flag L is not supported")
        # "***:" makes it an ARE without a look at what it begins with
        return "***:" + _sequence(tree, tree.state.flags)
    except re.error as error:
        at = "" if error.pos is None else f" at position {error.pos}"
        raise PredicateError(f"regular expression: {error.msg}{at}") from None
    except (RecursionError, OverflowError):
        raise PredicateError("regular expression: nested too deeply, or a bound too great") from None


def _in_bytes(pattern: str) -> bytes:
    """UTF-8; a character of several bytes is one atom, so that `é?` means what it says."""
    if pattern.isascii():
        return pattern.encode()
    out = bytearray()
    inside = False
    at = 0
    while at < len(pattern):
        char = pattern[at]
        escaped = char == "\\" and at + 1 < len(pattern)
        if escaped:
            at += 1
            char = pattern[at]
        if ord(char) > 127:
            if inside:
                raise PredicateError(
                    f"regular expression: {char!r} in brackets at position {at}: write (?:a|b), bytes are matched"
                )
            out += b"(?:" + char.encode("utf-8", "surrogatepass") + b")"
        else:
            out += b"\\" * escaped + char.encode()
            if not escaped and not inside and char == "[":
                inside = True
                for first in ("^", "]"):
                    if pattern[at + 1 : at + 2] == first:
                        at += 1
                        out += first.encode()
            elif not escaped and char == "]":
                inside = False
        at += 1
    return bytes(out)


def _sequence(items: Any, flags: int) -> str:
    return "".join([_item(kind, value, flags) for kind, value in items])


def _item(kind: Any, value: Any, flags: int) -> str:
    name = str(kind)
    if name in _HAS_NOT:
        raise PredicateError(f"regular expression: {_HAS_NOT[name]} are not supported")
    if kind is op.LITERAL:
        return _set(frozenset([value]), flags)
    if kind is op.NOT_LITERAL:
        return _negated(frozenset([value]), flags)
    if kind is op.ANY:
        return "." if flags & re.DOTALL else _bracket(_ALL - {10})
    if kind is op.IN:
        return _in(value, flags)
    if kind is op.BRANCH:
        return "(?:" + "|".join([_sequence(branch, flags) for branch in value[1]]) + ")"
    if kind is op.SUBPATTERN:
        _, added, removed, inner = value
        return "(?:" + _sequence(inner, (flags | added) & ~removed) + ")"
    if kind in (op.MAX_REPEAT, op.MIN_REPEAT):
        return _repeat(value[0], value[1], value[2], flags)
    if kind is op.AT:
        return _place(value, flags)
    if kind in (op.ASSERT, op.ASSERT_NOT):
        sign = "=" if kind is op.ASSERT else "!"
        return f"(?{'<' if value[0] < 0 else ''}{sign}{_sequence(value[1], flags)})"
    if kind is op.FAILURE:
        return _NEVER
    raise PredicateError(f"regular expression: {name.lower()} is not supported")


def _in(items: Any, flags: int) -> str:
    members: set[int] = set()
    negated = False
    for kind, value in items:
        if kind is op.NEGATE:
            negated = True
        elif kind is op.LITERAL:
            members.add(value)
        elif kind is op.RANGE:
            members.update(range(value[0], value[1] + 1))
        else:
            members |= _CATEGORIES[value]
    return _negated(frozenset(members), flags) if negated else _set(frozenset(members), flags)


def _set(members: frozenset[int], flags: int) -> str:
    return _bracket(_both_cases(members) if flags & re.IGNORECASE else members)


def _negated(members: frozenset[int], flags: int) -> str:
    return _bracket(_ALL - (_both_cases(members) if flags & re.IGNORECASE else members))


def _both_cases(members: frozenset[int]) -> frozenset[int]:
    some = bytes(sorted(members))
    return frozenset(some.lower() + some.upper())


def _bracket(members: frozenset[int]) -> str:
    """One of these bytes."""
    if not members:
        return _NEVER
    if members == _ALL:
        return "."
    if len(members) == 1:
        return _character(next(iter(members)))
    fewer = members if len(members) <= 128 else _ALL - members
    codes = sorted(256 if byte == 0 else byte for byte in fewer)
    out = "[" if fewer is members else "[^"
    first = last = codes[0]
    for code in [*codes[1:], 1 << 20]:
        if code != last + 1:
            out += _code(first) if first == last else f"{_code(first)}{'-' if last > first + 1 else ''}{_code(last)}"
            first = code
        last = code
    return out + "]"


def _code(code: int) -> str:
    char = chr(code)
    return char if code < 128 and char.isalnum() else f"\\u{code:04x}"


def _character(byte: int) -> str:
    char = chr(byte or 256)
    return char if char.isalnum() and byte < 128 else f"\\u{ord(char):04x}"


def _repeat(low: Any, high: Any, inner: Any, flags: int) -> str:
    body = f"(?:{_sequence(inner, flags)})"
    endless = high is op.MAXREPEAT or high == op.MAXREPEAT
    if low > _MOST_REPEATS or (not endless and high > _MOST_REPEATS):
        raise PredicateError(f"regular expression: repeated more than {_MOST_REPEATS} times")
    if endless:
        return body + {0: "*", 1: "+"}.get(low, f"{{{low},}}")
    return body + ("?" if (low, high) == (0, 1) else f"{{{low},{high}}}")


def _place(place: Any, flags: int) -> str:
    lines = flags & re.MULTILINE
    if place is op.AT_BEGINNING:
        return r"(?:\A|(?<=\u000a))" if lines else r"\A"
    if place is op.AT_BEGINNING_STRING:
        return r"\A"
    if place is op.AT_END:
        return r"(?:\Z|(?=\u000a))" if lines else r"(?:\Z|(?=\u000a\Z))"
    if place is op.AT_END_STRING:
        return r"\Z"
    # a word is of ASCII for both, under the collation "C"
    return r"\y" if place is op.AT_BOUNDARY else r"\Y"
