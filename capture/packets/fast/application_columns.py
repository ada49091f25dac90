"""From payloads to columns: which application each is, and what that application's loops read from it."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from capture.packets.columns import SetValues
from capture.packets.fast import applications
from capture.packets.fast.events import columns
from capture.packets.fast.headers import bits
from capture.packets.fast.headers.tunnels import TUNNEL_APP, TUNNEL_NAMES
from capture.packets.fast.interning import NONE, finished, small
from capture.packets.fast.out import Payloads, make_out
from capture.packets.fast.recognise.ports import PORT_NAMES
from capture.packets.recognise.names import KINDS

Events = tuple[NDArray[np.uint32], NDArray[np.uint64]]  # packets, numbers

APP_NAMES = ["Payload", *(name for name, _ in KINDS)]


def _masks() -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """By kind (0: a payload that nobody recognises): the bits of its layers in the two words of a mask."""
    low, high = np.zeros(256, np.uint64), np.zeros(256, np.uint64)
    for kind, names in enumerate((("data",), *(names for _, names in KINDS))):
        for name in names:
            bit = bits.BIT[name]
            word, place = (low, bit) if bit < 64 else (high, bit - 64)
            word[kind] |= np.uint64(1) << np.uint64(place)
    return low, high


_LOW, _HIGH = _masks()


def note_layers(words: NDArray[np.uint64], payloads: Payloads, kinds: NDArray[np.uint8]) -> None:
    """Adds the layers of recognised payloads, and `data` of others, to the masks of the packets (see `walk`)."""
    some = np.flatnonzero(payloads.at >= 0)
    words[0][some] |= _LOW[kinds[some]]
    words[1][some] |= _HIGH[kinds[some]]


def payload_columns(
    fields: Collection[str],
    app: Events,
    app_port: Events,
    payloads: Payloads,
    kinds: NDArray[np.uint8],
    by_port: NDArray[np.uint8],
) -> dict[str, SetValues]:
    """`appproto` and `appproto-port`, as far as wanted. app, app_port: what tunnels over UDP found (cells APP, APP_PORT)."""
    found = {}
    carries = payloads.at >= 0
    if "appproto" in fields:
        cell = _payload_or(carries, kinds, app)
        packet, code, values = small(cell, 256)
        found["appproto"] = finished(packet, code, [_app_name(value, APP_NAMES).encode() for value in values.tolist()])
    if "appproto-port" in fields:
        cell = _payload_or(carries & (by_port > 0), by_port, app_port)
        packet, code, values = small(cell, 256)
        names = ["", *PORT_NAMES]
        found["appproto-port"] = finished(packet, code, [_app_name(value, names).encode() for value in values.tolist()])
    return found


def _payload_or(carries: NDArray[np.bool_], payload: NDArray[np.uint8], tunnel: Events) -> NDArray[np.uint32]:
    """A cell: the payload's number, for packets without one the tunnel's."""
    cell = np.full(len(carries), NONE, np.uint32)
    cell[tunnel[0]] = tunnel[1]
    np.copyto(cell, payload, where=carries)
    return cell


def _app_name(value: int, names: list[str]) -> str:
    return TUNNEL_NAMES[value - TUNNEL_APP] if value >= TUNNEL_APP else names[value]


def application_columns(
    fields: Collection[str], data: NDArray[np.uint8], payloads: Payloads, kinds: NDArray[np.uint8]
) -> list[tuple[str, SetValues]]:
    """The columns of those `fields` that applications give. A field may come several times."""
    found: list[tuple[str, SetValues]] = []
    count = np.bincount(kinds, minlength=1)
    kinds_of: dict[str, list[int]] = {}
    for kind in np.flatnonzero(count[1:]) + 1:
        kinds_of.setdefault(KINDS[kind - 1][0], []).append(int(kind))
    for application, of in kinds_of.items():
        module = applications.module(application)
        if module is None or not any(name in fields for slot in module.SLOTS for name in slot.fields or (slot.field,)):
            continue
        theirs = kinds == of[0]
        for another in of[1:]:
            theirs |= kinds == another
        packets = np.flatnonzero(theirs).astype(np.uint32)
        out = module.extract(data, payloads, packets, make_out(4 * len(packets) + 64, 64 * len(packets) + 64))
        found += columns(out, module.SLOTS, data, fields)
    return found
