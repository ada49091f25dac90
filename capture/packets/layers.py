"""The layer tree of one packet: every header scapy finds, with each field's bytes. What the packet page shows."""

from __future__ import annotations

from capture.packets.layer import Layer, undecoded


def layer_tree(data: bytes, linktype: int, wire_length: int) -> list[Layer]:
    """The layers of a packet, outermost first. Never raises: what cannot be decoded is a last layer UNDECODED with the rest.

    data: the captured bytes. linktype: LINKTYPE number. wire_length: bytes on the wire.
    """
    from capture.packets.scapy_dissector.tree import tree  # scapy takes half a second to import

    try:
        return tree(data, linktype, wire_length)
    except Exception:  # scapy raises what it likes on hostile bytes
        return [undecoded(data, 0)]
