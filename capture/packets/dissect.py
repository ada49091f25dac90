"""A batch in, columns out: the one door to all dissectors."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from capture.packets.batch import PacketBatch
from capture.packets.columns import Dissected, SetValues
from capture.packets.plugins import values_of
from capture.packets.registry import PLUGINS, select


def _scapy(batch: PacketBatch, fields: Collection[str]) -> Dissected:
    from capture.packets.scapy_dissector.batch import dissect_batch  # scapy takes half a second to import

    return dissect_batch(batch, fields)


def _fast(batch: PacketBatch, fields: Collection[str]) -> Dissected:
    from capture.packets.fast.batch import dissect_batch  # brings its compiled loops from the cache

    return dissect_batch(batch, fields)


# The first is the default.
DISSECTORS: dict[str, Callable[[PacketBatch, Collection[str]], Dissected]] = {"fast": _fast, "scapy": _scapy}


def dissect(batch: PacketBatch, fields: Sequence[str], dissector: str = "fast", packages: bool = True) -> Dissected:
    """The values of `fields` (names and presets) in every packet of `batch`, and of the fields that are always indexed.

    All but `job`, which the packets do not know: the pipeline adds it; and `tag`, which people add later.
    A plug-in that fails costs the batch its fields: `not_indexed` says why. packages: whether plug-ins are asked at all.
    Raises UnknownField for a name that is no field, ValueError for an unknown dissector.
    """
    # It brings compiled loops, a second of import: whoever only asks for the names of dissectors has no use for them.
    from capture.packets.general import direction, general_fields

    if dissector not in DISSECTORS:
        raise ValueError(f"no such dissector: {dissector!r} (there are: {', '.join(DISSECTORS)})")
    wanted = {field.name for field in select(fields)}
    dissected = DISSECTORS[dissector](batch, wanted)
    by_header = dissected.fields.get("direction")
    dissected.fields.update(general_fields(batch.locator, wanted, batch.interfaces))
    by_record = dissected.fields.get("direction")
    if isinstance(by_header, SetValues) and isinstance(by_record, SetValues) and by_record is not by_header:
        dissected.fields["direction"] = direction(by_record, by_header)
    for plugin in PLUGINS if packages else ():
        found, missing = values_of(plugin, batch, wanted)
        dissected.fields.update(found)
        dissected.not_indexed.update(missing)
    return dissected
