"""Payloads to recognise: those of the shared captures, and what both recognisers say of them."""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence

import numpy as np
import pytest

from capture.packets import recognise
from capture.packets.fast.out import SCTP, TCP, UDP, UDPLITE, make_payloads
from capture.packets.fast.recognise.dispatch import classified
from capture.packets.fast.recognise.ports import PORT_NAMES
from capture.packets.reading import read_batch
from capture.packets.recognise.names import KINDS, short_names
from capture.packets.sources import open_capture
from tests.components import SHARED
from tests.conftest import needs

Payload = tuple[bytes, str, int, int]  # bytes, transport, source port, destination port
Answer = tuple[str, tuple[str, ...]] | str | None  # appproto and short names, or the name of a port, or nothing

TRANSPORTS: dict[str, int] = {"tcp": TCP, "udp": UDP, "udplite": UDPLITE, "sctp": SCTP}

# A capture's first packets show what is in it.
MOST_OF_A_CAPTURE = 1500


def plain(payload: bytes, transport: str, source: int, destination: int) -> Answer:
    """What the plain recogniser says."""
    name = recognise.recognise(payload, transport, source, destination)  # type: ignore[arg-type]
    if name is not None:
        return name, short_names(name, payload, source, destination)
    return recognise.name_of_port(transport, source, destination)  # type: ignore[arg-type]


def compiled(payloads: Sequence[Payload]) -> list[Answer]:
    """What the compiled recogniser says of them as one batch, whose bytes lie one behind the other."""
    data = np.frombuffer(b"".join(payload for payload, *_ in payloads), np.uint8).copy()
    where = make_payloads(len(payloads))
    at = 0
    for i, (payload, transport, source, destination) in enumerate(payloads):
        where.at[i], where.end[i] = at, at + len(payload)
        where.source[i], where.destination[i], where.transport[i] = source, destination, TRANSPORTS[transport]
        at += len(payload)
    kinds, by_port = classified(data, where)
    return [answer(kind, port) for kind, port in zip(kinds.tolist(), by_port.tolist(), strict=True)]


def answer(kind: int, port: int) -> Answer:
    """The numbers of the compiled recogniser in words."""
    assert not (kind and port)
    return KINDS[kind - 1] if kind else PORT_NAMES[port - 1] if port else None


def assert_same(payloads: Sequence[Payload]) -> list[Answer]:
    """That both say the same of every one of `payloads`. What they say."""
    answers = compiled(payloads)
    for payload, got in zip(payloads, answers, strict=True):
        assert got == plain(*payload), payload
    return answers


@functools.cache
def corpus() -> list[Payload]:
    """Distinct payloads of the shared captures, recognised or not, as the scapy dissector's walk comes upon them.

    Skips the test where the shared captures are not there.
    """
    needs("../shared")
    import capture.packets.scapy_dissector.batch  # noqa: F401 (its modules are looked through below)
    from capture.packets.scapy_dissector.packet import walk_packet

    genuine = recognise.recognise
    found: dict[Payload, None] = {}

    def recorded(payload: bytes, transport: recognise.Transport, source: int, destination: int) -> str | None:
        found[bytes(payload), transport, source, destination] = None
        return genuine(payload, transport, source, destination)

    with pytest.MonkeyPatch.context() as patch:
        for name, module in list(sys.modules.items()):
            if name.startswith("capture.packets.scapy_dissector") and getattr(module, "recognise", None) is genuine:
                patch.setattr(module, "recognise", recorded)
        for path in sorted((SHARED / "pcaps").glob("*/*.pcap*")):
            try:
                with open_capture(path) as source:
                    scanned = next(iter(source.scan(MOST_OF_A_CAPTURE)))
                    batch = read_batch(path, scanned.locator)
            except Exception:  # what is no capture, or ends at once: the sources' tests are about those
                continue
            for i in range(len(batch)):
                record = batch.locator[i]
                walk_packet(batch.packet(i), int(record["linktype"]), int(record["wire_length"]))
    assert len(found) > 10_000, "the scapy dissector no longer asks recognise()"
    return list(found)
