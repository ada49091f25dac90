"""What the layer tree wants of scapy beyond the dissector's own layers: application protocols, loaded when first asked for.

scapy binds a layer to its ports when its module is imported. Optional ones may fail to import on a machine that lacks what
they build on; the tree then shows their bytes as payload.
"""

from __future__ import annotations

import importlib
import logging

_MODULES = (
    "layers.clns", "layers.dhcp", "layers.dhcp6", "layers.dns", "layers.eap", "layers.gprs", "layers.hsrp", "layers.http",
    "layers.isakmp", "layers.l2tp", "layers.llmnr", "layers.mgcp", "layers.mobileip", "layers.netbios", "layers.netflow",
    "layers.ntp", "layers.pflog", "layers.ppi", "layers.pptp", "layers.quic", "layers.radius", "layers.rip", "layers.rtp",
    "layers.skinny", "layers.smb", "layers.smb2", "layers.snmp", "layers.ssh", "layers.tftp", "layers.vrrp",
    "layers.ldap", "layers.kerberos", "layers.can", "layers.usb", "layers.bluetooth", "layers.dot15d4", "layers.zigbee",
    "contrib.bgp", "contrib.cdp", "contrib.coap", "contrib.dtp", "contrib.eigrp", "contrib.erspan", "layers.igmp",
    "contrib.lacp", "contrib.lldp", "contrib.modbus", "contrib.mqtt", "contrib.ospf", "contrib.pim",
    "contrib.stun", "contrib.isis", "contrib.etherip", "contrib.macsec", "contrib.nsh",
)  # fmt: skip

_loaded = False


def load() -> None:
    """Imports them once in this process."""
    global _loaded
    if _loaded:
        return
    _loaded = True
    for module in _MODULES:
        try:
            importlib.import_module(f"scapy.{module}")
        except Exception as reason:  # an optional part of scapy: any failure of it means only "not shown"
            logging.getLogger(__name__).debug("scapy.%s cannot be loaded: %s", module, reason)
