"""The text form of values, both ways: what stands in queries, answers and pages.

Bytes become text as UTF-8. A byte that is no part of valid UTF-8 becomes `\\xNN` (two lower-case hex digits), a backslash is
doubled. All else stays as it is, control characters and NUL included: JSON, HTML and PQL have their own ways to write those.
`bytes_of(text_of(value)) == value` for every value.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from capture.packets.fields import Field

_ESCAPE = re.compile(rb"\\(?:\\|x([0-9a-fA-F]{2}))")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_INSTANT = 253402300799  # 9999-12-31T23:59:59Z, the last that RFC 3339 can write
_LAST_ROW = 2**64 - 1
_INSTANT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?)?\s*([Zz]|[+-]\d\d(?::?\d\d)?)?", re.ASCII
)


def text_of(value: bytes) -> str:
    """The text form of `value`."""
    return value.replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")


def bytes_of(text: str) -> bytes:
    """The value that `text` stands for. Lenient: a backslash that begins neither `\\\\` nor `\\xNN` stands for itself.

    `\\xNN` may name any byte (also one that `text_of` would not escape), in either case of the hex digits. A lone surrogate,
    which JSON can carry and UTF-8 cannot, stands for its three bytes in generalised UTF-8. Never raises.
    """
    raw = text.encode("utf-8", "surrogatepass")
    if b"\\" not in raw:
        return raw
    return _ESCAPE.sub(lambda m: bytes([int(m[1], 16)]) if m[1] else b"\\", raw)


def row_text(field: Field, row: int) -> str:
    """The text of row `row` of a field of encoding number (decimal), choice (the choice) or time (RFC 3339 UTC).

    Outside a closed list, and for instants after the year 9999, the decimal number (of seconds since 1970) stands for itself.
    Raises ValueError for a field whose rows are not numbers of their own (text, int).
    """
    if field.encoding == "number":
        return str(row)
    if field.encoding == "choice":
        return field.choices[row] if 0 <= row < len(field.choices) else str(row)
    if field.encoding == "time":
        seconds = row * field.seconds
        if not 0 <= seconds <= _LAST_INSTANT:
            return str(seconds)
        return (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
    raise ValueError(f"rows of field {field.name!r} (encoding {field.encoding}) have no text of their own")


def label_of(field: Field, row: int) -> str | None:
    """The label beside the text of a row ("EN10MB" beside "1"), if it has one."""
    return field.labels.get(row)


def row_of_text(field: Field, value: str | int | bool) -> int | None:
    """The row that `value` means in a field of encoding number, choice or time; None if there is no such row.

    number: an int, decimal digits, or a label (case ignored); None outside the field's range.
    choice: the text as it stands in the list, case ignored. An int means its decimal text, as in `Row(transsrc=443)`.
    time: RFC 3339 with any offset, the date alone, or without seconds; without an offset it is UTC; an instant within the
    unit means the unit. An int or decimal digits are seconds since 1970.
    A bool means the text "true" or "false". Raises ValueError for a field whose rows are not numbers of their own (text, int).
    """
    text = ("true" if value else "false") if isinstance(value, bool) else str(value)
    if field.encoding == "number":
        return _number(field, text)
    if field.encoding == "choice":
        return _position(field.choices, text)
    if field.encoding == "time":
        seconds = _digits(text)
        if seconds is None:
            seconds = _seconds(text)
        return None if seconds is None or seconds < 0 else seconds // field.seconds
    raise ValueError(f"field {field.name!r} (encoding {field.encoding}) has no rows of its own numbers")


def _digits(text: str) -> int | None:
    # 20 digits hold every row id; the bound also keeps int() from long work on hostile text
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 20 and int(text) <= _LAST_ROW else None


def _number(field: Field, text: str) -> int | None:
    number = _digits(text)
    if number is None:
        folded = text.casefold()
        return next((n for n, label in field.labels.items() if label.casefold() == folded), None)
    return number if field.minimum <= number <= (field.maximum or _LAST_ROW) else None


def _position(choices: tuple[str, ...], text: str) -> int | None:
    if text in choices:
        return choices.index(text)
    folded = text.casefold()
    return next((i for i, choice in enumerate(choices) if choice.casefold() == folded), None)


def _seconds(text: str) -> int | None:
    """Whole seconds since 1970 of an RFC 3339 instant (fractions cut off), None if it is none. RFC 3339 section 5.6."""
    m = _INSTANT.fullmatch(text.strip())
    if m is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in m.groups()[:6])
    leap = second == 60  # section 5.7: a leap second; POSIX counts it as the next second
    try:
        instant = datetime(year, month, day, hour, minute, 59 if leap else second, tzinfo=UTC)
    except ValueError:
        return None
    offset = 0
    if m[7] and m[7] not in "Zz":
        digits = m[7][1:].replace(":", "").ljust(4, "0")
        if int(digits[:2]) > 23 or int(digits[2:]) > 59:
            return None
        offset = (int(digits[:2]) * 60 + int(digits[2:])) * 60 * (-1 if m[7][0] == "-" else 1)
    return (instant - _EPOCH) // timedelta(seconds=1) + leap - offset
