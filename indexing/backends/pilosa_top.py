"""TopN(n=) of the columns in the mask, without having all rows sent: of each shard the first ones, and a proof that they suffice.

Pilosa applies `n` in each shard. Of every shard twice as many rows are asked for as are wanted, and more; a row that is in no
shard's answer has, in all, at most the sum of what the last ones have that were sent. If what is wanted has more than that,
nothing is missing, ties among the last included. The shards that were asked must have all columns of the mask, which are counted
in the same request. And those counts must have been the same for a while: Pilosa orders a shard's rows anew every ten seconds at
most, and goes by the old order until then. Where one of these does not hold, there is no proof, and all rows are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexing.backends.base import ACCESS_FIELD, LIVE_ROW
from indexing.calls import Call, RowRef

MOST_SHARDS, MOST_ROWS = 64, 1000
SETTLED_SECONDS = 11.0
_MASK = f"Row({ACCESS_FIELD}={LIVE_ROW})"

Counts = tuple[NDArray[np.uint64], NDArray[np.int64]]


def is_masked(call: Call) -> bool:
    """Whether a bitmap call is of columns in the mask alone, as far as that is seen at once."""
    if call.name == "Row":
        return call.args.get("row") == RowRef(ACCESS_FIELD, LIVE_ROW)
    if call.name == "Intersect":
        return any(is_masked(child) for child in call.children if child.name == "Row")
    return False


def shards_asked() -> list[str]:
    """What is asked to learn how many shards there are: see shards_of."""
    counts = [f"Options(Count({_MASK}),shards=[{_numbers(2**i)}])" for i in range(MOST_SHARDS.bit_length())]
    return [*counts, f"Count({_MASK})"]


def shards_of(answers: list[int]) -> int:
    """So many shards, from the first one on, have all columns of the mask; 0: those that are too many."""
    *within, whole = answers
    return next((2**i for i, count in enumerate(within) if count == whole), 0)


def first_rows(
    parts: list[str], n: int, shards: int, settled: Callable[[tuple[int, ...]], bool]
) -> Generator[list[str], list[Any], Counts | None]:
    """(rows, counts) among which the first n rows are, ties of the last included; None: that cannot be said.

    parts: the arguments of TopN without `n`. shards: how many there are, as far as is known. settled: whether these counts have
    been the same for SETTLED_SECONDS."""
    some = 2 * n + 16
    calls = [f"TopN({','.join([*parts, f'n={some}'])})"]
    if shards > 1:
        calls = [f"Options({calls[0]},shards=[{shard}])" for shard in range(shards)]
    within_all = f"Options(Count({_MASK}),shards=[{_numbers(shards)}])"
    within_last = f"Options(Count({_MASK}),shards=[{shards - 1}])"
    *answers, within, last, whole = yield [*calls, within_all, within_last, f"Count({_MASK})"]
    if not settled((whole, last, within)) or within != whole:
        return None
    # What a row has at most in a shard that did not send it; nothing where the shard has sent all it has.
    bound = sum(answer[-1]["count"] for answer in answers if len(answer) >= some)
    if shards > 1:
        rows = sorted({pair["id"] for answer in answers for pair in answer})
        named = f"ids=[{','.join(map(str, rows))}]"
        (pairs,) = (yield [f"TopN({','.join([*parts, named])})"]) if rows else ([],)
    else:
        (pairs,) = answers
    ids = np.fromiter((pair["id"] for pair in pairs), np.uint64, len(pairs))
    counts = np.fromiter((pair["count"] for pair in pairs), np.int64, len(pairs))
    if bound and (counts.size < n or np.partition(counts, counts.size - n)[counts.size - n] <= bound):
        return None
    return ids, counts


def _numbers(shards: int) -> str:
    return ",".join(map(str, range(shards)))
