"""One URL, two faces: a page for a browser, JSON for everyone else (by Accept; ?as=json forces JSON)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import patch_vary_headers

from picapweb.problem import wants_html

View = Callable[..., HttpResponseBase]


def by_accept(api: View, page: View) -> View:
    """A view that answers with `page` where the client asks for HTML, else with `api`."""

    def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = (page if wants_html(request) else api)(request, *args, **kwargs)
        patch_vary_headers(response, ["Accept"])
        return response

    # What the OpenAPI description knows a view of the API by.
    for name in ("cls", "initkwargs"):
        if hasattr(api, name):
            setattr(view, name, getattr(api, name))
    return view
