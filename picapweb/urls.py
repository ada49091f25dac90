"""The route table of the one origin. Each app keeps its own; Pilosa's paths are the proxy's."""

from __future__ import annotations

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

from picapweb import health
from picapweb.admin import site
from picapweb.docs.views import docs
from picapweb.metrics.views import metrics
from picapweb.negotiate import by_accept
from picapweb.system.views import System, system

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("system/", by_accept(System.as_view(), system), name="system"),
    path("api/docs/", docs, name="docs"),
    path("admin/", site.urls),
]
urlpatterns += [path("", include(app)) for app in ("people.urls", "capture.urls", "proxy.urls") if find_spec(app)]

handler404 = "picapweb.exceptions.not_found"
handler400 = "picapweb.exceptions.bad_request"
handler500 = "picapweb.middleware.away.handler500"
