"""Where the parts of an HTTP head lie: scapy reads it as a whole, and says the bytes of none."""

from __future__ import annotations

import re
from dataclasses import replace

from capture.packets.layer import LayerField

_START = re.compile(rb"(\S+) (\S+)(?: ([^\r\n]*))?")
_REQUEST = ("Method", "Path", "Http_Version")
_RESPONSE = ("Http_Version", "Status_Code", "Reason_Phrase")


def with_places(layer: str, fields: list[LayerField], data: bytes, at: int, size: int) -> list[LayerField]:
    """Fields of an HTTP layer with their bytes, where they are found in data[at : at + size]."""
    head = data[at : at + size]
    start = _START.match(head)
    names = _REQUEST if layer == "HTTP Request" else _RESPONSE
    places: dict[str, tuple[int, int]] = {}
    if start:
        places = {name: start.span(number) for number, name in enumerate(names, 1) if start.span(number)[0] >= 0}

    def placed(one: LayerField) -> LayerField:
        found = places.get(one.name)
        if found is None:
            pattern = rb"(?im)^" + re.escape(one.name.replace("_", "-").encode()) + rb":[ \t]*([^\r\n]*)"
            header = re.search(pattern, head)
            found = header.span() if header else None
        return one if found is None else replace(one, offset=at + found[0], length=found[1] - found[0])

    return [placed(one) for one in fields]
