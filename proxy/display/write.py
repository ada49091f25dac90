"""Display filters as text: what a click on a value makes of the filter that is there."""

from __future__ import annotations

from capture.packets.declarations.transport import TCP_FLAGS
from capture.packets.registry import FIELDS
from capture.packets.values import bytes_of
from proxy.display.fields import FLAG_NAMES, meanings


def value_filter(field: str, value: str) -> str:
    """The filter of the packets that have a value. field: of the registry. value: in the text form of values."""
    if field == "tcp" and value in TCP_FLAGS:  # names of protocols come before ours
        return f"outer:tcp.flags.{FLAG_NAMES[TCP_FLAGS.index(value)]} == 1"
    if field == "vlan":
        return f"vlan.id == {value}"
    kind = meanings()[field].kind
    if kind in ("uint", "address", "ether") and FIELDS[field].name != "dns-answer":
        return f"{field} == {value}"
    return f"{field} == {quoted(bytes_of(value))}"


def narrowed(base: str, field: str, value: str) -> str:
    """Packets of the filter `base` (empty: all) that have the value too."""
    return _together(base, value_filter(field, value))


def without(base: str, field: str, value: str) -> str:
    """Packets of the filter `base` (empty: all) that do not have the value."""
    return _together(base, f"!({value_filter(field, value)})")


def _together(base: str, more: str) -> str:
    if not base.strip():
        return more
    return f"({base.strip()}) && {more}"


def quoted(value: bytes) -> str:
    """A string literal of these bytes."""
    out = []
    for char in value.decode("utf-8", "surrogateescape"):
        if char in '"\\':
            out.append("\\" + char)
        elif "\udc80" <= char <= "\udcff":
            out.append(f"\\x{ord(char) - 0xDC00:02x}")
        elif char < " " or char == "\x7f":
            out.append(f"\\x{ord(char):02x}")
        else:
            out.append(char)
    return '"' + "".join(out) + '"'
