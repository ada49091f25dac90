"""The subject TCP of the second pass: retransmissions and their kin, round-trip times, handshakes.

tcp_records finds the segments of a batch, tcp_rules says what each is by those before it, tcp_handshake how its connection began;
tcp_table holds the conversations, tcp_loop goes through all of it, compiled. docs/decisions/0041-second-pass-tcp.md says why.
"""

from __future__ import annotations

from capture.packets.conversations.contract import MOST_HELD
from capture.packets.conversations.tcp_records import records
from capture.packets.conversations.tcp_state import VERSION, TcpState

__all__ = ["FIELDS", "VERSION", "records", "state"]

FIELDS = ("tcp-analysis", "tcp-handshake", "tcp-rtt-us", "tcp-irtt-us")


def state(partition: int, partitions: int, most: int = MOST_HELD) -> TcpState:
    """A state that has seen nothing, of the conversations with hash % partitions == partition (see contract.Subject)."""
    return TcpState(partition, partitions, most)
