"""SMB 1 (MS-CIFS, 2.2.3.1) and SMB 2/3 (MS-SMB2, 2.2.1): messages behind the four bytes of direct TCP or of NetBIOS sessions.

Several messages may stand in a segment, several SMB 2 commands in a message (NextCommand). Of SMB 1's AndX chains only the
header's command counts. Encrypted and compressed messages (marks 0xFD and 0xFC) show no command. Session requests, their
answers and keep-alives (RFC 1002, 4.3.1: types 0x81 to 0x85) may stand between messages.
"""

from __future__ import annotations

from collections.abc import Iterator

from capture.packets.fields import Field
from capture.packets.labels.smb import COMMANDS, COMMANDS2

FIELDS = (
    Field(
        "smb-command",
        "number",
        "Commands of SMB 1 messages.",
        'Row(smb-command="Negotiate")',
        level="any",
        protocol="smb",
        wireshark="smb.cmd",
        labels=COMMANDS,
        maximum=255,
    ),
    Field(
        "smb2-command",
        "number",
        "Commands of SMB 2 and 3 messages, compounds included.",
        'Row(smb2-command="Create")',
        level="any",
        protocol="smb2",
        wireshark="smb2.cmd",
        labels=COMMANDS2,
        maximum=65535,
    ),
)


def values(payload: bytes, transport: str, source: int, destination: int) -> Iterator[tuple[str, bytes | int]]:
    """(field, value) of all that `payload` has of FIELDS, in the order of the wire; the same pair may come again."""
    at = 0
    while at + 4 <= len(payload):
        end = at + 4 + int.from_bytes(payload[at + 1 : at + 4], "big")
        if payload[at] == 0:
            yield from _message(payload, at + 4, min(end, len(payload)))
        elif not 0x81 <= payload[at] <= 0x85:
            return
        at = end


def _message(payload: bytes, at: int, end: int) -> Iterator[tuple[str, bytes | int]]:
    """The commands of one message: of SMB 1 the header's, of SMB 2 those of the compound."""
    if payload[at : at + 4] == b"\xffSMB" and at + 4 < end:
        yield "smb-command", payload[at + 4]
    while payload[at : at + 4] == b"\xfeSMB" and at + 14 <= end:
        yield "smb2-command", int.from_bytes(payload[at + 12 : at + 14], "little")
        following = int.from_bytes(payload[at + 20 : at + 24], "little") if at + 24 <= end else 0
        if following < 64:
            return
        at += following
