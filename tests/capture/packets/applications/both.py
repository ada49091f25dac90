"""An application's two readers side by side: the plain one, and the compiled one on a batch of exactly the payload's bytes.

found = both("NTP", bytes.fromhex("23..."), "udp", 123, 123)
assert found == {"ntp-mode": [3]}
"""

from __future__ import annotations

import functools
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from capture.packets import applications
from capture.packets.errors import PacketsError
from capture.packets.fast import applications as fast
from capture.packets.fast.events import columns
from capture.packets.fast.out import SCTP, TCP, UDP, UDPLITE, make_out, make_payloads
from capture.packets.reading import read_batch
from capture.packets.registry import FIELDS
from capture.packets.sources import open_capture
from tests.components import SHARED
from tests.conftest import needs

Values = dict[str, list[bytes | int]]
Payload = tuple[bytes, str, int, int]  # bytes, transport, source port, destination port

TRANSPORTS = {"tcp": TCP, "udp": UDP, "udplite": UDPLITE, "sctp": SCTP}
MOST_PREFIXES = 200


def both(application: str, payload: bytes, transport: str = "tcp", source: int = 40000, destination: int = 80) -> Values:
    """The distinct values of each field, in the order in which they stand in the payload.

    Asserts that the compiled reader finds the same in the payload, and in its prefixes: each, or 200 of them if it is long.
    """
    step = max(1, len(payload) // MOST_PREFIXES)
    prefixes = [(payload[:size], transport, source, destination) for size in range(0, len(payload), step)]
    assert_all_same(application, prefixes)  # as one batch: what reads on behind a prefix finds the next one's beginning
    return assert_same(application, payload, transport, source, destination)


def assert_same(application: str, payload: bytes, transport: str = "tcp", source: int = 40000, destination: int = 80) -> Values:
    """As `both`, for these bytes only."""
    want = plain(application, payload, transport, source, destination)
    [got] = compiled(application, [(payload, transport, source, destination)])
    assert got == as_sets(want), (application, payload, transport, source, destination)
    return want


def assert_all_same(application: str, payloads: Sequence[Payload]) -> None:
    """That both readers agree on every one of `payloads`, which the compiled one gets as one batch."""
    for payload, got in zip(payloads, compiled(application, payloads), strict=True):
        assert got == as_sets(plain(application, *payload)), (application, *payload)


def plain(application: str, payload: bytes, transport: str, source: int, destination: int) -> Values:
    """What the plain reader finds."""
    found: Values = {}
    for name, value in applications.values(application, payload, transport, source, destination):
        assert isinstance(value, bytes) == (FIELDS[name].encoding == "text"), (name, value)
        values = found.setdefault(name, [])
        if value not in values:
            values.append(value)
    return found


def compiled(application: str, payloads: Sequence[Payload]) -> list[dict[str, set[bytes | int]]]:
    """What the compiled reader finds in each of `payloads`: one batch, which holds their bytes one behind the other."""
    module = fast.module(application)
    assert module is not None, f"{application}: no compiled reader"
    data = np.frombuffer(b"".join(payload for payload, *_ in payloads), np.uint8).copy()
    where = make_payloads(len(payloads))
    at = 0
    for i, (payload, transport, source, destination) in enumerate(payloads):
        where.at[i], where.end[i] = at, at + len(payload)
        where.source[i], where.destination[i], where.transport[i] = source, destination, TRANSPORTS[transport]
        at += len(payload)
    out = module.extract(data, where, np.arange(len(payloads), dtype=np.uint32), make_out(4, 16))
    found: list[dict[str, set[bytes | int]]] = [{} for _ in payloads]
    for name, column in columns(out, module.SLOTS, data, FIELDS):
        assert (np.diff(column.packet.astype(np.int64)) >= 0).all(), name
        values = column.values if isinstance(column.values, list) else column.values.tolist()
        for packet, code in zip(column.packet.tolist(), column.code.tolist(), strict=True):
            assert isinstance(values[code], bytes) == (FIELDS[name].encoding == "text"), (name, values[code])
            found[packet].setdefault(name, set()).add(values[code])
    return found


def as_sets(values: Values) -> dict[str, set[bytes | int]]:
    return {name: set(found) for name, found in values.items()}


def corpus_payloads(application: str, most: int = 4000) -> Iterator[Payload]:
    """Distinct payloads of the shared captures that are recognised as `application`, `most` of them evenly chosen.

    Skips the test where the shared captures are not there.
    """
    needs("../shared")
    found = _corpus().get(application, [])
    step = max(1.0, len(found) / most)
    for k in range(min(most, len(found))):
        yield found[int(k * step)]


def mutations(payloads: Sequence[Payload], count: int, seed: int = 1) -> Iterator[Payload]:
    """`count` damaged ones of `payloads`: bytes changed, cut out, doubled, the end cut; two of different origin joined."""
    rng = random.Random(seed)
    for _ in range(count if payloads else 0):
        payload, *rest = rng.choice(payloads)
        data = bytearray(payload)
        for _ in range(rng.choice((1, 1, 2, 8))):
            a = rng.randrange(len(data) + 1)
            b = min(len(data), a + rng.choice((1, 1, 2, 4, 40)))
            match rng.randrange(6):
                case 0:
                    data[a:b] = rng.randbytes(b - a)
                case 1:
                    data[a:b] = bytes([rng.choice((0, 1, 0x20, 0x0A, 0x0D, 0x3F, 0x40, 0x7F, 0x80, 0xC0, 0xFF))]) * (b - a)
                case 2:
                    del data[a:b]
                case 3:
                    data[a:a] = data[a:b]
                case 4:
                    del data[a:]
                case 5:
                    data[a:] = rng.choice(payloads)[0]
        yield bytes(data[:65535]), *rest  # type: ignore[misc]


def assert_corpus_same(application: str, most: int = 4000, mutated: int = 4000) -> int:
    """That both readers agree on the application's payloads in the shared captures and on damaged ones. How many payloads."""
    payloads = list(corpus_payloads(application, most))
    assert_all_same(application, payloads)
    assert_all_same(application, list(mutations(payloads, mutated)))
    return len(payloads)


# captures of tens of thousands of packets that bring little to applications
_LEFT_OUT = ("large/ics__EIP", "large/suricata__ipv6-dos", "large/ics__melsoft", "large/suricata__dhcp-request-flood")
# A capture's first packets show what is in it, but of this one all do: a walk takes longer than what is done with the payloads.
_MOST_OF_A_CAPTURE = 5000
_WHOLE = "large/derived__merged-home-and-web-mix.pcap"


@functools.cache
def _corpus() -> dict[str, list[Payload]]:
    """application -> distinct payloads of the shared captures, as the scapy dissector's walk comes upon them."""
    import capture.packets.scapy_dissector.batch  # noqa: F401 (its modules are looked through below)
    from capture.packets import recognise
    from capture.packets.scapy_dissector.packet import walk_packet

    genuine = recognise.recognise
    found: dict[str, dict[Payload, None]] = {}

    def recorded(payload: bytes, transport: recognise.Transport, source: int, destination: int) -> str | None:
        name = genuine(payload, transport, source, destination)
        if name is not None:
            found.setdefault(name, {})[bytes(payload), transport, source, destination] = None
        return name

    with pytest.MonkeyPatch.context() as patch:
        for name, module in list(sys.modules.items()):
            if name.startswith("capture.packets.scapy_dissector") and getattr(module, "recognise", None) is genuine:
                patch.setattr(module, "recognise", recorded)
        for path in _captures():
            try:
                with open_capture(path) as source:
                    for scanned in source.scan(100_000 if str(path).endswith(_WHOLE) else _MOST_OF_A_CAPTURE):
                        batch = read_batch(path, scanned.locator)
                        for i in range(len(batch)):
                            record = batch.locator[i]
                            walk_packet(batch.packet(i), int(record["linktype"]), int(record["wire_length"]))
                        break
            except PacketsError:  # no capture, or one that breaks off: the sources' tests are about those
                continue
    assert found, "the scapy dissector no longer asks recognise()"
    return {name: list(payloads) for name, payloads in found.items()}


def _captures() -> Iterator[Path]:
    folder = SHARED / "pcaps"
    for path in sorted(folder.glob("*/*.pcap*")):
        name = f"{path.parent.name}/{path.name}"
        if path.suffix != ".gz" and not name.startswith(_LEFT_OUT):
            yield path
