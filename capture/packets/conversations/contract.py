"""What the second pass is made of: subjects, each with records of a batch and a state over all batches of a job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from capture.packets.batch import PacketBatch
from capture.packets.declarations.conversations import FIELDS

# Of each kind (TCP conversations; questions; TLS handshakes; HTTP connections, requests) so many are known at once, in all
# partitions together: 0.3 GB of TCP. Who sends packets decides how many there are, and how long they stay open.
MOST_HELD = 2**20

# Fields of the second pass by their number in Found.field.
NAMES = tuple(field.name for field in FIELDS)
# Of these a value may come for a packet of an earlier batch; of the others, only for packets that were just taken.
LATE = frozenset({"tcp-handshake", "dns-unanswered", "icmp-unanswered", "tls-outcome", "http-request-status"})


class Found(NamedTuple):
    """Values that are final: field uint8 (n,), position in NAMES; column uint64 (n,), the packet's; value int64 (n,), a row id of
    a set field (of a choice: its position in `choices`), the number of an int field.

    In any order. The triple (field, column, value) comes once in a job, and of an int field a column has one value."""

    field: NDArray[np.uint8]
    column: NDArray[np.uint64]
    value: NDArray[np.int64]


def nothing() -> Found:
    """No value."""
    return Found(np.empty(0, np.uint8), np.empty(0, np.uint64), np.empty(0, np.int64))


class State(Protocol):
    """What is known of the conversations of one partition (those of hash % partitions == partition) after some batches of a job.

    Answers must not depend on how packets are cut into batches, nor on when `expire` is called: what runs out of time does so by
    the packets' own times. If more are open than may be held, those that were quiet for longest are settled as by `end`, and
    forgotten: which ones these are may depend on both."""

    def take(self, records: Any) -> Found:
        """The records of the next batch, in capture order; those of other partitions are passed over."""

    def expire(self, now_ns: int) -> Found:
        """What is settled since nothing that comes at `now_ns` (nanoseconds since 1970) or later can change it; forgets it."""

    def end(self) -> Found:
        """No more packets come: all that still waits is settled."""

    def waiting(self) -> int | None:
        """The least column that may still get a value; None: of all that was taken, everything is said."""

    def conversations(self) -> int:
        """How many it holds."""

    def forgotten(self) -> int:
        """How many were forgotten for want of room."""

    def dump(self) -> dict[str, NDArray[Any]]:
        """All of it as arrays, to be stored."""

    def load(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """What `dump` gave; raises ValueError for what is none (a KeyError of a missing array counts)."""


class Subject(Protocol):
    """One kind of conversations: a module has these names."""

    @property
    def VERSION(self) -> int:
        """Of what `dump` gives; it only grows."""

    @property
    def FIELDS(self) -> tuple[str, ...]:
        """The fields it finds."""

    def records(self, batch: PacketBatch, first_column: int) -> Any:
        """What the state needs of a batch, packet i of which is column first_column + i. A pure function, in compiled loops."""

    def state(self, partition: int, partitions: int, most: int = MOST_HELD) -> State:
        """A state that has seen nothing. most: how many of a kind all partitions hold together."""
