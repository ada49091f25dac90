"""MQTT control packets (OASIS MQTT 3.1.1 and 5.0, section 2): type, remaining length, the rest; one behind the other.

A packet whose end is not in the segment counts by its fixed header; one whose fixed header is cut does not. Type 0 is forbidden:
what begins with it is not the beginning of a packet, and nothing behind it is read.
"""

from __future__ import annotations

from collections.abc import Iterator

from capture.packets.fields import Field

TYPES = {
    1: "CONNECT", 2: "CONNACK", 3: "PUBLISH", 4: "PUBACK", 5: "PUBREC", 6: "PUBREL", 7: "PUBCOMP", 8: "SUBSCRIBE", 9: "SUBACK",
    10: "UNSUBSCRIBE", 11: "UNSUBACK", 12: "PINGREQ", 13: "PINGRESP", 14: "DISCONNECT", 15: "AUTH",
}  # fmt: skip

FIELDS = (
    Field(
        "mqtt-type",
        "number",
        "Types of the control packets in the segment.",
        'Row(mqtt-type="PUBLISH")',
        level="any",
        protocol="mqtt",
        wireshark="mqtt.msgtype",
        labels=TYPES,
        maximum=15,
    ),
)


def values(payload: bytes, transport: str, source: int, destination: int) -> Iterator[tuple[str, bytes | int]]:
    """(field, value) of all that `payload` has of FIELDS, in the order of the wire; the same pair may come again."""
    at = 0
    while at < len(payload):
        size = _size(payload, at + 1)
        if payload[at] >> 4 == 0 or size is None:
            return
        yield "mqtt-type", payload[at] >> 4
        at += size


def _size(payload: bytes, at: int) -> int | None:
    """Bytes of the control packet whose remaining length begins at `at`; None where that is cut, or longer than four bytes."""
    length = 0
    for k, byte in enumerate(payload[at : at + 4]):
        length |= (byte & 0x7F) << 7 * k
        if not byte & 0x80:
            return 2 + k + length
    return None
