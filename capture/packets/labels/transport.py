"""TCP option kinds and SCTP chunk types (IANA)."""

from __future__ import annotations

TCP_OPTIONS: dict[int, str] = {
    2: "MSS", 3: "Window scale", 4: "SACK permitted", 5: "SACK", 6: "Echo", 7: "Echo reply", 8: "Timestamps",
    9: "Partial order permitted", 10: "Partial order service", 11: "CC", 12: "CC.NEW", 13: "CC.ECHO",
    14: "Alternate checksum request", 15: "Alternate checksum data", 19: "MD5 signature", 20: "SCPS", 21: "SNACK",
    22: "Record boundaries", 23: "Corruption experienced", 27: "Quick-start", 28: "User timeout", 29: "TCP-AO", 30: "MPTCP",
    34: "Fast open", 69: "Encryption negotiation", 172: "AccECN 0", 174: "AccECN 1", 253: "Experiment 1",
    254: "Experiment 2", 76: "Riverbed probe", 78: "Riverbed transparency",
}  # fmt: skip

SCTP_CHUNKS: dict[int, str] = {
    0: "DATA", 1: "INIT", 2: "INIT_ACK", 3: "SACK", 4: "HEARTBEAT", 5: "HEARTBEAT_ACK", 6: "ABORT", 7: "SHUTDOWN",
    8: "SHUTDOWN_ACK", 9: "ERROR", 10: "COOKIE_ECHO", 11: "COOKIE_ACK", 12: "ECNE", 13: "CWR", 14: "SHUTDOWN_COMPLETE",
    15: "AUTH", 64: "I_DATA", 128: "ASCONF_ACK", 130: "RE_CONFIG", 132: "PAD", 192: "FORWARD_TSN", 193: "ASCONF",
    194: "I_FORWARD_TSN",
}  # fmt: skip
