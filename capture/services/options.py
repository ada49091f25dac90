"""The options of a job: picap's and ours, checked one by one; an error names the option."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from capture.packets.dissect import DISSECTORS
from capture.packets.errors import PacketsError
from capture.packets.registry import PRESETS, select
from capture.services.errors import Refused
from indexing.backends.generation_names import is_generation_name
from picapweb import environment

INDEX_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
DEFAULT_SNAPLEN = 262144
# Of a live capture. libpcap refuses more bytes of a packet than the greatest, and a ring file must hold some packets.
GREATEST_SNAPLEN = 262144
DEFAULT_BUFFER = 64 << 20
LEAST_RING_FILE = 1 << 20
MAX_BUFSIZE = 1 << 20
MAX_TEXT = 16384


@dataclass
class Options:
    """A job's options. 0 stands for "no limit" in concurrency and the stop rules, times are in seconds."""

    filter: str = ""
    index: str = "net"
    name: str = ""
    tags: list[str] = field(default_factory=list)
    dissector: str = next(iter(DISSECTORS))
    fields: list[str] = field(default_factory=lambda: ["all"])
    snaplen: int = DEFAULT_SNAPLEN
    promisc: bool = False
    timeout: float = 0.001
    concurrency: int = 0
    bufsize: int = field(default_factory=lambda: settings.BATCH_PACKETS)
    max_packets: int = 0
    max_bytes: int = 0
    max_seconds: float = 0.0
    ring_bytes: int = 0
    ring_files: int = 0
    ring_keep_index: bool = field(default_factory=lambda: settings.RING_KEEP_INDEX)
    retention: str = ""
    keep_seconds: float = 0.0
    keep_bytes: int = 0
    buffer_bytes: int = DEFAULT_BUFFER
    own_traffic: bool = False
    shared: bool = field(default_factory=lambda: settings.SHARE_JOBS)
    again: bool = False

    def field_names(self) -> list[str]:
        """The fields that the job indexes, presets resolved, in registry order."""
        return [one.name for one in select(self.fields)]

    def stored(self) -> dict[str, Any]:
        """What the job's row keeps of them beside its own columns."""
        kept = ["snaplen", "promisc", "timeout", "concurrency", "bufsize", "max_packets", "max_bytes", "max_seconds"]
        kept += ["ring_bytes", "ring_files", "ring_keep_index", "buffer_bytes", "own_traffic"]
        kept += ["retention", "keep_seconds", "keep_bytes"]
        return {name: getattr(self, name) for name in kept}


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"must be text, not {value!r}")
    if "\0" in value:
        raise ValueError("must not hold a NUL")
    if len(value) > MAX_TEXT:
        raise ValueError(f"must not be longer than {MAX_TEXT} characters, not {len(value)}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("must be text that UTF-8 can hold") from None
    return value


def _name(value: Any) -> str:
    """A name that fits on a page: a line of at most 255 characters."""
    if len(_text(value)) > 255 or not value.isprintable():
        raise ValueError("must be one line of at most 255 characters")
    return str(value)


def _integer(least: int, most: int) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        if isinstance(value, bool) or not (
            isinstance(value, int) or (isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,20}", value))
        ):
            raise ValueError(f"must be a whole number, not {value!r}")
        number = int(value)
        if not least <= number <= most:
            raise ValueError(f"must be from {least} to {most}, not {number}")
        return number

    return check


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "1", "yes", "on"):
        return True
    if isinstance(value, str) and value.lower() in ("false", "0", "no", "off", ""):
        return False
    raise ValueError(f"must be true or false, not {value!r}")


