"""Pages that ask: within the time and memory that a query may take, all that a page asks together."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpResponse

from indexing import limits

Page = Callable[..., HttpResponse]


def limited(page: Page) -> Page:
    """A page whose questions are ended at the limits. It gets LimitExceeded, which is a QueryError, where it asks."""

    @wraps(page)
    def within_limits(*args: Any, **kwargs: Any) -> HttpResponse:
        with limits.within(settings.QUERY_SECONDS, settings.QUERY_MEMORY):
            return page(*args, **kwargs)

    return within_limits
