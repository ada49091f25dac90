"""Literals of PQL: what the text between quotes stands for, and how a value is written."""

from __future__ import annotations

import re

INT64_MIN, INT64_MAX = -(1 << 63), (1 << 63) - 1

_ESCAPE = re.compile(
    rb"\\(?:(?P<plain>[abfnrtv\\\"])|(?P<octal>[0-7]{3})|x(?P<hex>[0-9A-Fa-f]{2})"
    rb"|u(?P<short>[0-9A-Fa-f]{4})|U(?P<long>[0-9A-Fa-f]{8})|(?P<bad>))"
)
_PLAIN = dict(zip(b'abfnrtv\\"', (b"\a", b"\b", b"\f", b"\n", b"\r", b"\t", b"\v", b"\\", b'"'), strict=True))


def unquote(literal: str) -> str:
    r"""The text of a double-quoted literal (quotes included), by the rules of Go's strconv.Unquote.

    Where Go refuses (an escape it does not know, a raw newline) Pilosa goes on with the empty string, and so do we. Bytes that
    the escapes put together and that are not UTF-8 come out in the text form of values: `"\xff"` is the text `\xff`.
    """
    text = literal[1:-1]
    if "\n" in text:
        return ""
    if "\\" not in text:
        return text
    try:
        raw = _ESCAPE.sub(_unescaped, text.encode("utf-8", "surrogatepass"))
    except ValueError:
        return ""
    return raw.decode("utf-8", "backslashreplace")


def _unescaped(found: re.Match[bytes]) -> bytes:
    kind, digits = found.lastgroup, found[found.lastgroup or 0]
    if kind == "plain":
        return _PLAIN[digits[0]]
    if kind == "octal":
        return bytes([int(digits, 8)])  # ValueError above 255, as in Go
    if kind == "hex":
        return bytes([int(digits, 16)])
    if kind in ("short", "long"):
        return chr(int(digits, 16)).encode()  # surrogates and code points beyond U+10FFFF are ValueErrors
    raise ValueError("unknown escape")


_UNSAFE = re.compile(r'["\\\x00-\x1f\x7f]')
_NAMED = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def quote(text: str) -> str:
    """`text` as a double-quoted literal; `unquote(quote(text)) == text` for all text without lone surrogates."""
    return '"' + _UNSAFE.sub(lambda m: _NAMED.get(m[0]) or f"\\x{ord(m[0]):02x}", text) + '"'
