"""Settings come from the environment, through these typed helpers, and a bad value stops the start in words.

Every helper takes the variable's name and a default. A default of ``REQUIRED`` means that the variable must be set.
For each NAME, NAME_FILE may name a file that holds the value instead (for secrets handed over as files); giving both is
an error. An empty value counts as not set. ``docs/settings.md`` lists every variable; a test compares it with the code.
"""

from __future__ import annotations

import os
import re
from decimal import Decimal
from pathlib import Path
from typing import Final, TypeVar


class BadSetting(Exception):
    """A variable of the environment has a value that cannot be used. The text names the variable and the value."""


T = TypeVar("T")
N = TypeVar("N", int, float)


class _Required:
    def __repr__(self) -> str:
        return "REQUIRED"


REQUIRED: Final = _Required()


def raw(name: str) -> str | None:
    """The value of a variable as text, from NAME or from the file that NAME_FILE names; None where neither is set."""
    value = os.environ.get(name) or None
    file = os.environ.get(f"{name}_FILE") or None
    if value is not None and file is not None:
        raise BadSetting(f"{name} and {name}_FILE are both set; set only one of them")
    if file is None:
        return value
    try:
        return Path(file).read_text(encoding="utf-8").rstrip("\r\n") or None
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetting(f"{name}_FILE={file!r} cannot be read: {error}") from error


def text(name: str, default: str | _Required = REQUIRED, *, choices: tuple[str, ...] = ()) -> str:
    """A text; one of ``choices`` where given."""
    value = raw(name)
    if value is None:
        return _default(name, default)
    if choices and value not in choices:
        raise BadSetting(f"{name}={value!r} is not one of {', '.join(choices)}")
    return value


def words(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """A list of words, separated by commas."""
    value = raw(name)
    if value is None:
        return list(default)
    return [word for word in (part.strip() for part in value.split(",")) if word]


def integer(name: str, default: int | _Required = REQUIRED, *, least: int | None = None, most: int | None = None) -> int:
    """A whole number, optionally within bounds (both inclusive)."""
    value = raw(name)
    if value is None:
        return _default(name, default)
    if not re.fullmatch(r"[+-]?[0-9]{1,19}", value):
        raise BadSetting(f"{name}={value!r} is not a whole number")
    return _bounded(name, value, int(value), least, most)


def boolean(name: str, default: bool | _Required = REQUIRED) -> bool:
    """Yes or no: true/false, yes/no, on/off, 1/0, in any case."""
    value = raw(name)
    if value is None:
        return _default(name, default)
    if value.lower() in ("true", "yes", "on", "1"):
        return True
    if value.lower() in ("false", "no", "off", "0"):
        return False
    raise BadSetting(f"{name}={value!r} is neither true nor false")


_DURATION_UNITS = {
    "ns": Decimal("1e-9"),
    "us": Decimal("1e-6"),
    "µs": Decimal("1e-6"),
    "μs": Decimal("1e-6"),
    "ms": Decimal("1e-3"),
    "s": Decimal(1),
    "m": Decimal(60),
    "h": Decimal(3600),
}
_DURATION_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]*)?|\.[0-9]+")


def parse_duration(value: str) -> float:
    """Seconds in a duration in Go's text form (``1h30m``, ``250ms``; time.ParseDuration), or in plain seconds (``30``).

    Raises ValueError for anything else, negative durations included.
    """
    if _NUMBER.fullmatch(value):
        return float(value)
    at, total = 0, Decimal(0)
    while match := _DURATION_PART.match(value, at):
        total += Decimal(match[1]) * _DURATION_UNITS[match[2]]
        at = match.end()
    if not value or at != len(value):
        raise ValueError(f"{value!r} is not a duration such as 30s, 250ms or 1h30m")
    return float(total)


def seconds(name: str, default: float | _Required = REQUIRED, *, least: float | None = None, most: float | None = None) -> float:
    """A duration, in seconds: a number of seconds (``30``) or Go's text (``1h30m``, ``250ms``)."""
    value = raw(name)
    if value is None:
        return _default(name, default)
    try:
        number = parse_duration(value)
    except ValueError:
        raise BadSetting(f"{name}={value!r} is not a duration such as 30s, 250ms or 1h30m") from None
    return _bounded(name, value, number, least, most)


_SIZE = re.compile(r"([0-9]{1,15})\s*(?:([kKMGT])(i?)B?|B)?")
_SIZE_POWER = {"k": 1, "K": 1, "M": 2, "G": 3, "T": 4}


def size(name: str, default: int | _Required = REQUIRED, *, least: int | None = None) -> int:
    """A number of bytes: ``4096``, ``500MB`` (powers of 1000) or ``2GiB`` (powers of 1024)."""
    value = raw(name)
    if value is None:
        return _default(name, default)
    match = _SIZE.fullmatch(value)
    if match is None:
        raise BadSetting(f"{name}={value!r} is not a size such as 4096, 500MB or 2GiB")
    number = int(match[1]) * ((1024 if match[3] else 1000) ** _SIZE_POWER[match[2]] if match[2] else 1)
    return _bounded(name, value, number, least, None)


def path(name: str, default: Path | _Required = REQUIRED) -> Path:
    """A path, made absolute against the working directory; ``~`` stands for the home folder."""
    value = raw(name)
    if value is None:
        return _default(name, default)
    if "\0" in value:
        raise BadSetting(f"{name}={value!r} holds a NUL byte")
    return Path(os.path.abspath(os.path.expanduser(value)))


def url(name: str, default: str | _Required = REQUIRED, *, schemes: tuple[str, ...]) -> str:
    """A URL whose scheme is one of ``schemes``. The value may hold a password, so the message shows only its scheme."""
    value = raw(name)
    if value is None:
        return _default(name, default)
    scheme = value.partition(":")[0]
    if ":" not in value or scheme not in schemes:
        shown = f"begins with {scheme!r}" if ":" in value else "has no scheme"
        raise BadSetting(f"{name} {shown}; it must begin with one of {', '.join(s + ':' for s in schemes)}")
    return value


def _default(name: str, default: T | _Required) -> T:
    if isinstance(default, _Required):
        raise BadSetting(f"{name} is not set, and there is no default for it")
    return default


def _bounded(name: str, value: str, number: N, least: N | None, most: N | None) -> N:
    if least is not None and number < least:
        raise BadSetting(f"{name}={value!r} is too small: the least is {least}")
    if most is not None and number > most:
        raise BadSetting(f"{name}={value!r} is too large: the most is {most}")
    return number
