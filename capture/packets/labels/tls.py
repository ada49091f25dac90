"""TLS versions (RFCs 6101 to 9147), content types and handshake types (IANA, TLS Parameters)."""

from __future__ import annotations

VERSIONS: dict[int, str] = {
    0x0002: "SSL 2.0", 0x0300: "SSL 3.0", 0x0301: "TLS 1.0", 0x0302: "TLS 1.1", 0x0303: "TLS 1.2", 0x0304: "TLS 1.3",
    0x0100: "DTLS 1.0 (OpenSSL before 0.9.8f)", 0x0101: "TLCP", 0xFEFF: "DTLS 1.0", 0xFEFD: "DTLS 1.2", 0xFEFC: "DTLS 1.3",
    **{0x7F00 | draft: f"TLS 1.3 (draft {draft})" for draft in range(14, 29)},
    0xFB17: "TLS 1.3 (Facebook draft 23)", 0xFB1A: "TLS 1.3 (Facebook draft 26)",
}  # fmt: skip

TYPES: dict[int, str] = {
    20: "Change Cipher Spec", 21: "Alert", 22: "Handshake", 23: "Application Data", 24: "Heartbeat", 25: "Connection ID",
    26: "ACK", 27: "Return Routability Check",
}  # fmt: skip

HANDSHAKES: dict[int, str] = {
    0: "Hello Request", 1: "Client Hello", 2: "Server Hello", 3: "Hello Verify Request", 4: "New Session Ticket",
    5: "End of Early Data", 6: "Hello Retry Request", 8: "Encrypted Extensions", 9: "Request Connection ID",
    10: "New Connection ID", 11: "Certificate", 12: "Server Key Exchange", 13: "Certificate Request", 14: "Server Hello Done",
    15: "Certificate Verify", 16: "Client Key Exchange", 17: "Client Certificate Request", 20: "Finished",
    21: "Certificate URL", 22: "Certificate Status", 23: "Supplemental Data", 24: "Key Update", 25: "Compressed Certificate",
    26: "EKT Key", 67: "Next Protocol", 203: "Channel ID", 254: "Message Hash",
}  # fmt: skip
