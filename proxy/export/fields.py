"""Which fields of the packets a table has."""

from __future__ import annotations

from capture.packets.errors import PacketsError
from capture.packets.registry import FIELDS, PRESETS, select
from capture.services.errors import Refused
from proxy.api.question import TABLE_FIELDS
from proxy.export.packets import CAPTURED, WIRE

# Numbers that stand in the locator; other int fields are bit-sliced, and can be compared and summed only.
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
            found += [one for one in PRESETS[name] if _is_listed(one)]
        elif _is_listed(name):
            found.append(name)
        else:
            raise Refused(f"{name} is a number that can be compared and summed, and not listed", option="fields")
    return list(dict.fromkeys(found))


def _is_listed(name: str) -> bool:
    return FIELDS[name].kind == "set" or name in RECORD_FIELDS
