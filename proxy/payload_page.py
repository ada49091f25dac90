"""What the two ends of a conversation said to each other, as text or hex."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from capture.services.errors import Refused
from proxy.api.payload import PROTOCOLS, SIDES, asked_page
from proxy.flow_pages import head_of
from proxy.flows.payload import MOST_PACKETS, PAGE, Placed
from proxy.flows.stream import CUT
from proxy.hexdump import Line, as_text, hexdump, reads_as_text
from proxy.limited import limited

SHOWN = ("text", "hex")
MOST_LISTED = 60  # connections


@dataclass
class Part:
    """Bytes that hang together, as text or lines, or a gap of `missing` bytes."""

    text: str = ""
    lines: list[Line] = field(default_factory=list)
    missing: int = 0
    cut: bool = False


@dataclass
class Turn:
    """What one side said before the other one did. first, last: (number, column) of its first and last packet, if known."""

    side: str
    parts: list[Part]
    size: int
    first: tuple[int, int] | None
    last: tuple[int, int] | None


@require_safe
@limited
def payload(request: HttpRequest, index: str, column: int) -> HttpResponse:
    """A page of a conversation's payload."""
    given = request.GET
    show = given.get("show", "")
    if show not in ("", *SHOWN):
        raise Refused(f"show must be text or hex, not {show!r}", option="show")
    found, one = asked_page(index, column, given)
    if not show:
        show = "text" if reads_as_text(b"".join(placed.chunk.data for placed in one.chunks)) else "hex"
    sides = zip(SIDES, one.connection.sides, strict=True) if one.connection else ()
    context = head_of(index, column, found) | {
        "tab": show,
        "show": show,
        "page": one,
        "protocol": PROTOCOLS.get(one.protocol),
        "turns": turns(one.chunks, hex_=show == "hex"),
        "side": given.get("side", ""),
        "sides": [{"name": name, "end": found[name], "tally": tally} for name, tally in sides],
        "connections": one.connections[:MOST_LISTED],
        "more_connections": max(0, len(one.connections) - MOST_LISTED),
        "previous": max(0, one.at - PAGE) if one.at else None,
        "next": one.end if one.end < one.total else None,
        "most_packets": MOST_PACKETS,
    }
    return render(request, "proxy/payload.html", context)


def turns(chunks: list[Placed], *, hex_: bool) -> list[Turn]:
    """Chunks by who sent them, with bytes that hang together in one part."""
    out: list[Turn] = []
    run: list[Placed] = []
    for placed in chunks:
        chunk = placed.chunk
        follows = run and not chunk.missing and not run[-1].chunk.missing and run[-1].chunk.side == chunk.side
        if run and not follows:
            _put(out, run, hex_)
            run = []
        run.append(placed)
    if run:
        _put(out, run, hex_)
    return out


def _put(out: list[Turn], run: list[Placed], hex_: bool) -> None:
    chunk = run[0].chunk
    data = b"".join(one.chunk.data for one in run)
    if chunk.missing:
        part = Part(missing=chunk.missing, cut=chunk.why == CUT)
    elif hex_:
        part = Part(lines=hexdump(data, chunk.offset, 8))
    else:
        part = Part(text=as_text(data))
    side = SIDES[chunk.side]
    if not out or out[-1].side != side:
        out.append(Turn(side, [], 0, None, None))
    turn = out[-1]
    turn.parts.append(part)
    turn.size += len(data)
    known: list[Any] = [(one.number, one.column) for one in run if one.number is not None and not chunk.missing]
    if known:
        turn.first, turn.last = turn.first or known[0], known[-1]
