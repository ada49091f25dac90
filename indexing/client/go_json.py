"""JSON as Go's encoding/json reads and writes it, errors included: they are what Pilosa's clients are shown.

Reading: the first value of a body counts, what follows it is passed over; bytes that are not UTF-8 become U+FFFD.
Source: encoding/json (scanner.go, decode.go) and the answers of Pilosa 1.4.1.
"""

from __future__ import annotations

import json
import re
import sys
from decimal import Decimal
from typing import Any, NoReturn

_SPACE = " \t\r\n"
_LITERALS = {"t": "true", "f": "false", "n": "null"}
_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_ESCAPED = re.compile("[<>&\u2028\u2029]")
_SURROGATE = re.compile("[\ud800-\udfff]")


class GoJsonError(ValueError):
    """A body that is no JSON; the text is Go's."""


class Literal(float):
    """A number with a fraction or an exponent, and how it was written."""

    text: str

    def __new__(cls, text: str) -> Literal:
        made = super().__new__(cls, text)
        made.text = text
        return made


def encode(value: Any) -> bytes:
    """A value as Go writes it: no spaces, <, > and & escaped, all else in UTF-8. Names are written in their order."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    text = _ESCAPED.sub(lambda found: _ESCAPES[found[0]], text)
    return _SURROGATE.sub("\ufffd", text).encode()


def decode(body: bytes) -> tuple[bool, Any]:
    """(whether there is any, the first value). Raises GoJsonError."""
    text = body.decode("utf-8", "replace")
    start = len(text) - len(text.lstrip(_SPACE))
    if start == len(text):
        return False, None
    decoder = json.JSONDecoder(
        parse_float=Literal, parse_constant=lambda name: _unexpected(name[0], "looking for beginning of value")
    )
    try:
        return True, decoder.raw_decode(text, start)[0]
    except json.JSONDecodeError as error:
        raise GoJsonError(_worded(text, error)) from None
    except RecursionError:
        raise GoJsonError("exceeded max depth") from None
    except GoJsonError:
        raise
    except ValueError:  # Python reads 4,300 digits at most
        raise GoJsonError("a number has too many digits") from None


def kind(value: Any) -> str:
    """What Go's errors call a value of JSON that is not null."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def number_text(value: int | float) -> str:
    """A number as it was written."""
    return value.text if isinstance(value, Literal) else str(value)


def printed(value: Any) -> str:
    """A value as Go's %v prints it."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _float(value) if abs(value) <= sys.float_info.max else "+Inf" if value > 0 else "-Inf"
    if isinstance(value, list):
        return f"[{' '.join(map(printed, value))}]"
    if isinstance(value, dict):
        return f"map[{' '.join(f'{name}:{printed(value[name])}' for name in sorted(value))}]"
    return str(value)


def _float(value: float) -> str:
    """%v of a float64: the fewest digits that tell it from others, with an exponent from 1e+06 on and below 0.0001."""
    digits = Decimal(repr(float(value)))
    exponent = digits.adjusted() if digits else 0
    if -4 <= exponent < 6:
        return f"{digits:f}".removesuffix(".0")
    mantissa = f"{digits.scaleb(-exponent).normalize():f}"
    return f"{mantissa}e{'-' if exponent < 0 else '+'}{abs(exponent):02}"


def _unexpected(character: str, where: str) -> NoReturn:
    raise GoJsonError(f"invalid character {_quoted(character)} {where}")


def _quoted(character: str) -> str:
    shown = {"'": "\\'", '"': '"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character, character)
    return f"'{shown}'"


def _worded(text: str, error: json.JSONDecodeError) -> str:
    """Python's finding in Go's words."""
    at = error.pos
    if error.msg.startswith("Unterminated string"):
        return "unexpected EOF"
    if error.msg.startswith("Illegal trailing comma"):  # Python 3.13: the place is that of the comma
        at = next((i for i in range(at + 1, len(text)) if text[i] not in _SPACE), len(text))
    if error.msg.startswith("Invalid control character"):
        return f"invalid character {_quoted(text[at])} in string literal"
    if error.msg.startswith("Invalid \\escape"):
        return f"invalid character {_quoted(text[at + 1])} in string escape code" if at + 1 < len(text) else "unexpected EOF"
    if error.msg.startswith("Invalid \\uXXXX"):
        bad = next((one for one in text[at + 1 : at + 5] if one not in "0123456789abcdefABCDEF"), None)
        return "unexpected EOF" if bad is None else f"invalid character {_quoted(bad)} in \\u hexadecimal character escape"
    while at < len(text) and text[at] in _SPACE:
        at += 1
    if at >= len(text):
        return "unexpected EOF"
    literal = _LITERALS.get(text[at], "")
    if error.msg.startswith("Expecting value") and literal:
        for i, wanted in enumerate(literal):
            if at + i >= len(text):
                return "unexpected EOF"
            if text[at + i] != wanted:
                return f"invalid character {_quoted(text[at + i])} in literal {literal} (expecting {_quoted(wanted)})"
    if error.msg.startswith("Expecting value") and text[at] == "-":
        return f"invalid character {_quoted(text[at + 1])} in numeric literal" if at + 1 < len(text) else "unexpected EOF"
    if error.msg.startswith("Expecting ':'"):
        where = "after object key"
    elif error.msg.startswith("Expecting ','"):
        where = "after object key:value pair" if _innermost(text[:at]) == "{" else "after array element"
    elif "property name" in error.msg or "trailing comma before end of object" in error.msg:
        where = "looking for beginning of object key string"
    else:
        where = "looking for beginning of value"
    return f"invalid character {_quoted(text[at])} {where}"


def _innermost(text: str) -> str:
    """The bracket that is open at the end of a part of JSON."""
    opened: list[str] = []
    for token in re.findall(r'"(?:[^"\\]|\\.)*"|[][{}]', text):
        if token in "[{":
            opened.append(token)
        elif token in "]}":
            opened.pop()
    return opened[-1] if opened else ""
