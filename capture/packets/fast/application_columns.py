"""From payloads to columns: which application each is, and what that application's loops read from it."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numba import types
from numpy.typing import NDArray

from capture.packets.columns import SetValues
from capture.packets.compiling import compiled
from capture.packets.fast import applications
from capture.packets.fast.events import columns
from capture.packets.fast.headers import bits
from capture.packets.fast.headers.tunnels import TUNNEL_APP, TUNNEL_NAMES
from capture.packets.fast.interning import NONE, finished, small
from capture.packets.fast.out import PAYLOADS, Payloads, make_out
from capture.packets.fast.recognise.ports import PORT_NAMES
from capture.packets.recognise.names import KINDS

_U8 = types.uint8[::1]
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


@compiled(types.void(types.uint64[:, ::1], PAYLOADS, _U8, types.uint64[::1], types.uint64[::1]))
def _note_layers(words, payloads, kinds, low, high):  # type: ignore[no-untyped-def]
    for i in range(len(kinds)):
        if payloads.at[i] >= 0:
            words[0, i] |= low[kinds[i]]
            words[1, i] |= high[kinds[i]]


def note_layers(words: NDArray[np.uint64], payloads: Payloads, kinds: NDArray[np.uint8]) -> None:
    """Adds the layers of recognised payloads, and `data` of others, to the masks of the packets (see `walk`)."""
    _note_layers(words, payloads, kinds, _LOW, _HIGH)


@compiled(types.void(PAYLOADS, _U8, types.boolean, types.uint32[::1]))
def _payload_cell(payloads, numbers, zero_counts, cell):  # type: ignore[no-untyped-def]
    """Writes the numbers of packets with payloads to their cell; zero too, if it counts."""
    for i in range(len(numbers)):
        if payloads.at[i] >= 0 and (zero_counts or numbers[i]):
            cell[i] = numbers[i]


def _cell(payloads: Payloads, numbers: NDArray[np.uint8], zero_counts: bool, tunnels: Events) -> NDArray[np.uint32]:
    """A cell: the number of the packet's payload, without one that of the tunnel it ends in."""
    cell = np.full(len(numbers), NONE, np.uint32)
    cell[tunnels[0]] = tunnels[1]
    _payload_cell(payloads, numbers, zero_counts, cell)
    return cell


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
    if "appproto" in fields:
        cell = _cell(payloads, kinds, True, app)
        packet, code, values = small(cell, 256)
        found["appproto"] = finished(packet, code, [_app_name(value, APP_NAMES).encode() for value in values.tolist()])
    if "appproto-port" in fields:
        cell = _cell(payloads, by_port, False, app_port)
        packet, code, values = small(cell, 256)
        names = ["", *PORT_NAMES]
        found["appproto-port"] = finished(packet, code, [_app_name(value, names).encode() for value in values.tolist()])
    return found


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
