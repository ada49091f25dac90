"""Questions and packets. Pilosa owns /index, /schema, /status, /info, /version, /export, /internal."""

from __future__ import annotations

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from capture.api import jobs
from picapweb.negotiate import by_accept
from proxy import (
    compare_page,
    console_page,
    explore_page,
    fields_page,
    flow_pages,
    job_pages,
    packet_page,
    payload_page,
    saved_pages,
    top_page,
)
from proxy.api import (
    alerts,
    analysis,
    completion,
    export,
    flows,
    health,
    notes,
    packet_file,
    packets,
    payload,
    pilosa,
    saved,
    tags,
)

urlpatterns = [
    path("jobs/<int:pk>/", by_accept(jobs.OneJob.as_view(), job_pages.job), name="job"),
    path("jobs/<int:pk>/live/", job_pages.job_live, name="job-live"),
    path("jobs/<int:pk>/stop/", by_accept(jobs.Stop.as_view(), job_pages.stop), name="job-stop"),
    path("jobs/<int:pk>/retry/", by_accept(jobs.Retry.as_view(), job_pages.retry), name="job-retry"),
    path("jobs/<int:pk>/share/", by_accept(jobs.Share.as_view(), job_pages.share), name="job-share"),
    path("jobs/<int:pk>/health/", health.JobHealth.as_view(), name="job-health"),
    path("jobs/<int:pk>/delete/", job_pages.delete, name="job-delete"),
    path("index/<str:index>/query", pilosa.query, name="pilosa-query"),
    path("explore/", explore_page.explore, name="explore"),
    path("explore/with/", explore_page.explore_with, name="explore-with"),
    path("query/", console_page.console, name="query"),
    path("packets/", by_accept(packets.Packets.as_view(), explore_page.explore), name="packets"),
    path("packets/tags", by_accept(tags.Tags.as_view(), saved_pages.tags), name="tags"),
    path("packets/export", export.ExportPackets.as_view(), name="export"),
    path("packets/<str:index>/<int:column>/", by_accept(packets.OnePacket.as_view(), packet_page.packet), name="packet"),
    path("packets/<str:index>/<int:column>/pcap", packet_file.PacketFile.as_view(), name="packet-pcap"),
    path("packets/<str:index>/<int:column>/note", by_accept(notes.Note.as_view(), saved_pages.note), name="note"),
    path(
        "jobs/<int:pk>/packets/<int:number>/",
        by_accept(packets.NumberedPacket.as_view(), packet_page.numbered_packet),
        name="numbered-packet",
    ),
    path("top/", by_accept(analysis.Tops.as_view(), top_page.top), name="top"),
    path("count/", analysis.Counts.as_view(), name="count"),
    path("complete/", completion.Complete.as_view(), name="complete"),
    path("histogram/", analysis.Histogram.as_view(), name="histogram"),
    path("crosstab/", analysis.Crosstab.as_view(), name="crosstab"),
    path("compare/", by_accept(analysis.Compare.as_view(), compare_page.compare), name="compare"),
    path("flows/", by_accept(flows.Flows.as_view(), flow_pages.flows), name="flows"),
    path("flows/<str:index>/<int:column>/", by_accept(flows.OneFlow.as_view(), flow_pages.flow), name="flow"),
    path(
        "flows/<str:index>/<int:column>/payload/",
        by_accept(payload.Payload.as_view(), payload_page.payload),
        name="payload",
    ),
    path("flows/<str:index>/<int:column>/payload/<str:side>", payload.PayloadBytes.as_view(), name="payload-bytes"),
    path("named/", flows.NamedQueries.as_view(), name="named"),
    path("saved/", by_accept(saved.SavedQueries.as_view(), saved_pages.saved), name="saved"),
    path("saved/<int:pk>/", by_accept(saved.OneSavedQuery.as_view(), saved_pages.saved_query), name="saved-query"),
    path("saved/<int:pk>/edit/", saved_pages.edit, name="saved-edit"),
    path("saved/<int:pk>/delete/", saved_pages.delete, name="saved-delete"),
    path(
        "saved/<int:pk>/test-webhook/",
        by_accept(alerts.TestWebhook.as_view(), saved_pages.test_webhook),
        name="test-webhook",
    ),
    path("alerts/", by_accept(alerts.Alerts.as_view(), saved_pages.alerts), name="alerts"),
    path("alerts/<int:pk>/", by_accept(alerts.OneAlert.as_view(), saved_pages.alert), name="alert"),
    path(
        "alerts/<int:pk>/acknowledge/",
        by_accept(alerts.Acknowledge.as_view(), saved_pages.acknowledge),
        name="acknowledge",
    ),
    path("fields/", by_accept(packets.Fields.as_view(), fields_page.fields), name="fields"),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("", include("proxy.pilosa_urls")),
]
