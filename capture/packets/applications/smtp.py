"""SMTP commands (RFC 5321, 4.1; pipelined: RFC 2920).

A line is a command if its first word is a verb of `verbs.SMTP`. They are read from the segment's beginning, as long as lines are
commands, and no further than DATA or BDAT: message text, however it looks, follows. Replies have none.
"""

from __future__ import annotations

from collections.abc import Iterator

from capture.packets.applications.lines import commands
from capture.packets.fields import Field
from capture.packets.recognise.verbs import SMTP, SMTP_LAST

FIELDS = (
    Field(
        "smtp-command",
        "text",
        "Commands of the client, in upper case; several in a segment are all counted.",
        'Row(smtp-command="MAIL")',
        level="any",
        protocol="smtp",
        wireshark="smtp.req.command",
    ),
)


def values(payload: bytes, transport: str, source: int, destination: int) -> Iterator[tuple[str, bytes | int]]:
    """(field, value) of all that `payload` has of FIELDS, in the order of the wire; the same pair may come again."""
    for verb in commands(payload, SMTP, SMTP_LAST):
        yield "smtp-command", verb
