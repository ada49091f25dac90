"""A place in a query, shown as the line with a caret under it."""

from __future__ import annotations

WINDOW = 72  # characters on each side that are shown


def caret(query: str, position: int | None) -> str:
    """Two lines of monospaced text: the line of the query that holds `position` (characters from 0), cut to a readable width, and
    a caret. Empty where the position is not known."""
    if position is None or not query:
        return ""
    position = max(0, min(position, len(query)))
    start = query.rfind("\n", 0, position) + 1
    end = query.find("\n", position)
    line = query[start : len(query) if end < 0 else end]
    at = position - start
    low, high = max(0, at - WINDOW), min(len(line), at + WINDOW)
    before, after = "…" if low else "", "…" if high < len(line) else ""
    shown = "".join(char if char.isprintable() else " " for char in line[low:high])
    return f"{before}{shown}{after}\n{' ' * (len(before) + at - low)}^"
