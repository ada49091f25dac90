"""What the events of a compiled loop mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

NUMBER, SPAN, HEAP = 1, 2, 3


@dataclass(frozen=True)
class Slot:
    """One kind of finding of a loop; its number is the position in the module's SLOTS.

    field: the field it is a value of. kind: NUMBER (row id), SPAN (bytes of the packets), HEAP (bytes on the heap).
    finish: for SPAN and HEAP: makes the value of the bytes, called once per distinct bytes; None for no value. Without it
    the bytes are the value. For fields of numbers it answers the row id.
    """

    field: str
    kind: int
    finish: Callable[[bytes], bytes | int | None] | None = None
