"""Escapes in quoted text. Text is handed on with a character a byte (latin-1): UTF-8, and whatever bytes escapes name."""

from __future__ import annotations

import re

from proxy.display.errors import wrong

_ESCAPE = re.compile(
    r"\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([0-7]{1,3})|(.))", re.DOTALL | re.ASCII
)  # fmt: skip
_NAMED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "'": "'", '"': '"', "\\": "\\", "?": "?"}


def unescaped(text: str, position: int) -> str:
    r"""What stands between double quotes: \n \t ..., \xHH, \OOO (octal), \uHHHH, \UHHHHHHHH. Raises QueryError.

    position: offset of `text` in the filter."""
    out: list[str] = []
    end = 0
    for m in _ESCAPE.finditer(text):
        out.append(_bytes(text[end : m.start()]))
        end = m.end()
        octet, four, eight, octal, named = m.groups()
        if octet is not None or octal is not None:
            number = int(octet, 16) if octet is not None else int(octal, 8)
            if number > 255:
                raise wrong(f"{m[0]} is no byte", position + m.start())
            out.append(chr(number))
        elif four is not None or eight is not None:
            number = int(four or eight, 16)
            if number > 0x10FFFF or 0xD800 <= number < 0xE000:
                raise wrong(f"{m[0]} is no character", position + m.start())
            out.append(_bytes(chr(number)))
        elif named in _NAMED:
            out.append(_NAMED[named])
        else:
            text_of = f'\\{named} is no escape: write \\\\{named}, or a raw string, r"..."'
            raise wrong(f"{text_of}", position + m.start())
    return "".join([*out, _bytes(text[end:])])


def character(text: str, position: int) -> str:
    """What stands between single quotes: one byte. Raises QueryError."""
    found = unescaped(text, position)
    if len(found) != 1:
        raise wrong("single quotes hold one character of one byte; text stands in double quotes", position - 1)
    return found


def _bytes(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").decode("latin-1")
