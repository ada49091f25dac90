"""Which difference has which reason. A difference that no rule covers is unexplained, and a fault until somebody has looked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

MORE, LESS = "more", "less"


@dataclass(frozen=True)
class Rule:
    """Values of quantities of captures that may differ for a reason (a key of reasons.REASONS).

    captures, quantities: shell patterns, several separated by a blank. side: MORE (we find more packets), LESS, "" for both.
    values: a regular expression for the whole value.
    """

    reason: str
    captures: str
    quantities: str
    side: str = ""
    values: str = r"(?s:.*)"

    def covers(self, capture: str, quantity: str, side: str, value: str) -> bool:
        """Whether the rule says why `value` differs."""
        return (
            self.side in ("", side)
            and any(fnmatchcase(capture, pattern) for pattern in self.captures.split())
            and any(fnmatchcase(quantity, pattern) for pattern in self.quantities.split())
            and re.fullmatch(self.values, value) is not None
        )


RULES: tuple[Rule, ...] = ()
