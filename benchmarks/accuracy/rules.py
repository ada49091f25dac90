# ruff: noqa: E501
"""Which difference has which reason. A difference that no rule covers is unexplained, and a fault until somebody has looked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

MORE, LESS = "more", "less"


@dataclass(frozen=True)
class Rule:
    """Values of quantities of captures that may differ for a reason (a key of reasons.REASONS).

    captures, quantities: shell patterns, several separated by a blank. side: MORE (we find more packets), LESS, "" for both.
    values: a regular expression for the whole value.
    """

    reason: str
    captures: str
    quantities: str
    side: str = ""
    values: str = r"(?s:.*)"

    def covers(self, capture: str, quantity: str, side: str, value: str) -> bool:
        """Whether the rule says why `value` differs."""
        return (
            self.side in ("", side)
            and any(fnmatchcase(capture, pattern) for pattern in self.captures.split())
            and any(fnmatchcase(quantity, pattern) for pattern in self.quantities.split())
            and re.fullmatch(self.values, value) is not None
        )


_MIX = "large/derived__merged-home-and-web-mix.pcap"
_HTTP = "*http.host *http.user_agent *http.request.method *http.request.uri *http.response.code protocols.http"

# protocol -> captures in which tshark knows segments by their conversation
_CONVERSATIONS = {
    "http": f"""formats/nfstream__ps_vue.pcap formats/suricata__tcp-rst-unacked-stream-10__* {_MIX} linktypes/ndpi__KakaoTalk_talk.pcap
        linktypes/suricata__decode-chdlc-01__* linktypes/tcpflow__test4.pcap malformed/ndpi__fuzz-2006-09-29-28586.pcap
        malformed/suricata__http-mime-truncated.pcap protocols/arkime__http-post-upload.pcap protocols/arkime__http-wrapped-header.pcap
        protocols/arkime__https-connect.pcap protocols/nfstream__WebattackSQLinj.pcap protocols/zeek__http__bro.org.pcap
        protocols/zeek__http__concurrent-range-requests.pcap protocols/zeek__http__http-lower-case-nonstandard-port.pcap
        protocols/zeek__http__http-non-printable-characters.pcap
        tunnels/zeek__gtp__* tunnels/zeek__http-vlan-0.pcap tunnels/zeek__ipv6-http-atomic-frag.pcap
        tunnels/zeek__tunnels__vxlan-encapsulated-http.pcap""",
    "tls": f"""formats/brimcap__ng.pcap {_MIX} malformed/pcapparser__err-buffertoosmall.pcapng
        protocols/arkime__curl-enabled-tls13.pcap protocols/arkime__https-connect.pcap protocols/mercury__top_100_fingerprints.pcap
        protocols/nfstream__http_ipv6.pcap protocols/nfstream__no_sni.pcap protocols/nfstream__viber.pcap
        protocols/suricata__tls-client-hello-frag-01__* protocols/zeek__tls__ssl.v3.pcap protocols/zeek__tls__tls13-ech.pcap
        tunnels/arkime__pppoe.pcap tunnels/mercury__tls_sgt.pcap tunnels/nfstream__6in4tunnel.pcap
        tunnels/zeek__tunnels__geneve-47101.pcap""",
    "ssh": """linktypes/tcpflow__local.pcap protocols/joy__kali-normal-ssh.pcap protocols/tcpdump__mptcp-v0.pcap
        formats/zeek__http__get-to-ssh-server.pcap""",
    "smtp": "formats/zeek__smtp__smtp-many-addresses.pcap.gz protocols/zeek__smtp.pcap",
    "telnet": "protocols/suricata__telnet-01__telnet.pcap",
    "dtls": _MIX,
    "pop": "protocols/zeek__pop3__pop3.pcap",
    "kerberos": "protocols/zeek__krb__kinit.pcap",
}

RULES: tuple[Rule, ...] = (
    *(Rule("conversation", captures, f"protocols.{name}", LESS) for name, captures in _CONVERSATIONS.items()),
    Rule("by content", "formats/zeek__http__get-to-ssh-server.pcap", _HTTP, MORE),
    Rule("by content", "protocols/zeek__postgresql__http-on-port-5432.pcap", _HTTP, MORE),
    Rule("by content", "linktypes/ndpi__KakaoTalk_talk.pcap", "protocols.tls", MORE),
    Rule(
        "cut",
        "formats/derived__dpkt__nb6-http__snap60.pcap malformed/nfstream__badpackets.pcap",
        "protocols.dns first.dns.flags.response",
        LESS,
    ),
    Rule(
        "datagram service",
        "large/ics__EIP-FirmwareChange.pcap protocols/ics__Profinet_Failed.pcap protocols/nfstream__netbios.pcap "
        "protocols/pcapparser__wireshark_samples-test.pcapng",
        "protocols.smb",
        LESS,
    ),
    Rule(
        "keep-alive",
        "protocols/nfstream__netbios.pcap protocols/pcapparser__wireshark_samples-test.pcapng",
        "protocols.nbss",
        LESS,
    ),
    Rule("upgrade", "protocols/scapy__http2_h2c.pcap", "protocols.http protocols.http2", LESS),
    Rule("TPKT and RDP", "protocols/suricata__rdp-protocol__RDP-003.pcap", "protocols.tpkt protocols.rdp"),
    Rule(
        "gquic",
        "protocols/nfstream__http_ipv6.pcap",
        "protocols.quic *.tls.handshake.extensions_server_name sni_by.quic",
        MORE,
    ),
    Rule("short header", "protocols/nfstream__quic-28.pcap", "protocols.quic protocols.tls", LESS),
    Rule("STUN length", _MIX, "protocols.stun", LESS),
    Rule("broken", "protocols/ics__DNP3-Malformed.pcap", "protocols.dnp3", LESS),
    Rule("link type 284", "linktypes/libpcap__dsa.pcap", "*"),
    Rule("unsigned", "malformed/nfstream__fuzz-2021-06-07-c6c72a0a56.pcap", "frame_len_* time_*"),
    Rule("dialect", "malformed/suricata__bug-6875-01__fuzz.pcap", "*"),
    Rule("year 151993", "formats/nfstream__dhcp_big_endian.pcapng", "time_first time_last"),
    Rule("invalid fraction", "formats/tcpdump__timestamp_invalid_nano.pcap", "time_min time_max time_steps_back"),
    Rule("tcpdump stops", "formats/pcapngtest__*", "tcpdump.packets_read"),
    Rule("sections", "formats/pcapngtest__le__difficult__test202.pcapng", "first.frame.interface_id"),
    Rule("multicast", _MIX, "bpf?ip?multicast"),
    Rule(
        "CAPWAP",
        _MIX,
        "first.arp.opcode any.ip.src any.ip.dst first.ipv6.* any.ipv6.* first.icmpv6.type any.udp.dstport protocols.wlan protocols.llc protocols.arp protocols.igmp protocols.wlccp",
        LESS,
    ),
    Rule("cut quote", "formats/derived__dpkt__nb6-http__snap60.pcap", "any.ip.proto", LESS, "17"),
    Rule(
        "cut options", "malformed/zeek__trunc__ipv4-internally-truncated-header.pcap", "outermost_ip.dst first.ip.dst any.ip.dst"
    ),
    Rule("reserved bits", "malformed/ndpi__fuzz-2006-09-29-28586.pcap", "first.tcp.flags", values="0x00aa|0x0aaa"),
    Rule("kept", "malformed/ndpi__fuzz-2006-09-29-28586.pcap", "outer.tcp_flags tcp_flags first.tcp.flags", MORE),
    Rule("kept", "malformed/ndpi__kerberos_fuzz.pcapng", "outer.tcp_flags tcp_flags first.tcp.flags", MORE),
    Rule("reserved bits", "malformed/tcpdump__tcp-auth-heapoverflow.pcap", "first.tcp.flags", values="0x0030|0x0c30"),
    Rule("truncated radiotap", "malformed/tcpdump__radiotap-heapoverflow.pcap", "protocols.wlan", LESS),
    Rule("NUL", "malformed/ndpi__fuzz-2006-09-29-28586.pcap", "*http.host", values=r"%s(\x002\.20\.3\.5)?"),
    Rule("NUL", "malformed/ndpi__fuzz-2006-09-29-28586.pcap", "*http.request.uri", values=r"/ppgctrl/ppgcon%s(\x00llogic\.dll)?"),
    Rule(
        "quoted application",
        "*/*dpkt__nb6-http*",
        "any.dns.qry.name first.dns.* dns_qry_name_by.dns",
        LESS,
        r"ipv4\.icanhazip\.com|1",
    ),
    Rule(
        "partial hello",
        "protocols/suricata__tls-client-hello-frag-01__*",
        "*.tls.handshake.extensions_server_name sni_by.tcp",
        MORE,
        r"www\.google\.com",
    ),
    Rule("GTP'", "malformed/nfstream__fuzz-2021-06-07-c6c72a0a56.pcap", "protocols.gtp", LESS),
    Rule("not UTF-8", "malformed/ndpi__fuzz-2006-09-29-28586.pcap", "*http.user_agent", values=r"Sony.*ricssonT68/R201A"),
    Rule("later segment", "protocols/arkime__http-wrapped-header.pcap", "*http.user_agent", LESS),
    Rule(
        "body", "protocols/zeek__http__smuggle-http-request.pcap", "*http.request.method *http.request.uri protocols.http", LESS
    ),
)
