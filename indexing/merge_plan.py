"""Which small neighbouring batches are to become one. Nothing here asks Postgres or the store.

A *chain* is neighbours that could become one batch: of one capture file, index, generation and list of fields, dissected alike,
whose columns follow one another. Of a chain a *run* is merged when each of its packets gets into a batch that is at least
GROWTH times as large as the largest of the run, and the run has FAN_IN batches: so a packet is rewritten a few times at most
(log of MERGED_PACKETS to base GROWTH), however small the batches are that came in. A run that is full is merged too, whatever
its number, for nothing will ever be added to it; and so is all that is left of a chain that is *closed*.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

MERGED_PACKETS = 1 << 17
SMALL_PACKETS = MERGED_PACKETS // 2  # a batch of so many packets stays as it is
FAN_IN = 16
GROWTH = 4
# Of one run: its rows are locked, and its blobs read, in one go.
MOST_BATCHES = 256
MOST_READ = 1 << 30  # packets scanned; the column is an int4


@dataclass(frozen=True)
class Small:
    """A small visible batch as its row says it. next_sequence: of the job's next batch (None: there is none yet).

    kin, made: what must be equal of all batches of a run, and of those that have packets."""

    id: int
    sequence: int
    first_column: int
    packets: int
    read: int
    kin: tuple[object, ...]
    made: tuple[object, ...]
    next_sequence: int | None
    next_waits: bool = False  # the next batch is not indexed yet: it may turn out to be small and a neighbour


@dataclass
class Chain:
    """Neighbours that could become one. closed: no batch can follow that would belong to it."""

    batches: list[Small]
    closed: bool = False

    def takes(self, batch: Small) -> bool:
        """Whether a batch is its next."""
        last = self.batches[-1]
        if last.next_sequence != batch.sequence or last.kin != batch.kin:
            return False
        full = next((one for one in reversed(self.batches) if one.packets), None)
        if full is None or not batch.packets:
            return True
        return full.made == batch.made and full.first_column + full.packets == batch.first_column


def chains(batches: Iterable[Small], settled: Callable[[], bool]) -> list[Chain]:
    """The chains of a job's small visible batches (in order of sequence).

    The job's youngest batch is a chain of its own, closed if `settled` says that none will follow: its sequence must remain,
    for the next batch of the job gets the one behind it."""
    found: list[Chain] = []
    for batch in batches:
        last = found[-1] if found else None
        takes = last is not None and last.takes(batch)
        if batch.next_sequence is None:
            youngest = Chain([batch], settled())
            if last is not None and last.batches[-1].next_sequence == batch.sequence:
                last.closed = youngest.closed or not takes
            found.append(youngest)
        elif last is not None and takes:
            last.batches.append(batch)
            last.closed = not batch.next_waits
        else:
            found.append(Chain([batch], not batch.next_waits))
    return found


def run_of(chain: Chain) -> list[Small]:
    """The neighbours of a chain that are to become one now; none, or at least two."""
    batches = chain.batches
    for start in range(len(batches) - 1):
        end = _end_of_run(batches, start)
        if end:
            return batches[start:end]
    if chain.closed:
        for start in range(len(batches) - 1):
            end = _fitting(batches, start)
            if end - start > 1:
                return batches[start:end]
    return []


def _end_of_run(batches: Sequence[Small], start: int) -> int:
    """Behind the last batch of the longest run that begins at `start`; 0 if there is none."""
    stop = _fitting(batches, start)
    full = stop < len(batches) and stop - start < MOST_BATCHES
    packets = largest = end = 0
    for at in range(start, stop):
        packets += batches[at].packets
        largest = max(largest, batches[at].packets)
        if at + 1 - start >= FAN_IN and largest * GROWTH <= packets:
            end = at + 1
    if full and stop - start > 1 and 2 * largest <= packets:
        end = stop
    return end


def _fitting(batches: Sequence[Small], start: int) -> int:
    """Behind the last of the batches from `start` on that can be one."""
    packets = read = 0
    for at in range(start, min(len(batches), start + MOST_BATCHES)):
        packets += batches[at].packets
        read += batches[at].read
        if packets > MERGED_PACKETS or read > MOST_READ:
            return at
    return min(len(batches), start + MOST_BATCHES)
