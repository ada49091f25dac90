"""When a sender owes how many packets."""

from __future__ import annotations

# A sender that could not keep up does not make good for it: so much of its delay is forgotten, and counts as a lower rate.
MOST_BEHIND = 0.02


class Pace:
    """packets a second, from `now`, by a clock in seconds. A rate of 0 is: as fast as it goes."""

    def __init__(self, rate: float, now: float) -> None:
        self.rate, self._since, self._sent = rate, now, 0

    def due(self, now: float) -> int:
        """How many packets are to go out now."""
        owed = int((now - self._since) * self.rate) - self._sent
        most = max(int(MOST_BEHIND * self.rate), 1)
        if owed > most:
            self._since += (owed - most) / self.rate
            return most
        return max(owed, 0)

    def went(self, packets: int) -> None:
        """So many went out."""
        self._sent += packets
