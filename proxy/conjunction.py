"""A query as the parts that all have to hold, and back, in the language that it is written in."""

from __future__ import annotations

from collections.abc import Sequence

from indexing.calls import Call, Condition, RowRef
from proxy.ask import bitmap_of
from proxy.display import write
from proxy.display.ask import DISPLAY
from proxy.display.tokens import conjuncts, disjuncts, tokens
from proxy.pql.unparse import unparse


def parts_of(text: str, lang: str) -> list[str]:
    """The parts of a query that can be asked, each a query of its own; none of an empty one. Raises QueryError (PQL)."""
    if lang == DISPLAY:
        return conjuncts(text)
    return [unparse(call) for call in _calls(bitmap_of(text))] if text.strip() else []


def joined(parts: Sequence[str], lang: str) -> str:
    """The query of which all parts hold. Raises QueryError (PQL)."""
    if lang == DISPLAY:
        return write.together(parts)
    calls = [call for part in parts for call in _calls(bitmap_of(part))]
    these, others = [call for call in calls if call.name != "Not"], [call.children[0] for call in calls if call.name == "Not"]
    if not calls:
        return ""
    if not these:
        nots = [Call("Not", [call]) for call in others]
        return unparse(nots[0] if len(nots) == 1 else Call("Intersect", nots))
    first = these[0] if len(these) == 1 else Call("Intersect", these)
    return unparse(Call("Difference", [first, *others]) if others else first)


def bare(part: str, lang: str) -> tuple[str, bool]:
    """A part without the negation that stands in front of it, and whether one did. Raises QueryError (PQL)."""
    if lang == DISPLAY:
        found = tokens(part)
        if not found or found[0].kind != "not":
            return part, False
        rest = part[found[0].end :].strip()
        # `!!a`: one of the two is taken away
        return (write.together(conjuncts(rest)) if rest.startswith("(") else rest), True
    call = bitmap_of(part)
    if call.name == "Not" and len(call.children) == 1:
        return unparse(call.children[0]), True
    return part, False


def negated(part: str, lang: str) -> str:
    """The opposite of a part. Raises QueryError (PQL)."""
    inner, was = bare(part, lang)
    if was:
        return inner
    return f"!({part.strip()})" if lang == DISPLAY else unparse(Call("Not", [bitmap_of(part)]))


def alternatives_of(part: str, lang: str) -> list[str]:
    """The parts of a part without negation of which one is enough; itself if there is but one way. Raises QueryError (PQL)."""
    if lang == DISPLAY:
        return disjuncts(part)
    out: list[Call] = []
    todo = [bitmap_of(part)]
    while todo:
        one = todo.pop()
        if one.name == "Union" and one.children:
            todo += reversed(one.children)
        else:
            out.append(one)
    return [unparse(call) for call in out]


def either(parts: Sequence[str], lang: str) -> str:
    """The part of which one of the parts is enough, and `alternatives_of` backwards. Raises QueryError (PQL)."""
    if lang == DISPLAY:
        return write.either(parts)
    return parts[0] if len(parts) == 1 else unparse(Call("Union", [bitmap_of(part) for part in parts]))


def short(part: str, lang: str) -> str:
    """A part without negation as it is shown: `netsrc 10.0.0.1` of `Row(netsrc="10.0.0.1")`."""
    if lang == DISPLAY:
        return part
    call = bitmap_of(part)
    ref, condition = call.args.get("row"), call.args.get("condition")
    if call.name == "Row" and not call.children and len(call.args) == 1:
        if isinstance(ref, RowRef):
            return f"{ref.field} {ref.row}"
        if condition is not None and isinstance(condition[1], Condition) and isinstance(condition[1].value, int):
            return f"{condition[0]} {condition[1].op} {condition[1].value}"
    return part


def _calls(call: Call) -> list[Call]:
    """The calls that all have to hold, those that must not as Not(). Without recursion: clicks may have nested them deep."""
    out: list[Call] = []
    todo = [call]
    while todo:
        one = todo.pop()
        if one.name == "Not" and len(one.children) == 1 and one.children[0].name == "Union" and not one.children[0].children:
            continue  # every packet
        if one.name == "Intersect" and one.children:
            todo += reversed(one.children)
        elif one.name == "Difference" and one.children:
            todo += [*(Call("Not", [child]) for child in reversed(one.children[1:])), one.children[0]]
        else:
            out.append(one)
    return out
