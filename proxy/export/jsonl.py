"""JSON lines: of each packet the object that /packets/ has of it. Pure ASCII: no separator of lines stands within one."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pyarrow.compute as pc

from capture.packets.batch import NO_TIME
from proxy.export import arrow
from proxy.export.packets import CAPTURED, COLUMN, JOB, NUMBER, TIME, WIRE, Records
from proxy.export.values import Values


class JsonLines:
    """See proxy.export.formats.TableFile."""

    content_type, extension = "application/x-ndjson", "jsonl"

    def __init__(self, index: str, names: Sequence[str]) -> None:
        self.fields, self._index = list(names), index

    def begin(self) -> bytes:
        """Nothing."""
        return b""

    def rows(self, records: Records, values: dict[str, Values]) -> bytes:
        """A line for each packet."""
        column, length = arrow.numbers(records[COLUMN]), arrow.numbers(records[WIRE])
        untimed = records[TIME] == NO_TIME
        lines = arrow.glued(
            *('{"column":', column, ',"job":', arrow.numbers(records[JOB]), ',"number":', arrow.numbers(records[NUMBER])),
            *(',"time":', _or_null(arrow.time_texts(records), untimed)),
            *(',"time_ns":', _or_null(arrow.numbers(records[TIME]), untimed)),
            *(',"length":', length, ',"captured_length":', arrow.numbers(records[CAPTURED])),
            *(f',"url":"/packets/{self._index}/', column, '/","fields":{', self._fields(values), "}}\n"),
        )
        return arrow.all_bytes(lines)

    def _fields(self, values: dict[str, Values]) -> object:
        parts = []
        for name in self.fields:
            texts = [json.dumps(one) for one in values[name].texts]
            part = arrow.joined(values[name], texts, ",", f"{json.dumps(name)}:[{{}}],".format)
            parts.append(pc.fill_null(part, arrow.text("")))
        # Not null_handling="skip": of a row of nulls alone (pyarrow 26) it leaves out the row.
        return pc.ascii_rtrim(arrow.glued(*parts), ",")

    def end(self) -> bytes:
        """Nothing."""
        return b""

    def broken(self, why: str) -> bytes:
        """An object that is never closed: no reader takes such a line."""
        return f'{{"error":{json.dumps(f"this export broke off: {why}")}'.encode()


def _or_null(texts: object, null: object) -> object:
    return pc.if_else(null, arrow.text("null"), arrow.glued('"', texts, '"'))
