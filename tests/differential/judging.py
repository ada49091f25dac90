"""When two answers are the same: what Pilosa leaves to chance is put in order first."""

from __future__ import annotations

import json
import re
from typing import Any

PARSE_ERROR = "parsing: parsing: \nparse error near"


def ties_sorted(answer: Any, cut: bool = False) -> Any:
    """A response with TopN's equal counts by row; cut: rows of the last count are no more than their number."""
    return {**answer, "results": [_pairs(result, cut) for result in answer.get("results", [])]}


def _pairs(result: Any, cut: bool) -> Any:
    if not (isinstance(result, list) and result and isinstance(result[0], dict) and "id" in result[0]):
        return result
    last = result[-1]["count"] if cut else None
    return sorted((-pair["count"], "" if pair["count"] == last else json.dumps(pair, sort_keys=True)) for pair in result)


def without_shard(text: str) -> str:
    """An error that names a shard: any will do."""
    return re.sub(r"shard \d+", "shard N", text)
