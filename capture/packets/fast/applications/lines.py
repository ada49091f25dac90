"""Lines of text in compiled loops: where they end, and the command verbs that they begin with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from capture.packets.compiling import compiled

SPACE, TAB, CR, LF = 0x20, 0x09, 0x0D, 0x0A


def packed(verbs: tuple[str, ...]) -> NDArray[np.uint64]:
    """Verbs of at most eight letters as numbers, uint64 (n,): what `verb` makes of them."""
    return np.array([int.from_bytes(verb.encode(), "big") for verb in verbs], np.uint64)


@compiled()
def line_feed(data, at, end):  # type: ignore[no-untyped-def]
    """Where the first line feed of [at, end) stands; `end` where there is none."""
    while at < end and data[at] != LF:
        at += 1
    return at


@compiled()
def verb(data, at, end):  # type: ignore[no-untyped-def]
    """The word that a command line at `at` begins with: (packed in upper case, where it ends, where the next line begins).

    The word is a letter and two to seven letters or digits; space, tab or the line's end (CRLF, LF, end of payload) follow it.
    (0, at, at) where there is none.
    """
    word, stop = np.uint64(0), at
    while stop < end and stop - at < 9:
        byte = data[stop]
        if 0x61 <= byte <= 0x7A:
            byte -= np.uint8(0x20)
        if not (0x41 <= byte <= 0x5A or (0x30 <= byte <= 0x39 and stop > at)):
            break
        word = word << np.uint64(8) | np.uint64(byte)
        stop += 1
    if not 3 <= stop - at <= 8:
        return np.uint64(0), at, at
    following = stop
    if following < end and (data[following] == SPACE or data[following] == TAB):
        following = line_feed(data, following, end)
    elif following < end and data[following] == CR:
        following += 1
    if following < end:
        if data[following] != LF:
            return np.uint64(0), at, at
        following += 1
    return word, stop, following


@compiled()
def known(word, verbs):  # type: ignore[no-untyped-def]
    """Whether `word` is one of the packed `verbs`."""
    for k in range(len(verbs)):
        if verbs[k] == word:
            return True
    return False
