"""HTTP, SIP and RTSP: lines of method, target and version, or of version and status.

See is_http in capture.packets.recognise.http, is_sip and is_rtsp in capture.packets.recognise.text. The first line is gone
through once, byte by byte.
"""

from __future__ import annotations

import numpy as np

from capture.packets.compiling import borrowing
from capture.packets.fast.recognise.octets import begins, is_digit, is_letter, is_space, is_upper, line_end, octets, three_digits
from capture.packets.fast.recognise.text import ends_line, word_length, words
from capture.packets.recognise.http import METHODS

HTTP, SIP, RTSP = 1, 2, 3

# what methods are made of (RFC 9110, 5.6.2)
TOKEN = np.zeros(256, np.uint8)
TOKEN[octets(b"!#$%&'*+.^_`|~-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")] = 1
_LONGEST_METHOD = 40
_KNOWN = words(sorted(METHODS, key=len, reverse=True))  # of two words the longer first: LOCK is no LOCKDOWN
_HTTP, _SIP, _RTSP = octets(b"HTTP/"), octets(b"SIP/2.0"), octets(b"RTSP/")
_TAB, _LF, _CR, _SPACE, _PLUS, _HYPHEN, _DOT, _SLASH, _COLON, _STAR, _UNDERLINE = 9, 10, 13, 32, 43, 45, 46, 47, 58, 42, 95


@borrowing()
def is_token(value):  # type: ignore[no-untyped-def]
    """Whether a byte may stand in a method."""
    return TOKEN[value] != 0


@borrowing()
def text_kind(data, at, end):  # type: ignore[no-untyped-def]
    """SIP, RTSP or HTTP, in this order, if data[at:end] begins with a request or status line of one; else 0."""
    method = at
    while at < end and at - method <= _LONGEST_METHOD and is_token(data[at]):
        at += 1
    if at == method or at - method > _LONGEST_METHOD or at >= end:
        return 0
    if data[at] == _SLASH:
        return _status_kind(data, method, end)
    if data[at] != _SPACE:
        return 0
    size = at - method
    last = line_end(data, at, end)
    behind = last
    if last < end:
        if not ends_line(data, last, end):
            return 0
        behind += 1 if data[last] == _LF else 2
        if 2 <= size <= 20:
            known = _strict_kind(data, method, at, last)
            if known:
                return known
    return HTTP if is_http_request(data, method, size, last, behind == end) else 0


@borrowing()
def _strict_kind(data, method, at, end):  # type: ignore[no-untyped-def]
    """SIP or RTSP if data[method:end] is a request line: capital letters, a target without blanks, single blanks. Else 0."""
    if is_digit(data[end - 1]):
        version = end - 7
        if version - 2 > at and data[version - 1] == _SPACE and begins(data, version, end, _SIP):
            return SIP if _is_method(data, method, at, False) and _is_solid(data, at + 1, version - 1) else 0
        version = end - 8
        if version - 2 > at and data[version - 1] == _SPACE and _is_version(data, version, end, _RTSP):
            return RTSP if _is_method(data, method, at, True) and _is_solid(data, at + 1, version - 1) else 0
    return 0


@borrowing()
def _is_method(data, at, end, underline):  # type: ignore[no-untyped-def]
    for i in range(at, end):
        if not (is_upper(data[i]) or (underline and data[i] == _UNDERLINE)):
            return False
    return True


@borrowing()
def _is_solid(data, at, end):  # type: ignore[no-untyped-def]
    """No white space in data[at:end]."""
    for i in range(at, end):
        if is_space(data[i]):
            return False
    return True


@borrowing()
def _is_version(data, at, end, mark):  # type: ignore[no-untyped-def]
    """Whether data[at:end] begins with `mark` and a version."""
    digits = at + len(mark)
    if digits + 3 > end or not begins(data, at, end, mark):
        return False
    return is_digit(data[digits]) and data[digits + 1] == _DOT and is_digit(data[digits + 2])


@borrowing()
def _status_kind(data, at, end):  # type: ignore[no-untyped-def]
    """SIP, RTSP or HTTP if data[at:end] begins with a version and a status, else 0."""
    if begins(data, at, end, _SIP):
        known, status = SIP, at + 7
    elif _is_version(data, at, end, _RTSP):
        known, status = RTSP, at + 8
    elif _is_version(data, at, end, _HTTP):
        known, status = HTTP, at + 8
    else:
        return 0
    if status >= end or data[status] != _SPACE or not three_digits(data, status + 1, end):
        return 0
    behind = status + 4
    if behind >= end:
        return known if known == HTTP else 0
    following = data[behind]
    return known if following == _SPACE or (known == HTTP and (following == _CR or following == _LF)) else 0


@borrowing()
def is_http_request(data, method, size, end, cut):  # type: ignore[no-untyped-def]
    """Whether the line data[method:end] is a request line, whose method has `size` bytes. cut: the payload ends with the line."""
    target = method + size
    while target < end and data[target] == _SPACE:
        target += 1
    while end > target and (data[end - 1] == _SPACE or data[end - 1] == _TAB):
        end -= 1
    if end - 9 > target and data[end - 9] == _SPACE and _is_version(data, end - 8, end, _HTTP):
        return True
    if not (_is_target(data, target, end) if end > target else cut):
        return False
    return word_length(data, method, method + size, _KNOWN, False) == size


@borrowing()
def _is_target(data, at, end):  # type: ignore[no-untyped-def]
    """Whether data[at:end], not empty, begins with a path or a URI's scheme, or is an asterisk or a host with its port."""
    if data[at] == _SLASH:
        return True
    if data[at] == _STAR:
        return at + 1 == end
    begun = at
    if is_letter(data[at]):
        while at < end and (is_letter(data[at]) or is_digit(data[at]) or (_PLUS <= data[at] <= _DOT and data[at] != 44)):
            at += 1
        if at + 2 < end and data[at] == _COLON and data[at + 1] == _SLASH and data[at + 2] == _SLASH:
            return True
    at = begun
    while at < end and _in_host(data[at]):
        at += 1
    if at == begun or at + 1 >= end or data[at] != _COLON:
        return False
    at += 1
    while at < end and is_digit(data[at]):
        at += 1
    return at == end


@borrowing()
def _in_host(value):  # type: ignore[no-untyped-def]
    """Letters, digits, brackets, full stop, underline, hyphen."""
    if is_letter(value) or is_digit(value):
        return True
    return value == 91 or value == 93 or value == _DOT or value == _UNDERLINE or value == _HYPHEN
