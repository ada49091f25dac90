"""NTP (RFC 5905, 7.3: the mode is in the low three bits of the first byte)."""

from __future__ import annotations

from collections.abc import Iterator

from capture.packets.fields import Field

MODES = {
    0: "reserved", 1: "symmetric active", 2: "symmetric passive", 3: "client", 4: "server", 5: "broadcast", 6: "control",
    7: "private",
}  # fmt: skip

FIELDS = (
    Field(
        "ntp-mode",
        "number",
        "Mode.",
        'Row(ntp-mode="client")',
        level="any",
        protocol="ntp",
        wireshark="ntp.flags.mode",
        labels=MODES,
        maximum=7,
    ),
)


def values(payload: bytes, transport: str, source: int, destination: int) -> Iterator[tuple[str, bytes | int]]:
    """(field, value) of all that `payload` has of FIELDS, in the order of the wire; the same pair may come again."""
    if payload:
        yield "ntp-mode", payload[0] & 7
