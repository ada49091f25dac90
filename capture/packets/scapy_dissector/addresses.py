"""Addresses as text."""

from __future__ import annotations

from socket import AF_INET, AF_INET6, inet_ntop


def ipv4_text(address: bytes) -> bytes:
    return inet_ntop(AF_INET, address).encode()


def ipv6_text(address: bytes) -> bytes:
    """RFC 5952."""
    return inet_ntop(AF_INET6, address).encode()
