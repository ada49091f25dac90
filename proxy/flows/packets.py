"""The packets of one conversation in the order of capture, with who sent them and their bytes."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from capture.packets.batch import NO_TIME
from capture.packets.segment import Segment, segment
from indexing import limits
from indexing.calls import Call, RowResult
from proxy.ask import ask, bitmap_of
from proxy.locate import by_batch

WHAT = "the packets of the conversation"
_CHECKED = 512  # packets between two looks at the clock
_COLUMN_BYTES = 64  # of a packet: its column, and its place in the capture


@dataclass(frozen=True, slots=True)
class FlowPacket:
    """place: which of the conversation's packets it is, from 0. side: 0 if the initiator sent it, else 1; segment None: its bytes
    do not tell (they are gone, or cut within a header), and side is -1 then. data: all captured bytes."""

    place: int
    column: int
    number: int
    time_ns: int | None
    segment: Segment | None
    side: int
    data: bytes
    gone: bool = False

    @property
    def payload(self) -> bytes:
        """The captured part of it."""
        one = self.segment
        return b"" if one is None else self.data[one.start : one.start + one.captured]


class FlowPackets:
    """found: a conversation as `listed` tells it."""

    def __init__(self, index: str, found: dict[str, Any]) -> None:
        """Asks for the columns. Raises LimitExceeded."""
        self.index = index
        self.columns = columns_of(index, bitmap_of(found["pql"]))
        limits.current().take(self.columns.size * _COLUMN_BYTES, WHAT)
        initiator = found["initiator"]
        self._from = ip_address(initiator["address"]).packed if initiator["address"] else b""
        self._port = initiator["port"]
        responder = found["responder"]
        self._one_sided = (responder["address"], responder["port"]) == (initiator["address"], initiator["port"])

    def __iter__(self) -> Iterator[FlowPacket]:
        return self.between(0, self.columns.size)

    def between(self, place: int, end: int) -> Iterator[FlowPacket]:
        """Those from `place` on and before `end`. Packets whose job is deleted meanwhile are left out. Raises LimitExceeded."""
        for batch, columns, records in by_batch(self.index, self.columns[place:end]):
            path = Path(settings.PICAPWEB_DATA) / batch.capture
            with closing(_read(path, records)) as pieces:
                for column, record, data in zip(columns.tolist(), records, pieces, strict=True):
                    if place % _CHECKED == 0:
                        limits.current().check()
                    yield self._packet(place, column, record, data)
                    place += 1

    def _packet(self, place: int, column: int, record: Any, data: bytes | None) -> FlowPacket:
        time_ns = None if record["time_ns"] == NO_TIME else int(record["time_ns"])
        one = None if data is None else segment(data, int(record["linktype"]), int(record["wire_length"]))
        side = -1 if one is None else self._side(one)
        return FlowPacket(place, column, int(record["number"]), time_ns, one, side, data or b"", data is None)

    def _side(self, one: Segment) -> int:
        return 0 if self._one_sided or (one.source == self._from and self._port in (None, one.source_port)) else 1


def columns_of(index: str, call: Call) -> NDArray[np.uint64]:
    """The columns of a bitmap call, ascending."""
    result = ask(index, [call]).results[0]
    assert isinstance(result, RowResult)
    return np.asarray(result.columns, np.uint64)


def _read(path: Path, records: NDArray[Any]) -> Generator[bytes | None, None, None]:
    """The bytes of each packet; None: the capture is gone, or does not reach so far any more."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        yield from [None] * len(records)
        return
    try:
        offsets, lengths = records["offset"].astype(np.int64).tolist(), records["captured_length"].tolist()
        for offset, length in zip(offsets, lengths, strict=True):
            data = os.pread(file, length, offset) if offset >= 0 else b""
            yield data if len(data) == length else None
    finally:
        os.close(file)
