"""FTP commands (RFC 959, 4.1, and its extensions).

A line is a command if its first word is a verb of `verbs.FTP`. They are read from the segment's beginning, as long as lines are
commands. Replies have none.
"""

from __future__ import annotations

from collections.abc import Iterator

from capture.packets.applications.lines import commands
from capture.packets.fields import Field
from capture.packets.recognise.verbs import FTP

FIELDS = (
    Field(
        "ftp-command",
        "text",
        "Commands of the client, in upper case; several in a segment are all counted.",
        'Row(ftp-command="RETR")',
        level="any",
        protocol="ftp",
        wireshark="ftp.request.command",
    ),
)


def values(payload: bytes, transport: str, source: int, destination: int) -> Iterator[tuple[str, bytes | int]]:
    """(field, value) of all that `payload` has of FIELDS, in the order of the wire; the same pair may come again."""
    for verb in commands(payload, FTP):
        yield "ftp-command", verb
