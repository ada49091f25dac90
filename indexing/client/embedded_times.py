"""Time views as Pilosa 1.4.1 names and chooses them: which views a bit is written to, which a range of time reads.

Source: time.go of Pilosa 1.4.1. Instants are naive datetimes in UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from indexing.calls import QueryError

_LENGTHS = {"Y": 4, "M": 6, "D": 8, "H": 10}
FIRST, LAST = datetime.min, datetime.max
_EPOCH = datetime(1970, 1, 1)


def view(at: datetime, unit: str) -> str:
    """The view of a unit ("Y", "M", "D", "H") that an instant is in: "2018", "201801" ..."""
    return f"{at.year:04}{at.month:02}{at.day:02}{at.hour:02}"[: _LENGTHS[unit]]


def views_at(at: datetime, quantum: str) -> list[str]:
    """The views that a bit with a timestamp is in."""
    return [view(at, unit) for unit in quantum]


def views_at_each(timestamps: NDArray[np.int64], unit: str) -> tuple[list[str], NDArray[np.int64]]:
    """The views of a unit that have any of these instants (ns since 1970, (n,)), and which of them each is in (n,)."""
    hours = timestamps // 3_600_000_000_000
    distinct, which = np.unique(hours, return_inverse=True)
    names = [view(_EPOCH + timedelta(hours=hour), unit) for hour in distinct.tolist()]
    views = sorted(set(names))
    number = {name: i for i, name in enumerate(views)}
    return views, np.array([number[name] for name in names], np.int64)[which]


def instant(written: str | int) -> datetime:
    """As queries write it: "2018-01-05T12:30", or seconds since 1970; what no datetime can say is the nearest that one can.

    Raises QueryError."""
    if isinstance(written, int):
        try:
            return datetime.fromtimestamp(written, UTC).replace(tzinfo=None)
        except (OverflowError, ValueError, OSError):
            return FIRST if written < 0 else LAST
    if written.startswith("0000-"):
        return FIRST
    try:
        return datetime.strptime(written, "%Y-%m-%dT%H:%M")
    except ValueError:
        raise QueryError(f"invalid date: {written}") from None


def between(start: datetime, end: datetime, quantum: str, have: Sequence[str]) -> list[str]:
    """The fewest views that cover [start, end), as Pilosa finds them, of those in `have`."""
    if not have or not quantum:
        return []
    known = set(have)
    # Before the first year that has a view there is nothing to find: from its beginning on the same views are passed
    first, last = int(min(have)[:4]), int(max(have)[:4])
    start = max(start, datetime(max(first, 1), 1, 1))
    end = min(end, datetime(min(last + 2, 9999), 1, 1))
    return [name for name in _cover(start, end, quantum) if name in known]


def span(have: Sequence[str], quantum: str) -> tuple[datetime, datetime] | None:
    """The time that the views of the coarsest unit cover; None if there is none."""
    coarse = [name for name in have if quantum and len(name) == _LENGTHS[quantum[0]]]
    return (_begin(min(coarse)), _end(max(coarse))) if coarse else None


def _cover(start: datetime, end: datetime, quantum: str) -> list[str]:
    found: list[str] = []
    at = start
    # Up from the smallest unit ...
    while at < end and quantum != "Y":
        if "H" in quantum:
            if not _reaches(at + timedelta(days=1), end, 3):
                break
            if at.hour:
                found.append(view(at, "H"))
                at += timedelta(hours=1)
                continue
        if "D" in quantum:
            if not _reaches(_months(at, 1), end, 2):
                break
            if at.day != 1:
                found.append(view(at, "D"))
                at += timedelta(days=1)
                continue
        if "M" in quantum:
            if not _reaches(_months(at, 12), end, 1):
                break
            if at.month != 1:
                found.append(view(at, "M"))
                at = _next_month(at)
                continue
        break
    # ... and down again
    while at < end:
        if "Y" in quantum and _reaches(_months(at, 12), end, 1):
            found.append(view(at, "Y"))
            at = _months(at, 12)
        elif "M" in quantum and _reaches(_months(at, 1), end, 2):
            found.append(view(at, "M"))
            at = _next_month(at)
        elif "D" in quantum and _reaches(at + timedelta(days=1), end, 3):
            found.append(view(at, "D"))
            at += timedelta(days=1)
        elif "H" in quantum:
            found.append(view(at, "H"))
            at += timedelta(hours=1)
        else:
            break
    return found


def _begin(name: str) -> datetime:
    return datetime(int(name[:4]), int(name[4:6] or 1), int(name[6:8] or 1), int(name[8:10] or 0))


def _end(name: str) -> datetime:
    begin = _begin(name)
    if len(name) == 4:
        return _months(begin, 12)
    return {6: _next_month(begin), 8: begin + timedelta(days=1), 10: begin + timedelta(hours=1)}[len(name)]


def _next_month(at: datetime) -> datetime:
    """A month on; from a day past the 28th to the first of the next."""
    return _months(at.replace(day=1, minute=0) if at.day > 28 else at, 1)


def _months(at: datetime, months: int) -> datetime:
    """Go's AddDate: a day that the month does not have runs over into the next. At the end of time: the end."""
    years, month = divmod(at.month - 1 + months, 12)
    if at.year + years > LAST.year:
        return LAST
    return at.replace(year=at.year + years, month=month + 1, day=1) + timedelta(days=at.day - 1)


def _reaches(after: datetime, end: datetime, parts: int) -> bool:
    """Whether the end is past `after`, or in the same year (1), month (2) or day (3)."""
    return after.timetuple()[:parts] == end.timetuple()[:parts] or end > after
