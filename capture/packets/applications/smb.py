"""SMB 1 (MS-SMB) and SMB 2/3 (MS-SMB2)."""

from __future__ import annotations

from collections.abc import Iterator

from capture.packets.fields import Field

FIELDS = (
    Field(
        "smb-command",
        "number",
        "Commands of SMB 1 messages.",
        'Row(smb-command="Negotiate")',
        level="any",
        protocol="smb",
        wireshark="smb.cmd",
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
        maximum=65535,
    ),
)


def values(payload: bytes, transport: str, source: int, destination: int) -> Iterator[tuple[str, bytes | int]]:
    """(field, value) of all that `payload` has of FIELDS, in the order of the wire; the same pair may come again."""
    yield from ()