def _seconds(value: Any) -> float:
    """A Go duration ("1ms", "1m30s") or a number of seconds."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value)
    else:
        text = _text(value)
        number = environment.parse_duration(text)
    if not 0 <= number < 1e9:
        raise ValueError(f"must be from 0 to 1e9 seconds, not {value!r}")
    return number


def _words(value: Any) -> list[str]:
    """A list of texts, or one text with commas between."""
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, list):
        raise ValueError(f"must be a list, or words with commas between, not {value!r}")
    return list(dict.fromkeys(word for word in (_text(item).strip() for item in value) if word))


def _index(value: Any) -> str:
    if not INDEX_NAME.fullmatch(_text(value)):
        raise ValueError(f"must match {INDEX_NAME.pattern}, not {value!r}")
    if is_generation_name(value):
        raise ValueError(f"{value!r} is the name of a generation of another index")
    return str(value)


def _dissector(value: Any) -> str:
    if _text(value) not in DISSECTORS:
        raise ValueError(f"must be one of {', '.join(DISSECTORS)}, not {value!r}")
    return str(value)


def _fields(value: Any) -> list[str]:
    names = _words(value) or ["all"]
    try:
        select(names)
    except PacketsError as error:
        raise ValueError(f"{error}; presets: {', '.join(PRESETS)}") from None
    return names


# What retention takes of the job, once it has ended and is too old or too large; "" is what PICAPWEB_RETENTION_TAKES says.
RETENTION = ("", "keep", "captures", "index", "all")


def _retention(value: Any) -> str:
    if _text(value) not in RETENTION:
        raise ValueError(f"must be one of {', '.join(RETENTION[1:])}, not {value!r}")
    return str(value)


_MOST = 2**63 - 1
CHECKS: dict[str, Callable[[Any], Any]] = {
    "filter": _text,
    "index": _index,
    "name": _name,
    "tags": _words,
    "dissector": _dissector,
    "fields": _fields,
    "snaplen": _integer(1, 2**31 - 1),
    "promisc": _boolean,
    "timeout": _seconds,
    "concurrency": _integer(0, 1024),
    "bufsize": _integer(1, MAX_BUFSIZE),
    "max_packets": _integer(0, _MOST),
    "max_bytes": _integer(0, _MOST),
    "max_seconds": _seconds,
    "ring_bytes": _integer(0, _MOST),
    "ring_files": _integer(0, 1_000_000),
    "ring_keep_index": _boolean,
    "retention": _retention,
    "keep_seconds": _seconds,
    "keep_bytes": _integer(0, _MOST),
    "buffer_bytes": _integer(1 << 20, 1 << 30),
    "own_traffic": _boolean,
    "shared": _boolean,
    "again": _boolean,
}


# What a person is told of each, the default first. A test compares it with DISSECTORS.
DISSECTOR_HELP = {
    "fast": "compiled loops over whole batches; packets of link types that they do not read go to scapy",
    "scapy": "packet by packet, some thousand a second; the reference that fast is compared with",
}
PRESET_HELP = {"all": "every field, those of installed packages too", "picap": "the fields of picap"}


def dissectors_in_words() -> str:
    """For help texts."""
    default = Options().dissector
    return "; ".join(f"{name}{' (default)' * (name == default)}: {words}" for name, words in DISSECTOR_HELP.items())


def presets_in_words() -> str:
    """For help texts."""
    default = Options().fields
    return "; ".join(f"{name}{' (default)' * ([name] == default)}: {words}" for name, words in PRESET_HELP.items())


def parse_options(given: Mapping[str, Any]) -> Options:
    """Checks options as they came (texts of a form or query string, or JSON's own types).

    An empty text is an option not given, as browsers send it. Raises Refused, naming the option."""
    options = Options()
    for name, value in given.items():
        check = CHECKS.get(name)
        if check is None:
            near = difflib.get_close_matches(name, CHECKS, n=2)
            hint = f" (did you mean {' or '.join(near)}?)" if near else f"; options are {', '.join(CHECKS)}"
            raise Refused(f"unknown option {name!r}{hint}", option=name)
        if value == "" or value is None:
            continue
        try:
            setattr(options, name, check(value))
        except (ValueError, OverflowError) as error:
            raise Refused(f"option {name}: {error}", option=name) from None
    return options
