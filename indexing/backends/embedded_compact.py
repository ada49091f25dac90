"""Small blobs become few, in the background: neighbours of any jobs within a shard are made one segment.

Units are what has blobs in a shard: pieces of batches, and segments. A run of units that follow one another is merged when they
are FAN_IN or more and together are GROWTH times as large as the largest of them: so a column is rewritten at most a few times
(log of SEGMENT_COLUMNS to base GROWTH), and the smallest units come first. A segment is rewritten alone when a quarter of it
has gone. One merge is one commit; what it reads is read, and made one, before that, without the lock that all writers share.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from indexing.backends import embedded_keys as keys
from indexing.backends.base import BackendError
from indexing.backends.embedded_join import Source, join
from indexing.backends.embedded_keys import EXISTS_FIELD, SEGMENT_BIT, SEGMENT_FIELD, Place, Range, Segment
from indexing.backends.embedded_places import SMALL_COLUMNS, Places
from indexing.backends.embedded_snapshot import Snapshot
from indexing.backends.embedded_store import Store
from indexing.fragment import bitmap_of_ranges

FAN_IN = 8
GROWTH = 4
SEGMENT_COLUMNS = 1 << 17
MOST_UNITS = 256  # of one merge: as many blobs of each field go in one commit
MOST_PIECES = 1 << 14  # of one segment: so many keys are written again in the commit that rewrites it
_TIERS = tuple(1 << bits for bits in (6, 8, 10, 12, 14, 16))  # units smaller than one of these are neighbours of their like
_GATHER = 64  # records of what is gone of a segment, before they are made one


@dataclass(frozen=True)
class Unit:
    """Something with blobs. record: its value, which tells whether it is still what it was; columns: those not gone."""

    place: Place
    record: bytes
    columns: int
    pieces: int
    segment: Segment | None


def compact(store: Store) -> bool:
    """Does a bounded piece of work: one merge, or a look at one shard; False if nothing is to be done, or another process
    does it. Raises BackendAway, BackendError."""
    with _alone(store) as alone:
        if not alone:
            return False
        damaged: ValueError | None = None
        with store.read() as snapshot:
            waiting = snapshot.dirty()
            if not waiting:
                return False
            index, shard, mark = waiting[0]
            run = plan(snapshot, index, shard)
            try:
                made = _made(snapshot, index, shard, run) if run else None
            except ValueError as error:
                damaged, made = error, None
            scattered = {} if run else _scattered(snapshot, index, shard)
        if damaged is not None:
            store.clear_dirty(index, shard, mark)  # else the other shards' turn would never come
            raise BackendError(f"blobs of index {index} in shard {shard} stay as they are: {damaged}")
        if made is not None:
            _commit(store, index, made)
        elif scattered:
            with store.places(index, must_exist=False) as places:
                for place, (record, ranges) in scattered.items():
                    if places.get(SEGMENT_FIELD, place) == record:
                        places.gather_gone(place, ranges)
        else:
            store.clear_dirty(index, shard, mark)
        return True


@contextmanager
def _alone(store: Store) -> Iterator[bool]:
    """Whether no other process is at it; the lock goes with the process that holds it."""
    with (store.path / "compact.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True


# Which


def plan(snapshot: Snapshot, index: str, shard: int) -> list[Unit]:
    """The units of a shard that are to become one; none if all are well as they are."""
    runs = {tier: _Run() for tier in _TIERS}
    chosen: dict[int, list[Unit]] = {}
    for unit in _units(snapshot, index, shard):
        if unit.segment is not None and 4 * (unit.segment.columns - unit.columns) >= unit.segment.columns:
            return [unit]
        for tier, run in runs.items():
            if unit.columns >= tier or not run.takes(unit):
                if run.worth():
                    chosen.setdefault(tier, run.units)
                run = runs[tier] = _Run()
            if unit.columns < tier:
                run.add(unit)
        if _TIERS[0] in chosen:
            return chosen[_TIERS[0]]
    for tier, run in runs.items():
        if tier not in chosen and run.worth():
            chosen[tier] = run.units
    return chosen[min(chosen)] if chosen else []


class _Run:
    """Units that follow one another."""

    def __init__(self) -> None:
        self.units: list[Unit] = []
        self._columns = self._largest = self._pieces = 0

    def takes(self, unit: Unit) -> bool:
        """Whether it would not become too large with it."""
        columns, pieces = self._columns + unit.columns, self._pieces + unit.pieces
        return len(self.units) < MOST_UNITS and columns <= SEGMENT_COLUMNS and pieces <= MOST_PIECES

    def add(self, unit: Unit) -> None:
        self.units.append(unit)
        self._columns += unit.columns
        self._pieces += unit.pieces
        self._largest = max(self._largest, unit.columns)

    def worth(self) -> bool:
        """Whether they are to become one."""
        return len(self.units) >= FAN_IN and GROWTH * self._largest <= self._columns


def _units(snapshot: Snapshot, index: str, shard: int) -> Iterator[Unit]:
    for place, record in snapshot.units(index, shard):
        if place.is_segment:
            segment = Segment.unpacked(record)
            yield Unit(place, record, segment.live, segment.pieces, segment)
        elif place.last - place.first + 1 < SMALL_COLUMNS:
            yield Unit(place, record, place.last - place.first + 1, 1, None)


def _scattered(snapshot: Snapshot, index: str, shard: int) -> dict[Place, tuple[bytes, list[Range]]]:
    """Segments of which much is gone in many little records: each with its record and what is gone."""
    if snapshot.gone_records(index, shard) < _GATHER:
        return {}
    gone = snapshot.gone(index, shard)
    units = (unit for unit in _units(snapshot, index, shard) if unit.segment is not None and unit.place.id in gone)
    return {unit.place: (unit.record, gone[unit.place.id]) for unit in units}


# Making and committing


@dataclass(frozen=True)
class Made:
    """A segment to be, and the units that go into it."""

    units: list[Unit]
    shard: int
    ranges: list[Range]
    blobs: dict[str, bytes]


def _made(snapshot: Snapshot, index: str, shard: int, run: list[Unit]) -> Made:
    """The bits of a run of units as blobs, one a field."""
    gone = snapshot.gone(index, shard)
    ranges: list[Range] = []
    wanted = {}
    names: dict[str, list[Unit]] = {}
    for unit in run:
        place = unit.place
        if unit.segment is None:
            ranges.append((place.first, place.last))
            its_names = snapshot.names_of(index, place.id)
        else:
            ranges += keys.without(unit.segment.ranges, gone.get(place.id, ()))
            its_names = list(unit.segment.names)
            if place.id in gone:
                wanted[place] = ~bitmap_of_ranges(gone[place.id])
        for name in its_names:
            names.setdefault(name, []).append(unit)
    blobs: dict[str, bytes] = {}
    for name, units in names.items():
        sources: list[Source] = []
        for unit in units:
            blob = snapshot.fragment(index, name, unit.place)
            if blob is not None:
                sources.append((blob, wanted.get(unit.place)))
        data = join(sources) if sources else None
        if data is not None:
            blobs[name] = data
    return Made(run, shard, keys.joined(ranges), blobs)


def _commit(store: Store, index: str, made: Made) -> None:
    """Puts the segment in the place of its units, unless one of them has changed meanwhile."""
    with store.places(index, must_exist=False) as places:
        for unit in made.units:
            if places.get(SEGMENT_FIELD if unit.segment else EXISTS_FIELD, unit.place) != unit.record:
                return
        put_segment(places, made)


def put_segment(places: Places, made: Made) -> Place:
    """Within a write transaction: the segment is there, its units are not, and their pieces are in it."""
    first, last = made.ranges[0][0], max(last for _, last in made.ranges)
    place = Place(made.shard, first, last, SEGMENT_BIT | places.serial)
    pieces: list[Place] = []
    for unit in made.units:
        if unit.segment is None:
            pieces.append(unit.place)
            places.remove_blobs(unit.place)
        else:
            pieces += places.owned(made.shard, unit.segment.ranges, unit.place)
            places.remove_segment(unit.place, unit.segment.names)
    for piece in pieces:
        places.own(piece, place)
    columns = keys.size_of(made.ranges)
    segment = Segment(columns, columns, len(pieces), tuple(made.ranges), tuple(made.blobs))
    places.put_segment(place, segment, made.blobs.items())
    return place
