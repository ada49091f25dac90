"""Display filters as text: what a click on a value makes of the filter that is there."""

from __future__ import annotations

from collections.abc import Sequence

from capture.packets.declarations.transport import TCP_FLAGS
from capture.packets.registry import FIELDS
from capture.packets.values import bytes_of
from proxy.display.fields import FLAG_NAMES, meanings
from proxy.display.tokens import conjuncts, is_disjunction


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
    return together([base, value_filter(field, value)])


def without(base: str, field: str, value: str) -> str:
    """Packets of the filter `base` (empty: all) that do not have the value."""
    return together([base, f"!({value_filter(field, value)})"])


def widened(base: str, field: str, value: str) -> str:
    """Packets of the filter `base`, and those that have the value. Nothing is wider than all: there it is the value alone."""
    more = value_filter(field, value)
    if not base.strip():
        return more
    return f"{base.strip() if is_disjunction(base) else in_brackets(base)} || {more}"


def together(parts: Sequence[str]) -> str:
    """A filter of which all parts hold; one that is empty holds always. Brackets only where the meaning needs them."""
    some = [part.strip() for part in parts if part.strip()]
    return some[0] if len(some) == 1 else " && ".join(f"({part})" if is_disjunction(part) else part for part in some)


def either(parts: Sequence[str]) -> str:
    """A filter of which one part is enough."""
    return parts[0].strip() if len(parts) == 1 else " || ".join(in_brackets(part) for part in parts)


def in_brackets(part: str) -> str:
    """A filter as a part of a disjunction."""
    return f"({part.strip()})" if len(conjuncts(part)) > 1 else part.strip()


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
