"""The route table of the one origin. Each app keeps its own; Pilosa's paths are the proxy's."""

from __future__ import annotations

from importlib.util import find_spec

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import URLPattern, URLResolver, include, path

from picapweb import health
from picapweb.metrics import metrics

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("sign-in/", LoginView.as_view(template_name="picapweb/sign_in.html"), name="sign-in"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
]
urlpatterns += [path("", include(app)) for app in ("capture.urls", "proxy.urls") if find_spec(app)]

handler404 = "picapweb.exceptions.not_found"
handler400 = "picapweb.exceptions.bad_request"
handler500 = "picapweb.middleware.away.handler500"
