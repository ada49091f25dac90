"""Labels of the application fields: each means one number, and reads back as it."""

from __future__ import annotations

import pytest

from capture.packets import applications
from capture.packets.fields import Field
from capture.packets.values import row_of_text

LABELLED = [field for field in applications.FIELDS if field.labels]


def test_every_enumeration_has_labels() -> None:
    assert {field.name for field in applications.FIELDS if field.encoding == "number"} - {field.name for field in LABELLED} == {
        "dns-id"
    }


@pytest.mark.parametrize("field", LABELLED, ids=lambda field: field.name)
def test_a_label_is_a_value_of_its_own(field: Field) -> None:
    for number, label in field.labels.items():
        assert number <= field.maximum
        assert row_of_text(field, label) == number
        assert row_of_text(field, label.upper()) == number


@pytest.mark.parametrize(
    ("name", "label", "number"),
    [
        ("dns-qtype", "AAAA", 28), ("dns-rcode", "NXDOMAIN", 3), ("tls-version", "TLS 1.2", 0x303), ("tls-type", "Handshake", 22),
        ("tls-handshake", "Client Hello", 1), ("quic-version", "Q046", 0x51303436), ("quic-version", "draft-29", 0xFF00001D),
        ("http-status", "Not Found", 404), ("ntp-mode", "client", 3), ("snmp-version", "SNMPv2c", 1), ("mqtt-type", "PUBLISH", 3),
        ("dhcp-type", "Discover", 1), ("modbus-function", "Read Holding Registers", 3), ("smb-command", "Negotiate", 0x72),
        ("smb2-command", "Create", 5),
    ],
)  # fmt: skip
def test_labels_are_the_registries_names(name: str, label: str, number: int) -> None:
    [field] = [field for field in applications.FIELDS if field.name == name]
    assert row_of_text(field, label) == number
