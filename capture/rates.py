"""How fast a live job captures now, by the rates that its worker wrote down."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

# The rates of a worker that has said nothing for so long are those of then, not of now.
FRESH_SECONDS = 5


def newest_second(live: Mapping[str, Any]) -> int:
    """Where "now" is (epoch seconds) in a picture of the rates: their newest entry, unless that is long ago."""
    now, rates = int(time.time()), live["rates"]
    return int(rates[-1][0]) if rates and abs(now - rates[-1][0]) <= FRESH_SECONDS else now


def rate_now(live: Mapping[str, Any]) -> tuple[float, float]:
    """Packets and bytes captured a second; zeros where nobody captures. live: as in the job of the API."""
    rates = live["rates"]
    if not live["capturing"] or not rates or int(rates[-1][0]) != newest_second(live):
        return 0.0, 0.0
    return float(rates[-1][1]), float(rates[-1][2])
