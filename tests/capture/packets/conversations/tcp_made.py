"""TCP conversations that stand in a test: segments of two ends, and what the second pass says of them."""

from __future__ import annotations

import os

os.environ.setdefault("SCAPY_USE_LIBPCAP", "no")

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether
from scapy.packet import Packet

from capture.packets.conversations import tcp
from capture.packets.conversations.contract import NAMES, Found, State
from capture.packets.registry import FIELDS
from capture.packets.values import row_text
from tests.capture.packets.making import batch_of

MILLISECOND = 1_000_000
SECOND = 1000 * MILLISECOND
START = 1_700_000_000 * SECOND
CLIENT, SERVER = ("10.0.0.1", 40000), ("10.0.0.2", 80)


@dataclass
class Talk:
    """Segments one after the other. `below` makes the packet of a segment: by default Ethernet and IPv4."""

    client: tuple[str, int] = CLIENT
    server: tuple[str, int] = SERVER
    base: int = 1000  # sequence number of the client's SYN
    server_base: int = 5000
    packets: list[bytes] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    now: int = START

    def below(self, source: str, destination: str) -> Packet:
        return Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IP(src=source, dst=destination)

    def send(
        self,
        from_client: bool,
        flags: str,
        seq: int,
        ack: int = 0,
        data: bytes = b"",
        window: int = 1000,
        after: int = MILLISECOND,
        **options: Any,
    ) -> int:
        """A segment with numbers that are relative to the two SYNs; its position. options: window scale as `scale`."""
        mine, other = (self.client, self.server) if from_client else (self.server, self.client)
        bases = (self.base, self.server_base) if from_client else (self.server_base, self.base)
        segment = TCP(
            sport=mine[1],
            dport=other[1],
            flags=flags,
            seq=(bases[0] + seq) % 2**32,
            ack=(bases[1] + ack) % 2**32 if "A" in flags else 0,
            window=window,
            options=[("WScale", options["scale"])] if "scale" in options else [],
        )
        self.packets.append(bytes(self.below(mine[0], other[0]) / segment / data))
        self.now += after
        self.times.append(self.now)
        return len(self.packets) - 1

    def c(self, flags: str, seq: int, ack: int = 0, data: bytes = b"", **more: Any) -> int:
        """The client sends."""
        return self.send(True, flags, seq, ack, data, **more)

    def s(self, flags: str, seq: int, ack: int = 0, data: bytes = b"", **more: Any) -> int:
        """The server sends."""
        return self.send(False, flags, seq, ack, data, **more)

    def opened(self, **more: Any) -> Talk:
        """SYN, SYN-ACK, ACK."""
        self.c("S", 0, **more)
        self.s("SA", 0, 1, **more)
        self.c("A", 1, 1)
        return self

    def records(self, first_column: int = 0) -> NDArray[Any]:
        return tcp.records(batch_of(*self.packets, times=self.times), first_column)

    def said(self) -> dict[str, list[set[str | int]]]:
        """Values of each field, packet by packet, at the end."""
        state = tcp.state(0, 1)
        return by_packet([state.take(self.records()), state.end()], len(self.packets))

    def analysis(self) -> list[set[str | int]]:
        return self.said()["tcp-analysis"]

    def handshake(self) -> list[set[str | int]]:
        return self.said()["tcp-handshake"]


def by_packet(parts: list[Found], packets: int) -> dict[str, list[set[str | int]]]:
    """Found values as text (of int fields as numbers), packet by packet; none comes twice."""
    said: dict[str, list[set[str | int]]] = {name: [set() for _ in range(packets)] for name in tcp.FIELDS}
    for part in parts:
        for kind, column, value in zip(part.field.tolist(), part.column.tolist(), part.value.tolist(), strict=True):
            name = NAMES[kind]
            text = value if FIELDS[name].encoding == "int" else row_text(FIELDS[name], value)
            assert text not in said[name][column], (name, column, text)
            said[name][column].add(text)
    return said


def everything(parts: list[Found]) -> list[tuple[int, int, int]]:
    """All of what was found, sorted: the same whatever the order it came in."""
    rows = [part for part in parts if len(part.field)]
    if not rows:
        return []
    table = np.stack([np.concatenate([np.asarray(part[k], np.int64) for part in rows]) for k in range(3)])
    found = sorted(map(tuple, table.T.tolist()))
    assert len(set(found)) == len(found), "something was said twice"
    return found


def taken(state: State, records: NDArray[Any], cuts: list[int]) -> list[Found]:
    """Records taken in pieces, and the end."""
    parts = [state.take(piece) for piece in np.split(records, cuts)]
    return [*parts, state.end()]
