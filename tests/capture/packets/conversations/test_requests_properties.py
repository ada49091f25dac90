"""Where batches end, how many partitions there are, when a state is stored or asked to forget: nothing of it matters."""

from __future__ import annotations

import random

import numpy as np
import pytest
from scapy.layers.dns import DNS, DNSQR
from scapy.layers.inet import UDP

from capture.packets.conversations import applications
from capture.packets.conversations.requests_state import Requests
from tests.capture.packets.conversations.requests_making import (
    CHANGE,
    DATA,
    FINISHED,
    REQUEST,
    RESPONSE,
    Connection,
    Timed,
    batch,
    between,
    client_hello,
    found,
    ping,
    pong,
    query,
    record,
    reply,
    server_hello,
    triples,
)

Triples = list[tuple[str, int, int]]


def traffic(rng: random.Random, count: int) -> list[Timed]:
    """Few conversations with much in each; times go on by little and by much, and back."""
    web = [Connection(port) for port in range(5000, 5004)]
    names = [Connection(port, 53) for port in range(6000, 6002)]
    secure = [Connection(port, 443) for port in range(7000, 7004)]
    hellos = [
        client_hello(),
        server_hello(),
        CHANGE,
        FINISHED,
        CHANGE + FINISHED,
        DATA,
        record(23, bytes(19)),
        record(21, b"\2\0"),
    ]
    texts = [
        REQUEST % 1,
        RESPONSE % 200,
        REQUEST % 2 + REQUEST % 3,
        RESPONSE % 404 + RESPONSE % 200,
        b"HTTP/1.1 100 Go on\r\n\r\n",
    ]
    packets: list[Timed] = []
    now = 1000.0
    for _ in range(count):
        now += rng.choice([0.001, 0.5, 3, 3, 20, -2, 0]) if rng.random() < 0.97 else 200
        side = rng.randrange(2)
        at = None if rng.random() < 0.01 else now
        kind = rng.randrange(9)
        if kind == 0:
            packets.append(query(at, rng.randrange(3), 4000 + rng.randrange(3)))
        elif kind == 1:
            packets.append(reply(at, rng.randrange(3), 4000 + rng.randrange(3)))
        elif kind == 2:
            packets.append(rng.choice([ping, pong])(now, rng.randrange(3)))
        elif kind == 3:
            body = bytes(DNS(id=rng.randrange(2), qr=side, qd=DNSQR(qname="a.example")))
            packets.append(_say(rng, rng.choice(names), side, at, len(body).to_bytes(2, "big") + body))
        elif kind == 8:
            packets.append(between("10.0.0.3", "10.0.0.4", at, UDP(sport=1, dport=2) / b"something else"))
        elif kind in (4, 5):
            packets.append(_say(rng, rng.choice(web), side, at, rng.choice(texts)))
        else:
            packets.append(_say(rng, rng.choice(secure), side, at, rng.choice(hellos)))
    return packets


def _say(rng: random.Random, tcp: Connection, side: int, seconds: float | None, data: bytes) -> Timed:
    if rng.random() < 0.05:
        return tcp.segment(side, seconds, flags=rng.choice(["S", "FA", "R"]))
    if rng.random() < 0.1:  # the same again, or what was lost
        return tcp.at(side, seconds, (tcp.next[side] - len(data)) & 0xFFFFFFFF, data)
    return tcp.segment(side, seconds, data)


def _batches(rng: random.Random, packets: list[Timed]) -> list[tuple[int, list[Timed]]]:
    """(first column, packets)."""
    cuts = sorted(rng.sample(range(1, len(packets)), rng.randrange(0, 12)))
    return [(a, packets[a:b]) for a, b in zip([0, *cuts], [*cuts, len(packets)], strict=True)]


@pytest.mark.parametrize("seed", range(12))
def test_the_same_however_it_is_taken(seed: int) -> None:
    rng = random.Random(seed)
    packets = traffic(rng, 400)
    whole = found(*packets)
    assert len({name for name, _, _ in whole}) == len(applications.FIELDS)
    assert len(set(whole)) == len(whole)
    one_value = [(name, column) for name, column, _ in whole if name.endswith("-us")]
    assert len(set(one_value)) == len(one_value)
    for partitions in (1, 4):
        states = [applications.state(k, partitions) for k in range(partitions)]
        said: Triples = []
        latest = 0.0
        for first, part in _batches(rng, packets):
            records = applications.records(batch(part), first)
            latest = max([latest, *(one.seconds for one in part if one.seconds is not None)])
            for k in range(partitions):
                said += _taken(states[k], records)
                if rng.random() < 0.5:
                    waiting = states[k].waiting()
                    said += triples(states[k].expire(round(latest * 1e9)))
                    assert waiting is None or states[k].waiting() is None or waiting <= (states[k].waiting() or 0)
                if rng.random() < 0.5:
                    again = applications.state(k, partitions)
                    again.load(states[k].dump())
                    assert again.waiting() == states[k].waiting() and again.conversations() == states[k].conversations()
                    states[k] = again
        for state in states:
            said += triples(state.end())
            assert state.waiting() is None
        assert sorted(said) == whole


