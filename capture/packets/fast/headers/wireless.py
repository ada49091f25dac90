"""IEEE 802.11 and radiotap in compiled loops."""

from __future__ import annotations

import numpy as np

from capture.packets.compiling import borrowing
from capture.packets.fast.headers import errors, steps
from capture.packets.fast.headers.scratch import AT, WIRE_END, fail, has, limit, u16


@borrowing()
def _little(data, at):  # type: ignore[no-untyped-def]
    return np.int64(data[at]) | np.int64(data[at + 1]) << 8


@borrowing()
def radiotap(data, w, at):  # type: ignore[no-untyped-def]
    """radiotap.org: length little-endian; flags say whether an FCS ends the frame and whether its header is padded."""
    if not has(w, at, 8, errors.RADIOTAP):
        return steps.DONE
    if data[at] != 0:
        fail(w, errors.RADIOTAP_VERSION)
        return steps.DONE
    size = _little(data, at + 2)
    if size < 8:
        fail(w, errors.RADIOTAP_LENGTH)
        return steps.DONE
    if not has(w, at, size, errors.RADIOTAP):
        return steps.DONE
    # Fields stand behind all presence words, in the order of the first word's bits: time (8 bytes, aligned to 8), flags.
    words = 1
    while data[at + 4 * words + 3] & 0x80 and 4 * words + 8 <= size:
        words += 1
    flags = np.int64(0)
    if data[at + 4] & 2:
        where = 4 + 4 * words
        if data[at + 4] & 1:
            where = ((where + 7) & ~7) + 8
        if where < size:
            flags = np.int64(data[at + where])
    w[AT] = at + size
    if flags & 0x10:  # FCS at end
        limit(w, max(w[WIRE_END] - 4, at + size))
    return steps.WLAN_PADDED if flags & 0x20 else steps.WLAN


@borrowing()
def frame(data, w, at, padded):  # type: ignore[no-untyped-def]
    """IEEE 802.11, 9.3.2: data frames that are neither empty nor encrypted hold LLC, or several MSDUs of it."""
    if not has(w, at, 2, errors.WLAN):
        return steps.DONE
    control, flags = data[at], data[at + 1]
    if control & 3:
        fail(w, errors.WLAN_VERSION)
        return steps.DONE
    if (control >> 2) & 3 != 2:
        return steps.DONE
    size = np.int64(30 if flags & 3 == 3 else 24)  # both DS bits: a fourth address
    if not has(w, at, size, errors.WLAN):
        return steps.DONE
    fragment = data[at + 22] & 0x0F
    if control & 0x40 or flags & 0x40:  # no data, or protected
        return steps.DONE
    aggregated = False
    if control & 0x80:  # quality of service
        if not has(w, at, size + 2, errors.WLAN):
            return steps.DONE
        aggregated = data[at + size] & 0x80 != 0
        size += 2
        if flags & 0x80:  # +HTC
            size += 4
    if fragment:
        return steps.DONE  # a later fragment
    if padded:
        size = (size + 3) & ~3
    at += size
    if aggregated:
        if not has(w, at, 14, errors.WLAN):
            return steps.DONE
        end = at + 14 + u16(data, at + 12)
        if end > w[WIRE_END]:
            fail(w, errors.WLAN_AMSDU)
            return steps.DONE
        limit(w, end)
        at += 14
    w[AT] = at
    return steps.LLC if at < w[WIRE_END] else steps.DONE
