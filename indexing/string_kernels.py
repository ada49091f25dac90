"""Compiled passes over many values that lie one behind the other: their hashes, and each behind what goes before it."""

from __future__ import annotations

import numpy as np
from numba import types

from capture.packets.compiling import compiled, inlined

_BYTES = types.Array(types.uint8, 1, "C", readonly=True)
_I64, _OUT, _TABLE = types.int64[::1], types.uint8[::1], types.uint8[:, ::1]

# RFC 7693, 2.6 and 2.7
_IV = np.array(
    [
        0x6A09E667F3BCC908,
        0xBB67AE8584CAA73B,
        0x3C6EF372FE94F82B,
        0xA54FF53A5F1D36F1,
        0x510E527FADE682D1,
        0x9B05688C2B3E6C1F,
        0x1F83D9ABFB41BD6B,
        0x5BE0CD19137E2179,
    ],
    np.uint64,
)
_SIGMA = np.array(
    [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
        [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
        [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
        [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
        [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
        [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
        [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
        [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
        [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    ],
    np.uint8,
)
_BLOCK = 128
_DIGEST = 16
_R32, _R24, _R16, _R63 = np.uint64(32), np.uint64(24), np.uint64(16), np.uint64(63)
_L32, _L40, _L48, _L1 = np.uint64(32), np.uint64(40), np.uint64(48), np.uint64(1)


@inlined()
def _mix(a, b, c, d, x, y):  # type: ignore[no-untyped-def]
    a = a + b + x
    d ^= a
    d = (d >> _R32) | (d << _L32)
    c = c + d
    b ^= c
    b = (b >> _R24) | (b << _L40)
    a = a + b + y
    d ^= a
    d = (d >> _R16) | (d << _L48)
    c = c + d
    b ^= c
    b = (b >> _R63) | (b << _L1)
    return a, b, c, d


@inlined()
def _compress(h, m, bytes_so_far, last):  # type: ignore[no-untyped-def]
    v0, v1, v2, v3, v4, v5, v6, v7 = h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7]
    v8, v9, v10, v11 = _IV[0], _IV[1], _IV[2], _IV[3]
    v12, v13, v14, v15 = _IV[4] ^ np.uint64(bytes_so_far), _IV[5], _IV[6], _IV[7]
    if last:
        v14 = ~v14
    for i in range(np.uint64(12)):
        v0, v4, v8, v12 = _mix(v0, v4, v8, v12, m[_SIGMA[i, 0]], m[_SIGMA[i, 1]])
        v1, v5, v9, v13 = _mix(v1, v5, v9, v13, m[_SIGMA[i, 2]], m[_SIGMA[i, 3]])
        v2, v6, v10, v14 = _mix(v2, v6, v10, v14, m[_SIGMA[i, 4]], m[_SIGMA[i, 5]])
        v3, v7, v11, v15 = _mix(v3, v7, v11, v15, m[_SIGMA[i, 6]], m[_SIGMA[i, 7]])
        v0, v5, v10, v15 = _mix(v0, v5, v10, v15, m[_SIGMA[i, 8]], m[_SIGMA[i, 9]])
        v1, v6, v11, v12 = _mix(v1, v6, v11, v12, m[_SIGMA[i, 10]], m[_SIGMA[i, 11]])
        v2, v7, v8, v13 = _mix(v2, v7, v8, v13, m[_SIGMA[i, 12]], m[_SIGMA[i, 13]])
        v3, v4, v9, v14 = _mix(v3, v4, v9, v14, m[_SIGMA[i, 14]], m[_SIGMA[i, 15]])
    h[0] ^= v0 ^ v8
    h[1] ^= v1 ^ v9
    h[2] ^= v2 ^ v10
    h[3] ^= v3 ^ v11
    h[4] ^= v4 ^ v12
    h[5] ^= v5 ^ v13
    h[6] ^= v6 ^ v14
    h[7] ^= v7 ^ v15


@compiled(types.void(_BYTES, _I64, _I64, _TABLE))
def blake2b_16(data, start, length, out):  # type: ignore[no-untyped-def]
    """BLAKE2b with 16 bytes of result, as hashlib's, of each value: data[start:start + length]."""
    h, m = np.empty(8, np.uint64), np.empty(16, np.uint64)
    for i in range(start.size):
        for k in range(8):
            h[k] = _IV[k]
        h[0] ^= np.uint64(0x01010000 ^ _DIGEST)
        at, end, done = start[i], start[i] + length[i], 0
        while True:
            size = min(_BLOCK, end - at)
            for k in range(16):
                word = np.uint64(0)
                left = min(8, size - 8 * k)
                for b in range(left):
                    word |= np.uint64(data[at + 8 * k + b]) << np.uint64(8 * b)
                m[k] = word
            at += size
            done += size
            _compress(h, m, done, at == end)
            if at == end:
                break
        for b in range(_DIGEST):
            out[i, b] = np.uint8((h[b // 8] >> np.uint64(8 * (b % 8))) & np.uint64(0xFF))


@compiled(types.void(_TABLE, _BYTES, _I64, _I64, _OUT))
def interleave(heads, data, start, length, out):  # type: ignore[no-untyped-def]
    """Each value behind its row of `heads`, one behind the other."""
    at = 0
    for i in range(start.size):
        for k in range(heads.shape[1]):
            out[at + k] = heads[i, k]
        at += heads.shape[1]
        for k in range(length[i]):
            out[at + k] = data[start[i] + k]
        at += length[i]
