"""Community IDs in compiled loops, against the plain function (which is tested against the package `communityid`)."""

import random

import numpy as np

from capture.packets.community_id import community_id
from capture.packets.fast.community_id import texts

PORTS, ICMP, NONE = (6, 17, 132, 136), (1, 58), (4, 41, 47, 50, 0, 255)


def test_conversations_of_all_kinds():
    rng = random.Random(7)
    count = 5000
    source, destination = np.zeros((count, 16), np.uint8), np.zeros((count, 16), np.uint8)
    family, protocol, has_ports = (np.zeros(count, np.uint8) for _ in range(3))
    sports, dports = np.zeros(count, np.uint16), np.zeros(count, np.uint16)
    wanted = []
    for k in range(count):
        family[k] = rng.choice((4, 6))
        size = 4 if family[k] == 4 else 16
        here = bytes(rng.choice((0, 1, 127, 128, 255)) for _ in range(size))
        there = here if rng.random() < 0.2 else bytes(rng.choice((0, 1, 127, 128, 255)) for _ in range(size))
        number = rng.choice(PORTS + ICMP + NONE)
        most = 256 if number in ICMP else 65536
        sport, dport = rng.randrange(most), rng.randrange(most)
        if number in ICMP and rng.random() < 0.7:
            sport = rng.choice((0, 8, 9, 10, 13, 14, 17, 18, 128, 129, 130, 133, 134, 135, 136, 139, 144))
        if number in PORTS and rng.random() < 0.2:
            dport = sport
        with_ports = number not in NONE
        source[k, :size], destination[k, :size] = list(here), list(there)
        protocol[k], has_ports[k], sports[k], dports[k] = number, with_ports, sport, dport
        wanted.append(community_id(here, there, number, sport if with_ports else None, dport if with_ports else None))
    made = texts(source, destination, family, protocol, sports, dports, has_ports)
    assert [bytes(one) for one in made] == wanted


def test_nothing():
    empty = np.zeros((0, 16), np.uint8), np.zeros((0, 16), np.uint8)
    small, large = np.zeros(0, np.uint8), np.zeros(0, np.uint16)
    assert texts(*empty, small, small, large, large, small).shape == (0, 30)
