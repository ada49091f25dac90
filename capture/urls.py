"""Jobs and interfaces."""

from __future__ import annotations

from django.urls import path

from capture import pages
from capture.api import filters, jobs, registers, sample
from picapweb.negotiate import by_accept

urlpatterns = [
    path("", pages.start, name="start"),
    path("jobs/", by_accept(jobs.Jobs.as_view(), pages.jobs), name="jobs"),
    path("jobs/new/", pages.new_job, name="new-job"),
    path("jobs/check-filter", filters.check_filter, name="check-filter"),
    path("jobs/sample/", sample.try_sample, name="sample"),
    path("jobs/<int:pk>/events/", jobs.events, name="job-events"),
    path("jobs/<int:pk>/pcap", jobs.pcap, name="job-pcap"),
    path("interfaces/", by_accept(registers.Interfaces.as_view(), pages.interfaces), name="interfaces"),
]
