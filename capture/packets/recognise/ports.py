# ruff: noqa: E501
"""Names of ports: the protocol that a port is registered for (IANA), in the spelling of `appproto`."""

from __future__ import annotations

TCP_PORTS: dict[int, str] = {
    20: "FTP-Data", 21: "FTP", 22: "SSH", 23: "Telnet", 25: "SMTP", 43: "WHOIS", 49: "TACACS", 53: "DNS", 70: "Gopher", 79: "Finger",
    80: "HTTP", 88: "Kerberos", 102: "TPKT", 110: "POP3", 111: "RPC", 113: "Ident", 119: "NNTP", 135: "DCERPC", 139: "NBSS",
    143: "IMAP", 179: "BGP", 389: "LDAP", 443: "TLS", 445: "SMB", 465: "TLS", 502: "ModbusTCP", 513: "Rlogin", 514: "RSH",
    515: "LPD", 543: "Klogin", 554: "RTSP", 587: "SMTP", 631: "HTTP", 636: "TLS", 853: "TLS", 873: "Rsync", 989: "TLS",
    990: "TLS", 992: "TLS", 993: "TLS", 994: "TLS", 995: "TLS", 1080: "SOCKS", 1194: "OpenVPN", 1433: "TDS", 1521: "TNS",
    1723: "PPTP", 1883: "MQTT", 2049: "NFS", 3128: "HTTP", 3260: "iSCSI", 3268: "LDAP", 3306: "MySQL", 3389: "RDP",
    4840: "OPC-UA", 5060: "SIP", 5061: "TLS", 5222: "XMPP", 5269: "XMPP", 5432: "PostgreSQL", 5672: "AMQP", 5900: "VNC",
    6379: "Redis", 6667: "IRC", 8000: "HTTP", 8080: "HTTP", 8443: "TLS", 8883: "TLS", 9200: "HTTP", 11211: "Memcached",
    20000: "DNP3", 27017: "MongoDB", 44818: "ENIP",
}  # fmt: skip

UDP_PORTS: dict[int, str] = {
    53: "DNS", 67: "DHCPv4", 68: "DHCPv4", 69: "TFTP", 88: "Kerberos", 111: "RPC", 123: "NTP", 137: "NBNS", 138: "NBDGM",
    161: "SNMP", 162: "SNMP", 389: "LDAP", 443: "QUIC", 500: "ISAKMP", 514: "Syslog", 520: "RIP", 521: "RIPng", 546: "DHCPv6",
    547: "DHCPv6", 623: "RMCP", 853: "DTLS", 1194: "OpenVPN", 1645: "RADIUS", 1646: "RADIUS", 1701: "L2TP", 1812: "RADIUS",
    1813: "RADIUS", 1900: "SSDP", 1985: "HSRP", 2049: "NFS", 2055: "NetFlow", 2123: "GTPv1C", 2152: "GTPv1U", 3478: "STUN",
    3544: "Teredo", 3784: "BFD", 4500: "ISAKMP", 4739: "IPFIX", 4789: "VXLAN", 5060: "SIP", 5246: "CAPWAP", 5247: "CAPWAP",
    5351: "NAT-PMP", 5353: "DNS", 5355: "DNS", 5683: "CoAP", 6081: "Geneve", 6343: "SFlow", 8472: "VXLAN", 17500: "DB-LSP",
    20000: "DNP3", 44818: "ENIP", 47808: "BACnet", 51820: "WireGuard",
}  # fmt: skip

SCTP_PORTS: dict[int, str] = {
    2904: "M2UA",
    2905: "M3UA",
    3868: "Diameter",
    5060: "SIP",
    36412: "S1AP",
    38412: "NGAP",
    36422: "X2AP",
}
