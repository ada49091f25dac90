"""DHCP message types (IANA, Dynamic Host Configuration Protocol: DHCP Message Type 53 Values)."""

from __future__ import annotations

TYPES: dict[int, str] = {
    1: "Discover", 2: "Offer", 3: "Request", 4: "Decline", 5: "ACK", 6: "NAK", 7: "Release", 8: "Inform", 9: "Force Renew",
    10: "Lease Query", 11: "Lease Unassigned", 12: "Lease Unknown", 13: "Lease Active", 14: "Bulk Lease Query",
    15: "Lease Query Done", 16: "Active Lease Query", 17: "Lease Query Status", 18: "TLS",
}  # fmt: skip
