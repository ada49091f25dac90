"""From the cells, bits and events of the walk through headers to columns."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from capture.packets.columns import IntValues, SetValues
from capture.packets.declarations.transport import TCP_FLAGS as FLAG_NAMES
from capture.packets.fast.address_text import AddressTexts, mac_columns
from capture.packets.fast.addresses import Table
from capture.packets.fast.conversations import community_ids
from capture.packets.fast.events import by_slot
from capture.packets.fast.header_fields import (
    ADDRESSES,
    EITHER,
    EVENT_ADDRESSES,
    EVENT_NUMBERS,
    LEAF,
    NETPROTO,
    NUMBERS,
    TRANSPROTO,
)
from capture.packets.fast.headers import bits, scratch, slots
from capture.packets.fast.interning import NONE, distinct_pairs, small, wide
from capture.packets.fast.merging import bits_as_rows, either, merged
from capture.packets.fast.out import Out
from capture.packets.fast.protocols_column import protocols
from capture.packets.fast.vlan_stack import vlan_stacks

Cells = dict[int, NDArray[np.uint32]]
DOMAIN = 65536


class HeaderEvents:
    """The events of a walk, by slot: (packet uint32, number uint64), in order of packets."""

    def __init__(self, out: Out) -> None:
        self._begin, self._packet, self._first, _ = by_slot(out.events, int(out.used[0]), slots.SLOTS)

    def of(self, slot: int) -> tuple[NDArray[np.uint32], NDArray[np.uint64]]:
        """Packets and numbers of a slot's events."""
        low, high = int(self._begin[slot]), int(self._begin[slot + 1])
        return self._packet[low:high], self._first[low:high]

    def cell(self, slot: int, n: int) -> NDArray[np.uint32]:
        """The events of a rare cell as a cell of n packets."""
        packet, number = self.of(slot)
        cell = np.full(n, NONE, np.uint32)
        cell[packet] = number
        return cell


def header_columns(
    fields: Collection[str], cells: Cells, words: NDArray[np.uint64], table: Table, flows: Table, events: HeaderEvents
) -> dict[str, SetValues | IntValues]:
    """The columns of those `fields` that headers give (perhaps without any value).

    cells: by number of the cell, uint32 (n,), NONE: nothing. words: uint64 (3, n), see `walk`; their payload's layers are in.
    """
    found: dict[str, SetValues | IntValues] = {}
    texts = AddressTexts(table)
    addresses = max(1, int(table.used[0]))
    for name in fields:
        if name in NUMBERS:
            found[name] = SetValues(*small(cells[NUMBERS[name]], DOMAIN))
        elif name in ADDRESSES:
            packet, code, values = small(cells[ADDRESSES[name]], addresses)
            found[name] = SetValues(packet, code, texts.of(values))
        elif name in EITHER:
            one, other = (cells[cell] for cell in EITHER[name])
            packet, code, values = either(one, other, addresses if name == "netaddr" else DOMAIN)
            found[name] = SetValues(packet, code, texts.of(values) if name == "netaddr" else values)
        elif name in EVENT_NUMBERS or name in EVENT_ADDRESSES:
            packet, number = events.of(EVENT_NUMBERS[name] if name in EVENT_NUMBERS else EVENT_ADDRESSES[name])
            if len(packet):
                found[name] = _set(packet, number, texts if name in EVENT_ADDRESSES else None)
    found.update(_of_ethernet(fields, cells, table))
    found.update(_of_flags(fields, cells))
    if "netproto" in fields:
        found["netproto"] = _named(cells[scratch.IP_VERSION], NETPROTO)
    if "transproto" in fields:
        found["transproto"] = _named(cells[scratch.TRANSPROTO], TRANSPROTO)
    if "inner-transproto" in fields:
        packet, number = events.of(slots.INNER_TRANSPROTO)
        column = _set(packet, number)
        assert not isinstance(column.values, list)
        names = [TRANSPROTO[value] for value in column.values.tolist()]
        found["inner-transproto"] = SetValues(column.packet, column.code, names)
    if "tcp-payload-length" in fields:
        cell = cells[scratch.TCP_PAYLOAD]
        packet = np.flatnonzero(cell != NONE).astype(np.uint32)
        found["tcp-payload-length"] = IntValues(packet, cell[packet].astype(np.int64))
    if "community-id" in fields:
        found["community-id"] = community_ids(cells[scratch.FLOW], table, flows)
    if "protocols" in fields:
        found["protocols"] = protocols(words, events.cell(LEAF, words.shape[1]))
    if "vlan-stack" in fields:
        packet, number = events.of(slots.VLAN_STACK)
        if len(packet):
            found["vlan-stack"] = vlan_stacks(packet, number)
    if "tcp-option" in fields:
        some = np.flatnonzero(words[2]).astype(np.uint32)
        code, options = wide(np.ascontiguousarray(words[2][some]))
        part = bits_as_rows(some, code, [bits.members(value) for value in options.tolist()])
        others = found.get("tcp-option")  # kinds from 64 on are events
        found["tcp-option"] = merged([part, others]) if isinstance(others, SetValues) else part
    return found


def _set(packet: NDArray[np.uint32], number: NDArray[np.uint64], texts: AddressTexts | None = None) -> SetValues:
    code, values = wide(number)
    packets, codes = distinct_pairs(packet, code)
    return SetValues(packets, codes, values if texts is None else texts.of(values))


def _of_ethernet(fields: Collection[str], cells: Cells, table: Table) -> dict[str, SetValues]:
    if "eth-src" not in fields and "eth-dst" not in fields:
        return {}
    packet, code, pairs = small(cells[scratch.ETHERNET], max(1, int(table.used[0])))
    destination, source = mac_columns(packet, code, pairs, table)
    return {name: column for name, column in (("eth-src", source), ("eth-dst", destination)) if name in fields}


def _of_flags(fields: Collection[str], cells: Cells) -> dict[str, SetValues]:
    found = {}
    if "tcp" in fields or "tcp-flagset" in fields:
        packet, code, values = small(cells[scratch.TCP_FLAGS], 512)
        sets = values.tolist()
        if "tcp" in fields:
            found["tcp"] = bits_as_rows(packet, code, [bits.members(flags) for flags in sets])
        if "tcp-flagset" in fields:
            found["tcp-flagset"] = SetValues(packet, code, [flag_set(flags) for flags in sets])
    if "ip-flags" in fields:
        packet, code, values = small(cells[scratch.IP_FLAGS], 8)
        found["ip-flags"] = bits_as_rows(packet, code, [bits.members(flags) for flags in values.tolist()])
    return found


def flag_set(flags: int) -> bytes:
    """TCP flags as one text: `SYN,ACK`, `none`."""
    return ",".join(name for bit, name in enumerate(FLAG_NAMES) if flags >> bit & 1).encode() or b"none"


def _named(cell: NDArray[np.uint32], names: dict[int, bytes]) -> SetValues:
    packet, code, values = small(cell, 16)
    return SetValues(packet, code, [names[value] for value in values.tolist()])
