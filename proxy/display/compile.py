"""Tree of a display filter -> calls, with the meaning that docs/display-filter.md gives it.

P(f) are the packets that have field f. `f OP v`: some value compares so. `f != v` is P(f) without `f == v`; `all f OP v` is P(f)
without the packets that have some value which does not compare so; `any f != v` looks at single values.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from indexing import predicates as p
from indexing.calls import Call, postorder
from proxy.display import fields, literals, times
from proxy.display.errors import wrong
from proxy.display.fields import REFUSED, REFUSED_BELOW, Meaning, meanings, nearest, outermost
from proxy.display.operands import Text, predicate_of
from proxy.display.parse import parse
from proxy.display.sources import difference, intersect, row, union
from proxy.display.tree import Both, Compared, Either, Invoked, Literal, Member, Negated, Node, Operand, Present, Range
from proxy.spans import stamped

# Filters that are asked again are read once.
KEPT_TEXTS, KEPT_CHARACTERS = 1024, 500
OUTER, NAMED = "outer:", "named:"


@dataclass(frozen=True)
class Compiled:
    """What a filter means. call None: it is empty, all packets. It is everybody's: nobody may change it.

    notes: sentences on where the index tells less apart than Wireshark."""

    call: Call | None
    notes: tuple[str, ...] = ()


def compile_filter(text: str) -> Compiled:
    """A display filter as one bitmap call in values. Raises QueryError with its position."""
    return _kept(text) if len(text) <= KEPT_CHARACTERS else _compiled(text)


def _compiled(text: str) -> Compiled:
    tree = parse(text)
    if tree is None:
        return Compiled(None)
    work = _Compiler()
    call = work.node(tree)
    return Compiled(call, tuple(dict.fromkeys(work.notes)))


_kept = lru_cache(KEPT_TEXTS)(_compiled)


def every_packet() -> Call:
    return Call("Not", [Call("Union")])


class _Compiler:
    def __init__(self) -> None:
        self.notes: list[str] = []

    def node(self, node: Node) -> Call:
        call = self._made(node)
        if isinstance(node, Present | Compared | Member):
            # An error that is found later (by the database, in a regular expression) has a place then
            for each in postorder(call):
                each.position = node.operand.position
        return call

    def _made(self, node: Node) -> Call:
        # Recursion is bounded: parse refuses what is nested deeper than DEEPEST
        match node:
            case Both(parts):
                return intersect([self.node(part) for part in parts])
            case Either(parts):
                return union([self.node(part) for part in parts])
            case Negated(part):
                return Call("Not", [self.node(part)])
            case Present(operand):
                return self.present(operand)
            case Compared():
                return self.compared(node)
            case Member():
                return self.member(node)
            case Invoked():
                return self.invoked(node)

    def meaning(self, operand: Operand) -> Meaning:
        """What the operand's field means. Raises QueryError: refused, unknown."""
        name = operand.field
        outer = name.startswith(OUTER)
        name = name.removeprefix(OUTER)
        at = operand.position + len(OUTER) * outer
        if name in REFUSED:
            raise wrong(f"{name} cannot be asked for: {REFUSED[name]}", at)
        found = meanings().get(name)
        if found is None:
            like = nearest(name)
            hint = f" (did you mean {' or '.join(like)}?)" if like else ""
            for above, reason in REFUSED_BELOW.items():
                if name == above or name.startswith(f"{above}."):
                    raise wrong(f"{name} cannot be asked for: {reason}{hint}", at)
            raise wrong(f"no such field: {name}{hint}", at)
        if outer:
            found = outermost(found)
            if not found.sources and name != "frame":
                raise wrong(f"{name} has no value in the first IP header", at)
        if found.note:
            self.notes.append(found.note)
        return found

    def there(self, meaning: Meaning) -> Call:
        """P(f)."""
        if meaning.name == "frame":
            return every_packet()
        if meaning.kind == "time":
            return stamped()
        if meaning.kind == "protocol":
            _, *others = meaning.sources
            return union([row("protocols", meaning.name), *(source.there() for source in others)])
        return union([source.there() for source in meaning.sources])

    def where(self, meaning: Meaning, predicate: p.Predicate) -> Call:
        return union([source.where(predicate) for source in meaning.sources])

    def present(self, operand: Operand) -> Call:
        if operand.field.startswith(NAMED):
            return self.named(operand)
        meaning = self.meaning(operand)
        if operand.functions:
            name, at = operand.functions[0]
            raise wrong(f"{name}() has to be compared with something", at)
        if operand.slices or operand.mask is not None:
            self._has_values(meaning, operand)
            return self.where(meaning, predicate_of(meaning, operand, None, None))
        return self.there(meaning)

    def compared(self, node: Compared) -> Call:
        operand, op = node.operand, node.op
        meaning = self.meaning(operand)
        self._no_field(node.value)
        if meaning.kind == "time":
            return self.time(node, meaning)
        if meaning.kind == "layers":
            return self.layers(node, meaning)
        self._has_values(meaning, operand)
        if op == "!=":
            equal = predicate_of(meaning, operand, "==", node.value)
            if node.quantifier == "any":
                return self.where(meaning, p.Not(equal))
            return difference(self.there(meaning), self.where(meaning, equal))
        predicate = predicate_of(meaning, operand, op, node.value)
        if node.quantifier == "all":
            return difference(self.there(meaning), self.where(meaning, p.Not(predicate)))
        return self.where(meaning, predicate)

    def member(self, node: Member) -> Call:
        meaning = self.meaning(node.operand)
        if node.operand.functions or node.operand.slices or node.operand.mask is not None:
            raise wrong("only a field can be looked for in a set", node.operand.position)
        for element in node.elements:
            for literal in (element.low, element.high) if isinstance(element, Range) else (element,):
                self._no_field(literal)
        if meaning.kind == "time":
            call = union([self._time_element(element, meaning) for element in node.elements])
        elif meaning.kind == "layers":
            raise wrong(f"{meaning.name} is not kept as one text; ask for a protocol by its name", node.operand.position)
        else:
            self._has_values(meaning, node.operand)
            parts = [self._element(meaning, node.operand, element) for element in node.elements]
            if node.quantifier == "all" and not node.negated:
                # As Wireshark does: there is an element that all values agree with. ("not in" means no value, with "all" or not.)
                call = union([difference(self.there(meaning), self.where(meaning, p.Not(part))) for part in parts])
            else:
                call = self.where(meaning, Text.either(parts))
        return Call("Not", [call]) if node.negated else call

    def _element(self, meaning: Meaning, operand: Operand, element: Literal | Range) -> p.Predicate:
        if isinstance(element, Literal):
            return predicate_of(meaning, operand, "==", element)
        low = predicate_of(meaning, operand, ">=", element.low)
        high = predicate_of(meaning, operand, "<=", element.high)
        return Text.both(low, high)

    def time(self, node: Compared, meaning: Meaning) -> Call:
        if node.operand.functions or node.operand.slices or node.operand.mask is not None or node.op in ("contains", "matches"):
            raise wrong(f"{meaning.name} is a time, and compared as a whole", node.operand.position)
        # A packet has one time: any and all are the same
        return times.compared(node.op, node.value, meaning.name)

    def _time_element(self, element: Literal | Range, meaning: Meaning) -> Call:
        if isinstance(element, Range):
            return times.between(element.low, element.high, meaning.name)
        return times.compared("==", element, meaning.name)

    def layers(self, node: Compared, meaning: Meaning) -> Call:
        """frame.protocols: the index knows which layers there are, and not their order."""
        if node.op == "contains" and not node.operand.functions and not node.operand.slices and node.operand.mask is None:
            part = literals.text(node.value)
            if part and b":" not in part:
                return self.where(meaning, p.Contains(part))
        raise wrong(
            f"{meaning.name} is not kept as one text: ask for a protocol by its name, or whether it contains a part of one name",
            node.operand.position,
        )

    def invoked(self, node: Invoked) -> Call:
        if node.name == "flow":
            if len(node.arguments) != 1:
                raise wrong("flow() takes one filter", node.position)
            return Call("Flow", [self.node(node.arguments[0])], position=node.position)
        raise wrong(f"{node.name}() {fields.FUNCTIONS_REFUSED.get(node.name, 'is no function here')}", node.position)

    def named(self, operand: Operand) -> Call:
        name = operand.field.removeprefix(NAMED)
        return Call("Named", args={"name": name}, position=operand.position)

    def _has_values(self, meaning: Meaning, operand: Operand) -> None:
        if meaning.kind == "protocol":
            raise wrong(
                f"{meaning.name} is a protocol: its bytes are not indexed, only whether it is there",
                operand.position,
            )
        if meaning.kind == "label":
            raise wrong(f"{meaning.name} has no value to look at: a packet has it or has it not", operand.position)

    def _no_field(self, literal: Literal) -> None:
        if literal.kind == "word" and literal.text in meanings() and ("." in literal.text or "-" in literal.text):
            raise wrong(
                f"{literal.text} is a field: two fields of a packet cannot be compared by the index, only a field and a value",
                literal.position,
            )
