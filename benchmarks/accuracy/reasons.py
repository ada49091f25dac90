# ruff: noqa: E501
"""Why a figure of ours is rightly another than tshark's. Each was found by looking at the packets that differ."""

from __future__ import annotations

REASONS: dict[str, str] = {
    "conversation": "tshark names each segment of a TCP or QUIC conversation after its protocol: continuations of bodies, ends of "
    "messages, encrypted data. Ours names a payload only after what its own bytes show. No payload of these begins a message of "
    "the protocol.",
    "by content": "tshark looks for this protocol on its registered ports only, or took the conversation for another one; ours goes by "
    "content. The payloads begin with the protocol's own first bytes.",
    "cut": "Too little of the payload was captured, or is in the segment, to show its protocol; tshark goes by the port.",
    "datagram service": "SMB in NetBIOS datagrams (UDP 138), which ours does not look into.",
    "keep-alive": "NetBIOS session messages without SMB in them: keep-alives, single bytes. tshark goes by the port.",
    "upgrade": "tshark follows `Upgrade: h2c` and calls frames HTTP/2 (and HTTP still) that show nothing of it themselves.",
    "TPKT and RDP": "tshark calls encrypted RDP TPKT by the port, and names RDP only where its own layer is; ours names whole TPKTs on "
    "RDP's port `tpkt` and `rdp`.",
    "gquic": "tshark calls Google's QUIC of before the standard `gquic`; ours is `quic` for both, and reads the server name in its CHLO.",
    "short header": "QUIC packets with a short header, and version negotiation, show nothing that other UDP could not show; tshark "
    "knows the conversation.",
    "STUN length": "STUN messages of a length that is no multiple of four (RFC 8489, section 5, forbids it; Microsoft's clients send "
    "them), and ones without the magic cookie.",
    "broken": "A fuzzed message: its checksums and lengths are wrong; tshark names it by the port.",
    "link type 284": "tshark 4.0 knows no link type 284 (Marvell DSA) and reads nothing; tcpdump reads 8 packets, as ours.",
    "unsigned": "Length and microseconds of the record have their top bit set. Both are unsigned in the format; tshark holds them "
    "signed.",
    "dialect": "tshark takes the damaged second record header for one of another dialect of pcap; tcpdump reads one packet, as ours.",
    "year 151993": "Time stamps beyond what an int64 of nanoseconds holds: ours gives no time.",
    "invalid fraction": "Fractions of a second beyond one; the truth's own minimum and maximum are of texts that are not normalised "
    "(note 9 of its README).",
    "tcpdump stops": "tcpdump reads pcapng only as long as all interfaces have one link type and one snaplen; tshark and ours read all.",
    "sections": "Interfaces are numbered anew in each section of a pcapng file; ours numbers them through the whole file.",
    "multicast": "libpcap 1.11, which ours uses, tests `ip multicast` for 224.0.0.0/4; the truth's libpcap 1.10.3 tested for 224.0.0.0 "
    "and above, and so took broadcasts to 255.255.255.255 for multicast.",
    "CAPWAP": "802.11 frames inside CAPWAP, a tunnel that ours does not follow; tshark shows the headers in it.",
    "quoted application": "tshark goes on into what an ICMP error quotes, up to applications; ours has its addresses and ports only.",
    "partial hello": "The ClientHello is cut over several segments, and the server name is whole in the first: ours reads it there.",
    "GTP'": "Port 2152, but the flags say GTP' (charging), which is no tunnel; tshark goes by the port.",
    "cut quote": "The header that the ICMP error quotes is cut by the snaplen: ours gives no field of a header that is not whole.",
    "cut options": "The address is within the captured bytes; tshark stops at options that are cut.",
    "kept": "Flags that were captured before the TCP header turned out to be wrong (its length field is too small) are kept.",
    "reserved bits": "The reserved bits of the TCP header are in tshark's number; ours has no field for them.",
    "truncated radiotap": "The radiotap header says that it is longer than the packet; tshark names what would come behind it.",
    "NUL": "tshark ends texts at a NUL.",
    "not UTF-8": "Bytes that are no UTF-8 have the text form `\\xNN` here; tshark shows a replacement character.",
    "later segment": "The header line stands in a later segment than the request line; tshark knows HTTP from the conversation.",
    "body": "tshark takes a response's body, `POST request received successfully!`, for a request (and calls what follows HTTP, as above).",
}
