"""`from` and `to`: the range of time of a question."""

from __future__ import annotations

from capture.services.errors import Refused
from indexing.calls import Call
from proxy.moments import nanoseconds


def time_range(begin: str, end: str) -> Call | None:
    """Packets from `begin` (inclusive) to `end` (exclusive), RFC 3339, UTC where no zone is given; either may be empty.

    None if both are. Packets without a time stamp are never in a range. Raises Refused, naming the parameter."""
    args = {name: text for name, text in (("from", begin), ("to", end)) if text}
    for name, text in args.items():
        if nanoseconds(text) is None:
            raise Refused(f"{name} must be a time, for example 2012-04-02T02:28:30.5Z, not {text!r}", option=name)
    return Call("Time", args=dict(args)) if args else None
