"""The table of fields in docs/display-filter.md, written from the fields themselves: `python -m proxy.display.doc`."""

from __future__ import annotations

from pathlib import Path

from capture.packets.labels.layers import LAYERS, RARE_LAYERS
from capture.packets.registry import FIELDS
from proxy.display.bits import Bit, Flags, FlagSet
from proxy.display.fields import REFUSED, REFUSED_BELOW, Meaning, meanings
from proxy.display.sources import Always, Among, Coded, Integer, Numbered, Rows, Source

PAGE = Path(__file__).resolve().parents[2] / "docs/display-filter.md"
BEGIN, END = "<!-- begin: written by proxy/display/doc.py -->", "<!-- end -->"
_KINDS = {
    "uint": "number",
    "bool": "true or false",
    "text": "text",
    "ipv4": "IPv4 address",
    "ipv6": "IPv6 address",
    "address": "IP address",
    "ether": "MAC address",
    "layers": "protocols",
    "time": "time",
    "label": "there or not",
}


def table() -> str:
    """The fields, the protocols and what is refused, in Markdown."""
    some = [one for one in meanings().values() if one.kind != "protocol" and one.name not in FIELDS]
    own = [name for name, one in meanings().items() if name in FIELDS and one.kind != "protocol" and not FIELDS[name].plugin]
    lines = ["| field | is | in our fields |", "| --- | --- | --- |"]
    lines += [_line(one) for one in sorted(some, key=lambda one: one.name.lower())]
    lines += ["", "Protocols: " + ", ".join(f"`{name}`" for name in ("frame", *sorted({*LAYERS, *RARE_LAYERS}))) + "."]
    lines += ["", "By their own names: " + ", ".join(f"`{name}`" for name in own) + "."]
    lines += ["", "Refused:", ""]
    lines += [f"- `{name}`: {reason}." for name, reason in REFUSED.items()]
    lines += [f"- `{name}` and all below it: {reason}." for name, reason in REFUSED_BELOW.items()]
    return "\n".join(lines)


def _line(one: Meaning) -> str:
    named = ", ".join(dict.fromkeys(_source(source) for source in one.sources))
    width = f" ({one.bits} bits)" if one.kind == "uint" else ""
    note = f"; {one.note}" if one.note else ""
    return f"| `{one.name}` | {_kind(one)}{width} | {named}{note} |"


def _kind(one: Meaning) -> str:
    if one.kind == "duration":
        return "seconds" if one.unit == 1_000_000 else "milliseconds"
    return _KINDS[one.kind]


def _source(source: Source) -> str:
    match source:
        case Rows(field, within, only, beside):
            also = [" or ".join(f"`{value}`" for _, value in within)] if within else []
            also += [f"`{beside[0]}`"] if beside is not None else []
            return f"`{field}`" + (f" with {' and '.join(also)}" if also else "") + (" of its family" if _family(only) else "")
        case Bit(Flags(field, _, _), name):
            return f"`{field}` {name}"
        case Among(inner, protocol):
            return f"{_source(inner)} with `{protocol}`"
        case Coded(field, codes) if {code for _, code in codes} == {""}:
            return f"`{field}` " + " or ".join(name for name, _ in codes)
        case FlagSet(_, field) | Flags(field, _, _) | Integer(field) | Coded(field, _) | Always(field, _, _):
            return f"`{field}`"
        case Numbered():
            return "`FrameNumber`"
    raise TypeError(source)


def _family(only: object) -> bool:
    return hasattr(only, "cidr")


def page(text: str) -> str:
    """The page with its table as it should be."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
