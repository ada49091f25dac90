"""HTTP/1.x requests in one segment (RFC 9112), and SSDP, which is HTTP's text over UDP (UPnP Device Architecture).

A segment is HTTP if it begins with a request line or a status line. Several requests in one segment are all found, one behind
the other, as far as their lengths say where the next one begins.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
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
_LINE = re.compile(rb"([^\r\n]*)(?:\r?\n|\r|\Z)")


@dataclass
class Request:
    """One request: method and headers as sent (surrounding blanks and folding taken away)."""

    method: bytes
    hosts: list[bytes] = field(default_factory=list)
    user_agents: list[bytes] = field(default_factory=list)


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


def requests(payload: bytes) -> list[Request]:
    """The requests in `payload`, from its first byte; empty if it begins with none."""
    found = []
    at = 0
    while at < len(payload):
        m = request_line(payload, at)
        if m is None:
            break
        request = Request(m.method)
        found.append(request)
        at, length = _headers(payload, m.end, request)
        if at < 0 or length < 0:
            break
        at += length
    return found


def _headers(payload: bytes, at: int, request: Request) -> tuple[int, int]:
    """Reads header lines from `at`. Offset behind the empty line (-1: not in this segment) and body length (-1: unknown)."""
    length = 0
    target: list[bytes] | None = None
    while at < len(payload):
        m = _LINE.match(payload, at)
        if m is None or m.end() == at:
            break
        at, line = m.end(), m[1]
        if not line:
            return at, length
        if line[:1] in b" \t":  # obsolete folding: goes on with the line before
            if target:
                target[-1] = (target[-1] + b" " + line.strip(b" \t")).strip(b" \t")
            continue
        name, colon, value = line.partition(b":")
        target = None
        if not colon:
            continue
        value = value.strip(b" \t")
        match name.strip(b" \t").lower():
            case b"host":
                target = request.hosts
            case b"user-agent":
                target = request.user_agents
            case b"content-length":
                length = int(value) if value.isdigit() and len(value) < 19 else -1
            case b"transfer-encoding":
                length = -1
        if target is not None:
            target.append(value)
    return -1, length
