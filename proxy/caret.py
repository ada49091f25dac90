"""An error's place in a query, shown as the line with a caret under it."""

from __future__ import annotations

from dataclasses import dataclass

WINDOW = 72


@dataclass
class Caret:
    """text and caret are of one line in monospace; line counts from 1, column from 1."""

    text: str
    caret: str
    line: int
    column: int


def caret(query: str, position: int | None) -> Caret | None:
    """The line of `position` (a character offset) cut to a readable width; None where the position is not known."""
    if position is None or not query:
        return None
    position = max(0, min(position, len(query)))
    start = query.rfind("\n", 0, position) + 1
    end = query.find("\n", position)
    line = query[start : len(query) if end < 0 else end]
    at = position - start
    low, high = max(0, at - WINDOW), min(len(line), at + WINDOW)
    before, after = "…" if low else "", "…" if high < len(line) else ""
    shown = "".join(char if char.isprintable() else " " for char in line[low:high])
    return Caret(before + shown + after, " " * (len(before) + at - low) + "^", query.count("\n", 0, position) + 1, at + 1)
