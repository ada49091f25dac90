"""IEEE 802.11 and what capture puts before it: radiotap, PPI, Prism and AVS headers."""

from __future__ import annotations

from capture.packets.scapy_dissector.link_more import inner_link
from capture.packets.scapy_dissector.scapy_modules import Dot11
from capture.packets.scapy_dissector.walk import Step, Walk, handler


@handler("radiotap")
def radiotap(walk: Walk, at: int) -> Step:
    """radiotap.org: length little-endian; flags say whether an FCS ends the frame and whether its header is padded."""
    if not walk.has(at, 8, "radiotap"):
        return None
    if walk.data[at] != 0:
        walk.fail("radiotap: bad version")
        return None
    size = int.from_bytes(walk.data[at + 2 : at + 4], "little")
    if size < 8:
        walk.fail("radiotap: bad header length")
        return None
    if not walk.has(at, size, "radiotap"):
        return None
    flags = _radiotap_flags(walk, at, size)
    if flags & 0x10:  # FCS at end
        walk.limit(max(walk.wire_end - 4, at + size))
    return ("802.11 padded" if flags & 0x20 else "802.11"), at + size


def _radiotap_flags(walk: Walk, at: int, size: int) -> int:
    """Fields stand behind all presence words, in the order of the first word's bits: time (8 bytes, aligned to 8), flags.

    Read by hand: scapy's class wants all fields that are said to be there.
    """
    words = 1
    while walk.data[at + 4 * words + 3] & 0x80 and 4 * words + 8 <= size:  # another word follows
        words += 1
    present = walk.data[at + 4]
    where = 4 + 4 * words
    if present & 1:
        where = (where + 7 & ~7) + 8
    return walk.data[at + where] if present & 2 and where < size else 0


@handler("ppi")
def ppi(walk: Walk, at: int) -> Step:
    """Per-Packet Information: length and DLT of what follows, little-endian."""
    if not walk.has(at, 8, "ppi"):
        return None
    size = int.from_bytes(walk.data[at + 2 : at + 4], "little")
    return inner_link(walk, at, size, int.from_bytes(walk.data[at + 4 : at + 8], "little"), "ppi", 8)


@handler("prism")
def prism(walk: Walk, at: int) -> Step:
    if walk.data[at : at + 3] == b"\x80\x21\x10":  # Linux drivers put AVS headers under this link type too
        return "avs", at
    return ("802.11", at + 144) if walk.has(at, 144, "prism") else None


@handler("avs")
def avs(walk: Walk, at: int) -> Step:
    if not walk.has(at, 8, "avs"):
        return None
    size = int.from_bytes(walk.data[at + 4 : at + 8], "big")
    if size < 8:
        walk.fail("avs: bad header length")
        return None
    return ("802.11", at + size) if walk.has(at, size, "avs") else None


@handler("802.11")
def ieee80211(walk: Walk, at: int) -> Step:
    return _frame(walk, at, padded=False)


@handler("802.11 padded")
def ieee80211_padded(walk: Walk, at: int) -> Step:
    """With the header padded to a multiple of 4 bytes (radiotap's data pad flag)."""
    return _frame(walk, at, padded=True)


def _frame(walk: Walk, at: int, padded: bool) -> Step:
    """IEEE 802.11, 9.3.2: data frames that are neither empty nor encrypted hold LLC, or several MSDUs of it."""
    if not walk.has(at, 2, "802.11"):
        return None
    control, flags = walk.data[at], walk.data[at + 1]
    if control & 3:
        walk.fail("802.11: bad version")
        return None
    kind, subtype = control >> 2 & 3, control >> 4
    if kind != 2:
        return None
    size = 30 if flags & 3 == 3 else 24  # both DS bits: a fourth address
    if not walk.has(at, size, "802.11"):
        return None
    header = Dot11(walk.data[at : at + size], _internal=1)
    quality = header.subtype & 8
    if subtype & 4 or flags & 0x40:  # no data, or protected
        return None
    aggregated = False
    if quality:
        if not walk.has(at, size + 2, "802.11"):
            return None
        aggregated = bool(walk.data[at + size] & 0x80)
        size += 2
        if flags & 0x80:  # +HTC
            size += 4
    if header.SC is not None and header.SC & 0xF:
        return None  # a later fragment
    if padded:
        size = (size + 3) & ~3
    at += size
    if aggregated:
        if not walk.has(at, 14, "802.11"):
            return None
        length = int.from_bytes(walk.data[at + 12 : at + 14], "big")
        if at + 14 + length > walk.wire_end:
            walk.fail("802.11: bad A-MSDU length")
            return None
        walk.limit(at + 14 + length)
        at += 14
    return ("llc", at) if at < walk.wire_end else None
