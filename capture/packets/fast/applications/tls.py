"""TLS in compiled loops: records (RFC 8446, 5.1), handshake messages (4), hellos (see tls_hello)."""

from __future__ import annotations

from functools import lru_cache, partial

import numpy as np

from capture.packets.applications.tls_fingerprints import ja3, ja4, unpack
from capture.packets.compiling import borrowing, compiled
from capture.packets.fast.applications.tls_hello import CLIENT_HELLO, HANDSHAKE, SERVER_HELLO, TYPE, VERSION, hello, u16
from capture.packets.fast.out import EXTRACT, byte, number, room
from capture.packets.fast.slots import HEAP, NUMBER, Slot

_CHANGE_CIPHER_SPEC, _HANDSHAKE, _LAST_TYPE = 20, 22, 24
_LONGEST_RECORD, _LONGEST_MESSAGE = 2**14 + 2048, 2**17
# bit n: messages of type n go unencrypted (tls_hello._TYPES of the plain reader, all but 67)
_TYPES = sum(1 << kind for kind in (0, 1, 2, 3, 4, 5, 6, 8, 11, 12, 13, 14, 15, 16, 20, 21, 22, 23, 24, 25))
_NEXT_PROTOCOL = 67


_LONGEST_KEPT = 2048  # bytes of a key that is remembered: browsers' have some 300, a hostile hello's has up to 130,000


def _fingerprints(letter: str, key: bytes) -> tuple[tuple[str, bytes], ...]:
    return _remembered(letter, key) if len(key) <= _LONGEST_KEPT else _made(letter, key)


def _made(letter: str, key: bytes) -> tuple[tuple[str, bytes], ...]:
    offer = unpack(key)
    return ("tls-ja3", ja3(offer)), ("tls-ja4", ja4(offer, letter))


_remembered = lru_cache(4096)(_made)  # one program says the same hello to all servers


def slots(letter: str) -> tuple[Slot, ...]:
    """What the loops find; `letter` is JA4's of the transport: t or q."""
    return (
        Slot("tls-sni", HEAP),
        Slot("tls-version", NUMBER),
        Slot("tls-alpn", HEAP),
        Slot("tls-type", NUMBER),
        Slot("tls-handshake", NUMBER),
        Slot("", HEAP, fields=("tls-ja3", "tls-ja4"), many=partial(_fingerprints, letter)),
    )


SLOTS = slots("t")


@borrowing()
def _record(data, at, end):  # type: ignore[no-untyped-def]
    """Bytes of the record at `at`, header included; 0 if there is no record's header."""
    if at + 5 > end or data[at] < _CHANGE_CIPHER_SPEC or data[at] > _LAST_TYPE or data[at + 1] != 3 or data[at + 2] > 4:
        return np.int64(0)
    length = u16(data, at + 3)
    if length == 0 or length > _LONGEST_RECORD or (data[at] == _CHANGE_CIPHER_SPEC and length != 1):
        return np.int64(0)
    return 5 + length


@borrowing()
def _messages(data, at, end, ended, changed, packet, out):  # type: ignore[no-untyped-def]
    """Values of the handshake messages in data[at:end]. ended: no handshake follows. changed: ChangeCipherSpec went before."""
    begin = at
    while end - at >= 4:
        kind = np.int64(data[at])
        length = np.int64(data[at + 1]) * 65536 + u16(data, at + 2)
        after = at + 4 + length
        if not (kind == _NEXT_PROTOCOL or (kind < 32 and (_TYPES >> kind) & 1)) or length > _LONGEST_MESSAGE:
            return
        if (ended and after > end) or (changed and kind != CLIENT_HELLO):
            return
        if (kind == 0 and (length or end - begin != 4)) or (kind == 14 and length):
            return
        number(out, HANDSHAKE, packet, kind)
        if kind in (CLIENT_HELLO, SERVER_HELLO):
            hello(data, at + 4, min(after, end), kind, after <= end, packet, out)
        at = after


@borrowing()
def _run(data, at, end, ended, changed, packet, out):  # type: ignore[no-untyped-def]
    """Handshake records one behind the other in data[at:end], the last perhaps cut: the only one as it lies, several joined."""
    first = 5 + u16(data, at + 3)
    if at + first >= end:
        _messages(data, at + 5, end, ended, changed, packet, out)
        return
    begun = out.used[1]
    while at < end:
        after = at + 5 + u16(data, at + 3)
        for k in range(at + 5, min(after, end)):
            byte(out, data[k])
        at = after
    _messages(out.heap, begun, out.used[1], ended, changed, packet, out)


@borrowing()
def _payload(data, at, end, packet, out):  # type: ignore[no-untyped-def]
    if end - at >= 5 and data[at] & 0x80 and data[at + 2] == 1:
        number(out, VERSION, packet, u16(data, at + 3))
        return
    run = np.int64(-1)  # where handshake records began
    changed = False
    while True:
        size = _record(data, at, end)
        if size == 0:
            break
        kind = data[at]
        number(out, TYPE, packet, kind)
        if kind == _HANDSHAKE:
            if run < 0:
                run = at
        else:
            if run >= 0:
                _run(data, run, at, True, changed, packet, out)
                run = np.int64(-1)
            changed = changed or kind == _CHANGE_CIPHER_SPEC
        at += size
    if run >= 0:
        _run(data, run, min(at, end), False, changed, packet, out)


@compiled(EXTRACT)
def extract(data, payloads, packets, out):  # type: ignore[no-untyped-def]
    """Records, handshake messages and hellos of `packets`."""
    for k in range(len(packets)):
        i = packets[k]
        at, end = payloads.at[i], payloads.end[i]
        # an event takes two bytes at least; joined records, texts, and the key of fingerprints (twice as long at most)
        out = room(out, end - at + 8, 4 * (end - at) + 64)
        _payload(data, at, end, i, out)
    return out


@compiled(EXTRACT)
def extract_messages(data, payloads, packets, out):  # type: ignore[no-untyped-def]
    """Handshake messages and hellos of streams that have no records around them, such as QUIC's CRYPTO frames carry."""
    for k in range(len(packets)):
        i = packets[k]
        at, end = payloads.at[i], payloads.end[i]
        out = room(out, end - at + 8, 4 * (end - at) + 64)
        _messages(data, at, end, False, False, i, out)
    return out
