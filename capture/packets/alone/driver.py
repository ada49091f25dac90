"""A batch is dissected in pieces by child processes; a piece that ends its process is halved until the packet is found.

What is found is kept piece by piece: one packet costs the others nothing. The packet itself stays in the index with what its
record says of it (lengths, times) and the error "packet: dissector failed"; where only a package's fields were the trouble, it
keeps all of our own.
"""

from __future__ import annotations

import importlib
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture.packets.alone.child import Child, Died, Range
from capture.packets.alone.joining import join
from capture.packets.columns import Dissected, SetValues
from capture.packets.decode_errors import DECODE_ERRORS
from capture.packets.dissect import dissect
from capture.packets.fast import warm
from capture.packets.general import general_fields
from capture.packets.plugins import reason_of
from capture.packets.reading import read_batch
from capture.packets.registry import FIELDS, select

PIECES = 16  # the batch is cut into at first
FAILED_ROW = DECODE_ERRORS.index("packet: dissector failed")
# A piece gets this part of the batch's time, smaller ones less, but not less than the second. One packet gets the first again
# before it is given up.
PIECE_SHARE, LEAST_SHARE = 1 / 4, 1 / 32
# So many times the batch's time may all of it take, and so many packets may be found one by one: after that, a piece that fails
# is given up whole. A capture made of nothing else must not keep a worker for days.
MOST_TIMES, MOST_FOUND = 4, 32
# No piece gets less: a child process on a busy machine may begin late.
LEAST_SECONDS = 2.0
# Stands for "no bound" in sums.
ENDLESS = 1e9


@dataclass(frozen=True)
class GivenUp:
    """Packets that could not be dissected: positions in the batch, from first to last. reason: for the user.

    of_packages: only the fields of installed packages are missing."""

    first: int
    last: int
    reason: str
    of_packages: bool = False


class NotWanted(Exception):
    """The batch's claim was lost meanwhile."""


def dissect_alone(
    path: Path,
    locator: NDArray[Any],
    interfaces: tuple[bytes, ...],
    fields: Sequence[str],
    dissector: str,
    *,
    seconds: float,
    memory: int,
    wanted: Callable[[], bool],
) -> tuple[Dissected, list[GivenUp]]:
    """As capture.packets.dissect.dissect of the packets of `locator`, and those that were given up.

    seconds, memory: bounds of a whole batch, 0 for none. wanted: asked now and then, NotWanted is raised once it says no.
    Raises ReadError, OSError, Unreadable, UnknownField."""
    names = {field.name for field in select(fields)}
    of_packages_wanted = any(FIELDS[name].plugin for name in names)

    def work(one: Range) -> Dissected:
        return dissect(read_batch(path, locator[one[0] : one[1]], interfaces), fields, dissector)

    def own(one: Range) -> Dissected:
        return dissect(read_batch(path, locator[one[0] : one[1]], interfaces), fields, dissector, packages=False)

    def of_record(one: Range) -> Dissected:
        return _of_record(locator[one[0] : one[1]], names, interfaces)

    _load()
    least = max((seconds or ENDLESS) * LEAST_SHARE, LEAST_SECONDS)
    share = max((seconds or ENDLESS) * PIECE_SHARE, least)
    piece = max(1, -(-len(locator) // PIECES))
    until = time.monotonic() + (seconds or ENDLESS) * MOST_TIMES
    todo: deque[Range] = deque((at, min(at + piece, len(locator))) for at in range(0, len(locator), piece))
    parts: list[tuple[int, Dissected]] = []
    given_up: list[GivenUp] = []

    def once(one: Range, doing: Callable[[Range], Dissected], limit: float) -> Dissected:
        with Child([one], doing, memory) as child:
            found: Dissected = child.answer(limit, wanted)
            return found

    def decide(one: Range, reason: str) -> None:
        """A range failed: halve it, or give it up."""
        first, end = one
        if end - first > 1 and len(given_up) < MOST_FOUND and time.monotonic() < until:
            middle = (first + end) // 2
            todo.extendleft([(middle, end), (first, middle)])
            return
        if end - first == 1 and time.monotonic() < until:
            try:
                parts.append((first, once(one, work, share)))
                return
            except Died as died:
                reason = str(died)
        of_packages = False
        if of_packages_wanted:
            try:
                parts.append((first, once(one, own, least)))
                of_packages = True
            except Died:
                pass
        if not of_packages:
            parts.append((first, of_record(one)))
        given_up.append(GivenUp(first, end - 1, reason_of(Died(reason)).removeprefix("Died: "), of_packages))

    try:
        while todo:
            ranges = list(todo)
            with Child(ranges, work, memory) as child:
                for one in ranges:
                    todo.popleft()
                    try:
                        limit = max(least, share * min(1.0, (one[1] - one[0]) / piece))
                        parts.append((one[0], child.answer(limit, wanted)))
                    except Died as died:
                        reason = str(died)
                        break
                else:
                    continue
            decide(one, reason)
    except TimeoutError:
        raise NotWanted from None
    joined = join(sorted(parts, key=lambda part: part[0]))
    joined.dissector = joined.dissector or f"{dissector}-0"  # no packet came to a dissector that has a version
    return joined, given_up


@cache
def _load() -> None:
    """Whatever a dissector loads when it is first used: once, here, and not in each child."""
    warm.warm()
    importlib.import_module("capture.packets.scapy_dissector.batch")


def _of_record(locator: NDArray[Any], names: set[str], interfaces: tuple[bytes, ...]) -> Dissected:
    """What is known of packets that nothing could dissect."""
    every = np.arange(len(locator), dtype=np.uint32)
    columns = general_fields(locator, names, interfaces)
    columns["error"] = SetValues(every, np.zeros(len(every), np.uint32), np.array([FAILED_ROW], np.uint64))
    return Dissected(columns, undecodable=len(every))
