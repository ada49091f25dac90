"""The formats of an export by name."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from proxy.export.packets import Packets, Records
from proxy.export.pcap import PcapFile
from proxy.export.pcapng import PcapngFile


class PacketFile(Protocol):
    """A file of packets with their bytes, whose size is known before it is written. Asked in this order, once each."""

    content_type: str
    extension: str

    def survey(self, records: Records) -> None:
        """Takes in a block of the packets."""

    def settle(self, packets: Packets, comment: str) -> int:
        """Bytes of the whole file. comment: what the file says of itself, where it can. Raises Refused."""

    def pieces(self, packets: Packets) -> Iterator[bytes]:
        """The file. Raises ExportBroken."""


class TableFile(Protocol):
    """A file with a row for each packet."""

    content_type: str
    extension: str
    fields: list[str]  # whose values are wanted

    def begin(self) -> bytes:
        """What comes before the first row."""

    def rows(self, records: Records, values: Any) -> bytes:
        """Rows of a block of packets. values: of each of `fields` (proxy.export.values)."""

    def end(self) -> bytes:
        """What comes behind the last row."""

    def broken(self, why: str) -> bytes:
        """What makes it plain that this is no whole file."""


CAPTURES: dict[str, Callable[[], PacketFile]] = {"pcap": PcapFile, "pcapng": PcapngFile}
# Imported when they are asked for: pyarrow takes half a second and some MiB, which most processes never need.
_TABLES = {
    "csv": ("proxy.export.csv", "Csv"),
    "jsonl": ("proxy.export.jsonl", "JsonLines"),
    "parquet": ("proxy.export.parquet", "Parquet"),
}
FORMATS = (*CAPTURES, *_TABLES)


def table_file(form: str, index: str, names: Sequence[str]) -> TableFile:
    """A new file of one of the formats that are tables, with the fields `names`."""
    module, name = _TABLES[form]
    made: TableFile = getattr(importlib.import_module(module), name)(index, names)
    return made
