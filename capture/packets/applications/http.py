"""HTTP/1.x (RFC 9112) on any port, several messages in a segment, and SSDP."""

from __future__ import annotations

from collections.abc import Iterator

from capture.packets.fields import Field
from capture.packets.labels.http import STATUS

FIELDS = (
    Field(
        "http-path",
        "text",
        "Request target as sent (path and query; of a proxy's request the whole URL).",
        'Row(http-path="/index.html")',
        level="any",
        protocol="http",
        wireshark="http.request.uri",
    ),
    Field(
        "http-status",
        "number",
        "Status code of responses.",
        'Row(http-status="404")',
        level="any",
        protocol="http",
        wireshark="http.response.code",
        labels=STATUS,
        maximum=999,
    ),
    Field(
        "http-contenttype",
        "text",
        "Content-Type header of requests and responses as sent.",
        'Row(http-contenttype="text/html")',
        level="any",
        protocol="http",
        wireshark="http.content_type",
    ),
    Field(
        "http-server",
        "text",
        "Server header of responses as sent.",
        "TopN(http-server, n=10)",
        level="any",
        protocol="http",
        wireshark="http.server",
    ),
)


def values(payload: bytes, transport: str, source: int, destination: int) -> Iterator[tuple[str, bytes | int]]:
    """(field, value) of all that `payload` has of FIELDS, in the order of the wire; the same pair may come again."""
    yield from ()
