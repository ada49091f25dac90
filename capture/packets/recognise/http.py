"""HTTP/1.x (RFC 9112), and SSDP, which is HTTP's text over UDP (UPnP Device Architecture), by start lines.

A segment is HTTP if it begins with a request line or a status line.
"""

from __future__ import annotations

import re
from typing import NamedTuple

# methods that are taken for HTTP even where the version is beyond the segment (RFC 9110, WebDAV, UPnP, common proxies)
METHODS = frozenset(
    b"GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK REPORT SEARCH "
    b"MKACTIVITY CHECKOUT MERGE VERSION-CONTROL CHECKIN UNCHECKOUT MKWORKSPACE UPDATE LABEL BASELINE-CONTROL POLL BMOVE BCOPY "
    b"BDELETE BPROPFIND BPROPPATCH NOTIFY SUBSCRIBE UNSUBSCRIBE M-SEARCH RPC_IN_DATA RPC_OUT_DATA CCM_POST "
    b"RPC_CONNECT PURGE BIND REBIND UNBIND LINK UNLINK MKCALENDAR ACL ORDERPATCH MKREDIRECTREF UPDATEREDIRECTREF".split()
)

_METHOD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}) +")
_VERSION = re.compile(rb" HTTP/\d\.\d\Z")
STATUS_LINE = re.compile(rb"HTTP/\d\.\d ([0-9]{3})(?:[ \r\n]|\Z)")
_TARGET = re.compile(rb"/|\*$|[A-Za-z][A-Za-z0-9+.-]*://|[\[\]A-Za-z0-9._-]+:\d+$")
_LINE_TEXT = re.compile(rb"[^\r\n]*")


class RequestLine(NamedTuple):
    """A request line. target: as sent; of a line without version the first word. end: offset behind the line's end."""

    method: bytes
    target: bytes
    end: int


def request_line(payload: bytes, at: int = 0) -> RequestLine | None:
    """The request line at `at`: with a version any method is one, without (cut, or HTTP/0.9) only a known one with a target."""
    m = _METHOD.match(payload, at)
    if m is None:
        return None
    stop = _LINE_TEXT.match(payload, m.end()).end()  # type: ignore[union-attr]  # it matches anywhere
    if stop < len(payload) and not payload.startswith((b"\n", b"\r\n"), stop):
        return None
    end = min(len(payload), stop + (2 if payload.startswith(b"\r", stop) else 1))
    line = payload[m.end() : stop].rstrip(b" \t")
    if _VERSION.match(line, max(0, len(line) - 9)):
        return RequestLine(m[1], line[:-9].rstrip(b" "), end)
    cut = not line and end == len(payload)  # the segment ends behind the method
    return RequestLine(m[1], line.split(b" ")[0], end) if m[1] in METHODS and (cut or _TARGET.match(line)) else None


def is_http(payload: bytes) -> bool:
    """True if `payload` begins with a request line or a status line."""
    return STATUS_LINE.match(payload) is not None or request_line(payload) is not None
