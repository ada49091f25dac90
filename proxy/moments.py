"""Times as users write them, in RFC 3339, and as numbers: nanoseconds since 1970."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone

NS = 1_000_000_000
_WRITTEN = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?(Z|z|[+-][0-9]{2}:?[0-9]{2})?)?",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def nanoseconds(text: str) -> int | None:
    """Nanoseconds since 1970 of an RFC 3339 time (section 5.6) of up to nine decimals; None if it is none.

    UTC where no zone is given. Seconds may be left out, and the time of day; a leap second is the first of the next minute."""
    m = _WRITTEN.fullmatch(text)
    if m is None:
        return None
    second = int(m[6] or 0)
    try:
        day = date(int(m[1]), int(m[2]), int(m[3]))
        minute = time(int(m[4] or 0), int(m[5] or 0), tzinfo=_zone(m[8]))
    except ValueError:
        return None
    if second > 60:
        return None
    since = datetime.combine(day, minute) - _EPOCH + timedelta(seconds=second)
    return (since // timedelta(seconds=1)) * NS + int((m[7] or "0").ljust(9, "0"))


def _zone(text: str | None) -> timezone:
    """Raises ValueError for one of a day or more."""
    if text is None or text in "Zz":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return timezone(-offset if text[0] == "-" else offset)


def written(ns: int) -> str:
    """The time, in UTC, with as many decimals as it needs: none, 3, 6 or 9."""
    seconds, rest = divmod(ns, NS)
    text = (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    if rest:
        decimals = f"{rest:09d}"
        text += "." + (decimals[:3] if rest % 1_000_000 == 0 else decimals[:6] if rest % 1000 == 0 else decimals)
    return text + "Z"
