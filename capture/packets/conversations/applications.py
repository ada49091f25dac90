"""DNS, ICMP echo, TLS and HTTP in the second pass: one subject, since one walk over a batch finds the messages of all.

conversations.asked, .tls and .http have the rules. Times are the packets' own; what is late is told by the latest time that any
packet so far had, so that it does not matter where a batch ends. A packet without a time takes no part. Link types that only the
scapy dissector reads are passed over (`capture.packets.fast.headers.steps.FIRST_HEADERS` are those that count).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from capture.packets.batch import PacketBatch
from capture.packets.conversations.contract import MOST_HELD
from capture.packets.conversations.requests_found import FIELDS as FIELDS
from capture.packets.conversations.requests_headers import make_places, place
from capture.packets.conversations.requests_read import read
from capture.packets.conversations.requests_rows import make_rows
from capture.packets.conversations.requests_state import VERSION as VERSION
from capture.packets.conversations.requests_state import Requests
from capture.packets.fast.addresses import make_table
from capture.packets.fast.headers.steps import first_headers
from capture.packets.fast.out import make_out, make_payloads
from capture.packets.fast.recognise.dispatch import classified
from capture.packets.fast.records import records as taken_apart

_FIRST = first_headers()


class Records(NamedTuple):
    """rows: uint64 (n, WIDTH), see conversations.requests_rows. latest: the latest time of a packet of the batch, nanoseconds."""

    rows: NDArray[np.uint64]
    latest: int


def records(batch: PacketBatch, first_column: int) -> Records:
    """What the state needs of a batch, packet i of which is column first_column + i."""
    n = len(batch)
    data = batch.data if batch.data.flags.writeable and batch.data.flags.c_contiguous else batch.data.copy()
    known = taken_apart(batch.locator)
    payloads, places = make_payloads(n), make_places(n)
    start = np.ascontiguousarray(batch.start, np.int64)
    place(
        data, start, known.captured, known.wire, known.linktype, _FIRST, payloads, places, make_table(), make_table(1), make_out()
    )
    kinds, ports = classified(data, payloads)
    rows, _, latest = read(data, known.time_ns, payloads, places, kinds, ports, first_column, make_rows(n // 4), make_out())
    return Records(rows.words[: int(rows.used[0])], latest)


def state(partition: int, partitions: int, most: int = MOST_HELD) -> Requests:
    """A state that has seen nothing (see contract.Subject)."""
    return Requests(partition, partitions, most)
