# ruff: noqa: E501
"""Everything that a dissector finds in a capture, as columns over the whole of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.column import EMPTY, Column, Mask, joined
from benchmarks.accuracy.corpus import plain
from capture.packets.batch import LOCATOR_DTYPE, CaptureInfo
from capture.packets.columns import IntValues, SetValues
from capture.packets.dissect import dissect
from capture.packets.reading import read_batch
from capture.packets.registry import FIELDS
from capture.packets.sources import open_capture
from capture.packets.values import row_text, text_of

BATCH_PACKETS = 20_000
# The fields that quantities of the truth follow from.
COMPARED = (
    "length", "captured-length", "linktype", "protocols", "eth-src", "eth-dst", "ethertype", "vlan", "vlan-svc", "mpls-label", "arp-op",
    "netproto", "netsrc", "netdst", "ip-proto", "ttl", "icmp-type", "icmp-code", "icmpv6-type", "transproto", "transsrc", "transdst",
    "tcp", "tcp-flagset", "inner-netsrc", "inner-netdst", "inner-ttl", "inner-transproto", "inner-transsrc", "inner-transdst", "inner-tcp",
    "quoted-netsrc", "quoted-netdst", "quoted-transsrc", "quoted-transdst", "http-hostname", "http-useragent", "http-method", "http-path",
    "http-status", "dns-qname", "dns-qtype", "dns-response", "tls-sni",
)  # fmt: skip


@dataclass
class Found:
    """A capture, dissected. locator: LOCATOR_DTYPE (n,). columns: by field. read, filtered_out: as the scan counted them."""

    info: CaptureInfo
    locator: NDArray[Any]
    columns: dict[str, Column] = field(default_factory=dict)
    read: int = 0
    read_error: str | None = None

    def __len__(self) -> int:
        return len(self.locator)

    def column(self, name: str) -> Column:
        """The values of a field; KeyError for a name that is none."""
        if name not in COMPARED:
            raise KeyError(name)
        return self.columns.get(name, EMPTY)

    def has(self, name: str) -> Mask:
        """Which packets have a value of a field."""
        return self.column(name).packets(len(self))

    def is_(self, name: str, *values: str) -> Mask:
        """Which packets have one of `values` in a field."""
        return self.column(name).keep(lambda value: value in values).packets(len(self))

    def every(self, values: NDArray[Any]) -> Column:
        """A column of a number that each packet has."""
        texts, code = np.unique(values, return_inverse=True)
        return Column(np.arange(len(self)), code.astype(np.int64), [str(value) for value in texts.tolist()])


def dissect_capture(name: str, dissector: str, folder: Path) -> Found:
    """A capture of the corpus through scan, read and dissect. Raises NotACapture."""
    path, cut = plain(name, folder)
    parts: dict[str, list[Column]] = {}
    locators = [np.zeros(0, LOCATOR_DTYPE)]
    read = 0
    with open_capture(path) as source:
        for scanned in source.scan(BATCH_PACKETS):
            base = sum(map(len, locators))
            locators.append(scanned.locator)
            read += scanned.read
            dissected = dissect(read_batch(path, scanned.locator), COMPARED, dissector)
            for field_name, values in dissected.fields.items():
                parts.setdefault(field_name, []).append(_column(field_name, values, base))
        error = cut or (None if source.read_error is None else str(source.read_error))
        found = Found(source.info, np.concatenate(locators), read=read, read_error=error)
    found.columns = {field_name: columns[0] if len(columns) == 1 else joined(columns) for field_name, columns in parts.items()}
    return found


def _column(name: str, found: SetValues | IntValues, base: int) -> Column:
    packet = found.packet.astype(np.int64) + base
    if isinstance(found, IntValues):
        numbers, code = np.unique(found.value, return_inverse=True)
        return Column(packet, code.astype(np.int64), [str(number) for number in numbers.tolist()])
    if isinstance(found.values, list):
        texts = [text_of(value) for value in found.values]
    else:
        texts = [row_text(FIELDS[name], row) for row in found.values.tolist()]
    return Column(packet, found.code.astype(np.int64), texts)
