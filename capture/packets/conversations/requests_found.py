"""What was found, as compiled loops collect it: field, column and value of each."""

from __future__ import annotations

import numpy as np

from capture.packets.compiling import compiled, inlined
from capture.packets.conversations.contract import NAMES, Found
from capture.packets.fast.out import Out, make_out, pair, room

FIELDS = (
    "dns-rtt-us",
    "dns-unanswered",
    "icmp-rtt-us",
    "icmp-unanswered",
    "tls-outcome",
    "http-response-us",
    "http-request-status",
)
(DNS_RTT, DNS_UNANSWERED, ICMP_RTT, ICMP_UNANSWERED, TLS_HANDSHAKE, HTTP_RESPONSE, HTTP_STATUS) = (
    NAMES.index(name) for name in FIELDS
)
MOST_US = 2**40  # of the fields in microseconds


def make_found() -> Out:
    """Nothing yet."""
    return make_out(64, 1)


@compiled()
def tell(found, field, column, value):  # type: ignore[no-untyped-def]
    """`found` with one value more."""
    if found.used[0] == len(found.events):
        found = room(found, 1, 0)
    pair(found, field, 0, column, value)
    return found


@inlined()
def microseconds(begin_ns, end_ns):  # type: ignore[no-untyped-def]
    """Whole microseconds between two times, rounded down; -1 if there is no such value: clocks went back, or by twelve days."""
    took = end_ns - begin_ns
    if took < 0 or took // 1000 > MOST_US:
        return np.int64(-1)
    return np.int64(took // 1000)


def as_found(found: Out) -> Found:
    """What compiled loops collected."""
    events = found.events[: int(found.used[0])]
    return Found((events[:, 0] >> np.uint64(32)).astype(np.uint8), events[:, 1].copy(), events[:, 2].astype(np.int64))
