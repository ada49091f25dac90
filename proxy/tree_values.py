"""Which indexed value a line of the layer tree stands for: so that it can be asked for where it is read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from capture.packets.layer import Layer, LayerField

# Layer and field as the tree names them -> our fields, the outermost level first. A name in brackets has lost its number.
_NETWORK = {"src": ("netsrc", "inner-netsrc", "quoted-netsrc"), "dst": ("netdst", "inner-netdst", "quoted-netdst")}
_PORTS: dict[str, tuple[str, ...]] = {
    "sport": ("transsrc", "inner-transsrc", "quoted-transsrc"),
    "dport": ("transdst", "inner-transdst", "quoted-transdst"),
}
_FIELDS: dict[str, dict[str, tuple[str, ...]]] = {
    "Ethernet": {"src": ("eth-src",), "dst": ("eth-dst",), "type": ("ethertype",)},
    "802.3": {"src": ("eth-src",), "dst": ("eth-dst",)},
    "802.1Q": {"vlan": ("vlan", "vlan-svc"), "prio": ("vlan-prio",), "type": ("ethertype",)},
    "802_1AD": {"vlan": ("vlan-svc",), "prio": ("vlan-prio",), "type": ("ethertype",)},
    "MPLS": {"label": ("mpls-label",)},
    "ARP": {"op": ("arp-op",), "psrc": ("arp-sender",), "pdst": ("arp-target",)},
    "IP": {**_NETWORK, "ttl": ("ttl", "inner-ttl"), "proto": ("ip-proto",), "version": ("ip-version",), "flags": ("ip-flags",)},
    "IPv6": {**_NETWORK, "hlim": ("ttl", "inner-ttl"), "nh": ("ip-proto",), "version": ("ip-version",)},
    "TCP": {**_PORTS, "flags": ("tcp-flagset", "inner-tcp"), "window": ("tcp-window",)},
    "UDP": _PORTS,
    "SCTP": {"sport": ("transsrc",), "dport": ("transdst",)},
    "ICMP": {"type": ("icmp-type",), "code": ("icmp-code",)},
    "DNS": {
        "id": ("dns-id",),
        "qr": ("dns-response",),
        "rcode": ("dns-rcode",),
        "qd[].qname": ("dns-qname",),
        "qd[].qtype": ("dns-qtype",),
        "an[].rdata": ("dns-answer",),
    },
    "HTTP Request": {
        "Method": ("http-method",),
        "Path": ("http-path",),
        "Host": ("http-hostname",),
        "User_Agent": ("http-useragent",),
        "Content_Type": ("http-contenttype",),
    },
    "HTTP Response": {
        "Status_Code": ("http-status",),
        "Server": ("http-server",),
        "Content_Type": ("http-contenttype",),
    },
}
# Of any other layer, fields whose name is that of what they are
_BY_NAME: dict[str, tuple[str, ...]] = {
    "type": ("icmpv6-type", "icmp-type", "tls-handshake", "dhcp-type"),
    "code": ("icmpv6-code", "icmp-code"),
    "server name": ("tls-sni",),
    "servernames": ("tls-sni",),
    "hostname": ("dhcp-hostname",),
}


class TreeValues:
    """values: a packet's, as indexed."""

    def __init__(self, values: Sequence[dict[str, Any]]) -> None:
        self._known: dict[str, dict[str, str]] = {}
        for one in values:
            mine = self._known.setdefault(one["field"], {})
            mine.setdefault(one["value"], one["value"])
            if one["label"]:
                mine.setdefault(one["label"], one["value"])

    def of(self, layer: Layer, line: LayerField) -> tuple[str, str] | None:
        """Field and value that a line stands for, if the packet has that value in the index."""
        name = line.name
        if "[" in name and "]" in name:
            name = name[: name.index("[") + 1] + name[name.index("]") :]
        candidates = _FIELDS.get(layer.name, {}).get(name) or _BY_NAME.get(name.lower().replace("_", " "), ())
        said = (line.value, line.meaning, line.value.removesuffix("."), line.meaning.replace(", ", ","))
        for field in candidates:
            known = self._known.get(field, {})
            for text in said:
                if text and text in known:
                    return field, known[text]
        return None
