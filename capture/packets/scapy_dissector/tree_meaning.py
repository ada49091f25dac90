"""What numbers of the layer tree stand for, beyond what scapy says: lengths in bytes, differentiated services, names of ports."""

from __future__ import annotations

from capture.packets.recognise.ports import SCTP_PORTS, TCP_PORTS, UDP_PORTS

_PORTS = {"TCP": TCP_PORTS, "UDP": UDP_PORTS, "SCTP": SCTP_PORTS}
_WORDS = {
    ("DNS", "qr"): {0: "query", 1: "response"},
    ("IP", "frag"): {0: ""},
    ("ICMP", "code"): {0: ""},
}
_FOUR_BYTES = {("IP", "ihl"), ("TCP", "dataofs")}
_SERVICES = {("IP", "tos"), ("IPv6", "tc")}
_DSCP = {0: "CS0", 1: "LE", 44: "VOICE-ADMIT", 46: "EF"} | {8 * n: f"CS{n}" for n in range(1, 8)}
_DSCP |= {8 * n + 2 * m: f"AF{n}{m}" for n in range(1, 5) for m in range(1, 4)}
_ECN = ("not ECN-capable", "ECT(1)", "ECT(0)", "congestion experienced")


def meaning(layer: str, name: str, value: int) -> str:
    """Empty: nothing to say."""
    if (layer, name) in _FOUR_BYTES:
        return f"{4 * value} bytes"
    if (layer, name) in _SERVICES:
        return f"DSCP {_DSCP.get(value >> 2, value >> 2)}, {_ECN[value & 3]}"
    if name in ("sport", "dport"):
        return _PORTS.get(layer, {}).get(value, "")
    return _WORDS.get((layer, name), {}).get(value, "")
