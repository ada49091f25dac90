"""Command lines of SMTP and FTP."""

from __future__ import annotations

import re
from collections.abc import Iterator

# the end of the payload ends a line, too: it may go on in the next segment
_LINE = re.compile(rb"([A-Za-z][A-Za-z0-9]{2,7})(?:[ \t][^\n]*)?\r?(?:\n|\Z)")


def commands(payload: bytes, verbs: tuple[str, ...], last: tuple[str, ...] = ()) -> Iterator[bytes]:
    """Verbs, in upper case, of the command lines that `payload` begins with, up to one of `last`."""
    at = 0
    while line := _LINE.match(payload, at):
        verb = line[1].upper()
        if verb.decode() not in verbs:
            return
        yield verb
        if verb.decode() in last:
            return
        at = line.end()
