"""Numbers of kinds: positions in capture.packets.recognise.names.KINDS, from 1."""

from __future__ import annotations

from capture.packets.recognise.names import KINDS


def kind(application: str, short_name: str = "") -> int:
    """The number of an application; of one that has several, of that whose last short name is `short_name`."""
    found = [k for k, (name, short) in enumerate(KINDS, 1) if name == application and short_name in ("", short[-1])]
    if len(found) != 1:
        raise LookupError(f"{len(found)} kinds are {application} {short_name}")
    return found[0]
