"""SIP in compiled loops: methods of requests, of responses those in CSeq (see capture.packets.applications.sip)."""

from __future__ import annotations

import numpy as np

from capture.packets.compiling import compiled
from capture.packets.fast.applications.lines import CR, LF, SPACE, TAB, line_feed
from capture.packets.fast.out import EXTRACT, TCP, room, span
from capture.packets.fast.slots import SPAN, Slot

METHOD = 0
SLOTS = (Slot("sip-method", SPAN),)
VERSION = np.frombuffer(b"SIP/2.0", np.uint8).copy()
CSEQ = np.frombuffer(b"cseq", np.uint8).copy()
CONTENT_LENGTH = np.frombuffer(b"content-length", np.uint8).copy()
COMPACT_LENGTH = np.frombuffer(b"l", np.uint8).copy()
# RFC 3261, 25.1: bytes of a token
TOKEN = np.zeros(256, np.bool_)
TOKEN[np.frombuffer(b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.!%*_+`'~-", np.uint8)] = True


@compiled()
def _has(data, at, end, text):  # type: ignore[no-untyped-def]
    """Whether `text` stands at `at`."""
    if at + len(text) > end:
        return False
    for j in range(len(text)):
        if data[at + j] != text[j]:
            return False
    return True


@compiled()
def _is(data, at, end, name):  # type: ignore[no-untyped-def]
    """Whether [at, end) is `name`, which is in lower case, in any case."""
    if end - at != len(name):
        return False
    for j in range(len(name)):
        byte = data[at + j]
        if 0x41 <= byte <= 0x5A:
            byte += np.uint8(0x20)
        if byte != name[j]:
            return False
    return True


@compiled()
def _blanks(data, at, end):  # type: ignore[no-untyped-def]
    while at < end and (data[at] == SPACE or data[at] == TAB):
        at += 1
    return at


@compiled()
def _digits(data, at, end):  # type: ignore[no-untyped-def]
    while at < end and 0x30 <= data[at] <= 0x39:
        at += 1
    return at


@compiled()
def _request_line(data, at, end):  # type: ignore[no-untyped-def]
    """`METHOD target SIP/2.0`: (end of the method, where the headers begin); (at, at) where there is none."""
    stop = at
    while stop < end and stop - at <= 20 and 0x41 <= data[stop] <= 0x5A:
        stop += 1
    if not 2 <= stop - at <= 20 or stop >= end or data[stop] != SPACE:
        return at, at
    target = stop + 1
    after = target
    while after < end and data[after] != SPACE and not 0x09 <= data[after] <= 0x0D:
        after += 1
    if after == target or after >= end or data[after] != SPACE or not _has(data, after + 1, end, VERSION):
        return at, at
    after += 1 + len(VERSION)
    if after < end and data[after] == CR:
        after += 1
    if after >= end or data[after] != LF:
        return at, at
    return stop, after + 1


@compiled()
def _status_line(data, at, end):  # type: ignore[no-untyped-def]
    """`SIP/2.0 200 OK`: where the headers begin; `at` where there is none."""
    code = at + len(VERSION) + 1
    if not _has(data, at, end, VERSION) or code + 4 > end or data[code - 1] != SPACE or data[code + 3] != SPACE:
        return at
    if _digits(data, code, code + 3) != code + 3:
        return at
    feed = line_feed(data, code + 4, end)
    return feed + 1 if feed < end else at


@compiled()
def _method_of_cseq(data, at, end):  # type: ignore[no-untyped-def]
    """The method in a CSeq header's value: (begin, end), the same where there is none."""
    number = _blanks(data, at, end)
    behind = _digits(data, number, end)
    begin = _blanks(data, behind, end)
    if behind == number or begin == behind:
        return begin, begin
    stop = begin
    while stop < end and TOKEN[data[stop]]:
        stop += 1
    return begin, stop


@compiled()
def _content_length(data, at, end):  # type: ignore[no-untyped-def]
    """A number of one to nine digits with blanks around it, -1 if it is something else."""
    begin = _blanks(data, at, end)
    stop = _digits(data, begin, end)
    if not 1 <= stop - begin <= 9 or _blanks(data, stop, end) != end:
        return np.int64(-1)
    length = np.int64(0)
    for j in range(begin, stop):
        length = 10 * length + np.int64(data[j]) - 0x30
    return length


@compiled()
def _headers(data, at, end, of_response, packet, out):  # type: ignore[no-untyped-def]
    """Reads header lines: (where the body begins, its length); -1 for a length that is not told, or headers that are cut."""
    length = np.int64(-1)
    while True:
        feed = line_feed(data, at, end)
        if feed >= end:
            return end, np.int64(-1)
        stop = feed - 1 if feed > at and data[feed - 1] == CR else feed
        if stop == at:
            return feed + 1, length
        colon = at
        while colon < stop and data[colon] != 0x3A:
            colon += 1
        name = colon
        while name > at and (data[name - 1] == SPACE or data[name - 1] == TAB):
            name -= 1
        value = min(colon + 1, stop)
        if of_response and _is(data, at, name, CSEQ):
            begin, behind = _method_of_cseq(data, value, stop)
            span(out, METHOD, packet, begin, behind)
        elif length < 0 and (_is(data, at, name, CONTENT_LENGTH) or _is(data, at, name, COMPACT_LENGTH)):
            length = _content_length(data, value, stop)
        at = feed + 1


@compiled(EXTRACT)
def extract(data, payloads, packets, out):  # type: ignore[no-untyped-def]
    """Methods of the SIP messages in `packets`."""
    for k in range(len(packets)):
        i = packets[k]
        at, end = payloads.at[i], payloads.end[i]
        out = room(out, 1 + (end - at) // 8, 0)  # what has a method is of eight bytes at least (`cseq:1 A`)
        while True:
            while at < end and (data[at] == CR or data[at] == LF):
                at += 1
            stop, headers = _request_line(data, at, end)
            span(out, METHOD, i, at, stop)
            if headers == at:
                headers = _status_line(data, at, end)
                if headers == at:
                    break
            body, length = _headers(data, headers, end, stop == at, i, out)
            if length < 0 or payloads.transport[i] != TCP:
                break
            at = body + length
    return out
