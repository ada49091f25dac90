"""GroupBy of three or more Rows on a real Pilosa 1.4.1, which must not be asked that in one call.

Where in a shard the second Rows has nothing in common with the last row of the first, its iterator goes round for ever (nextAtIdx
in executor.go does not look whether it is done): the request never ends and burns a core until Pilosa is restarted. Of two Rows
it always ends. So the first two are asked together, and each further one under the rows found so far.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

import numpy as np

from indexing.calls import GroupCount
from indexing.group_place import first_place
from indexing.roaring import MAX_ROW

_Asking = Generator[list[str], list[Any], None]
_PREFIXES_AT_ONCE = 200
_CHOOSING = ("limit", "column")


class Groups:
    """The groups of one call. `children`: the arguments of its Rows, in ids; filter: PQL, "" for none."""

    def __init__(self, children: Sequence[dict[str, Any]], under: str, limit: int | None) -> None:
        self._children = children
        self._under = under
        self._limit = limit
        self._allowed: list[set[int] | None] = [None] * len(children)  # None: all rows
        self._begin: tuple[int, ...] = ()
        self.found: list[GroupCount] = []  # ascending, at most `limit`

    def ask(self) -> _Asking:
        """Yields PQL calls, is sent their JSON results; then `found` is complete."""
        if self._limit == 0:
            return
        limited = [at for at, args in enumerate(self._children) if any(args.get(name) is not None for name in _CHOOSING)]
        previous = [args.get("previous") for args in self._children]
        # To know where groups begin, the rows of all but the last are needed.
        wanted = sorted({*limited, *(range(len(previous) - 1) if any(one is not None for one in previous) else ())})
        rows: dict[int, set[int]] = {}
        if wanted:
            answers = yield [self._rows(at, at in limited) for at in wanted]
            rows = {at: set(answer["rows"] or ()) for at, answer in zip(wanted, answers, strict=True)}
        for at in limited:
            self._allowed[at] = rows[at]
        if any(allowed is not None and not allowed for allowed in self._allowed):
            return
        self._begin = tuple(first_place(previous, lambda at: np.array(sorted(rows[at]), np.uint64)))
        first, second = (f"Rows({args['field']})" for args in self._children[:2])
        (answer,) = yield [f"GroupBy({first},{second}{f',filter={self._under}' if self._under else ''})"]
        pairs = [tuple(row["rowID"] for row in group["group"]) for group in answer or []]
        yield from self._extended(
            [pair for pair in pairs if self._may(0, pair[0]) and self._may(1, pair[1]) and self._from_begin(pair)]
        )

    def _rows(self, at: int, limited: bool) -> str:
        """The rows of a child: those that it chooses, of one that has a limit or a column; else all."""
        args = dict(self._children[at])
        if args.get("previous") is not None:
            args["previous"] = min(args["previous"], MAX_ROW - 1)
        names = ("previous", *_CHOOSING) if limited else ()
        given = [f"{name}={args[name]}" for name in names if args.get(name) is not None]
        return f"Rows({','.join([args['field'], *given])})"

    def _may(self, at: int, row: int) -> bool:
        allowed = self._allowed[at]
        return allowed is None or row in allowed

    def _from_begin(self, rows: tuple[int, ...]) -> bool:
        """Whether groups that begin with these rows do not all come before the place that `previous` names."""
        return rows >= self._begin[: len(rows)]

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
                if self._may(at, group["group"][0]["rowID"]) and self._from_begin((*prefix, group["group"][0]["rowID"]))
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
