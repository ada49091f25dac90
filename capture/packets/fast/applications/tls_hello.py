"""Hellos in compiled loops: what capture.packets.applications.tls_hello reads, step by step the same.

A hello lies in the batch's data, or on the heap where it was put together from several records; so its texts are copied.
"""

from __future__ import annotations

import numpy as np

from capture.packets.compiling import borrowing
from capture.packets.fast.out import byte, heap_text, number, pair

SNI, VERSION, ALPN, TYPE, HANDSHAKE, FINGERPRINTS = range(6)
CLIENT_HELLO, SERVER_HELLO = 1, 2

_TLS12 = 0x0303
_SERVER_NAME, _GROUPS, _POINT_FORMATS, _SIGNATURES, _ALPN, _VERSIONS = 0, 10, 11, 13, 16, 43


@borrowing()
def u16(data, at):  # type: ignore[no-untyped-def]
    """The 16-bit number at `at`."""
    return np.int64(data[at]) * 256 + np.int64(data[at + 1])


@borrowing()
def is_grease(value):  # type: ignore[no-untyped-def]
    """RFC 8701."""
    return value >> 8 == value & 0xFF and value & 0x0F == 0x0A


@borrowing()
def vector(data, at, width, limit):  # type: ignore[no-untyped-def]
    """(begin, end, fits) of the vector at `at` whose length has `width` bytes; cut at `limit`."""
    begin = at + width
    if begin > limit:
        return limit, limit, False
    length = np.int64(data[at])
    if width == 2:
        length = length * 256 + np.int64(data[at + 1])
    end = begin + length
    if end > limit:
        return begin, limit, False
    return begin, end, True


@borrowing()
def _text(data, begin, end, slot, packet, out):  # type: ignore[no-untyped-def]
    begun = out.used[1]
    for k in range(begin, end):
        byte(out, data[k])
    heap_text(out, slot, packet, begun)


@borrowing()
def _host_names(data, begin, end, packet, out):  # type: ignore[no-untyped-def]
    at, end, _ = vector(data, begin, 2, end)
    while at + 3 <= end:
        kind = data[at]
        name, at, fits = vector(data, at + 1, 2, end)
        if fits and kind == 0:
            _text(data, name, at, SNI, packet, out)


@borrowing()
def _protocols(data, begin, end, packet, out):  # type: ignore[no-untyped-def]
    """Emits the names; answers the first one's place, or (-1, -1)."""
    first, last = -1, -1
    at, end, _ = vector(data, begin, 2, end)
    while at < end:
        name, at, fits = vector(data, at, 1, end)
        if fits and not (at - name == 2 and is_grease(u16(data, name))):
            if first < 0:
                first, last = name, at
            _text(data, name, at, ALPN, packet, out)
    return first, last


@borrowing()
def _word(out, value):  # type: ignore[no-untyped-def]
    byte(out, value >> 8)
    byte(out, value & 0xFF)


@borrowing()
def _set_word(out, at, value):  # type: ignore[no-untyped-def]
    out.heap[at] = value >> 8
    out.heap[at + 1] = value & 0xFF


@borrowing()
def _words(data, begin, end, out):  # type: ignore[no-untyped-def]
    """The 16-bit numbers of [begin, end) without GREASE, with their count before them."""
    count_at = out.used[1]
    _word(out, 0)
    count = 0
    for k in range(begin, end - 1, 2):
        value = u16(data, k)
        if not is_grease(value):
            _word(out, value)
            count += 1
    _set_word(out, count_at, count)


@borrowing()
def hello(data, at, limit, kind, whole, packet, out):  # type: ignore[no-untyped-def]
    """Values of the hello whose body is data[at:limit], cut unless `whole`."""
    if limit - at < 2:
        return
    start = at
    version = u16(data, at)
    _, at, fits = vector(data, at + 34, 1, limit)
    ciphers = ciphers_end = at
    if kind == CLIENT_HELLO:
        ciphers, at, fits_more = vector(data, at, 2, limit)
        ciphers_end = at
        fits = fits and fits_more
        _, at, fits_more = vector(data, at, 1, limit)
        fits = fits and fits_more
    else:
        at += 3
        fits = fits and at <= limit
    end = at
    if at < limit:
        at, end, fits_more = vector(data, at, 2, limit)
        fits = fits and fits_more
    extensions = at
    highest, has_versions = -1, False
    alpn, alpn_end = -1, -1
    groups = groups_end = formats = formats_end = signatures = signatures_end = start
    while at < end:
        if at + 4 > end:
            fits = False
            break
        extension = u16(data, at)
        begin, at, fits_more = vector(data, at + 2, 2, end)
        fits = fits and fits_more
        if extension == _ALPN:
            first, last = _protocols(data, begin, at, packet, out)
            if alpn < 0:
                alpn, alpn_end = first, last
        elif extension == _VERSIONS:
            has_versions = True
            low, high = begin, min(at, begin + 2)
            if kind == CLIENT_HELLO:
                low, high, _ = vector(data, begin, 1, at)
            for k in range(low, high - 1, 2):
                value = u16(data, k)
                if not is_grease(value):
                    number(out, VERSION, packet, value)
                    highest = max(highest, value)
        elif kind == SERVER_HELLO:
            continue
        elif extension == _SERVER_NAME:
            _host_names(data, begin, at, packet, out)
        elif extension == _GROUPS:
            groups, groups_end, _ = vector(data, begin, 2, at)
        elif extension == _SIGNATURES:
            signatures, signatures_end, _ = vector(data, begin, 2, at)
        elif extension == _POINT_FORMATS:
            formats, formats_end, _ = vector(data, begin, 1, at)
    if not has_versions and not is_grease(version) and ((whole and fits) or version < _TLS12):
        number(out, VERSION, packet, version)
    if kind != CLIENT_HELLO or not whole or not fits:
        return
    begun = out.used[1]
    _word(out, version)
    _word(out, highest if highest >= 0 else version)
    _word(out, 2 if alpn_end > alpn else 0)
    _word(out, np.int64(data[alpn]) if alpn_end > alpn else 0)
    _word(out, np.int64(data[alpn_end - 1]) if alpn_end > alpn else 0)
    _words(data, ciphers, ciphers_end, out)
    count_at = out.used[1]
    _word(out, 0)
    count = 0
    at = extensions
    while at < end:
        extension = u16(data, at)
        if not is_grease(extension):
            _word(out, extension)
            count += 1
        at += 4 + u16(data, at + 2)
    _set_word(out, count_at, count)
    _words(data, groups, groups_end, out)
    _word(out, formats_end - formats)
    for k in range(formats, formats_end):
        _word(out, np.int64(data[k]))
    _words(data, signatures, signatures_end, out)
    pair(out, FINGERPRINTS, packet, begun, out.used[1] - begun)
