"""Which fields of the packets a table has."""

from __future__ import annotations

from capture.packets.errors import PacketsError
from capture.packets.registry import PRESETS, select
from capture.services.errors import Refused
from proxy.api.question import TABLE_FIELDS
from proxy.export.packets import CAPTURED, WIRE

# Numbers that stand in the locator.
RECORD_FIELDS = {"length": WIRE, "captured-length": CAPTURED}


def table_fields(text: str) -> list[str]:
    """Fields of a comma separated list of names and presets; empty: those of the packets table. Raises Refused."""
    names = [name for name in dict.fromkeys(text.split(",")) if name] or list(TABLE_FIELDS)
    try:
        select(names)
    except PacketsError as error:
        raise Refused(str(error), option="fields") from None
    found: list[str] = []
    for name in names:
        if name in PRESETS:
            found += PRESETS[name]
        else:
            found.append(name)
    return list(dict.fromkeys(found))
