"""Time views as Pilosa 1.4.1 names and chooses them (its time.go): which views a bit is written to, which a range reads."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

FORMATS = {"Y": "%Y", "M": "%Y%m", "D": "%Y%m%d", "H": "%Y%m%d%H"}


def view(at: datetime, unit: str) -> str:
    """The name of the view of an instant, without what stands before it: "2018", "201801" ..."""
    return f"{at.year:04}" + at.strftime(FORMATS[unit][2:])


def views_of(at: datetime, quantum: str) -> list[str]:
    """The views that a bit with a timestamp is in."""
    return [view(at, unit) for unit in quantum]


# As Go reads "2006-01-02T15:04": of all numbers only the hour may have one digit. strptime takes one of any.
SHAPE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{1,2}:[0-9]{2}")


def parse(text: str | int) -> datetime:
    """An instant as queries write it: "2018-01-05T12:30", or seconds since 1970. ValueError."""
    if isinstance(text, int):
        return datetime.fromtimestamp(text, UTC).replace(tzinfo=None)
    if not SHAPE.fullmatch(text):
        raise ValueError(f"no time: {text}")
    return datetime.strptime(text, "%Y-%m-%dT%H:%M")


def views_between(start: datetime, end: datetime, quantum: str) -> list[str]:
    """The fewest views that cover [start, end), as Pilosa finds them: up from the smallest unit, and down again."""
    found: list[str] = []
    at = start
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
                at = add_month(at)
                continue
        break
    while at < end:
        if "Y" in quantum and _reaches(_months(at, 12), end, 1):
            found.append(view(at, "Y"))
            at = _months(at, 12)
        elif "M" in quantum and _reaches(_months(at, 1), end, 2):
            found.append(view(at, "M"))
            at = add_month(at)
        elif "D" in quantum and _reaches(at + timedelta(days=1), end, 3):
            found.append(view(at, "D"))
            at += timedelta(days=1)
        elif "H" in quantum:
            found.append(view(at, "H"))
            at += timedelta(hours=1)
        else:
            break
    return found


def add_month(at: datetime) -> datetime:
    """A month on; from a day past the 28th to the first of the next."""
    return _months(at.replace(day=1, minute=0) if at.day > 28 else at, 1)


def end_of(name: str) -> datetime:
    """Where a view's time ends."""
    begin = begin_of(name)
    if len(name) == 4:
        return _months(begin, 12)
    return {6: add_month(begin), 8: begin + timedelta(days=1), 10: begin + timedelta(hours=1)}[len(name)]


def begin_of(name: str) -> datetime:
    return datetime(int(name[:4]), int(name[4:6] or 1), int(name[6:8] or 1), int(name[8:10] or 0))


def _months(at: datetime, months: int) -> datetime:
    """Go's AddDate: a day that the month does not have runs over into the next."""
    years, month = divmod(at.month - 1 + months, 12)
    return at.replace(year=at.year + years, month=month + 1, day=1) + timedelta(days=at.day - 1)


def _reaches(after: datetime, end: datetime, parts: int) -> bool:
    """Whether the end is past `after`, or in the same year (1), month (2) or day (3)."""
    return after.timetuple()[:parts] == end.timetuple()[:parts] or end > after
