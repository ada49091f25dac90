"""What the events of a compiled loop mean."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from capture.packets.columns import SetValues

NUMBER, SPAN, HEAP = 1, 2, 3


@dataclass(frozen=True)
class Slot:
    """One kind of finding of a loop; its number is the position in the module's SLOTS.

    field: the field it is a value of. kind: NUMBER (row id), SPAN (bytes of the packets), HEAP (bytes on the heap).
    finish: for SPAN and HEAP: makes the value of the bytes, called once per distinct bytes; None for no value. Without it
    the bytes are the value. For fields of numbers it answers the row id.
    many, instead of finish: for SPAN and HEAP: makes (field, value) pairs of several `fields` of the bytes, called once per
    distinct bytes; `field` is empty then. For what is dear to read: a packet that must be decrypted has it done once.
    together: as many, but asked once for all distinct bytes: columns (field, values) whose `packet` is the bytes' position.
    """

    field: str
    kind: int
    finish: Callable[[bytes], bytes | int | None] | None = None
    fields: tuple[str, ...] = ()
    many: Callable[[bytes], Iterable[tuple[str, bytes | int]]] | None = None
    together: Callable[[list[bytes]], Sequence[tuple[str, SetValues]]] | None = None
