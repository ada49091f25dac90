"""All subjects of the second pass over the packets of one job, in partitions that know nothing of one another."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from capture.packets.batch import PacketBatch
from capture.packets.conversations import applications, tcp
from capture.packets.conversations.contract import MOST_HELD, Found, State, Subject, nothing

SUBJECTS: dict[str, Subject] = {"tcp": tcp, "applications": applications}
# Conversations are told apart by a hash; a partition is what one thread takes. What is found does not depend on their number.
PARTITIONS = 4


class _Part(NamedTuple):
    subject: str
    partition: int
    state: State

    @property
    def key(self) -> str:
        return f"{self.subject}/{self.partition}/"


class Conversations:
    """What is known of a job's conversations behind some of its batches. Use it in a `with`: it has threads.

    most: how many of a kind it holds."""

    def __init__(self, partitions: int = PARTITIONS, most: int = MOST_HELD) -> None:
        self._partitions = partitions
        self._parts = [
            _Part(name, k, one.state(k, partitions, most)) for name, one in SUBJECTS.items() for k in range(partitions)
        ]
        threads = min(partitions, len(os.sched_getaffinity(0)))
        self._threads = ThreadPoolExecutor(threads, "conversations") if threads > 1 else None

    def __enter__(self) -> Conversations:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Ends the threads."""
        if self._threads is not None:
            self._threads.shutdown()

    def take(self, batch: PacketBatch, first_column: int) -> Found:
        """The next batch of the job; packet i is column first_column + i. What is final now, of it and of those before."""
        records = {name: subject.records(batch, first_column) for name, subject in SUBJECTS.items()}
        return self._of_all(lambda part: part.state.take(records[part.subject]))

    def expire(self, now_ns: int) -> Found:
        """What is settled since no packet comes with a time before now_ns (nanoseconds since 1970)."""
        return self._of_all(lambda part: part.state.expire(now_ns))

    def end(self) -> Found:
        """No packet follows: the rest."""
        return self._of_all(lambda part: part.state.end())

    def waiting(self) -> int | None:
        """The least column that may still get a value; None: there is none."""
        return min((column for part in self._parts if (column := part.state.waiting()) is not None), default=None)

    def __len__(self) -> int:
        """How many conversations are known."""
        return sum(part.state.conversations() for part in self._parts)

    def forgotten(self) -> int:
        """How many were settled before their time, for want of room."""
        return sum(part.state.forgotten() for part in self._parts)

    def dump(self) -> dict[str, NDArray[Any]]:
        """All of it, to be stored."""
        arrays = {f"{part.key}{name}": array for part in self._parts for name, array in part.state.dump().items()}
        return {**arrays, "versions": self._versions()}

    def load(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """What `dump` gave. Raises ValueError if that is of another version, or damaged."""
        try:
            if arrays["versions"].tolist() != self._versions().tolist():
                raise ValueError("it is of another version")
            for part in self._parts:
                own = {name.removeprefix(part.key): array for name, array in arrays.items() if name.startswith(part.key)}
                part.state.load(own)
        except KeyError as error:
            raise ValueError(f"{error} is missing") from None

    def _versions(self) -> NDArray[np.int64]:
        return np.array([self._partitions, *(subject.VERSION for subject in SUBJECTS.values())], np.int64)

    def _of_all(self, ask: Callable[[_Part], Found]) -> Found:
        return joined(self._threads.map(ask, self._parts) if self._threads is not None else map(ask, self._parts))


def joined(found: Iterable[Found]) -> Found:
    """All of them as one."""
    fields, columns, values = zip(nothing(), *found, strict=True)
    return Found(np.concatenate(fields), np.concatenate(columns), np.concatenate(values))


def of_whole_capture(batch: PacketBatch, first_column: int) -> Found:
    """What is found in a capture that is one batch."""
    with Conversations(partitions=1, most=max(MOST_HELD, 2 * len(batch))) as all_:
        found = [all_.take(batch, first_column), all_.end()]
    return joined(found)
