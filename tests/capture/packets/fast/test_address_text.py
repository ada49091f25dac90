"""Interned addresses and their texts, against the standard library's."""

import ipaddress
import random

import numpy as np
from numba import types

from capture.packets.compiling import compiled
from capture.packets.fast.address_text import AddressTexts, mac_columns
from capture.packets.fast.addresses import IPV4, IPV6, MACS, TABLE, add, grown, make_table

U64 = np.uint64


@compiled(TABLE(TABLE, types.uint64[:, ::1], types.uint8[::1]))
def fill(table, keys, kinds):
    for k in range(len(keys)):
        table = grown(table)
        add(table, keys[k, 0], keys[k, 1], kinds[k])
    return table


def test_texts_of_addresses_through_every_growth_of_the_table():
    rng = random.Random(4)
    kinds, keys, wanted = [], [], []
    for k in range(40_000):
        if k % 2 == 0:
            number = rng.choice([rng.getrandbits(32), rng.getrandbits(8), 0xFFFFFFFF - k])
            kinds.append(IPV4)
            keys.append((0, number))
            wanted.append(str(ipaddress.IPv4Address(number)))
        else:
            number = rng.getrandbits(128) & rng.choice([2**128 - 1, 2**128 - 2**100 + 0xFFFF, 0xFFFF << 112 | 1])
            if number >> 32 in (0, 0xFFFF):
                number |= 1 << 127
            kinds.append(IPV6)
            keys.append((number >> 64, number & (2**64 - 1)))
            wanted.append(str(ipaddress.IPv6Address(number)))
    table = fill(make_table(1024), np.array(keys, U64), np.array(kinds, np.uint8))
    distinct = list(dict.fromkeys(wanted))
    assert int(table.used[0]) == len(distinct)
    assert [text.decode() for text in AddressTexts(table).of(np.arange(len(distinct), dtype=U64))] == distinct


def test_the_same_number_as_address_and_as_pair_of_macs_are_two():
    table = fill(make_table(), np.array([[0, 1], [0, 1], [0, 1]], U64), np.array([IPV4, MACS, IPV4], np.uint8))
    assert int(table.used[0]) == 2
    assert AddressTexts(table).of(np.arange(1, dtype=U64)) == [b"0.0.0.1"]


def test_sources_and_destinations_of_pairs_of_macs():
    headers = [bytes.fromhex("0a0b0c0d0e0f 112233445566"), bytes.fromhex("ffffffffffff 112233445566"), bytes(12)]
    keys = [(int.from_bytes(one[:8], "big"), int.from_bytes(one[8:], "big")) for one in headers]
    table = fill(make_table(), np.array(keys, U64), np.full(3, MACS, np.uint8))
    packet, code = np.array([0, 1, 2, 5], np.uint32), np.array([1, 0, 2, 1], np.uint32)
    destination, source = mac_columns(packet, code, np.array([1, 0, 2], U64), table)
    assert [destination.values[c] for c in destination.code] == [
        b"0a:0b:0c:0d:0e:0f",
        b"ff:ff:ff:ff:ff:ff",
        b"00:00:00:00:00:00",
        b"0a:0b:0c:0d:0e:0f",
    ]
    assert source.values == [b"11:22:33:44:55:66", b"00:00:00:00:00:00"] and source.code.tolist() == [0, 0, 1, 0]
    assert source.packet.tolist() == destination.packet.tolist() == [0, 1, 2, 5]
