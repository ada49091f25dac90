"""From the cells, bits and events of the walk through headers to columns."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from capture.packets.columns import IntValues, SetValues
from capture.packets.declarations.transport import TCP_FLAGS as FLAG_NAMES
from capture.packets.fast import community_id
from capture.packets.fast.address_text import AddressTexts
from capture.packets.fast.addresses import Table
from capture.packets.fast.events import by_slot
from capture.packets.fast.headers import bits, scratch, slots
from capture.packets.fast.interning import NONE, distinct, distinct_pairs, small, triples, wide
from capture.packets.fast.merging import bits_as_rows, either, merged
from capture.packets.fast.out import Out
from capture.packets.labels import leaves

Cells = dict[int, NDArray[np.uint32]]

NETPROTO = {4: b"IPv4", 6: b"IPv6"}
TRANSPROTO = {1: b"TCP", 2: b"UDP", 3: b"UDPLite", 4: b"SCTP"}

# fields whose row id is a cell's number
NUMBERS: dict[str, int] = {
    "transsrc": scratch.TRANSSRC,
    "transdst": scratch.TRANSDST,
    "error": scratch.ERROR,
    "ethertype": scratch.ETHERTYPE,
    "vlan-outer": scratch.VLAN_OUTER,
    "arp-op": scratch.ARP_OP,
    "ip-version": scratch.IP_VERSION,
    "ip-proto": scratch.IP_PROTO,
    "ttl": scratch.TTL,
    "dscp": scratch.DSCP,
    "fragment": scratch.FRAGMENT,
    "icmp-type": scratch.ICMP_TYPE,
    "icmp-code": scratch.ICMP_CODE,
    "icmpv6-type": scratch.ICMPV6_TYPE,
    "icmpv6-code": scratch.ICMPV6_CODE,
    "tcp-window": scratch.TCP_WINDOW,
    "tcp-mss": scratch.TCP_MSS,
    "tcp-wscale": scratch.TCP_WSCALE,
    "direction": scratch.DIRECTION,
}
ADDRESSES: dict[str, int] = {
    "netsrc": scratch.NETSRC,
    "netdst": scratch.NETDST,
    "eth-src": scratch.ETH_SRC,
    "eth-dst": scratch.ETH_DST,
    "arp-sender": scratch.ARP_SENDER,
    "arp-target": scratch.ARP_TARGET,
}
# all cells that a field needs
NEEDED: dict[str, tuple[int, ...]] = {
    **{name: (cell,) for name, cell in (NUMBERS | ADDRESSES).items()},
    "netproto": (scratch.IP_VERSION,),
    "transproto": (scratch.TRANSPROTO,),
    "netaddr": (scratch.NETSRC, scratch.NETDST),
    "port": (scratch.TRANSSRC, scratch.TRANSDST),
    "tcp": (scratch.TCP_FLAGS,),
    "tcp-flagset": (scratch.TCP_FLAGS,),
    "tcp-payload-length": (scratch.TCP_PAYLOAD,),
    "ip-flags": (scratch.IP_FLAGS,),
    "community-id": (scratch.FLOW,),
    "protocols": (scratch.LEAF,),
}
# fields that are events: (slot, what its number is)
EVENT_NUMBERS: dict[str, int] = {
    "vlan": slots.VLAN_ID,
    "vlan-svc": slots.VLAN_SVC_ID,
    "vlan-prio": slots.VLAN_PRIO,
    "mpls-label": slots.MPLS_LABEL,
    "ipv6-extension": slots.IPV6_EXTENSION,
    "tunnel": slots.TUNNEL,
    "inner-ttl": slots.INNER_TTL,
    "inner-transsrc": slots.INNER_TRANSSRC,
    "inner-transdst": slots.INNER_TRANSDST,
    "inner-tcp": slots.INNER_TCP,
    "quoted-transsrc": slots.QUOTED_TRANSSRC,
    "quoted-transdst": slots.QUOTED_TRANSDST,
    "tcp-option": slots.TCP_OPTION,
    "sctp-chunk": slots.SCTP_CHUNK,
}
EVENT_ADDRESSES: dict[str, int] = {
    "inner-netsrc": slots.INNER_NETSRC,
    "inner-netdst": slots.INNER_NETDST,
    "quoted-netsrc": slots.QUOTED_NETSRC,
    "quoted-netdst": slots.QUOTED_NETDST,
}

DOMAIN = 65536


def header_columns(
    fields: Collection[str], cells: Cells, words: NDArray[np.uint64], table: Table, flows: Table, out: Out
) -> dict[str, SetValues | IntValues]:
    """The columns of those `fields` that headers give (those without any value too).

    cells: by number of the cell, uint32 (n,), NONE: nothing. words: uint64 (3, n), see `walk`; their payload's layers are in.
    """
    found: dict[str, SetValues | IntValues] = {}
    texts = AddressTexts(table)
    addresses = int(table.used[0])
    for name in fields:
        if name in NUMBERS:
            found[name] = SetValues(*small(cells[NUMBERS[name]], DOMAIN))
        elif name in ADDRESSES:
            packet, code, values = small(cells[ADDRESSES[name]], max(1, addresses))
            found[name] = SetValues(packet, code, texts.of(values))
    if "netproto" in fields:
        found["netproto"] = _named(cells[scratch.IP_VERSION], NETPROTO)
    if "transproto" in fields:
        found["transproto"] = _named(cells[scratch.TRANSPROTO], TRANSPROTO)
    if "netaddr" in fields:
        packet, code, values = either(cells[scratch.NETSRC], cells[scratch.NETDST], max(1, addresses))
        found["netaddr"] = SetValues(packet, code, texts.of(values))
    if "port" in fields:
        found["port"] = SetValues(*either(cells[scratch.TRANSSRC], cells[scratch.TRANSDST], DOMAIN))
    if "tcp" in fields:
        found["tcp"] = _bits(cells[scratch.TCP_FLAGS], 9)
    if "ip-flags" in fields:
        found["ip-flags"] = _bits(cells[scratch.IP_FLAGS], 3)
    if "tcp-flagset" in fields:
        packet, code, values = small(cells[scratch.TCP_FLAGS], 512)
        found["tcp-flagset"] = SetValues(packet, code, [flag_set(flags) for flags in values.tolist()])
    if "tcp-payload-length" in fields:
        cell = cells[scratch.TCP_PAYLOAD]
        packet = np.flatnonzero(cell != NONE).astype(np.uint32)
        found["tcp-payload-length"] = IntValues(packet, cell[packet].astype(np.int64))
    if "community-id" in fields:
        packet, code, values = small(cells[scratch.FLOW], max(1, int(flows.used[0])))
        ids = _community_ids(values, table, flows)
        width = community_id.LENGTH
        begin = np.arange(len(ids), dtype=np.uint64) * np.uint64(width)
        # both directions have one id, and so have some kinds of ICMP
        same, known = distinct(ids.reshape(-1), begin, np.full(len(ids), width, np.uint64))
        found["community-id"] = SetValues(packet, same[code], known)
    if "protocols" in fields:
        found["protocols"] = _protocols(words, cells[scratch.LEAF])
    _events(found, fields, words, texts, out)
    return found


def flag_set(flags: int) -> bytes:
    """TCP flags as one text: `SYN,ACK`, `none`."""
    return ",".join(name for bit, name in enumerate(FLAG_NAMES) if flags >> bit & 1).encode() or b"none"


def _named(cell: NDArray[np.uint32], names: dict[int, bytes]) -> SetValues:
    packet, code, values = small(cell, 16)
    return SetValues(packet, code, [names[value] for value in values.tolist()])


def _members(word: int) -> list[int]:
    return [bit for bit in range(word.bit_length()) if word >> bit & 1]


def _bits(cell: NDArray[np.uint32], width: int) -> SetValues:
    packet, code, values = small(cell, 1 << width)
    return bits_as_rows(packet, code, [_members(value) for value in values.tolist()])


def _of_events(out: Out, wanted: dict[str, int]) -> dict[str, tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint64]]]:
    begin, packet, first, _ = by_slot(out.events, int(out.used[0]), slots.SLOTS)
    found = {}
    for name, slot in wanted.items():
        low, high = int(begin[slot]), int(begin[slot + 1])
        if low < high:
            code, values = wide(first[low:high])
            found[name] = (*distinct_pairs(packet[low:high], code), values)
    return found


def _events(
    found: dict[str, SetValues | IntValues],
    fields: Collection[str],
    words: NDArray[np.uint64],
    texts: AddressTexts,
    out: Out,
) -> None:
    wanted = {name: slot for name, slot in (EVENT_NUMBERS | EVENT_ADDRESSES).items() if name in fields}
    if "inner-transproto" in fields:
        wanted["inner-transproto"] = slots.INNER_TRANSPROTO
    for name, (packet, code, values) in _of_events(out, wanted).items() if wanted else ():
        if name in EVENT_ADDRESSES:
            found[name] = SetValues(packet, code, texts.of(values))
        elif name == "inner-transproto":
            found[name] = SetValues(packet, code, [TRANSPROTO[value] for value in values.tolist()])
        else:
            found[name] = SetValues(packet, code, values)
    if "tcp-option" in fields:
        some = np.flatnonzero(words[2]).astype(np.uint32)
        code, values = wide(np.ascontiguousarray(words[2][some]))
        part = bits_as_rows(some, code, [_members(value) for value in values.tolist()])
        rare = found.get("tcp-option")
        found["tcp-option"] = merged([part, rare]) if isinstance(rare, SetValues) else part


def _community_ids(numbers: NDArray[np.uint64], table: Table, flows: Table) -> NDArray[np.uint8]:
    """Community IDs of flows, uint8 (flows, LENGTH): see `note_flow` for the keys."""
    keys = flows.keys[numbers.astype(np.int64)]
    ends = [(keys[:, 0] >> np.uint64(shift) & np.uint64(0xFFFFFFFF)).astype(np.int64) for shift in (32, 0)]
    family = np.ascontiguousarray(table.kind[ends[0]])
    sides = []
    for end in ends:
        raw = table.keys[end].astype(">u8").view(np.uint8).reshape(-1, 16).copy()
        four = family == 4
        raw[four, :4] = raw[four, 12:]  # IPv4 addresses are the first 4 bytes of the 16
        sides.append(np.ascontiguousarray(raw))
    word = keys[:, 1]
    made: NDArray[np.uint8] = community_id.texts(
        sides[0],
        sides[1],
        family,
        (word >> np.uint64(32) & np.uint64(0xFF)).astype(np.uint8),
        (word >> np.uint64(16) & np.uint64(0xFFFF)).astype(np.uint16),
        (word & np.uint64(0xFFFF)).astype(np.uint16),
        (word >> np.uint64(40) & np.uint64(1)).astype(np.uint8),
    )
    return made


_LEAVES = {
    **{scratch.LEAF_ETHERTYPE << 16 | number: (name,) for number, name in leaves.ETHERTYPE_LEAVES.items()},
    **{scratch.LEAF_IP << 16 | number: (name,) for number, name in leaves.IP_PROTOCOL_LEAVES.items()},
    **{scratch.LEAF_LLC << 16 | number: (name,) for number, name in leaves.LLC_LEAVES.items()},
    **{scratch.LEAF_OSI << 16 | number: (name, leaves.LLC_LEAVES[0xFE]) for number, name in leaves.OSI_LEAVES.items()},
    **{scratch.LEAF_CISCO << 16 | number: (name,) for number, name in leaves.CISCO_LEAVES.items()},
    **{scratch.LEAF_PPP << 16 | number: (name,) for number, name in leaves.PPP_LEAVES.items()},
}


def leaf_names(leaf: int) -> tuple[str, ...]:
    """Short names of what stands behind the last header that is read."""
    if leaf >> 16 == scratch.LEAF_OSI and leaf not in _LEAVES:
        return (leaves.LLC_LEAVES[0xFE],)
    return _LEAVES.get(leaf, ())


def _protocols(words: NDArray[np.uint64], leaf: NDArray[np.uint32]) -> SetValues:
    n = words.shape[1]
    code, first = triples(words[0], words[1], leaf)
    sets = []
    for low, high, behind in zip(words[0][first].tolist(), words[1][first].tolist(), leaf[first].tolist(), strict=True):
        members = _members(low) + [64 + bit for bit in _members(high)]
        members += [bits.BIT[name] for name in leaf_names(behind)]
        sets.append(sorted(set(members)))
    column = bits_as_rows(np.arange(n, dtype=np.uint32), code, sets)
    assert not isinstance(column.values, list)
    return SetValues(column.packet, column.code, [bits.NAMES[row].encode() for row in column.values.tolist()])