def _taken(state: Requests, records: applications.Records) -> Triples:
    """What is said of earlier packets is of such as were waiting."""
    waiting = state.waiting()
    said = triples(state.take(records))
    first = int(records.rows[0, 0]) if len(records.rows) else None
    for _, column, _ in said:
        assert first is None or column >= first or (waiting is not None and waiting <= column)
    return said


def test_what_is_known_is_bounded_by_what_is_open() -> None:
    """Many more questions than are ever open: the table stays small."""
    state = applications.state(0, 1)
    for round_ in range(40):
        packets = []
        for k in range(50):
            packets += [query(round_ * 100 + k / 100, k), reply(round_ * 100 + k / 100 + 0.001, k)]
        packets += [query(round_ * 100 + 1, 1000 + round_)]
        state.take(applications.records(batch(packets), round_ * 1000))
    dumped = state.dump()
    assert state.conversations() <= 2
    assert len(dumped["asked"]) <= 256


def test_tables_that_grow_keep_what_belongs_together() -> None:
    """Hundreds of open queries, each sent twice, and of pipelined requests of several connections, behind some that were
    answered; then all are answered."""
    web = [Connection(port) for port in range(5000, 5003)]
    before = Connection(6000)
    packets = [make(0, k, 7000) for k in range(50) for make in (query, reply)]
    packets += [before.segment(side, 0, said) for _ in range(50) for side, said in ((0, REQUEST % 0), (1, RESPONSE % 200))]
    first = len(packets)
    packets += [query(k / 1000, k) for k in range(300)] + [query(1 + k / 1000, k) for k in range(150)]
    packets += [reply(3 + k / 1000, k) for k in range(40)]  # so that there are dead entries among those that belong together
    packets += [query(1 + k / 1000, k) for k in range(150, 300)]
    packets += [web[k % 3].segment(0, 2 + k / 1000, REQUEST % k) for k in range(300)]
    packets += [reply(3 + k / 1000, k) for k in range(40, 299)]
    packets += [web[k % 3].segment(1, 4 + k / 1000, RESPONSE % (200 + k)) for k in range(300)]
    said = [(name, column - first, value) for name, column, value in found(*packets) if column >= first]
    assert [one for one in said if one[0].startswith("dns")] == [
        *(("dns-rtt-us", 450 + k, 3_000_000) for k in range(40)),
        *(("dns-rtt-us", 900 + k, 3_000_000) for k in range(40, 299)),
        ("dns-unanswered", 299, 0),
        ("dns-unanswered", 639, 0),
    ]
    assert [one for one in said if one[0].startswith("http")] == [
        *(("http-request-status", 640 + k, 200 + k) for k in range(300)),
        *(("http-response-us", 1199 + k, 2_000_000) for k in range(300)),
    ]


def test_what_is_none_is_not_loaded() -> None:
    state = applications.state(0, 1)
    state.take(applications.records(batch(traffic(random.Random(1), 300)), 0))
    good = state.dump()
    assert all(len(good[name]) for name in ("asked", "tls", "connections", "requests"))
    for name in good:
        without = {key: value for key, value in good.items() if key != name}
        with pytest.raises(KeyError):
            applications.state(0, 1).load(without)
        for bad in (good[name].astype(np.float64), good[name][:, :-1] if good[name].ndim == 2 else good[name][:0]):
            with pytest.raises(ValueError, match=name):
                applications.state(0, 1).load({**good, name: np.ascontiguousarray(bad)})
    links = {"asked": 6, "connections": 5, "requests": 7}
    for name, word in links.items():
        bad = good[name].copy()
        bad[-1, word] = 2**31
        with pytest.raises(ValueError, match=name):
            applications.state(0, 1).load({**good, name: bad})
    looped = good["requests"].copy()
    looped[-1, 7] = 1
    with pytest.raises(ValueError, match="requests"):
        applications.state(0, 1).load({**good, "requests": looped})


def test_a_reader_only_batch_is_taken() -> None:
    packets = batch([query(1), reply(2)])
    packets.data.flags.writeable = False
    assert len(applications.records(packets, 0).rows) == 2


def test_an_empty_batch() -> None:
    state = applications.state(0, 1)
    assert triples(state.take(applications.records(batch([]), 0))) == []
