"""Each endpoint as a curl command that can be copied."""

from __future__ import annotations

import json
import shlex
from typing import Any

# What an example asks with, by path; the order is that of the command.
QUERIES: dict[str, dict[str, str]] = {
    "/packets/": {"q": "ip.src == 10.0.0.0/8 && dns", "fields": "netsrc,dns-qname", "limit": "10"},
    "/packets/export": {"q": "tls", "format": "pcapng"},
    "/packets/tags": {"q": "dns"},
    "/count/": {"q": "tcp.flags.syn == 1"},
    "/top/": {"field": "netsrc", "metric": "bytes", "n": "5"},
    "/histogram/": {"width": "1s", "by": "appproto"},
    "/crosstab/": {"rows": "netsrc", "columns": "transdst", "n_rows": "5", "n_columns": "5"},
    "/compare/": {"a_job": "1", "b_job": "2"},
    "/flows/": {"q": "tls", "order": "bytes", "limit": "10"},
    "/complete/": {"text": "ip.sr"},
    "/explore/with/": {"field": "netsrc", "value": "10.0.0.1", "how": "and"},
    "/jobs/": {"state": "running"},
    "/jobs/check-filter": {"filter": "tcp port 80"},
    "/saved/": {"text": "syn"},
    "/alerts/": {"acknowledged": "0"},
}
VALUES = {"id": "1", "prefix": "pw0a1b2c3d4e", "index": "net", "column": "0", "number": "1", "side": "initiator"}
# Files are best kept.
FILES = {"/packets/export": "found.pcapng", "/jobs/{id}/pcap": "capture.pcap", "/packets/{index}/{column}/pcap": "packet.pcap"}
FILES["/flows/{index}/{column}/payload/{side}"] = "payload.bin"


def curl(method: str, path: str, operation: dict[str, Any], origin: str) -> str:
    """The command, for a POSIX shell."""
    place = path
    for name, value in VALUES.items():
        place = place.replace(f"{{{name}}}", value)
    words = ["curl"]
    contents = operation.get("requestBody", {}).get("content", {})
    query = {} if method == "post" and path in ("/jobs/", "/saved/", "/packets/tags") else QUERIES.get(path, {})
    if method == "get" and query:
        words.append("-G")
    if method not in ("get", "post") or (method == "post" and not contents):
        words += ["-X", method.upper()]
    if path in FILES:
        words += ["-o", FILES[path]]
    if path.endswith("/events/"):
        words.append("-N")
    if path == "/jobs/" and method == "post":
        words += ["-F", "file=@capture.pcap", "-F", "filter=tcp port 80"]
    elif path == "/index/{index}/query":
        words += ["-d", "TopN(dns-qname, n=3)"]
    elif "application/json" in contents:
        words += ["-H", "Content-Type: application/json", "-d", json.dumps(contents["application/json"].get("example"))]
    elif method == "delete" and query:
        place += "?tag=look%20again"
    else:
        for name, value in query.items():
            words += ["--data-urlencode", f"{name}={value}"]
    return " ".join([*map(shlex.quote, words), shlex.quote(origin + place)])
