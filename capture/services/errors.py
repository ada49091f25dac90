"""An order that is refused, in words that can be shown; the views turn it into an answer, the commands into a message."""

from __future__ import annotations

from typing import Any


class Refused(Exception):
    """status: the HTTP status that fits. members: further members of the problem (an option's name, a job)."""

    def __init__(self, detail: str, status: int = 400, **members: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status
        self.members = members
