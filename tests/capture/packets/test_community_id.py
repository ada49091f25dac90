"""Community ID: equal to the reference implementation, for every kind of conversation and in both directions."""

from __future__ import annotations

import random

import communityid
import pytest

from capture.packets.community_id import community_id

RANDOM = random.Random(4)
PLAIN = [n for n in range(256) if n not in (1, 6, 17, 58, 132)]


def reference(source: bytes, destination: bytes, protocol: int, *ports: int) -> bytes:
    identity: str = communityid.CommunityID().calc(communityid.FlowTuple(protocol, source, destination, *ports))
    return identity.encode()


def address(version: int) -> bytes:
    return RANDOM.randbytes(4 if version == 4 else 16)


def test_the_example_of_the_specification() -> None:
    source, destination = bytes([128, 232, 110, 120]), bytes([66, 35, 250, 204])
    assert community_id(source, destination, 6, 34855, 80) == b"1:LQU9qZlK+B5F3KDmev6m5PMibrg="


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("protocol", [6, 17, 132, 136])
def test_with_ports(version: int, protocol: int) -> None:
    for _ in range(50):
        here, there, sport, dport = address(version), address(version), RANDOM.randrange(65536), RANDOM.randrange(65536)
        identity = community_id(here, there, protocol, sport, dport)
        assert identity == reference(here, there, protocol, sport, dport)
        assert identity == community_id(there, here, protocol, dport, sport)


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("protocol", PLAIN)
def test_without_ports(version: int, protocol: int) -> None:
    here, there = address(version), address(version)
    assert community_id(here, there, protocol) == community_id(there, here, protocol) == reference(here, there, protocol)


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("protocol", [1, 58])
def test_types_and_codes(version: int, protocol: int) -> None:
    for kind in range(256):
        for code in (0, 1, kind, RANDOM.randrange(256)):
            here, there = address(version), address(version)
            assert community_id(here, there, protocol, kind, code) == reference(here, there, protocol, kind, code)


def test_hosts_that_talk_to_themselves() -> None:
    for protocol in (6, 17, 1, 58, 47):
        here = address(4)
        for ports in ((1, 2), (2, 1), (7, 7), (8, 0), (128, 0), (129, 0)):
            asked = () if protocol == 47 else ports
            assert community_id(here, here, protocol, *asked) == reference(here, here, protocol, *asked)
