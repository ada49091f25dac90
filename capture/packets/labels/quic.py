"""QUIC versions (IANA, QUIC Versions; the drafts; Google's tags)."""

from __future__ import annotations

VERSIONS: dict[int, str] = {
    0x00000000: "Version Negotiation",
    0x00000001: "v1",  # a label of digits only would read as a number
    0x6B3343CF: "v2",
    **{0xFF000000 | draft: f"draft-{draft:02}" for draft in range(1, 35)},
    0xFF020000: "v2-draft-00",
    0x709A50C4: "v2-draft-01",
    # Google QUIC: Q and three digits, in ASCII; T where it has TLS
    **{int.from_bytes(b"Q%03d" % n, "big"): f"Q{n:03}" for n in (*range(24, 51), 59, 99)},
    **{int.from_bytes(b"T%03d" % n, "big"): f"T{n:03}" for n in (48, 49, 50, 51)},
    0xFACEB000: "mvfst",
    0xFACEB001: "mvfst (draft-22)",
    0xFACEB002: "mvfst (draft-27)",
    0xFACEB00E: "mvfst (experimental)",
}
