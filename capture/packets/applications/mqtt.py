"""MQTT control packets (OASIS MQTT 3.1.1 and 5.0)."""

from __future__ import annotations

from collections.abc import Iterator

from capture.packets.fields import Field

FIELDS = (
    Field(
        "mqtt-type",
        "number",
        "Types of the control packets in the segment.",
        'Row(mqtt-type="PUBLISH")',
        level="any",
        protocol="mqtt",
        wireshark="mqtt.msgtype",
        maximum=15,
    ),
)


def values(payload: bytes, transport: str, source: int, destination: int) -> Iterator[tuple[str, bytes | int]]:
    """(field, value) of all that `payload` has of FIELDS, in the order of the wire; the same pair may come again."""
    yield from ()
