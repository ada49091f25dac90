"""Link types whose framing scapy has no class for: read by their published layouts, https://www.tcpdump.org/linktypes.html."""

from __future__ import annotations

from capture.packets.scapy_dissector.ethertypes import behind_ethertype
from capture.packets.scapy_dissector.link import ADDRESS_FAMILIES
from capture.packets.scapy_dissector.link_fields import note_addresses, note_ethertype
from capture.packets.scapy_dissector.linktypes import FIRST_HEADERS
from capture.packets.scapy_dissector.walk import Step, Walk, handler


def _fixed(walk: Walk, at: int, size: int, layer: str, name: str) -> Step:
    return (name, at + size) if walk.has(at, size, layer) else None


def _u16(walk: Walk, at: int) -> int:
    return int.from_bytes(walk.data[at : at + 2], "big")


@handler("ethernet mpacket")
def ethernet_mpacket(walk: Walk, at: int) -> Step:
    """IEEE 802.3br: 7 bytes of preamble, SMD; only the first fragment of a frame begins with its header."""
    if not walk.has(at, 8, "ethernet mpacket"):
        return None
    smd = walk.data[at + 7]
    if smd in (0xD5, 0xE6, 0x4C, 0x7F, 0xB3):
        return "ethernet", at + 8
    return None


@handler("netanalyzer")
def netanalyzer(walk: Walk, at: int) -> Step:
    return _fixed(walk, at, 4, "ethernet", "ethernet")


@handler("netanalyzer transparent")
def netanalyzer_transparent(walk: Walk, at: int) -> Step:
    return _fixed(walk, at, 12, "ethernet", "ethernet")


@handler("dsa")
def dsa(walk: Walk, at: int) -> Step:
    """Marvell DSA: 4 bytes between source address and EtherType, 8 where the extend bit is set."""
    if not walk.has(at, 18, "dsa"):
        return None
    note_addresses(walk, at)
    size = 8 if walk.data[at + 14] & 0x10 else 4
    if not walk.has(at, 14 + size, "dsa"):
        return None
    note_ethertype(walk, at + 12 + size)
    return behind_ethertype(walk, _u16(walk, at + 12 + size), at + 14 + size)


@handler("edsa")
def edsa(walk: Walk, at: int) -> Step:
    """Marvell EtherType DSA: EtherType, two reserved bytes, then as DSA."""
    if not walk.has(at, 22, "dsa"):
        return None
    note_addresses(walk, at)
    note_ethertype(walk, at + 12)
    size = 12 if walk.data[at + 18] & 0x10 else 8
    if not walk.has(at, 14 + size, "dsa"):
        return None
    return behind_ethertype(walk, _u16(walk, at + 12 + size), at + 14 + size)


@handler("fddi")
def fddi(walk: Walk, at: int) -> Step:
    if not walk.has(at, 13, "fddi"):
        return None
    return ("llc", at + 13) if walk.data[at] & 0xF0 == 0x50 else None  # frame control: LLC frames only


@handler("token ring")
def token_ring(walk: Walk, at: int) -> Step:
    """IEEE 802.5: access control, frame control, addresses, source routing where the source's first bit says so."""
    if not walk.has(at, 14, "token ring"):
        return None
    if walk.data[at + 1] & 0xC0 != 0x40:
        return None
    size = 14
    if walk.data[at + 8] & 0x80:
        if not walk.has(at, 16, "token ring"):
            return None
        size += max(2, walk.data[at + 14] & 0x1F)
    return _fixed(walk, at, size, "token ring", "llc")


@handler("arcnet")
def arcnet(walk: Walk, at: int) -> Step:
    return _arcnet(walk, at, 2)


@handler("arcnet linux")
def arcnet_linux(walk: Walk, at: int) -> Step:
    """As arcnet, with two bytes of offset behind the addresses."""
    return _arcnet(walk, at, 4)


def _arcnet(walk: Walk, at: int, addresses: int) -> Step:
    if not walk.has(at, addresses + 1, "arcnet"):
        return None
    protocol = walk.data[at + addresses]
    at += addresses + 1
    name = {240: "ipv4", 241: "arp", 212: "ipv4", 213: "arp", 196: "ipv6"}.get(protocol)
    if name is None:
        return None
    if protocol in (240, 241):  # RFC 1051: no fragmentation header
        return name, at
    if not walk.has(at, 3, "arcnet"):  # RFC 1201: split flag, sequence number
        return None
    if walk.data[at] == 0xFF:  # exception frame: padded by another header
        return _fixed(walk, at, 7, "arcnet", name)
    if walk.data[at] > 1 and not walk.data[at] & 1:
        return None  # not the first fragment
    return name, at + 3


