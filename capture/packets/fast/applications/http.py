"""HTTP/1.x and SSDP in compiled loops: see capture.packets.applications.http. Bodies are stepped over."""

from __future__ import annotations

import numpy as np

from capture.packets.compiling import borrowing, compiled
from capture.packets.fast.out import EXTRACT, byte, heap_text, number, room, span
from capture.packets.fast.recognise.http import is_http_request, is_token
from capture.packets.fast.recognise.octets import begins, is_digit, line_end, octets, three_digits
from capture.packets.fast.slots import HEAP, NUMBER, SPAN, Slot

METHOD, PATH, STATUS, HOST, AGENT, TYPE, SERVER = range(7)
FOLDED = 4  # from a header's slot to that of its values that stand on several lines
SLOTS = (
    Slot("http-method", SPAN),
    Slot("http-path", SPAN),
    Slot("http-status", NUMBER),
    Slot("http-hostname", SPAN),
    Slot("http-useragent", SPAN),
    Slot("http-contenttype", SPAN),
    Slot("http-server", SPAN),
    Slot("http-hostname", HEAP),
    Slot("http-useragent", HEAP),
    Slot("http-contenttype", HEAP),
    Slot("http-server", HEAP),
)

# What a header line is: a slot, or one of these.
_OTHER, _LENGTH, _ENCODING = -1, -2, -3
_UNKNOWN = -1  # length of a body

_LONGEST_METHOD, _LONGEST_LENGTH = 40, 18
_TAB, _LF, _CR, _SPACE, _HYPHEN, _DOT, _COLON = 9, 10, 13, 32, 45, 46, 58
_VERSION = octets(b"HTTP/")
_HOST, _AGENT, _SERVER, _TYPE = octets(b"host"), octets(b"user-agent"), octets(b"server"), octets(b"content-type")
_CONTENT_LENGTH, _TRANSFER_ENCODING = octets(b"content-length"), octets(b"transfer-encoding")


@borrowing()
def message(data, at, end, i, out):  # type: ignore[no-untyped-def]
    """Reads the message at `at`. Where the next one begins, `end` where there is none."""
    default = 0
    response = _is_status_line(data, at, end)
    if response:
        status = 100 * np.int64(data[at + 9] - 48) + 10 * np.int64(data[at + 10] - 48) + np.int64(data[at + 11] - 48)
        number(out, STATUS, i, status)
        without_body = status // 100 == 1 or status == 204 or status == 304
        default = _UNKNOWN
        at = _behind(data, line_end(data, at + 12, end), end)
    else:
        at = _request_line(data, at, end, i, out)
        without_body = False
    if at >= end:
        return end
    at, length = _headers(data, at, end, i, out, response, default)
    if without_body:
        length = 0
    if at < 0 or length < 0:
        return end
    at += length
    while at < end and (data[at] == _CR or data[at] == _LF):
        at += 1
    return at


@borrowing()
def _is_version(data, at, end):  # type: ignore[no-untyped-def]
    if at + 8 > end or not begins(data, at, end, _VERSION):
        return False
    return is_digit(data[at + 5]) and data[at + 6] == _DOT and is_digit(data[at + 7])


@borrowing()
def _is_status_line(data, at, end):  # type: ignore[no-untyped-def]
    if not _is_version(data, at, end) or at + 12 > end or data[at + 8] != _SPACE or not three_digits(data, at + 9, end):
        return False
    return at + 12 == end or data[at + 12] == _SPACE or data[at + 12] == _CR or data[at + 12] == _LF


@borrowing()
def _request_line(data, at, end, i, out):  # type: ignore[no-untyped-def]
    """Method and target of the request line at `at`. The offset behind the line, `end` if there is none."""
    method = at
    while at < end and at - method <= _LONGEST_METHOD and is_token(data[at]):
        at += 1
    size = at - method
    if size == 0 or size > _LONGEST_METHOD or at == end or data[at] != _SPACE:
        return end
    stop = line_end(data, at, end)
    behind = _behind(data, stop, end)
    if stop < end and data[behind - 1] != _LF:
        return end
    if not is_http_request(data, method, size, stop, behind == end):
        return end
    at = _skip_spaces(data, at, stop)
    stop = _without_blanks(data, at, stop)
    if stop - at >= 9 and data[stop - 9] == _SPACE and _is_version(data, stop - 8, stop):
        stop -= 9
        while data[stop - 1] == _SPACE:  # the target's first byte is none
            stop -= 1
    else:
        stop = _word_end(data, at, stop)
    span(out, METHOD, i, method, method + size)
    span(out, PATH, i, at, stop)
    return behind


