"""CSV, RFC 4180, with a header, in UTF-8. Several values of a field stand in one cell with `|` between."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pyarrow.compute as pc

from proxy.export import arrow
from proxy.export.packets import CAPTURED, COLUMN, JOB, NUMBER, WIRE, Records
from proxy.export.values import Values

SEPARATOR = "|"
# One that is part of a value is written as the text form of values can say any byte.
ESCAPED = "\\x7c"
BASE = {"column": COLUMN, "job": JOB, "number": NUMBER, "time": None, "length": WIRE, "captured_length": CAPTURED}
_SPECIAL = re.compile(r'[",\r\n]')
# What spreadsheets take a cell for a formula for, their full-width twins too; and what is a number all the same.
_FORMULA = re.compile(r"[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"-\d+")
# Fields that these columns say already.
SAID = {"job", "length", "captured-length"}


class Csv:
    """See proxy.export.formats.TableFile."""

    content_type, extension = "text/csv; charset=utf-8; header=present", "csv"

    def __init__(self, index: str, names: Sequence[str]) -> None:
        self.fields = [name for name in names if name not in SAID]

    def begin(self) -> bytes:
        """The header."""
        return f"{','.join([*BASE, *self.fields])}\r\n".encode()

    def rows(self, records: Records, values: dict[str, Values]) -> bytes:
        """A line for each packet."""
        cells: list[object] = []
        for row in BASE.values():
            cells.append(arrow.time_texts(records) if row is None else arrow.numbers(records[row]))
        for name in self.fields:
            texts = [text.replace(SEPARATOR, ESCAPED) for text in values[name].texts]
            cells.append(arrow.joined(values[name], texts, SEPARATOR, quoted))
        filled = [pc.fill_null(cell, arrow.text("")) for cell in cells]
        commas = [part for cell in filled for part in (cell, ",")]
        return arrow.all_bytes(arrow.glued(*commas[:-1], "\r\n"))

    def end(self) -> bytes:
        """Nothing."""
        return b""

    def broken(self, why: str) -> bytes:
        """A quoted cell that is never closed: no reader takes such a file for a whole one."""
        return f'"this export broke off: {why.replace(chr(34), chr(39))}'.encode()


def quoted(cell: str) -> str:
    """A cell as it stands in a line: in quotes where it holds what means something there; and a spreadsheet that opens the
    file must run nothing that a packet said: the sign that begins a formula is written as the text form can say any byte."""
    if _FORMULA.match(cell) and not _NUMBER.fullmatch(cell):
        cell = "".join(f"\\x{byte:02x}" for byte in cell[0].encode()) + cell[1:]
    return f'"{cell.replace(chr(34), 2 * chr(34))}"' if _SPECIAL.search(cell) else cell
