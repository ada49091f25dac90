"""A batch in, columns out: the one door to all dissectors."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from capture.packets.batch import PacketBatch
from capture.packets.columns import Dissected
from capture.packets.general import general_fields
from capture.packets.registry import select


def _scapy(batch: PacketBatch, fields: Collection[str]) -> Dissected:
    from capture.packets.scapy_dissector.batch import dissect_batch  # scapy takes half a second to import

    return dissect_batch(batch, fields)


DISSECTORS: dict[str, Callable[[PacketBatch, Collection[str]], Dissected]] = {"scapy": _scapy}


def dissect(batch: PacketBatch, fields: Sequence[str], dissector: str = "scapy") -> Dissected:
    """The values of `fields` (names and presets) in every packet of `batch`, and of the fields that are always indexed.

    All but `job`, which the packets do not know: the pipeline adds it.
    Raises UnknownField for a name that is no field, ValueError for an unknown dissector.
    """
    if dissector not in DISSECTORS:
        raise ValueError(f"no such dissector: {dissector!r} (there are: {', '.join(DISSECTORS)})")
    wanted = {field.name for field in select(fields)}
    dissected = DISSECTORS[dissector](batch, wanted)
    dissected.fields.update(general_fields(batch.locator, wanted))
    return dissected
