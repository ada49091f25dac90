"""Interned addresses and their texts, against the standard library's."""

import ipaddress
import random

import numpy as np
from numba import types

from capture.packets.compiling import compiled
from capture.packets.fast.address_text import AddressTexts
from capture.packets.fast.addresses import IPV4, IPV6, MAC, TABLE, add, grown, make_table

U64 = np.uint64


@compiled(TABLE(TABLE, types.uint64[:, ::1], types.uint8[::1]))
def fill(table, keys, kinds):
    for k in range(len(keys)):
        table = grown(table)
        add(table, keys[k, 0], keys[k, 1], kinds[k])
    return table


def test_texts_of_all_kinds_through_every_growth_of_the_table():
    rng = random.Random(4)
    kinds, keys, wanted = [], [], []
    for k in range(40_000):
        if k % 3 == 0:
            number = rng.choice([rng.getrandbits(32), rng.getrandbits(8), 0xFFFFFFFF - k])
            kinds.append(IPV4)
            keys.append((0, number))
            wanted.append(str(ipaddress.IPv4Address(number)))
        elif k % 3 == 1:
            number = rng.getrandbits(128) & rng.choice([2**128 - 1, 2**128 - 2**100 + 0xFFFF, 0xFFFF << 112 | 1])
            if number >> 32 in (0, 0xFFFF):
                number |= 1 << 127
            kinds.append(IPV6)
            keys.append((number >> 64, number & (2**64 - 1)))
            wanted.append(str(ipaddress.IPv6Address(number)))
        else:
            number = rng.getrandbits(48)
            kinds.append(MAC)
            keys.append((0, number))
            wanted.append(":".join(f"{byte:02x}" for byte in number.to_bytes(6, "big")))
    table = fill(make_table(1024), np.array(keys, U64), np.array(kinds, np.uint8))
    distinct = list(dict.fromkeys(zip(kinds, wanted, strict=True)))
    assert int(table.used[0]) == len(distinct)
    texts = AddressTexts(table).of(np.arange(len(distinct), dtype=U64))
    assert [text.decode() for text in texts] == [text for _, text in distinct]


def test_the_same_number_as_address_and_as_mac_are_two():
    table = fill(make_table(), np.array([[0, 1], [0, 1], [0, 1]], U64), np.array([IPV4, MAC, IPV4], np.uint8))
    assert AddressTexts(table).of(np.arange(2, dtype=U64)) == [b"0.0.0.1", b"00:00:00:00:00:01"]
