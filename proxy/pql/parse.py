"""PQL text -> calls."""

from __future__ import annotations

import json
import math
import re
import threading
from functools import cache
from pathlib import Path
from typing import Any, cast

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from indexing.calls import Call, Condition, Operator, QueryError
from proxy.pql.build import Item, MisplacedItem, build
from proxy.pql.literals import INT64_MAX, INT64_MIN, unquote

# Greatest query, in bytes of UTF-8: some seconds of parsing. Pilosa has no limit of its own.
MAX_QUERY_BYTES = 4 * 1024 * 1024

_GRAMMAR = Path(__file__).with_name("grammar.lark")
_KEYWORDS = {"null": None, "true": True, "false": False}


def parse(text: str) -> list[Call]:
    """The calls of a query, in order; `[]` for an empty one.

    Values stay as written (RowRef.row is the text form of a value, or an int or a bool). Nesting is not limited.
    Raises QueryError: "parsing: ..." with the offset of what could not be read; status 413 for more than MAX_QUERY_BYTES.
    """
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_QUERY_BYTES:
        raise QueryError(f"parsing: query too large: {size} bytes, the limit is {MAX_QUERY_BYTES}", MAX_QUERY_BYTES, 413)
    _later.errors = []
    try:
        calls = cast("list[Call]", _parser().parse(text))
    except MisplacedItem as error:
        raise _syntax_error(text, error.position) from None
    except UnexpectedCharacters as error:
        raise _syntax_error(text, error.pos_in_stream or 0) from None
    except UnexpectedToken as error:
        at = error.pos_in_stream
        raise _syntax_error(text, len(text) if error.token.type == "$END" or at is None else at) from None
    if _later.errors:
        raise min(_later.errors, key=lambda error: (not str(error).startswith("parsing: "), error.position or 0))
    return calls


# What is wrong with calls that can be read. Pilosa reads a query to its end first, so a syntax error behind it comes before
# it. Parsing runs in one thread from end to end, and the parser with its builder is shared between threads.
class _Later(threading.local):
    errors: list[QueryError]


_later = _Later()


_RULES = {"(": "open", ")": "close", ",": "comma", "[": "lbrack", "]": "rbrack", " ": "sp", "\t": "sp", "\n": "sp"}
_LAST_TOKEN = re.compile(r"[A-Za-z0-9_:-]+\Z|[ \t\n]+\Z|.\Z", re.DOTALL)


def _syntax_error(text: str, position: int) -> QueryError:
    """In Pilosa's words, which name the last thing that could be read; `position` is where reading stopped."""
    before = text[max(0, position - 60) : position]
    found = _LAST_TOKEN.search(before)
    last = found[0] if found else ""
    rule = _RULES.get(last[:1], "PegText") if last else "Unknown"
    if rule == "PegText" and last[0].isalpha() and before[: -len(last)].rstrip(" \t\n")[-1:] in ("", "(", ","):
        rule = "IDENT"  # a name, not a value
    start, end = _symbol(text, position - len(last)), _symbol(text, position)
    message = f"parsing: parsing: \nparse error near {rule} ({start} - {end}):\n{json.dumps(last, ensure_ascii=False)}\n"
    return QueryError(message, position)


def _symbol(text: str, position: int) -> str:
    """A newline counts as symbol 0 of the line that it begins."""
    line = text.count("\n", 0, position + 1) + 1
    return f"line {line} symbol {position - text.rfind(chr(10), 0, position + 1)}"


