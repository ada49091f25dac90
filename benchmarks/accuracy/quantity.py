"""One table (or figure) of a capture's truth, beside what our fields say of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from benchmarks.accuracy.claim import Claim
from benchmarks.accuracy.found import Found


@dataclass(frozen=True)
class Quantity:
    """theirs: value -> packets (a figure of the whole capture is one value)."""

    name: str
    theirs: Counter[str]
    ours: Claim


class Theme(Protocol):
    """What yields the quantities of a theme: from the truth of a capture and what we found in it."""

    def __call__(self, told: dict[str, Any], found: Found) -> Iterator[Quantity]: ...
