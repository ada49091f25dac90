"""Bytes as people read them: lines of hex and ASCII, or text."""

from __future__ import annotations

from dataclasses import dataclass

from capture.templatetags.show import CONTROLS

WIDTH = 16
_SHOWN = {code: sign for code, sign in CONTROLS.items() if code not in (9, 10)}  # tab, line feed


@dataclass(frozen=True)
class Line:
    """offset in hex, the bytes in hex with a wider gap after the eighth, padded to the width of a whole line, and as ASCII."""

    offset: str
    hex: str
    ascii: str


def hexdump(data: bytes, first: int = 0, digits: int = 4) -> list[Line]:
    """Lines of 16 bytes. first: offset of the first byte; digits: of offsets, at least."""
    lines = []
    for at in range(0, len(data), WIDTH):
        part = data[at : at + WIDTH]
        text = " ".join(filter(None, (part[:8].hex(" "), " " + part[8:].hex(" ") if len(part) > 8 else "")))
        ascii_ = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        lines.append(Line(f"{first + at:0{digits}x}", text.ljust(3 * WIDTH), ascii_))
    return lines


def as_text(data: bytes) -> str:
    """UTF-8 as it reads: ends of lines are such, other control characters and what turns the direction of writing are shown as
    signs, bytes that are no UTF-8 as dots."""
    text = data.decode("utf-8", "replace").replace("\ufffd", ".").replace("\r\n", "\n")
    return text.translate(_SHOWN)


def reads_as_text(data: bytes) -> bool:
    """Whether it is text for the most part."""
    signs = sum(32 <= byte < 127 or byte in (9, 10, 13) for byte in data)
    return signs >= 0.8 * len(data)
