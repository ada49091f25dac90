"""Names, operators and calls that may come next: what is known without asking the index."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache

from capture.packets.registry import FIELDS
from proxy.completion.in_pql import ARGUMENTS
from proxy.completion.place import Place, Proposal
from proxy.display.fields import Kind, Meaning, meanings, outermost
from proxy.flows.named import QUERIES

# What stands in an empty filter, and comes first of equal ones.
FIRST = (
    *("ip.addr", "tcp.port", "ip.src", "ip.dst", "dns", "tcp.flags.syn", "http.host", "tls-sni", "dns.qry.name", "udp.port"),
    *("appproto", "tcp", "udp", "http", "tls", "frame.len", "netsrc", "netdst", "transdst", "http.request.method"),
)
_PLACE = {name: number for number, name in enumerate(FIRST)}
FUNCTIONS = {
    "flow(": "whole conversations of what stands inside",
    "len(": "length of a value in bytes",
    "lower(": "a value in lower case",
    "upper(": "a value in upper case",
}
PREFIXES = {"outer:": "of the first IP header only", "named:": "a question that has a name"}
_OPERATORS: dict[str, dict[str, str]] = {
    "number": {
        "== ": "is",
        "!= ": "is not",
        "> ": "greater than",
        "< ": "less than",
        ">= ": "at least",
        "<= ": "at most",
        "in {": "is one of",
        "& ": "has bits of",
    },
    "bool": {"== ": "is", "!= ": "is not"},
    "duration": {"> ": "longer than", "< ": "shorter than", ">= ": "at least", "<= ": "at most", "in {": "is one of"},
    "address": {"== ": "is, or is in a network as 10.0.0.0/8", "!= ": "is not", "in {": "is one of", ">= ": "from", "<= ": "to"},
    "ether": {"== ": "is", "!= ": "is not", "contains ": "has these bytes", "in {": "is one of"},
    "text": {
        "== ": "is",
        "!= ": "is not",
        "contains ": "has this in it",
        "matches ": "a regular expression",
        "in {": "is one of",
    },
    "time": {">= ": "from", "< ": "before", "== ": "is"},
}
_KINDS: dict[Kind, str] = {
    "uint": "number",
    "ipv4": "address",
    "ipv6": "address",
    "address": "address",
    "bool": "bool",
    "ether": "ether",
    "text": "text",
    "layers": "text",
    "time": "time",
    "duration": "duration",
    "protocol": "",
    "label": "",
}
JOINERS = {"&& ": "and", "|| ": "or"}
CALLS = {
    "Row": "packets that have a value",
    "Values": "packets that have a value like this",
    "Intersect": "packets in all of them",
    "Union": "packets in one of them",
    "Difference": "packets of the first that are in no other",
    "Not": "all other packets",
    "Xor": "packets in one and not in the other",
    "Flow": "whole conversations of packets",
    "Named": "a question that has a name",
    "Time": "packets of a time",
    "TimeRelative": "packets of a time since the capture began",
    "FrameNumber": "packets by their number in the capture",
}
ANSWERS = {
    "Count": "how many packets",
    "TopN": "values with the most packets",
    "Rows": "values",
    "Sum": "the sum of a number field",
    "Min": "the least of a number field",
    "Max": "the greatest of a number field",
    "GroupBy": "combinations of values with their packets",
    "MinRow": "the first value",
    "MaxRow": "the last value",
    "Options": "a call with options",
}
_ARGUMENT_NOTES = {
    "n": "so many values",
    "field": "a number field",
    "filter": "of these packets only",
    "limit": "so many at most",
    "cidr": "in a network, 10.0.0.0/8",
    "from": "inclusive",
    "like": "* is anything, ? one byte",
    "matches": "a regular expression",
}


def ranked(names: Iterable[str], typed: str) -> Iterator[str]:
    """The names in which `typed` stands: at the beginning first, then at the beginning of a part, then anywhere."""
    folded = typed.casefold()
    part = re.compile(r"(?:^|[.:_-])" + re.escape(folded))

    def place(name: str) -> tuple[int, int, int, str] | None:
        low = name.casefold()
        at = 0 if low.startswith(folded) else 1 if part.search(low) else 2 if folded in low else 3
        return None if at == 3 else (at, _PLACE.get(name, len(_PLACE)), len(name), name)

    found = [known for name in names if (known := place(name)) is not None]
    return (name for *_, name in sorted(found))


def names(place: Place) -> Iterator[Proposal]:
    """Fields and functions of display filters."""
    typed = place.typed
    if typed.startswith("named:"):
        yield from (
            Proposal(f"named:{name} ", "call", QUERIES[name].sentence) for name in ranked(QUERIES, typed.removeprefix("named:"))
        )
        return
    outer = typed.startswith("outer:")
    every = _outer() if outer else meanings()
    if not typed:
        yield from (_field(every[name]) for name in FIRST if name in every)
        return
    others = {} if outer else {**FUNCTIONS, **PREFIXES}
    for name in ranked([*every, *others], typed.removeprefix("outer:")):
        if name in others:
            yield Proposal(name, "call", others[name])
        else:
            yield _field(every[name], "outer:" if outer else "")


@cache
def _outer() -> dict[str, Meaning]:
    return {name: one for name, one in meanings().items() if outermost(one).sources}


def _field(meaning: Meaning, before: str = "") -> Proposal:
    return Proposal(f"{before}{meaning.name} ", "field", about(meaning))


def about(meaning: Meaning) -> str:
    """What a name in a filter is, in a few words."""
    if meaning.kind == "protocol":
        return "protocol"
    if meaning.words:
        return meaning.words
    fields = [FIELDS[name] for source in meaning.sources if (name := getattr(source, "field", "")) in FIELDS]
    words = short(fields[0].description) if fields else {"bool": "1 or 0", "time": "a time"}.get(meaning.kind, "")
    if len({one.level for one in fields}) > 1:
        return words.replace(" of the first IP header", "") + ", every level"
    return words


def short(description: str) -> str:
    """The first clause of a description."""
    return re.split(r"[:;(]|[.,] ", description.replace("`", ""), maxsplit=1)[0].strip().rstrip(".")


def operators(place: Place) -> Iterator[Proposal]:
    """What may stand behind a field."""
    meaning = meanings().get(place.field.removeprefix("outer:"))
    kind = _KINDS[meaning.kind] if meaning is not None else "text"
    yield from _beginning(_OPERATORS.get(kind, {}), place.typed, "operator")


def joiners(place: Place) -> Iterator[Proposal]:
    """What may stand behind a test."""
    yield from _beginning(JOINERS, place.typed, "operator")


def sets(place: Place) -> Iterator[Proposal]:
    """The bracket behind "in"."""
    yield Proposal("{", "operator", "is one of")


def _beginning(table: dict[str, str], typed: str, kind: str) -> Iterator[Proposal]:
    for text, note in table.items():
        if text.startswith(typed) or note.startswith(typed):
            yield Proposal(text, kind, note)  # type: ignore[arg-type]


def fields(place: Place) -> Iterator[Proposal]:
    """Fields of the index that have values."""
    yield from _registry(place, lambda name: FIELDS[name].kind == "set")


def int_fields(place: Place) -> Iterator[Proposal]:
    """Fields that are summed and compared."""
    yield from _registry(place, lambda name: FIELDS[name].kind == "int")


def any_fields(place: Place) -> Iterator[Proposal]:
    """Both, each with what follows it."""
    for one in _registry(place, lambda name: True):
        follows = "" if place.operator else " > " if FIELDS[one.text].kind == "int" else "="
        yield Proposal(one.text + follows, "field", one.note)


def _registry(place: Place, wanted: Callable[[str], bool]) -> Iterator[Proposal]:
    for name in ranked((name for name in FIELDS if wanted(name)), place.typed):
        yield Proposal(name, "field", short(FIELDS[name].description))


def pql_operators(place: Place) -> Iterator[Proposal]:
    """What may stand behind a field in Row()."""
    field = FIELDS.get(place.field)
    if field is None or field.kind != "int":
        yield Proposal("=", "operator", "is")
        return
    table = {"> ": "greater than", "< ": "less than", "== ": "is", "!= ": "is not", ">= ": "at least", "<= ": "at most"}
    yield from _beginning({**table, ">< [": "between two, both included"}, place.typed, "operator")


def calls(place: Place, *, packets: bool = False) -> Iterator[Proposal]:
    """Calls that may stand here: within another (or with `packets`), those that give packets."""
    match place.function:
        case "" if not packets:
            table = {**ANSWERS, **CALLS}
        case "GroupBy":
            table = {"Rows": ANSWERS["Rows"]}
        case "Options":
            table = {**CALLS, **ANSWERS}
        case _:
            table = CALLS
    inner = [name for name in ranked(table, place.typed) if table[name]]
    order = sorted(inner, key=lambda name: list(table).index(name)) if not place.typed else inner
    yield from (Proposal(f"{name}(", "call", table[name]) for name in order)


def arguments(place: Place) -> Iterator[Proposal]:
    """Arguments of the call, by name."""
    for name in ARGUMENTS.get(place.function, ()):
        if name.startswith(place.typed):
            yield Proposal(f"{name}=", "operator", _ARGUMENT_NOTES.get(name, ""))


def named(place: Place) -> Iterator[Proposal]:
    """Names of named queries."""
    yield from (Proposal(f'"{name}"', "call", QUERIES[name].sentence) for name in ranked(QUERIES, place.typed))
