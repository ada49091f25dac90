"""The route table of the one origin. Each app keeps its own; Pilosa's paths are the proxy's."""

from __future__ import annotations

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

from picapweb import health

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
urlpatterns += [path("", include(app)) for app in ("capture.urls", "proxy.urls") if find_spec(app)]

handler500 = "picapweb.middleware.away.handler500"
