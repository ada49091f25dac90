"""Ways over the AST that go below `filter=` too, and never recurse: trees can be 20,000 levels deep."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from indexing.calls import Call

BITMAP_CALLS = frozenset({"Row", "Union", "Intersect", "Difference", "Xor", "Not", "Shift"})
WRITES = frozenset({"Set", "Clear", "ClearRow", "Store", "SetRowAttrs", "SetColumnAttrs"})


def inputs(call: Call) -> list[Call]:
    """The calls that a call reads: its children and GroupBy's filter."""
    only = call.args.get("filter")
    return [*call.children, only] if isinstance(only, Call) else call.children


def everything(call: Call) -> Iterator[Call]:
    """All calls of a tree, inputs before what reads them."""
    stack: list[tuple[Call, bool]] = [(call, False)]
    while stack:
        node, done = stack.pop()
        below = inputs(node)
        if done or not below:
            yield node
        else:
            stack.append((node, True))
            stack.extend((child, False) for child in reversed(below))


def rebuild(call: Call, make: Callable[[Call], Call]) -> Call:
    """A new tree: `make` gets a copy of each call, its inputs made already, and returns what takes its place."""
    made: list[Call] = []
    for node in everything(call):
        below = inputs(node)
        fresh = made[len(made) - len(below) :] if below else []
        if below:
            del made[len(made) - len(below) :]
        same = node.legacy, node.position, node.written, node.unframed
        copy = Call(node.name, fresh[: len(node.children)], dict(node.args), *same)
        if len(fresh) > len(node.children):
            copy.args["filter"] = fresh[-1]
        made.append(make(copy))
    return made[0]


def unwrapped(call: Call) -> Call:
    """The call inside Options(): the one that says what kind of answer it is."""
    while call.name == "Options" and call.children:
        call = call.children[0]
    return call
