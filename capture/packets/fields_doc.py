"""docs/fields.md, written from the registry: `render()` is its whole text."""

from __future__ import annotations

from capture.packets.fields import Field
from capture.packets.registry import FIELDS as ALL_FIELDS
from capture.packets.registry import PRESETS

# The page is of picapweb itself, whatever packages are installed where it is written.
FIELDS = {name: field for name, field in ALL_FIELDS.items() if not field.plugin}

_LEVELS = {
    "first": "first IP header and the transport directly behind it",
    "any": "any level, tunnels included",
    "packet": "the record itself",
    "inner": "headers inside a tunnel",
    "quoted": "headers that an ICMP error quotes",
}
_ENCODINGS = {
    "text": "text",
    "number": "number",
    "choice": "one of a closed list",
    "time": "instant, RFC 3339 UTC",
    "int": "integer",
}

_HEAD = """# Fields

<!-- Written by capture/packets/fields_doc.py from the field registry; a test fails where the two differ. -->

What is known of every packet, and how it is asked for. A set field may have none, one or several values in a packet;
an int field has one number, to compare and to sum. An absent value is no value: no row, no bit.

Presets: {presets}. Fields "always indexed" are there whatever fields a job chose.

The text of a value is UTF-8. A byte that is no valid UTF-8 is written `\\xNN` and a backslash is doubled, both ways;
control characters stay as they are. Number fields take the number or its label; time fields take any RFC 3339 instant
(any offset, without seconds, or the date alone: UTC) or seconds since 1970, and mean the unit in which it lies.

`net*`, `trans*` and `tcp` have nothing to do with what a tunnel carries nor with what an ICMP error quotes. The first
fragment of a packet has its ports, later ones have none. An authentication header (AH) and IPv6 extension headers stand
between without changing what is "directly behind". The payload of `appproto` is what a transport carries: later fragments,
ICMP and ESP have none.
"""


def render() -> str:
    """The page: a table of all fields, then one section a field."""
    presets = "; ".join(
        f"`{name}` ({'every field' if set(members) == set(ALL_FIELDS) else 'the fields of picap'})"
        for name, members in PRESETS.items()
    )
    lines = [_HEAD.format(presets=presets), "| field | kind | values | of |", "| --- | --- | --- | --- |"]
    lines += [f"| [`{f.name}`](#{f.name}) | {f.kind} | {_ENCODINGS[f.encoding]} | {_LEVELS[f.level]} |" for f in FIELDS.values()]
    for field in FIELDS.values():
        lines += ["", *_section(field)]
    return "\n".join(lines) + "\n"


def _section(field: Field) -> list[str]:
    lines = [f"## {field.name}", "", field.description, ""]
    marks = [f"Protocol: {field.protocol}."]
    if field.wireshark:
        marks.append("In Wireshark: " + ", ".join(f"`{name}`" for name in field.wireshark.split()) + ".")
    marks += ["One of picap's fields."] if field.picap else []
    marks += ["Always indexed."] if field.always else []
    marks += ["Found by the second pass: [conversations.md](conversations.md)."] if field.conversations else []
    lines += [" ".join(marks), "", f"    {field.example}"]
    if field.choices:
        lines += ["", "Values: " + ", ".join(f"`{choice}`" for choice in field.choices) + "."]
    if field.labels:
        lines += ["", "Labels: " + ", ".join(f"{number} `{label}`" for number, label in field.labels.items()) + "."]
    return lines
