"""Questions and packets. Pilosa owns /index, /schema, /status, /info, /version, /export, /internal."""

from __future__ import annotations

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from capture.api import jobs
from picapweb.negotiate import by_accept
from proxy import job_pages, pages
from proxy.api import packets, pilosa

urlpatterns = [
    path("jobs/<int:pk>/", by_accept(jobs.OneJob.as_view(), job_pages.job), name="job"),
    path("jobs/<int:pk>/live/", job_pages.job_live, name="job-live"),
    path("jobs/<int:pk>/stop/", by_accept(jobs.Stop.as_view(), job_pages.stop), name="job-stop"),
    path("jobs/<int:pk>/retry/", by_accept(jobs.Retry.as_view(), job_pages.retry), name="job-retry"),
    path("jobs/<int:pk>/delete/", job_pages.delete, name="job-delete"),
    path("index/<str:index>/query", pilosa.query, name="pilosa-query"),
    path("explore/", pages.explore, name="explore"),
    path("query/", pages.console, name="query"),
    path("packets/", by_accept(packets.Packets.as_view(), pages.explore), name="packets"),
    path("packets/<str:index>/<int:column>/", by_accept(packets.OnePacket.as_view(), pages.packet), name="packet"),
    path(
        "jobs/<int:pk>/packets/<int:number>/",
        by_accept(packets.NumberedPacket.as_view(), pages.numbered_packet),
        name="numbered-packet",
    ),
    path("top/", by_accept(packets.Tops.as_view(), pages.top), name="top"),
    path("fields/", by_accept(packets.Fields.as_view(), pages.fields), name="fields"),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("", include("proxy.pilosa_urls")),
]