class _Builder(Transformer[Token, Any]):
    """Runs inside the parser, bottom up: no tree is made, nothing recurses."""

    def query(self, calls: list[Call]) -> list[Call]:
        return calls

    def call_empty(self, parts: list[Any]) -> Call:
        return _call(parts[0], [], False)

    def call_items(self, parts: list[Any]) -> Call:
        return _call(parts[0], parts[1], False)

    def call_items_comma(self, parts: list[Any]) -> Call:
        return _call(parts[0], parts[1], True)

    def items_first(self, parts: list[Item]) -> list[Item]:
        return [parts[0]]

    def items_more(self, parts: list[Any]) -> list[Item]:
        items: list[Item] = parts[0]
        items.append(parts[2])
        return items

    def item_call(self, parts: list[Call]) -> Item:
        return Item("c", "", parts[0], parts[0].position)

    def item_arg(self, parts: list[Any]) -> Item:
        return Item("a", str(parts[0]), parts[1], _offset(parts[0]))

    def item_condition(self, parts: list[Any]) -> Item:
        name, operator, value = parts
        if isinstance(value, list) and any(isinstance(v, bool) or not isinstance(v, int | float) for v in value):
            # Pilosa's parser panics here
            text = "interface conversion: interface {} is *pql.Condition, not []interface {}"
            error = f"parsing: unexpected parser error of type *runtime.TypeAssertionError: {text}"
            _later.errors.append(QueryError(error, _offset(name)))
        return Item("a", str(name), Condition(cast(Operator, str(operator)), value), _offset(name))

    def item_chain(self, parts: list[Token]) -> Item:
        low, below, name, above, high = parts
        if name.startswith("_"):
            raise MisplacedItem(_offset(name))
        least, most = _clamped(low) + (below == "<"), _clamped(high) - (above == "<")
        if least > INT64_MAX or most < INT64_MIN:  # nothing is: said in numbers that PQL has
            least, most = INT64_MAX, INT64_MIN
        return Item("a", str(name), Condition("><", [least, most]), _offset(low))

    def item_name(self, parts: list[Token]) -> Item:
        return Item("f", "", str(parts[0]), _offset(parts[0]))

    def item_uint(self, parts: list[Token]) -> Item:
        return Item("u", "", _integer(parts[0]), _offset(parts[0]))

    def item_text(self, parts: list[Token]) -> Item:
        return Item("s", "", str(parts[0][1:-1]), _offset(parts[0]))  # raw, in both kinds of quotes

    def item_stamp(self, parts: list[Token]) -> Item:
        return Item("t", "", parts[0].strip("'\""), _offset(parts[0]))

    def list_done(self, parts: list[Any]) -> list[Any]:
        return cast("list[Any]", parts[0])

    def list_first(self, parts: list[Any]) -> list[Any]:
        return [parts[0]]

    def list_more(self, parts: list[Any]) -> list[Any]:
        values: list[Any] = parts[0]
        values.append(parts[2])
        return values

    def keyword(self, parts: list[Token]) -> bool | None:
        return _KEYWORDS[parts[0]]

    def timestamp(self, parts: list[Token]) -> str:
        return parts[0].strip("'\"")

    def number(self, parts: list[Token]) -> int | float:
        return _float(parts[0]) if "." in parts[0] else _integer(parts[0])

    def value_call(self, parts: list[Call]) -> Call:
        return parts[0]

    def word(self, parts: list[Token]) -> str:
        return str(parts[0])

    def double(self, parts: list[Token]) -> str:
        return unquote(parts[0])

    def single(self, parts: list[Token]) -> str:
        return str(parts[0][1:-1])


def _call(name: Token, items: list[Item], comma: bool) -> Call:
    try:
        return build(str(name[:-1]), items, comma, _offset(name))
    except QueryError as error:
        _later.errors.append(error)
        return Call(str(name[:-1]), position=_offset(name))


def _offset(token: Token) -> int:
    return token.start_pos or 0


def _integer(token: Token) -> int:
    value = _clamped(token)
    if value in (INT64_MIN, INT64_MAX) and token.lstrip("-").lstrip("0") != str(abs(value)):
        _out_of_range(token, "ParseInt")
    return value


def _float(token: Token) -> float:
    value = float(token)
    if not math.isfinite(value):
        _out_of_range(token, "ParseFloat")
        return 0.0
    return value


def _out_of_range(token: Token, function: str) -> None:
    text = f'integer is not in signed 64-bit range: strconv.{function}: parsing "{token}": value out of range'
    _later.errors.append(QueryError(f"parsing: {text}", _offset(token)))


def _clamped(token: Token) -> int:
    """The nearest number of 64 bits, which is what Pilosa takes for a bound of a chained comparison."""
    # The length first: int() takes quadratic time, and refuses more than 4,300 digits
    digits = token.lstrip("-").lstrip("0")
    number = int(digits or "0") if len(digits) <= 19 else INT64_MAX + 2
    return max(INT64_MIN, -number) if token.startswith("-") else min(INT64_MAX, number)


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR.read_text(), parser="lalr", lexer="contextual", start="query", transformer=_Builder())
