"""The calls that a filter becomes, answered from what a dissector found, with Python sets: slow and obvious, no database."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from benchmarks.accuracy.corpus import plain
from capture.packets.batch import NO_TIME
from capture.packets.columns import IntValues
from capture.packets.conversations.contract import NAMES
from capture.packets.conversations.conversations import Conversations
from capture.packets.dissect import dissect
from capture.packets.reading import read_batch
from capture.packets.registry import FIELDS
from capture.packets.sources import open_capture
from capture.packets.values import bytes_of, row_of_text, row_text
from indexing.calls import Call, Condition
from proxy.display.holds import COMPARISONS
from proxy.moments import nanoseconds
from tests.indexing.predicates_in_python import holds


class Packets:
    """Packets of one capture by their values; a packet is its number."""

    def __init__(self, capture: str, folder: Path) -> None:
        self.rows: dict[str, dict[bytes, set[int]]] = {}
        self.numbers: dict[str, dict[int, int]] = {}
        self.all: set[int] = set()
        self.times: dict[int, int] = {}  # of packets that have one
        path, _ = plain(capture, folder)
        with open_capture(path) as source, Conversations(partitions=1) as conversations:
            columns: list[int] = []
            for scanned in source.scan(50_000):
                names = tuple(bytes_of(one.name) for one in source.info.interfaces)
                columns += scanned.locator["number"].tolist()
                self._add(path, scanned.locator, names, conversations, columns)
            self._found(conversations.end(), columns)

    def _add(self, path: Path, locator, names: tuple[bytes, ...], conversations: Conversations, columns: list[int]) -> None:
        number = locator["number"].tolist()
        self._found(conversations.take(read_batch(path, locator, names), len(columns) - len(number)), columns)
        self.all.update(number)
        times = zip(number, locator["time_ns"].tolist(), strict=True)
        self.times.update((packet, ns) for packet, ns in times if ns != NO_TIME)
        for name, found in dissect(read_batch(path, locator, names), ["all"]).fields.items():
            if isinstance(found, IntValues):
                pairs = zip(found.packet.tolist(), found.value.tolist(), strict=True)
                self.numbers.setdefault(name, {}).update((number[packet], value) for packet, value in pairs)
                continue
            written = (
                found.values
                if isinstance(found.values, list)
                else [row_text(FIELDS[name], v).encode() for v in found.values.tolist()]
            )
            rows = self.rows.setdefault(name, {})
            for packet, code in zip(found.packet.tolist(), found.code.tolist(), strict=True):
                rows.setdefault(written[code], set()).add(number[packet])

    def _found(self, found, columns: list[int]) -> None:
        """What the second pass says. columns: of each column, the packet's number."""
        for kind, column, value in zip(found.field.tolist(), found.column.tolist(), found.value.tolist(), strict=True):
            field, packet = FIELDS[NAMES[kind]], columns[column]
            if field.encoding == "int":
                self.numbers.setdefault(field.name, {})[packet] = value
            else:
                self.rows.setdefault(field.name, {}).setdefault(row_text(field, value).encode(), set()).add(packet)

    def answer(self, call: Call) -> set[int]:
        """The numbers of the packets of a bitmap call in values."""
        parts = [self.answer(child) for child in call.children]
        match call.name:
            case "Union":
                return set().union(*parts)
            case "Intersect":
                return set.intersection(*parts)
            case "Difference":
                return parts[0].difference(*parts[1:])
            case "Not":
                return self.all - parts[0]
            case "Values":
                field = FIELDS[call.args["field"]]
                rows = self.rows.get(field.name, {})
                where = call.args["where"]
                return set().union(*(packets for value, packets in rows.items() if holds(where, _looked_at(field, value))))
            case "FrameNumber":
                return {packet for packet in self.all if call.args.get("from", 0) <= packet <= call.args.get("to", packet)}
            case "Time":
                low, high = (nanoseconds(call.args[end]) if end in call.args else None for end in ("from", "to"))
                return {packet for packet, ns in self.times.items() if (low or 0) <= ns and (high is None or ns < high)}
            case "TimeRelative":
                low, high = (round(Decimal(call.args.get(end, 10**9)) * 10**9) for end in ("from", "to"))
                return {packet for packet, ns in self.times.items() if low <= ns - self.times[1] < high}
            case "Row" if "condition" in call.args:
                name, condition = call.args["condition"]
                return {packet for packet, value in self.numbers.get(name, {}).items() if _meets(value, condition)}
            case "Row":
                ref = call.args["row"]
                field = FIELDS[ref.field]
                if field.encoding != "text":
                    row = row_of_text(field, ref.row)
                    value = b"" if row is None else row_text(field, row).encode()
                else:
                    value = ref.row.encode()
                return self.rows.get(field.name, {}).get(value, set())
        raise ValueError(call.name)


def _looked_at(field, value: bytes) -> bytes:
    """Of times a filter looks at the seconds since 1970."""
    if field.encoding != "time":
        return value
    return b"%d" % (row_of_text(field, value.decode()) * field.seconds)


def _meets(value: int, condition: Condition) -> bool:
    if condition.value is None:
        return True
    if isinstance(condition.value, list):
        return condition.value[0] <= value <= condition.value[1]
    return COMPARISONS[condition.op](value, condition.value)
