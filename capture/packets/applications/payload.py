"""Fields of any payload: which application it is."""

from __future__ import annotations

from capture.packets.fields import Field

PICAP = (
    Field(
        "appproto",
        "text",
        "Application protocol: one value, of the deepest layer that its content shows. `Payload` where a transport carries bytes "
        "that nobody recognises, or that only the port names (see `appproto-port`); none where it carries no bytes.",
        "TopN(appproto, n=10)",
        level="any",
        protocol="application",
        wireshark="frame.protocols",
        picap=True,
    ),
    Field(
        "http-hostname",
        "text",
        "Host header of an HTTP request (SSDP too) as sent: case and port kept. On any port; each of several in a packet.",
        "TopN(http-hostname, n=3)",
        level="any",
        protocol="http",
        wireshark="http.host",
        picap=True,
    ),
    Field(
        "http-useragent",
        "text",
        "User-Agent header of an HTTP request (SSDP too) as sent.",
        "TopN(http-useragent, n=10)",
        level="any",
        protocol="http",
        wireshark="http.user_agent",
        picap=True,
    ),
    Field(
        "http-method",
        "text",
        "Method of an HTTP request (SSDP too) as sent.",
        'Row(http-method="POST")',
        level="any",
        protocol="http",
        wireshark="http.request.method",
        picap=True,
    ),
)

BY_PORT = (
    Field(
        "appproto-port",
        "text",
        "Application protocol that only the port names: the payload itself shows no protocol (`appproto` is `Payload` then).",
        "TopN(appproto-port, n=10)",
        level="any",
        protocol="application",
    ),
)
