"""Hellos in datagrams of QUIC: decrypted one by one, then read together by TLS's compiled loops."""

from __future__ import annotations

import numpy as np

from capture.packets.applications.quic_google import server_name
from capture.packets.applications.quic_hello import google_name
from capture.packets.applications.quic_initial import client_stream
from capture.packets.columns import SetValues
from capture.packets.fast.applications import tls
from capture.packets.fast.events import columns
from capture.packets.fast.out import make_out, make_payloads

FIELDS = ("tls-sni", "tls-version", "tls-alpn", "tls-ja3", "tls-ja4", "tls-handshake")
SLOTS = tls.slots("q")


def hellos(datagrams: list[bytes]) -> list[tuple[str, SetValues]]:
    """Columns of FIELDS from datagrams, whose positions are the packets: what quic_hello.hello_values says of each.

    A field may come twice: Google's QUIC of before has names of its own.
    """
    names: dict[int, bytes] = {}
    streams = []
    for position, datagram in enumerate(datagrams):
        stream = client_stream(datagram)
        name = server_name(stream, 4) if stream else google_name(datagram)
        if name:
            names[position], stream = name, b""
        streams.append(stream)
    payloads = make_payloads(len(streams))
    lengths = np.array([len(stream) for stream in streams], np.int64)
    payloads.end[:] = np.cumsum(lengths)
    payloads.at[:] = payloads.end - lengths
    data = np.frombuffer(b"".join(streams) or b"\0", np.uint8).copy()
    out = tls.extract_messages(data, payloads, np.flatnonzero(lengths).astype(np.uint32), make_out())
    found = columns(out, SLOTS, data, FIELDS)
    if names:
        code = {name: k for k, name in enumerate(dict.fromkeys(names.values()))}
        packet = np.array(list(names), np.uint32)
        found.append(("tls-sni", SetValues(packet, np.array([code[name] for name in names.values()], np.uint32), list(code))))
    return found
