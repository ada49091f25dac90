"""The compiled recogniser says what the plain one says, of any bytes."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capture.packets.fast.out import TCP, make_payloads
from capture.packets.fast.recognise.dispatch import classified
from capture.packets.fast.recognise.ports import CHECKED, PORT_NAMES
from capture.packets.recognise.names import KINDS
from capture.packets.recognise.ports import SCTP_PORTS, TCP_PORTS, UDP_PORTS
from tests.capture.packets.applications.both import mutations
from tests.capture.packets.recognise.payloads import TRANSPORTS, Payload, assert_same, compiled, corpus
from tests.capture.packets.recognise.test_recognise import CASES
from tests.long import examples

ALL_PORTS = {"tcp": TCP_PORTS, "udp": UDP_PORTS, "udplite": UDP_PORTS, "sctp": SCTP_PORTS}
EXAMPLES: list[Payload] = [(payload, transport, 40000, port) for _, transport, port, payload in CASES]


def some_ports(rng: random.Random, transport: str) -> tuple[int, int]:
    """Two ports, of which one, none or both have a name."""
    named = list(ALL_PORTS[transport])
    pair = [rng.choice((rng.choice(named), rng.randrange(65536))), rng.choice((rng.choice(named), rng.randrange(65536)))]
    return pair[0], pair[1]


def at_all_ports(payload: bytes) -> Iterator[Payload]:
    """The payload over each transport, at each port that has a name, and at one that has none."""
    for transport, ports in ALL_PORTS.items():
        for port in (*ports, 40001):
            yield payload, transport, 40000, port


def prefixes(payload: Payload, all_up_to: int = 48) -> Iterator[Payload]:
    data, transport, source, destination = payload
    for size in {*range(min(len(data), all_up_to)), *range(0, len(data), max(1, len(data) // 24))}:
        yield data[:size], transport, source, destination


def test_every_payload_of_the_corpus() -> None:
    answers = assert_same(corpus())
    named = {answer[0] for answer in answers if isinstance(answer, tuple)}
    assert len(named) > 25 and None in answers, named


def test_prefixes_of_the_corpus() -> None:
    chosen = random.Random(1).sample(corpus(), 1500)
    assert_same([cut for payload in chosen for cut in prefixes(payload)])


def test_damaged_payloads_of_the_corpus() -> None:
    assert_same(list(mutations(corpus(), 30_000, seed=2)))


def test_payloads_of_the_corpus_at_other_ports_and_over_other_transports() -> None:
    rng = random.Random(3)
    moved: list[Payload] = []
    for payload, *_ in rng.sample(corpus(), 10_000):
        transport = rng.choice(list(TRANSPORTS))
        moved.append((payload, transport, *some_ports(rng, transport)))
    assert_same(moved)


def test_examples_at_all_ports_cut_anywhere() -> None:
    for _, _, _, payload in CASES:
        assert_same(list(at_all_ports(payload)))
    assert_same([cut for payload in EXAMPLES for cut in prefixes(payload, 1000)])


def test_each_byte_of_the_examples_changed() -> None:
    """One bit of each byte, and each byte to those that grammars begin or end with."""
    changed: list[Payload] = []
    for payload, transport, source, destination in EXAMPLES:
        for i in range(min(len(payload), 60)):
            for value in {*(payload[i] ^ 1 << bit for bit in range(8)), 0, 0x0A, 0x0D, 0x20, 0x30, 0x3A, 0xFF}:
                changed.append((payload[:i] + bytes([value]) + payload[i + 1 :], transport, source, destination))
    assert_same(changed)


def test_random_bytes() -> None:
    rng = random.Random(4)
    payloads: list[Payload] = []
    for _ in range(40_000):
        transport = rng.choice(list(TRANSPORTS))
        size = rng.choice((0, 1, 2, 3, 5, 8, 12, 15, 16, 17, 20, 34, 48, 64, 300))
        payloads.append((rng.randbytes(size), transport, *some_ports(rng, transport)))
    assert_same(payloads)


def test_random_bytes_that_begin_like_something() -> None:
    """Two or three bytes of an example, then small numbers or any: most go past the first look and few past the checks."""
    rng = random.Random(5)
    payloads: list[Payload] = []
    for _ in range(40_000):
        payload, transport, source, destination = rng.choice(EXAMPLES)
        most = rng.choice((2, 4, 16, 255))
        tail = bytes(rng.randint(0, most) for _ in range(rng.randrange(60)))
        if rng.random() < 0.3:
            source, destination = some_ports(rng, transport)
        payloads.append((payload[: rng.randrange(1, 14)] + tail, transport, source, destination))
    assert_same(payloads)


BLANKS = ["", " ", "  ", "\t", " \t", "\x0b", "\r", "\n", "\r\n", "\n\r"]
HEADS = (
    "GET POST LOCK LOCKDOWN get INVITE A AB REGISTER_X _ DESCRIBE SIP/2.0 RTSP/1.0 HTTP/1.1 HTTP/11 SSH-2.0-x PRI * : :a!b@c "
    "EHLO MAIL FROM RCPT TO mail STARTTLS 220 220- +OK -ERR a1 a.b A2345678901234567 * OK NO NOOP BYE 12 EXISTS ALG ALGS USER "
    "PASS NICK PRIVMSG 001 ~ METHOD-OF-EXACTLY-FORTY-CHARACTERS-AND-NO METHOD-OF-EXACTLY-FORTY-CHARACTERS-AND-ON1"
).split()
TARGETS = "/ /a * *a http://a h+t.t-p://a http:/a a:80 a:80a [::1]:80 a_b.c:1 :80 :// sip:a@b rtsp://a/b x 200 404 2004".split()
VERSIONS = "HTTP/1.1 HTTP/1.x HTTP/11 http/1.1 SIP/2.0 SIP/2.1 RTSP/1.0 RTSP/2 HTTP/2.0 OK".split()
words = st.one_of(st.sampled_from(HEADS), st.sampled_from(TARGETS), st.sampled_from(VERSIONS), st.text("AZaz_09.:/", max_size=4))
texts = st.one_of(
    st.lists(st.tuples(words, st.sampled_from(BLANKS)), max_size=6).map(lambda parts: "".join(a + b for a, b in parts)),
    st.tuples(
        st.sampled_from(HEADS), st.just(" "), st.sampled_from(TARGETS), st.sampled_from(BLANKS), st.sampled_from(VERSIONS),
        st.sampled_from(BLANKS), st.sampled_from(BLANKS),
    ).map("".join),
)  # fmt: skip
TEXT_PORTS = (21, 22, 25, 53, 80, 110, 143, 554, 5060, 6667, 40001)


@settings(max_examples=examples(200, long=1500), deadline=None)
@given(text=texts, padding=st.sampled_from(["", "x" * 20, " " * 9, "\r\n" * 8]))
def test_made_texts(text: str, padding: str) -> None:
    payload = (text + padding).encode()
    assert_same([(payload, transport, 40000, port) for transport in ("tcp", "udp") for port in TEXT_PORTS])


@settings(max_examples=examples(100, long=300), deadline=None)
@given(payload=st.binary(max_size=40), transport=st.sampled_from(list(TRANSPORTS)), port=st.integers(0, 65535))
def test_any_bytes_alone(payload: bytes, transport: str, port: int) -> None:
    """As a batch of one packet: with fewer bytes than a first look takes."""
    assert_same([(payload, transport, 40000, port)])


def test_lines_of_every_length_around_eight_bytes() -> None:
    """Line ends are looked for eight bytes at a time."""
    lines = [b"GET /" + b"a" * n + end for n in range(40) for end in (b"\r\n", b"\n", b"\r", b"\rx", b"", b" HTTP/1.1\r\n")]
    lines += [
        b"220 " + bytes([value]) * n + end for n in range(20) for value in (0x09, 0x0B, 0x8A, 0x8D) for end in (b"\r\n", b"")
    ]
    assert_same([(line, "tcp", 40000, port) for line in lines for port in (21, 40001)])


@pytest.mark.parametrize("transport", list(TRANSPORTS))
def test_names_of_all_ports(transport: str) -> None:
    rng = random.Random(6)
    pairs = [(port, 65535) for port in range(65536)] + [some_ports(rng, transport) for _ in range(20_000)]
    assert_same([(b"", transport, *pair) for pair in pairs])


def test_packets_without_payload_have_neither_kind_nor_port() -> None:
    payloads = make_payloads(2100)
    payloads.source[:], payloads.transport[:] = 80, TCP
    payloads.at[1500], payloads.end[1500] = 0, 20
    kinds, by_port = classified(np.frombuffer(b"GET / HTTP/1.1\r\n\r\n..", np.uint8).copy(), payloads)
    assert np.flatnonzero(kinds).tolist() == [1500] and KINDS[kinds[1500] - 1][0] == "HTTP" and not by_port.any()


def test_order_in_the_batch_does_not_matter() -> None:
    chosen = random.Random(7).sample(corpus(), 5000)
    assert compiled(chosen[::-1])[::-1] == compiled(chosen)


def test_every_name_of_a_port_has_a_number() -> None:
    names = {name for ports in ALL_PORTS.values() for name in ports.values()}
    assert set(PORT_NAMES) == names and len(PORT_NAMES) == len(names) < 256 and set(CHECKED) <= names
