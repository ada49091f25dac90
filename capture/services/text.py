"""Text as Postgres can keep it."""

from __future__ import annotations


def storable(text: str) -> str:
    """Text of a capture as Postgres can keep it: it takes neither NUL nor lone surrogates. They are shown as \\xNN."""
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()
