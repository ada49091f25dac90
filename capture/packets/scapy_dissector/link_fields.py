"""Fields of the packet's first Ethernet header."""

from __future__ import annotations

from capture.packets.scapy_dissector.walk import Walk


def note_addresses(walk: Walk, at: int) -> bool:
    """Both addresses of the Ethernet header at `at`, if it is the packet's first and has them. True if it is the first."""
    if walk.framed:
        return False
    walk.framed = True
    if at + 12 <= walk.end:
        walk.add("eth-dst", _text(walk.data[at : at + 6]))
        walk.add("eth-src", _text(walk.data[at + 6 : at + 12]))
    return True


def note_ethertype(walk: Walk, at: int) -> None:
    """The EtherType at `at`, which is there; up to 1500 it is a length."""
    number = walk.number(at, 2)
    if number > 1500:
        walk.add("ethertype", number)


def _text(address: bytes) -> bytes:
    return address.hex(":").encode()