@borrowing()
def _headers(data, at, end, i, out, response, length):  # type: ignore[no-untyped-def]
    """Reads header lines. Offset behind the empty line (-1: not in this payload), and length of the body.

    A value is kept back until the line behind it does not go on with it.
    """
    slot, value, stop, folded = _OTHER, at, at, -1
    chunked = False
    while at < end:
        first = data[at]
        if first == _SPACE or first == _TAB:
            line = at
            at = line_end(data, at, end)
            if slot >= 0:
                folded = _fold(data, value, stop, line, at, folded, out)
            at = _behind(data, at, end)
            continue
        if slot >= 0:
            _write(slot, value, stop, folded, i, out)
        slot, folded = _OTHER, -1
        if first == _CR or first == _LF:
            return _behind(data, at, end), _UNKNOWN if chunked else length
        kind, colon = _header(data, at, end)
        at = line_end(data, colon, end)
        if kind != _OTHER:
            value = colon + 1
            stop = _without_blanks(data, value, at)
            while value < stop and (data[value] == _SPACE or data[value] == _TAB):
                value += 1
            if kind == _LENGTH:
                length = _decimal(data, value, stop)
            elif kind == _ENCODING:
                chunked = True
            elif not (response and kind <= AGENT):
                slot = kind
        at = _behind(data, at, end)
    if slot >= 0:
        _write(slot, value, stop, folded, i, out)
    return np.int64(-1), length


@borrowing()
def _header(data, at, end):  # type: ignore[no-untyped-def]
    """Which header begins at `at`, and where its colon stands; (_OTHER, an offset within the line) for one that is not read."""
    letter = data[at] | 0x20
    colon = at
    if letter == 0x68:
        colon, kind = _named(data, at, end, _HOST), HOST
    elif letter == 0x75:
        colon, kind = _named(data, at, end, _AGENT), AGENT
    elif letter == 0x73:
        colon, kind = _named(data, at, end, _SERVER), SERVER
    elif letter == 0x63:
        colon, kind = _named(data, at, end, _TYPE), TYPE
        if colon == at:
            colon, kind = _named(data, at, end, _CONTENT_LENGTH), _LENGTH
    elif letter == 0x74:
        colon, kind = _named(data, at, end, _TRANSFER_ENCODING), _ENCODING
    if colon == at:
        return _OTHER, at
    return kind, colon


@borrowing()
def _named(data, at, end, name):  # type: ignore[no-untyped-def]
    """Where the colon behind `name` (in lower case) stands, `at` if the line does not begin with this name."""
    if end - at <= len(name):
        return at
    for k in range(len(name)):
        have = data[at + k]
        if have != name[k] and (have | 0x20 != name[k] or name[k] == _HYPHEN):
            return at
    colon = at + len(name)
    while colon < end and (data[colon] == _SPACE or data[colon] == _TAB):
        colon += 1
    return colon if colon < end and data[colon] == _COLON else at


@borrowing()
def _fold(data, value, stop, line, end, folded, out):  # type: ignore[no-untyped-def]
    """Puts the words of a folded line behind the value on the heap. Where the value begins there, -1: it is still data's own."""
    end = _without_blanks(data, line, end)
    while line < end and (data[line] == _SPACE or data[line] == _TAB):
        line += 1
    if line >= end:
        return folded
    if folded < 0:
        folded = out.used[1]
        for k in range(value, stop):
            byte(out, data[k])
    if out.used[1] > folded:
        byte(out, _SPACE)
    for k in range(line, end):
        byte(out, data[k])
    return folded


@borrowing()
def _write(slot, value, stop, folded, i, out):  # type: ignore[no-untyped-def]
    if folded < 0:
        span(out, slot, i, value, stop)
    else:
        heap_text(out, slot + FOLDED, i, folded)


@borrowing()
def _decimal(data, at, end):  # type: ignore[no-untyped-def]
    """The number that data[at:end] is, _UNKNOWN if it is none or too long."""
    if at >= end or end - at > _LONGEST_LENGTH:
        return np.int64(_UNKNOWN)
    value = np.int64(0)
    while at < end:
        if not is_digit(data[at]):
            return np.int64(_UNKNOWN)
        value = 10 * value + np.int64(data[at] - 48)
        at += 1
    return value


@borrowing()
def _behind(data, at, end):  # type: ignore[no-untyped-def]
    """The offset behind the line end at `at`."""
    if at < end and data[at] == _CR and at + 1 < end and data[at + 1] == _LF:
        return at + 2
    return min(at + 1, end)


@borrowing()
def _skip_spaces(data, at, end):  # type: ignore[no-untyped-def]
    while at < end and data[at] == _SPACE:
        at += 1
    return at


@borrowing()
def _without_blanks(data, at, end):  # type: ignore[no-untyped-def]
    """The end of data[at:end] without blanks at its end."""
    while end > at and (data[end - 1] == _SPACE or data[end - 1] == _TAB):
        end -= 1
    return end


@borrowing()
def _word_end(data, at, end):  # type: ignore[no-untyped-def]
    while at < end and data[at] != _SPACE:
        at += 1
    return at


@compiled(EXTRACT)
def extract(data, payloads, packets, out):  # type: ignore[no-untyped-def]
    """Start lines and headers of the messages in `packets`."""
    for k in range(len(packets)):
        i = packets[k]
        at, end = payloads.at[i], payloads.end[i]
        out = room(out, (end - at) // 3 + 4, end - at)  # "GET /" and its line feed are two events; values fold to less
        while at < end:
            at = message(data, at, end, i, out)
    return out
