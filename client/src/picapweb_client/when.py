"""Times to the nanosecond: RFC 3339 there, datetimes and whole nanoseconds here."""

from __future__ import annotations

from datetime import UTC, datetime

NS = 1_000_000_000
# What may stand for a time: a datetime with a zone (a pandas Timestamp too, to its nanosecond), nanoseconds since 1970, or text
# that the server reads (RFC 3339, UTC where no zone is given).
When = datetime | int | str


def rfc3339(when: When) -> str:
    """RFC 3339 of a time. Raises ValueError for a datetime without a zone, which would be another time on another machine."""
    if isinstance(when, str):
        return when
    if isinstance(when, int):
        seconds, rest = divmod(when, NS)
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"
    if when.tzinfo is None:
        raise ValueError(f"{when!r} has no time zone: say which, for example datetime(..., tzinfo=timezone.utc)")
    # A pandas Timestamp is a datetime with nanoseconds (0..999) below its microseconds.
    below = int(getattr(when, "nanosecond", 0))
    utc = when.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond:06d}{below:03d}Z"


def moment(text: str | None) -> datetime | None:
    """The datetime, in UTC, of an answer's RFC 3339 text; None for none, and for times beyond the year 9999.

    A datetime has microseconds: what is below them is cut off."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def nanoseconds_of(text: str | None) -> int | None:
    """Nanoseconds since 1970 of an answer's RFC 3339 text with nine decimals, in UTC; None for none, and beyond the year 9999."""
    if not text or "T" not in text:
        return None
    seconds, _, rest = text.removesuffix("Z").partition(".")
    return int(datetime.fromisoformat(f"{seconds}+00:00").timestamp()) * NS + int(rest.ljust(9, "0") or 0)


def datetime_of(time_ns: int | None) -> datetime | None:
    """The same of nanoseconds since 1970."""
    if time_ns is None:
        return None
    seconds, rest = divmod(time_ns, NS)
    try:
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)
    except (OverflowError, ValueError, OSError):
        return None
