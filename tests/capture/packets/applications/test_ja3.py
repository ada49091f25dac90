"""JA3: strings and their fingerprints as published, on hellos that are made of those strings."""

from __future__ import annotations

import pytest

from tests.capture.packets.applications.both import both
from tests.capture.packets.applications.tls_making import client_hello, extension, groups, point_formats, record

GREASE = 0x6A6A


def hello_of(text: str, grease: bool = False) -> bytes:
    """A ClientHello that has this JA3 string, its GREASE left out."""
    version, *lists = text.split(",")
    ciphers, extensions, curves, formats = ([int(n) for n in of.split("-") if n] for of in lists)
    if grease:
        ciphers.insert(0, GREASE)
        curves.insert(0, GREASE)
        extensions = [GREASE, *extensions, 0x1A1A]
    made = {10: groups(*curves), 11: point_formats(*formats)}
    return client_hello(*(made.get(e, extension(e)) for e in extensions), version=int(version), ciphers=ciphers)


# https://github.com/salesforce/ja3; the last two: what browserleaks.com and tls.peet.ws say of Chrome
PUBLISHED = [
    ("769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0", b"ada70206e40642a3e4461f35503241d5"),
    ("769,4-5-10-9-100-98-3-6-19-18-99,,,", b"de350869b8c85de67a350c8d186f11e6"),
    (
        "771,4865-4866-4867-49195-49199-49196-49200-52393-52392-49171-49172-156-157-47-53,"
        "45-51-16-65037-23-17613-0-11-10-43-65281-35-18-5-13-27,4588-29-23-24,0",
        b"98487aa16281980e7d1120d399efb6a4",
    ),
    (
        "771,4865-4866-4867-49195-49199-49196-49200-52393-52392-49171-49172-156-157-47-53,"
        "0-5-10-11-13-16-18-23-27-35-43-45-51-17613-65037-65281,4588-29-23-24,0",
        b"8e19337e7524d2573be54efb2b0784c9",
    ),
]


@pytest.mark.parametrize(("text", "fingerprint"), PUBLISHED)
def test_published_fingerprints(text: str, fingerprint: bytes) -> None:
    assert both("TLS", record(hello_of(text)))["tls-ja3"] == [fingerprint]


@pytest.mark.parametrize(("text", "fingerprint"), [of for of in PUBLISHED if ",,," not in of[0]])
def test_grease_does_not_change_the_fingerprint(text: str, fingerprint: bytes) -> None:
    assert both("TLS", record(hello_of(text, grease=True)))["tls-ja3"] == [fingerprint]


def test_of_an_extension_that_comes_twice_the_last_counts() -> None:
    """As salesforce's program has it."""
    twice = client_hello(groups(23), point_formats(1), groups(24, 25), point_formats(0, 2), version=769, ciphers=[4])
    once = client_hello(extension(10), extension(11), groups(24, 25), point_formats(0, 2), version=769, ciphers=[4])
    found = both("TLS", record(twice))["tls-ja3"]
    assert found == both("TLS", record(once))["tls-ja3"]
    assert found == [b"fa14afde0dfba8b7547ecdadffb6cecf"]  # md5("769,4,10-11-10-11,24-25,0-2")


def test_several_hellos_have_a_fingerprint_each() -> None:
    hellos = [hello_of(text) for text, _ in PUBLISHED]
    assert both("TLS", b"".join(map(record, hellos)))["tls-ja3"] == [fingerprint for _, fingerprint in PUBLISHED]
