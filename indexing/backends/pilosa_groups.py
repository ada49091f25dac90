"""GroupBy of three or more Rows on a real Pilosa 1.4.1, which must not be asked that in one call.

Where in a shard the second Rows has nothing in common with the last row of the first, its iterator goes round for ever (nextAtIdx
in executor.go does not look whether it is done): the request never ends and burns a core until Pilosa is restarted. Of two Rows
it always ends. So the first two are asked together, and each further one under the rows found so far.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from indexing.calls import GroupCount
from indexing.roaring import MAX_ROW

_Asking = Generator[list[str], list[Any], None]
_PREFIXES_AT_ONCE = 200
_CHOOSING = ("previous", "limit", "column")


class Groups:
    """The groups of one call. `children`: the arguments of its Rows, in ids; filter: PQL, "" for none."""

    def __init__(self, children: Sequence[dict[str, Any]], under: str, limit: int | None) -> None:
        self._children = children
        self._under = under
        self._limit = limit
        self._allowed: list[set[int] | None] = [None] * len(children)  # None: all rows
        self.found: list[GroupCount] = []  # ascending, at most `limit`

    def ask(self) -> _Asking:
        """Yields PQL calls, is sent their JSON results; then `found` is complete."""
        if self._limit == 0:
            return
        chosen = [at for at, args in enumerate(self._children) if any(args.get(name) is not None for name in _CHOOSING)]
        if chosen:
            answers = yield [self._rows(at) for at in chosen]
            for at, answer in zip(chosen, answers, strict=True):
                self._allowed[at] = set(answer["rows"] or ())
        if any(allowed is not None and not allowed for allowed in self._allowed):
            return
        first, second = (f"Rows({args['field']})" for args in self._children[:2])
        (answer,) = yield [f"GroupBy({first},{second}{f',filter={self._under}' if self._under else ''})"]
        pairs = [tuple(row["rowID"] for row in group["group"]) for group in answer or []]
        yield from self._extended([pair for pair in pairs if self._may(0, pair[0]) and self._may(1, pair[1])])

    def _rows(self, at: int) -> str:
        """Which rows a Rows() chooses: after `previous`, or from it on where it is not the last and chooses nothing else."""
        args = dict(self._children[at])
        if args.get("previous") is not None:
            inclusive = at < len(self._children) - 1 and args.get("limit") is None and args.get("column") is None
            args["previous"] = min(args["previous"], MAX_ROW - 1) - inclusive
            if args["previous"] < 0:
                args["previous"] = None
        given = [f"{name}={args[name]}" for name in _CHOOSING if args.get(name) is not None]
        return f"Rows({','.join([args['field'], *given])})"

    def _may(self, at: int, row: int) -> bool:
        allowed = self._allowed[at]
        return allowed is None or row in allowed

    def _extended(self, prefixes: Sequence[tuple[int, ...]]) -> _Asking:
        """Adds the groups that begin with these rows, all of one length."""
        for start in range(0, len(prefixes), _PREFIXES_AT_ONCE):
            some = prefixes[start : start + _PREFIXES_AT_ONCE]
            at = len(some[0])
            answers = yield [f"GroupBy(Rows({self._children[at]['field']}),filter={self._within(prefix)})" for prefix in some]
            longer = [
                ((*prefix, group["group"][0]["rowID"]), group["count"])
                for prefix, answer in zip(some, answers, strict=True)
                for group in answer or []
                if self._may(at, group["group"][0]["rowID"])
            ]
            if at < len(self._children) - 1:
                yield from self._extended([rows for rows, _ in longer])
            else:
                fields = [args["field"] for args in self._children]
                self.found += [
                    GroupCount([(name, row, None) for name, row in zip(fields, rows, strict=True)], count)
                    for rows, count in longer
                ]
            if self._limit is not None and len(self.found) >= self._limit:
                del self.found[self._limit :]
                return

    def _within(self, rows: Sequence[int]) -> str:
        parts = [f"Row({args['field']}={row})" for args, row in zip(self._children, rows, strict=False)]
        return f"Intersect({','.join([*([self._under] if self._under else []), *parts])})"


def from_offset(groups: list[GroupCount], offset: int | None) -> list[GroupCount]:
    """What `offset` leaves: one beyond the last group is ignored, as in Pilosa."""
    return groups[offset:] if offset is not None and offset < len(groups) else groups