@handler("frame relay")
def frame_relay(walk: Walk, at: int) -> Step:
    """Q.922 address, then RFC 2427 (control, NLPID) or Cisco's encapsulation (EtherType)."""
    if not walk.has(at, 4, "frame relay"):
        return None
    size = next((i + 1 for i in range(1, 4) if walk.data[at + i] & 1), 0)
    if walk.data[at] & 1 or not size:
        walk.fail("frame relay: bad address")
        return None
    at += size
    if not walk.has(at, 2, "frame relay"):
        return None
    if walk.data[at] != 0x03:
        return behind_ethertype(walk, _u16(walk, at), at + 2) if _u16(walk, at) > 1500 else None
    at += 1 + (walk.data[at + 1] == 0)  # a pad byte may stand before the NLPID
    if not walk.has(at, 1, "frame relay"):
        return None
    name = {0xCC: "ipv4", 0x8E: "ipv6", 0x80: "snap", 0xCF: "ppp"}.get(walk.data[at])
    return (name, at + 1) if name else None


@handler("atm")
def atm(walk: Walk, at: int) -> Step:
    """RFC 2684: LLC/SNAP; some capture PPP over ATM with its own LLC (RFC 2364)."""
    if walk.has(at, 4, "atm"):
        if walk.data[at : at + 4] == b"\xfe\xfe\x03\xcf":
            return "ppp", at + 4
        return "llc", at
    return None


@handler("slip")
def slip(walk: Walk, at: int) -> Step:
    """LINKTYPE_SLIP: direction and compressed-header bytes, 16 in all, then IP (a compressed TCP header cannot be read)."""
    if not walk.has(at, 17, "slip"):
        return None
    return ("raw ip", at + 16) if walk.data[at + 16] >> 4 in (4, 6) and not walk.data[at + 1] & 0x80 else None


@handler("ip over fibre channel")
def ip_over_fibre_channel(walk: Walk, at: int) -> Step:
    return _fixed(walk, at, 16, "ip over fibre channel", "llc")


@handler("ipoib")
def ipoib(walk: Walk, at: int) -> Step:
    """RFC 4391 behind a global routing header: EtherType at 40."""
    return behind_ethertype(walk, _u16(walk, at + 40), at + 44) if walk.has(at, 44, "ipoib") else None


@handler("ipnet")
def ipnet(walk: Walk, at: int) -> Step:
    return _fixed(walk, at, 24, "ipnet", "raw ip")


@handler("enc")
def enc(walk: Walk, at: int) -> Step:
    return _fixed(walk, at, 12, "enc", "raw ip")


@handler("pflog")
def pflog(walk: Walk, at: int) -> Step:
    """OpenBSD's packet filter log: its own length first (without padding to 4), then the address family."""
    if not walk.has(at, 2, "pflog"):
        return None
    size = walk.data[at]
    if size < 45:
        walk.fail("pflog: bad header length")
        return None
    if not walk.has(at, (size + 3) & ~3, "pflog"):
        return None
    name = ADDRESS_FAMILIES.get(walk.data[at + 1])
    return (name, at + ((size + 3) & ~3)) if name else None


@handler("nflog")
def nflog(walk: Walk, at: int) -> Step:
    """Linux NFLOG: family, version, resource id, then attributes in host byte order; number 9 holds the packet."""
    if not walk.has(at, 4, "nflog"):
        return None
    family = walk.data[at]
    at += 4
    while at < walk.wire_end:
        if not walk.has(at, 4, "nflog"):
            return None
        head = walk.data[at : at + 4]
        order: str = "little" if head[3] == 0 else "big"
        size, kind = (int.from_bytes(head[i : i + 2], order) for i in (0, 2))  # type: ignore[arg-type]
        if size < 4:
            walk.fail("nflog: bad attribute length")
            return None
        if kind & 0x7FFF == 9:
            walk.limit(at + size)
            name = {2: "ipv4", 10: "ipv6"}.get(family)
            return (name, at + 4) if name else None
        at += (size + 3) & ~3
    return None


@handler("pktap")
def pktap(walk: Walk, at: int) -> Step:
    """Apple's PKTAP: header length, record type, DLT of what follows; all little-endian."""
    if not walk.has(at, 12, "pktap"):
        return None
    size, _, dlt = (int.from_bytes(walk.data[at + i : at + i + 4], "little") for i in (0, 4, 8))
    return inner_link(walk, at, size, dlt, "pktap", 12)


@handler("raw")
def raw(walk: Walk, at: int) -> Step:
    """The link type; as `raw ip` it stands behind other headers, and is no layer of its own."""
    return raw_ip(walk, at)


@handler("raw ip")
def raw_ip(walk: Walk, at: int) -> Step:
    if not walk.has(at, 1, "raw ip"):
        return None
    name = {4: "ipv4", 6: "ipv6"}.get(walk.data[at] >> 4)
    if name is None:
        walk.fail("raw ip: bad version")
        return None
    return name, at


def inner_link(walk: Walk, at: int, size: int, dlt: int, layer: str, least: int) -> Step:
    """Behind a header of `size` bytes stands a packet of link type `dlt`."""
    if size < least:
        walk.fail(f"{layer}: bad header length")
        return None
    if not walk.has(at, size, layer):
        return None
    name = FIRST_HEADERS.get(dlt)
    return (name, at + size) if name else None
