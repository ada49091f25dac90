"""JA4: the specification's examples (FoxIO-LLC/ja4, technical_details/JA4.md), and fingerprints published elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.capture.packets.applications.both import both
from tests.capture.packets.applications.tls_making import (
    alpn,
    client_hello,
    extension,
    groups,
    point_formats,
    record,
    server_name,
    signatures,
    versions,
)  # fmt: skip

CIPHERS = "1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d,002f,0035"
EXTENSIONS = "001b,0000,0033,0010,4469,0017,002d,000d,0005,0023,0012,002b,ff01,000b,000a,0015"
SIGNATURES = "0403,0804,0401,0503,0805,0501,0806,0601"


def hexes(text: str) -> list[int]:
    return [int(n, 16) for n in text.split(",") if n]


def hello_of(
    ciphers: str,
    extensions: str,
    signed: str = "",
    protocols: Sequence[bytes] = (b"h2",),
    offered: Sequence[int] = (0x0304, 0x0303),
    version: int = 0x0303,
) -> bytes:
    made = {
        0x0000: server_name(b"example.com"),
        0x000A: groups(29, 23, 24),
        0x000B: point_formats(0),
        0x000D: signatures(*hexes(signed)) if signed else b"",
        0x0010: alpn(*protocols),
        0x002B: versions(*offered),
    }
    return client_hello(*(made.get(e, extension(e)) for e in hexes(extensions)), version=version, ciphers=hexes(ciphers))


def ja4(hello: bytes) -> str:
    [found] = both("TLS", record(hello))["tls-ja4"]
    assert isinstance(found, bytes)
    return found.decode()


def test_the_specifications_example() -> None:
    assert ja4(hello_of(CIPHERS, EXTENSIONS, SIGNATURES)) == "t13d1516h2_8daaf6152771_e5627efa2ab1"


def test_a_browsers_fingerprint() -> None:
    """Chrome 143, as published with its raw form."""
    extensions = "002d,0033,0010,fe0d,0017,44cd,0000,000b,000a,002b,ff01,0023,0012,0005,000d,001b"
    assert ja4(hello_of(CIPHERS, extensions, SIGNATURES)) == "t13d1516h2_8daaf6152771_d8a2da3f94cd"


def test_without_signature_algorithms_there_is_no_underscore() -> None:
    extensions = hexes("0005,000a,000b,000d,0012,0015,0017,001b,0023,002b,002d,0033,4469,ff01")
    assert ja4(client_hello(*map(extension, extensions))).split("_")[2] == "6d807ffa2a79"


def test_grease_is_ignored_everywhere() -> None:
    hello = hello_of(
        "0a0a," + CIPHERS,
        "1a1a," + EXTENSIONS + ",2a2a",
        "fafa," + SIGNATURES,
        (b"\x3a\x3a", b"h2"),
        (0x9A9A, 0x0304, 0x0303),
    )
    assert ja4(hello) == "t13d1516h2_8daaf6152771_e5627efa2ab1"


def test_order_of_ciphers_and_extensions_does_not_count_that_of_signatures_does() -> None:
    def turned(text: str) -> str:
        return ",".join(reversed(text.split(",")))

    assert ja4(hello_of(turned(CIPHERS), turned(EXTENSIONS), SIGNATURES)) == "t13d1516h2_8daaf6152771_e5627efa2ab1"
    assert ja4(hello_of(CIPHERS, EXTENSIONS, turned(SIGNATURES))).split("_")[2] != "e5627efa2ab1"


@pytest.mark.parametrize(
    ("value", "two"),
    [
        (b"h2", "h2"),
        (b"http/1.1", "h1"),
        (b"h3", "h3"),
        (b"x", "xx"),
        (b"", "00"),
        (b"\xab", "ab"),
        (b"\xab\xcd", "ad"),
        (b"\x30\xab", "3b"),
        (b"\x30\x31\xab\xcd", "3d"),
        (b"\x30\xab\xcd\x31", "01"),
        (b" ", "20"),
        (b"a ", "60"),
        (b"\xba\xad", "bd"),
    ],
)
def test_the_first_protocol_gives_two_characters(value: bytes, two: str) -> None:
    assert ja4(hello_of(CIPHERS, EXTENSIONS, SIGNATURES, (value, b"zz"))) == f"t13d1516{two}_8daaf6152771_e5627efa2ab1"


def test_no_protocols() -> None:
    assert ja4(hello_of(CIPHERS, EXTENSIONS, SIGNATURES, ()))[8:10] == "00"
    assert ja4(hello_of(CIPHERS, EXTENSIONS.replace("0010,", ""), SIGNATURES)) == "t13d151500_8daaf6152771_e5627efa2ab1"


def test_without_a_server_name() -> None:
    assert ja4(hello_of(CIPHERS, EXTENSIONS.replace("0000,", ""), SIGNATURES)) == "t13i1515h2_8daaf6152771_e5627efa2ab1"


@pytest.mark.parametrize(
    ("version", "two"), [(0x0303, "12"), (0x0302, "11"), (0x0301, "10"), (0x0300, "s3"), (0x0002, "s2"), (0x7F1C, "00")]
)
def test_the_version_is_the_hellos_where_the_extension_is_missing(version: int, two: str) -> None:
    assert ja4(hello_of(CIPHERS, EXTENSIONS.replace("002b,", ""), SIGNATURES, version=version)).startswith(f"t{two}d1515h2_")


def test_the_version_is_the_highest_that_is_offered() -> None:
    assert ja4(hello_of(CIPHERS, EXTENSIONS, SIGNATURES, offered=(0x0301, 0x0303, 0x0302))).startswith("t12d")


def test_hellos_without_lists() -> None:
    assert ja4(client_hello(version=0x0301, ciphers=())) == "t10i000000_000000000000_000000000000"
    assert ja4(client_hello(server_name(b"a.example"), alpn(b"h2"))).endswith("_000000000000")


def test_counts_end_at_99() -> None:
    hello = client_hello(*(extension(0x4000 + i) for i in range(120)), ciphers=range(0x2000, 0x2064))
    assert ja4(hello).startswith("t12i999900_")
