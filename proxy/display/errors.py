"""What is wrong with a filter, and where."""

from __future__ import annotations

from indexing.calls import QueryError


def wrong(text: str, position: int) -> QueryError:
    """An error at an offset in the filter."""
    return QueryError(f"display filter: {text}", position)
