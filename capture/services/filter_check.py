"""Whether a capture filter is right, while it is being typed: libpcap's own message, and where in the text it goes wrong.

libpcap says what is wrong and not where. The place is found by compiling beginnings of the text: the first word after which
nothing that could follow makes it right. Host names are not looked up here, for each keystroke would be a question to a name
server: an address stands in for each of them, and they are named in the answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from capture.packets.bpf import MAX_EXPRESSION, check_filter, check_live_filter
from capture.packets.errors import FilterError

WORD = re.compile(r"&&|\|\||[()!]|[^\s()!&|]+")
NAME = re.compile(r"[A-Za-z_][\w-]*(\.[\w-]+)*\.?")
# After these a word may be a host's name.
BEFORE_HOST = frozenset(("host", "src", "dst", "gateway"))
BEFORE_PRIMITIVE = frozenset(("", "and", "or", "not", "&&", "||", "!", "("))
_KEYWORDS = """
host net port portrange proto protochain gateway less greater len byte and or not src dst inbound outbound ifindex
ether link fddi tr wlan ppp slip ip ip6 arp rarp decnet tcp udp sctp icmp icmp6 igmp igrp pim vrrp carp ah esp iso clnp esis
isis atalk aarp lat moprc mopdl stp ipx netbeui l1 l2 iih lsp snp csnp psnp vlan mpls pppoed pppoes geneve vxlan lane llc
broadcast multicast mask type subtype dir action reason rset ifname on rnr rulenum srnr subrulenum addr1 addr2 addr3 addr4
ra ta metac bcc oam oamf4 oamf4ec oamf4sc sc ilmic vpi vci connectmsg metaconnect fisu lssu msu sio opc dpc sls radio
"""
KEYWORDS = frozenset(_KEYWORDS.split())
ENDINGS = ("", " tcp", " 80", " 192.0.2.1", " host 192.0.2.1", " = 0", " 0", "] = 0", " port 80", " 192.0.2.0/24", " 80-90")
# Above this only libpcap's message is given: finding the place compiles the text a few hundred times.
LONGEST_PLACED = 512
# Compiling takes longer than the text grows, and others wait for it meanwhile.
LONGEST_CHECKED = 2048
STAND_IN = "192.0.2.1"
Check = Callable[[str], None]


@dataclass
class Checked:
    """position: in characters, of the word that goes wrong; None where it cannot be told. names: to be looked up by the job."""

    ok: bool
    detail: str = ""
    position: int | None = None
    names: list[str] = field(default_factory=list)


def checked(text: str, live: bool = False) -> Checked:
    """What is to be said of a filter as it stands."""
    check: Check = check_live_filter if live else check_filter
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_EXPRESSION:
        return Checked(False, f"the filter has {size:,} bytes, more than {MAX_EXPRESSION:,}")
    if size > LONGEST_CHECKED:
        return Checked(True, "too long to be checked while it is typed: it is checked when the job is made")
    stood_in, names = without_names(text)
    try:
        check(stood_in)
    except FilterError as error:
        fits_nothing = "reject" in str(error)  # each word of it is right
        place = None if fits_nothing or len(text) > LONGEST_PLACED else _place(text, str(error), check)
        return Checked(False, _plain(str(error)), place)
    return Checked(True, names=names)


def without_names(text: str) -> tuple[str, list[str]]:
    """The filter with an address in the place of each host's name, and the names."""
    names: list[str] = []
    pieces: list[str] = []
    at, before, qualifier = 0, "", ""
    for found in WORD.finditer(text):
        word, lower = found.group(), found.group().lower()
        named = NAME.fullmatch(word) is not None and lower not in KEYWORDS
        if named and (before in BEFORE_HOST or before in BEFORE_PRIMITIVE) and qualifier not in ("port", "net", "ether"):
            names.append(word)
            pieces += [text[at : found.start()], STAND_IN]
            at = found.end()
        if lower in ("port", "portrange", "net", "ether", "host"):
            qualifier = lower
        elif before in BEFORE_PRIMITIVE and lower in KEYWORDS:
            qualifier = ""
        before = lower
    return "".join([*pieces, text[at:]]), list(dict.fromkeys(names))


def _plain(message: str) -> str:
    """libpcap's message without what it puts before each."""
    return message.removeprefix("can't parse filter expression: ").removeprefix("can't parse filter: ").strip()


def _place(text: str, message: str, check: Check) -> int:
    quoted = re.search(r"'([^']+)'", message) or re.search(r'"([^"]+)"', message)
    if quoted and (at := text.find(quoted.group(1))) >= 0:
        return at
    begin = None
    for found in WORD.finditer(text):
        if not _may_go_on(text[: found.end()], check):
            begin = found.start()
            break
    return len(text.rstrip()) if begin is None else begin


def _may_go_on(beginning: str, check: Check) -> bool:
    """Whether something can follow that makes it a filter."""
    stood_in, _ = without_names(beginning)
    closing = ")" * max(0, stood_in.count("(") - stood_in.count(")"))
    for ending in ENDINGS:
        try:
            check(f"{stood_in}{ending}{closing}")
            return True
        except FilterError as error:
            if "reject" in str(error):  # right, and no packet can match it
                return True
    return False
